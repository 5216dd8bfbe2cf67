"""What each method does, in a few words for somebody who has never heard its name, in English and French."""

GLOSSES = {
    "adapter": {
        "en": "small networks added between the layers, the base model unchanged",
        "fr": "de petits réseaux ajoutés entre les couches, le modèle de base inchangé",
    },
    "bitfit": {
        "en": "only the biases of the base model trained",
        "fr": "seuls les biais du modèle de base entraînés",
    },
    "contrast": {
        "en": "the base model trained to bring texts of one label together, then a classifier on top",
        "fr": "le modèle de base entraîné à rapprocher les textes d’une même étiquette, puis un classifieur",
    },
    "copy": {
        "en": "what is given comes back as it stands",
        "fr": "ce qui est donné, rendu tel quel",
    },
    "domain": {
        "en": "the base model has read raw text of the domain",
        "fr": "le modèle de base a lu du texte brut du domaine",
    },
    "embedded": {
        "en": "the small decoder that comes with accordeur, as it is",
        "fr": "le petit décodeur livré avec accordeur, tel quel",
    },
    "fewshot": {
        "en": "the base model as it is, shown a few examples",
        "fr": "le modèle de base tel quel, avec quelques exemples",
    },
    "freeze": {
        "en": "the topmost layers of the base model trained",
        "fr": "les couches du haut du modèle de base entraînées",
    },
    "full": {
        "en": "all weights of the base model trained",
        "fr": "tous les poids du modèle de base entraînés",
    },
    "head": {
        "en": "a small classifier on top of the unchanged base model",
        "fr": "un petit classifieur posé sur le modèle de base inchangé",
    },
    "ia3": {
        "en": "learned scales inside the base model, its weights unchanged (IA³)",
        "fr": "des facteurs appris dans le modèle de base, ses poids inchangés (IA³)",
    },
    "lexicon": {
        "en": "for every word the tag it had most often, no language model",
        "fr": "pour chaque mot son étiquette la plus fréquente, sans modèle de langue",
    },
    "lora": {
        "en": "small added weights, the base model unchanged (LoRA)",
        "fr": "de petits poids ajoutés, le modèle de base inchangé (LoRA)",
    },
    "lstm": {
        "en": "a small recurrent network trained from nothing, no base model",
        "fr": "un petit réseau récurrent entraîné de zéro, sans modèle de base",
    },
    "majority": {
        "en": "always the most frequent answer",
        "fr": "toujours la réponse la plus fréquente",
    },
    "neighbour": {
        "en": "the answer of the most similar row seen in training, no language model",
        "fr": "la réponse de la ligne d’entraînement la plus proche, sans modèle de langue",
    },
    "ngram": {
        "en": "counts of short runs of words, no neural network",
        "fr": "des comptages de courtes suites de mots, sans réseau de neurones",
    },
    "overlap": {
        "en": "the words around which most of the question stands, no language model",
        "fr": "les mots autour desquels se trouve l’essentiel de la question, sans modèle de langue",
    },
    "prefix": {
        "en": "learned vectors that every layer reads first, the base model unchanged",
        "fr": "des vecteurs appris que chaque couche lit d’abord, le modèle de base inchangé",
    },
    "prompt": {
        "en": "the base model as it is, asked with a prompt",
        "fr": "le modèle de base tel quel, interrogé par une consigne",
    },
    "qlora": {
        "en": "small added weights beside a base model kept in 4 or 8 bits (QLoRA)",
        "fr": "de petits poids ajoutés à un modèle de base gardé en 4 ou 8 bits (QLoRA)",
    },
    "soft-prompt": {
        "en": "a few learned input vectors, the base model unchanged",
        "fr": "quelques vecteurs d’entrée appris, le modèle de base inchangé",
    },
    "text-to-text": {
        "en": "the base model trained to write the answer in words",
        "fr": "le modèle de base entraîné à écrire la réponse en toutes lettres",
    },
    "tfidf": {
        "en": "word counts and a linear classifier, no language model",
        "fr": "comptage de mots et classifieur linéaire, sans modèle de langue",
    },
}

THEN = {"en": "then", "fr": "puis"}


def gloss(name: str, language: str) -> str:
    """In a few words what a method does, `x+y` one after the other; empty where a part of it is unknown here."""
    parts = [GLOSSES.get(part, {}).get(language, "") for part in name.split("+")]
    return f", {THEN[language]} ".join(parts) if all(parts) else ""
