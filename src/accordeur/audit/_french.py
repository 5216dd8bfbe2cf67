"""The findings in French: what was found, and what to do; the count and the other values are filled in."""

FRENCH: dict[str, tuple[str, str]] = {
    "unreadable": (
        "Données inutilisables : {reason}",
        "{hint}",
    ),
    "bad-rows": (
        "Lignes illisibles ou incomplètes : {count}.",
        "Les corriger à la source ; --fix OUT écrit une copie sans elles.",
    ),
    "sampled": (
        "Lignes examinées une à une : {count} sur {total}, régulièrement espacées.",
        (
            "Répétitions exactes, fuites et étiquettes contradictoires ont été cherchées dans toutes les lignes ; ce qui est"
            " dit des répétitions approchées, des textes, des étiquettes et des longueurs vaut pour ces lignes."
        ),
    ),
    "no-split": (
        "Impossible de répartir les lignes entre apprentissage, validation et test : {reason}",
        "{hint}",
    ),
    "small-classes": (
        "Classes de moins de {few} lignes pour apprendre : {count}. {classes}.",
        "Réunir plus de lignes de ces classes, les fondre dans d’autres, ou ne rien en attendre.",
    ),
    "lopsided": (
        "{share} % des lignes portent l’étiquette {label}.",
        "L’exactitude ne dit pas grand-chose ici : comparer par la macro-F1, et réunir des lignes des autres classes.",
    ),
    "duplicates": (
        "Lignes de la partie {part} qui en répètent une autre : {count} sur {total} ({share} %).",
        "Une ligne répétée pèse double ; --fix OUT écrit une copie sans elles.",
    ),
    "near-duplicates": (
        "Lignes de la partie {part} qui en répètent presque une autre : {count} sur {total} ({share} %).",
        ("Regarder quelques paires : si elles sortent d’un gabarit, les données sont moins riches qu’elles n’en ont l’air."),
    ),
    "near-limited": (
        ("Tant de lignes se ressemblent que toutes les paires n’ont pas été comparées (paires proches trouvées : {count})."),
        ("Les lignes semblent sortir de quelques gabarits : ôter d’abord les répétitions (--fix OUT), puis vérifier de nouveau."),
    ),
    "leaked-rows": (
        "Lignes de la partie {part} qui figurent aussi dans la partie {other} : {count}.",
        "Ce qui a servi à apprendre ne peut pas juger : les ôter d’un côté (--fix OUT les ôte de l’apprentissage).",
    ),
    "near-leaks": (
        (
            "Lignes de la partie {part} qui répètent presque une ligne de la partie {other} : {count} ; lignes de {other}"
            " concernées : {judged} ({share} %)."
        ),
        (
            "Le score de ces lignes est flatteur : les ôter de l’apprentissage (--fix OUT), ou répartir par groupe (--group"
            " COLONNE)."
        ),
    ),
    "leaked-groups": (
        (
            "Lignes de la partie {part} dont le groupe de « {group} » a aussi des lignes dans la partie {other} : {count}"
            " (groupes : {groups})."
        ),
        "Répartir par groupe : un seul fichier et --group {group}, ou ôter ces lignes (--fix OUT).",
    ),
    "left-out": (
        "Lignes écartées de l’apprentissage, car une ligne de validation ou de test les répète : {count}.",
        "Rien à faire : sans elles, la comparaison est juste. Corriger les fichiers pour ne plus voir cette remarque.",
    ),
    "conflicting-labels": (
        "Lignes dont le texte porte plusieurs étiquettes : {count} ({share} % ; textes différents : {texts}).",
        "Trancher pour une étiquette ; --fix OUT écrit une copie sans ces lignes.",
    ),
    "suspicious-labels": (
        "Étiquettes probablement fausses : {count} ({share} %). Le plus souvent : {mixed}.",
        "Regarder ces lignes, les plus sûres d’abord. Rien n’est changé d’office : certaines peuvent être justes.",
    ),
    "damaged-text": (
        "Lignes aux lettres abîmées (comme Ã© ou �) : {count}.",
        "Le texte a été lu un jour dans un mauvais encodage : l’exporter de nouveau en UTF-8.",
    ),
    "no-words": (
        "Lignes sans une seule lettre ni un seul chiffre : {count}.",
        "Les ôter, sauf si les signes seuls ont un sens ici.",
    ),
    "cut-answers": (
        "Réponses d’une même longueur maximale ({length} caractères) et sans fin : {count}.",
        ("Elles semblent coupées à une limite : un modèle apprendrait à s’arrêter en pleine phrase. Les exporter en entier."),
    ),
    "cut-rows": (
        ("Lignes de plus de {limit} jetons, qui seraient coupées : {count} ({share} %) ; jetons de réponse perdus : {lost}."),
        "--max-length {enough} en garde entières toutes sauf 5 %, si le modèle de base peut en lire autant.",
    ),
    "untrainable": (
        "Lignes sans un seul jeton à apprendre une fois coupées à {limit} jetons : {count}.",
        "Raccourcir ce qui est donné, ou augmenter --max-length.",
    ),
    "special-tokens": (
        "Lignes dont le texte contient des jetons spéciaux : {count}. {tokens}.",
        "Ils sont lus comme du texte. S’ils restent d’un format de conversation, les ôter du texte.",
    ),
    "personal-email": (
        "Lignes avec une adresse électronique : {count}.",
        "Un modèle entraîné peut répéter ce qu’il a lu : remplacer les adresses avant.",
    ),
    "personal-phone": (
        "Lignes avec ce qui semble être un numéro de téléphone : {count}.",
        "Un modèle entraîné peut répéter ce qu’il a lu : remplacer les numéros avant.",
    ),
    "personal-iban": (
        "Lignes avec un numéro de compte valable (IBAN) : {count}.",
        "Les remplacer avant l’apprentissage, et demander d’où ils viennent.",
    ),
    "personal-card": (
        "Lignes avec un numéro de carte de paiement valable : {count}.",
        "Les remplacer avant l’apprentissage, et demander d’où ils viennent.",
    ),
    "languages": (
        "Les lignes sont en plusieurs langues : {named}.",
        "Si c’est voulu, choisir un modèle de base qui les connaît toutes et regarder les scores par langue.",
    ),
    "shift": (
        (
            "Les lignes de test ne ressemblent pas à celles d’apprentissage : un classifieur les distingue, AUC de {auc}"
            " ({low} à {high} ; 0,5 est le hasard)."
        ),
        (
            "Si le test est ce qui viendra plus tard, son score est honnête, mais la validation devrait lui ressembler."
            " Sinon, le tirer de nouveau."
        ),
    ),
}
