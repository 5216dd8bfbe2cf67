"""What every metric is called and what it says, in English and French."""

NAMES = {
    "macro_f1": ("macro-F1", "macro-F1"),
    "accuracy": ("accuracy", "exactitude"),
    "log_loss": ("log-loss", "log-perte"),
    "calibration_error": ("calibration error", "erreur de calibration"),
    "nll": ("negative log-likelihood", "log-vraisemblance négative"),
    "rouge_l": ("ROUGE-L", "ROUGE-L"),
    "token_f1": ("token F1", "F1 des mots"),
    "chrf": ("chrF", "chrF"),
    "exact_match": ("exact match", "réponses identiques"),
    "pearson": ("Pearson correlation", "corrélation de Pearson"),
    "spearman": ("Spearman correlation", "corrélation de Spearman"),
    "mae": ("mean absolute error", "erreur absolue moyenne"),
    "bleu": ("BLEU", "BLEU"),
    "squad_f1": ("answer F1", "F1 des réponses"),
    "answered_right": ("answered or abstained rightly", "réponse ou abstention justes"),
    "entity_f1": ("entity F1", "F1 des entités"),
    "entity_precision": ("entity precision", "précision des entités"),
    "entity_recall": ("entity recall", "rappel des entités"),
    "token_accuracy": ("token accuracy", "exactitude par jeton"),
    "repairs": ("repaired tags", "étiquettes réparées"),
    "pair_accuracy": ("pair accuracy", "exactitude par paire"),
    "pair_margin": ("pair margin", "marge par paire"),
    "bits_per_character": ("bits per character", "bits par caractère"),
    "general_accuracy": (
        "accuracy of a linear probe on a general task",
        "exactitude d’une sonde linéaire sur une tâche générale",
    ),
    "general_nll": ("loss on general text", "perte sur un texte général"),
    "retain_accuracy": ("accuracy of a linear probe on your own rows", "exactitude d’une sonde linéaire sur vos lignes"),
    "retain_nll": ("loss on your own text", "perte sur votre texte"),
}

HELP = {
    "macro_f1": (
        "the mean over labels of F1, which weighs answers missed against answers given wrongly; every label counts the same",
        "la moyenne sur les étiquettes du F1, qui met en balance réponses manquées et fautives ; chaque étiquette compte autant",
    ),
    "accuracy": (
        "the share of rows answered right",
        "la part des lignes bien répondues",
    ),
    "log_loss": (
        "how little probability the right label was given, in nats",
        "le peu de probabilité accordé à la bonne étiquette, en nats",
    ),
    "calibration_error": (
        "how far the stated confidence lies from the share of right answers",
        "la distance entre la confiance affichée et la part de réponses justes",
    ),
    "nll": (
        "how unlikely the model found the expected answer, per token, in nats",
        "combien le modèle jugeait improbable la réponse attendue, par jeton, en nats",
    ),
    "rouge_l": (
        "the overlap with the expected answer by the longest common run of words",
        "le recouvrement avec la réponse attendue, par la plus longue suite commune de mots",
    ),
    "token_f1": (
        "the overlap of words with the expected answer",
        "le recouvrement des mots avec la réponse attendue",
    ),
    "chrf": (
        "the overlap of letters with the expected answer",
        "le recouvrement des lettres avec la réponse attendue",
    ),
    "exact_match": (
        "the share of answers equal to the expected one",
        "la part des réponses identiques à celle attendue",
    ),
    "pearson": (
        "how far answer and grade rise and fall together, in a line: 1 at best",
        "à quel point réponse et note varient ensemble, en ligne droite : 1 au mieux",
    ),
    "spearman": (
        "how far answers and grades put the rows in the same order: 1 at best",
        "à quel point réponses et notes classent les lignes dans le même ordre : 1 au mieux",
    ),
    "mae": (
        "the mean distance between answer and grade",
        "la distance moyenne entre la réponse et la note",
    ),
    "bleu": (
        "the share of runs of one to four words that the expected answer has too, less where the answer is short",
        "la part des suites d’un à quatre mots qu’a aussi la réponse attendue, moindre si la réponse est courte",
    ),
    "squad_f1": (
        "the overlap of words with the nearest of the expected answers",
        "le recouvrement des mots avec la plus proche des réponses attendues",
    ),
    "answered_right": (
        "the share of rows where it answers if there is an answer, and abstains if there is none",
        "la part des lignes où il répond s’il y a une réponse, et s’abstient s’il n’y en a pas",
    ),
    "entity_f1": (
        "weighs entities missed against entities found wrongly; one counts only with its exact words and type",
        "met en balance entités manquées et entités fautives ; une entité ne compte qu’avec ses mots et son type exacts",
    ),
    "entity_precision": (
        "the share of the entities it finds that are right",
        "la part des entités trouvées qui sont justes",
    ),
    "entity_recall": (
        "the share of the entities there are that it finds",
        "la part des entités présentes qui sont trouvées",
    ),
    "token_accuracy": (
        "the share of tokens tagged right, those outside any entity too",
        "la part des jetons bien étiquetés, y compris hors de toute entité",
    ),
    "repairs": (
        "the share of tags that went on with an entity which none had begun, and were read as its beginning",
        "la part des étiquettes qui continuaient une entité que rien n’avait commencée, lues comme son début",
    ),
    "pair_accuracy": (
        "the share of pairs whose preferred answer scores higher",
        "la part des paires dont la réponse préférée obtient plus",
    ),
    "pair_margin": (
        "by how much the preferred answer scores higher",
        "de combien la réponse préférée obtient plus",
    ),
    "bits_per_character": (
        "how surprised the model is by the text, whatever its tokens",
        "à quel point le texte surprend le modèle, quels que soient ses jetons",
    ),
}


def metric_words(place: int) -> dict[str, str]:
    """The keys of one language's table: `metric_NAME` and `help_NAME`. place: 0 for English, 1 for French."""
    names = {f"metric_{name}": both[place] for name, both in NAMES.items()}
    return {**names, **{f"help_{name}": both[place] for name, both in HELP.items()}}
