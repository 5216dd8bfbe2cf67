"""The strings of a report in French."""

FRENCH = {
    "and": "et",
    "title": "Quelle adaptation choisir ? {task}",
    "overline": "Rapport de comparaison",
    "facts_rows": "{train} lignes pour apprendre, {validation} pour choisir, {test} pour juger",
    "facts_base": "modèle de base {name} ({family}, {parameters} paramètres)",
    "facts_metric": "mesure décisive : {metric}",
    "contents": "Sommaire",
    # the verdict
    "verdict": "Verdict",
    "decision_use": "à utiliser",
    "decision_do-not-fine-tune": "ne pas entraîner",
    "decision_cannot-tell": "indécis",
    "headline_use": "Utiliser {method}.",
    "headline_do-not-fine-tune": "Inutile d’entraîner : {method} suffit.",
    "headline_cannot-tell": "Trop serré pour trancher ; avantage à {method}.",
    "headline_nothing": "Pas de verdict : aucune méthode n’a abouti.",
    "lead_is": "{method} : {gloss}.",
    "lead_score": (
        "Sur {rows} lignes de test qu’aucune méthode n’avait vues, le score est de {score} ({metric}) ; sur d’autres lignes "
        "du même genre, attendez-vous à une valeur entre {low} et {high}."
    ),
    "lead_score_lower": (
        "Sur {rows} lignes de test qu’aucune méthode n’avait vues, la mesure ({metric}) vaut {score} (moins, c’est mieux) ; "
        "sur d’autres lignes du même genre, attendez-vous à une valeur entre {low} et {high}."
    ),
    "why": "Pourquoi",
    "why_short": (
        "Le budget a pris fin avant que ces méthodes aient vu une fois toutes les lignes d’entraînement : {methods}. Ce qui est "
        "dit ici vaut pour ce budget ; avec plus de minutes (--budget), leur score pourrait bien monter."
    ),
    "why_nothing": "Aucune méthode n’a abouti à un score : il n’y a rien à comparer.",
    "fact_quality": "Qualité",
    "fact_fit": "Temps d’ajustement",
    "fact_memory": "Pic de mémoire",
    "fact_speed": "Temps par réponse",
    "fact_disk": "Sur disque",
    "fact_money": "Coût d’ajustement",
    "interval_95": "intervalle à 95 % {span}",
    "collect_more": (
        "Recueillir environ {more} lignes d’entraînement de plus : de {before} à {rows} lignes, {method} s’est amélioré de "
        "{gain} ({span}) ; si chaque doublement rapporte toujours autant, ces lignes apportent encore {tolerance}."
    ),
    "collect_far": (
        "De {before} à {rows} lignes d’entraînement, {method} s’est amélioré de {gain} ({span}), mais encore {tolerance} est "
        "hors d’atteinte : il faudrait plus de dix fois les lignes, ou un score au-delà de l’échelle."
    ),
    "collect_not": (
        "Il n’est pas démontré que davantage de lignes d’entraînement aideraient : de {before} à {rows} lignes, {method} a "
        "bougé de {gain} ({span})."
    ),
    # quality
    "quality": "Qualité",
    "quality_intro": (
        "Chaque méthode a répondu aux mêmes {rows} lignes de test, une seule fois, à la fin. La barre autour d’un score est "
        "son intervalle à 95 % : là où le score tomberait sur d’autres lignes du même genre. On juge que deux méthodes "
        "diffèrent sur leurs écarts ligne à ligne, plus bas, et non d’après le chevauchement de ces barres."
    ),
    "quality_chart": (
        "{metric} de chaque méthode sur les lignes de test, avec intervalles à 95 %. Les petits points sont les graines une à"
        " une ; une flèche renvoie à une valeur hors de l’axe."
    ),
    "quality_table": "Toutes les mesures, avec intervalles à 95 % sur les lignes de test. Choisir un en-tête pour trier.",
    "higher": "plus, c’est mieux",
    "lower": "moins, c’est mieux",
    "differences": "L’écart est-il réel ?",
    "differences_intro": (
        "Chaque ligne oppose une méthode à {against}, le meilleur score ici, sur les mêmes lignes. La bande grisée est la "
        "tolérance : les écarts jusqu’à {tolerance} sont sans importance. Les intervalles sont élargis pour être tous "
        "valables à la fois."
    ),
    "differences_chart": (
        "Écart de {metric} avec {against}, avec intervalles valables ensemble. Une flèche renvoie à une valeur hors de l’axe."
    ),
    "differences_table": "Les chiffres du graphique ; p est ajusté au nombre de comparaisons (Holm).",
    "difference_axis": "écart de {metric}, {unit}",
    "left_worse": "à gauche : moins bon, à droite : meilleur",
    "left_better": "à gauche : meilleur, à droite : moins bon",
    "against": "{method} contre {against}",
    "not_compared": "Hors comparaison",
    "not_compared_intro": "Une méthode qui ne s’applique pas, ou qui n’a pas abouti, figure ici avec sa raison.",
    # cost
    "cost": "Qualité et coût",
    "cost_intro": "En haut, c’est meilleur ; à gauche, moins cher. La ligne fine relie les méthodes que rien ne bat à leur coût.",
    "cost_intro_lower": (
        "En bas, c’est meilleur ; à gauche, moins cher. La ligne fine relie les méthodes que rien ne bat à leur coût."
    ),
    "cost_fit": "temps de calcul à l’ajustement",
    "cost_memory": "pic de mémoire",
    "cost_size": "taille sur disque",
    "cost_latency": "temps par réponse",
    "cost_chart": "{metric} selon : {cost}",
    "cost_table": "Ce que coûte chaque méthode ; moyennes sur les graines, pic de mémoire le plus haut.",
    "money_note": "Dans la monnaie du prix donné de {price} par heure.",
    # curves
    "curves": "Courbes d’apprentissage",
    "curves_intro": "Le déroulement de l’entraînement, pas à pas. Le point marque l’état retenu ; les graines sont superposées.",
    "curve_loss": "perte sur les lignes d’entraînement",
    "curve_score": "{metric} sur les lignes de validation",
    "curve_step": "pas",
    "curve_chart": "Courbe d’apprentissage de {method}",
    # overfitting, forgetting
    "overfitting": "Surapprentissage",
    "overfitting_intro": (
        "La même mesure sur des lignes vues à l’entraînement (anneau) et sur les lignes de test (point), avec l’écart entre "
        "les deux et son intervalle. Un grand écart signifie que la méthode a appris des lignes par cœur."
    ),
    "overfitting_chart": "{metric} sur un échantillon des lignes d’entraînement et sur les lignes de test",
    "forgetting": "Oubli",
    "forgetting_intro": (
        "Ce que le modèle de base savait faire en général avant d’être adapté, et ce qu’il en reste : {metric}. Une perte "
        "dont l’intervalle exclut zéro est réelle."
    ),
    "forgetting_chart": "Ce que l’adaptation a coûté : {metric} ; à droite de zéro, c’est perdu",
    "forgetting_axis": "perdu : {metric}, {unit}",
    "forgetting_table": "Une capacité générale avant et après l’adaptation, avec l’intervalle à 95 % de ce qui a été perdu.",
    "before": "Avant",
    "after": "Après",
    "lost": "Perdu",
    "forgetting_none": "Exactement inchangé, car le modèle de base lui-même n’a pas été touché : {methods}.",
    # rows
    "entities": "Type par type",
    "entities_intro": (
        "Une entité n’est juste qu’avec son type, son premier et son dernier mot. Le score d’un type rare dans les lignes de "
        "test ne dit pas grand-chose ; un tiret marque l’absence du type."
    ),
    "entities_table": (
        "F1 de chaque type d’entité, en points ; dessous, précision (P) et rappel (R) ; moyennes sur les graines d’une méthode."
    ),
    "entity_type": "Type",
    "entity_count": "Entités dans les lignes de test",
    "entity_shares": "P {precision}; R {recall}",
    "errors": "Les erreurs, côte à côte",
    "confusion": "Qu’est-ce qui est pris pour quoi",
    "confusion_intro": (
        "En lignes ce qui était attendu, en colonnes ce qui a été répondu ; plus c’est foncé, plus la part de la ligne est "
        "grande. La diagonale est juste."
    ),
    "confusion_caption": "{method} : attendu (lignes), répondu (colonnes)",
    "confusion_seeds": "{count} graines ensemble",
    "confusion_none": "sans étiquette",
    "pairs_caption": "{method} : les confusions les plus fréquentes",
    "expected": "Attendu",
    "answered": "Répondu",
    "count": "Nombre",
    "hardest": "Les lignes les plus difficiles",
    "hardest_intro": (
        "Ce que presque toutes les méthodes manquent est souvent mal étiqueté ou ambigu : ces lignes méritent un coup d’œil."
    ),
    "hardest_intro_text": "Ce que tous les modèles jugent improbable est souvent abîmé ou dans une autre langue : à regarder.",
    "rows_seed": "De plusieurs graines, ce sont les réponses de la première.",
    "rows_score": "Les nombres : {metric}, ligne à ligne.",
    "split": "Là où les méthodes divergent",
    "split_intro": "Les lignes où la qualité des réponses diffère le plus.",
    "given": "Donné",
    "right": "juste",
    "wrong": "faux",
    # data, slices, sizes
    "data": "Examen des données",
    "data_intro": "Ce qui a été trouvé dans les lignes avant tout entraînement.",
    "audit_rows": "{rows} lignes ont été examinées avant tout entraînement.",
    "audit_found": "Erreurs : {errors}, avertissements : {warnings}.",
    "audit_clean": "Rien d’anormal n’a été trouvé.",
    "audit_forced": "Les erreurs ont été ignorées (--force) : se méfier de tout ce qui tient à ces lignes.",
    "audit_error": "erreur",
    "audit_warning": "attention",
    "audit_look": "lignes à regarder",
    "audit_shift": (
        "Les lignes de test ressemblent-elles à celles d’apprentissage ? Un classifieur qui les distingue atteint une AUC de"
        " {auc} ({low} à {high}) ; 0,5 est le hasard."
    ),
    "audit_noted": "Noté avant le premier essai (tel qu’affiché, en anglais)",
    "check": "Contrôle",
    "check_rows": "lignes : {part}",
    "check_within": "lignes répétées dans la même partie : {part}",
    "check_across": "lignes présentes des deux côtés : {sides}",
    "check_dropped": "lignes écartées, car leur texte figure dans une autre partie",
    "check_conflicts": "textes portant plusieurs étiquettes",
    "check_longest": "jetons de la ligne la plus longue",
    "check_limit": "jetons permis par ligne",
    "check_cut_rows": "lignes plus longues, qui sont coupées",
    "check_lost_answer_tokens": "jetons de réponse perdus par la coupe",
    "found": "Trouvé",
    "first_places": "Premiers endroits",
    "data_table": "Comptes, et premiers endroits où quelque chose a été trouvé.",
    "labels_table": "Lignes de chaque étiquette dans chaque partie.",
    "label": "Étiquette",
    "part_train": "apprentissage",
    "part_validation": "validation",
    "part_test": "test",
    "in": "dans",
    "slices": "Sous-ensembles",
    "slices_intro": (
        "{metric} sur des parties des lignes de test, selon la valeur d’une colonne, avec intervalles à 95 %. Petite partie, "
        "grand intervalle. Les valeurs de moins de 5 lignes, ou au-delà des 30 plus fréquentes, sont réunies sous « autres »."
    ),
    "slices_chart": "{metric} de {method} selon {column}, avec intervalles à 95 % ; lignes entre parenthèses",
    "slices_table": "Toutes les méthodes selon {column}, avec intervalles à 95 %.",
    "slice": "Partie",
    "slice_other": "autres ({count} valeurs)",
    "slice_none": "(sans valeur)",
    "also": "Sur d’autres données",
    "also_intro": (
        "Les mêmes modèles sur des lignes venues d’ailleurs. Ce qui s’y perd est ce à quoi s’attendre quand les données "
        "changent ; un intervalle au-dessus de zéro dit que la perte est réelle."
    ),
    "also_chart": "{metric} sur les lignes de test (anneau) et sur {name} (point), avec l’écart entre les deux",
    "also_table": "{name} : {rows} lignes, avec intervalles à 95 % ; une chute positive est une perte.",
    "also_here": "Lignes de test",
    "also_drop": "Chute",
    "rows": "Lignes",
    "sweep": "Réglages essayés",
    "sweep_intro": (
        "Les candidats ont vu les mêmes lots et ont été comparés sur les mêmes lignes de validation ; seul le réglage retenu a"
        " répondu aux lignes de test. L’écart est pris avec le meilleur au même point de l’entraînement."
    ),
    "sweep_table": "Candidats de {method}, le réglage retenu d’abord, chacun à son dernier jugement.",
    "sweep_candidate": "candidat",
    "sweep_validation": "validation",
    "sweep_share": "jugé après",
    "sweep_behind": "écart avec le meilleur",
    "sweep_sure": "certitude qu’il est moins bon",
    "sweep_won": "retenu",
    "sweep_remark": "Écartés : {out}, dont {clear} nettement moins bons (sûr à 95 %) et {close} qu’on ne peut départager.",
    "sizes": "Qualité selon le nombre de lignes",
    "sizes_intro": (
        "{metric} de méthodes entraînées sur moins de lignes, chaque partie contenue dans la suivante, avec intervalles à "
        "95 %. Une courbe qui s’améliore encore dit que davantage de lignes aideraient peut-être ; le verdict dit si c’est "
        "démontré."
    ),
    "sizes_axis": "lignes d’entraînement",
    "sizes_chart": "{metric} de {method} selon le nombre de lignes d’entraînement",
    # settings
    "settings": "Réglages et choix",
    "settings_intro": "Tout ce qui a été demandé à chaque essai, et ce qu’il a choisi sur les lignes de validation.",
    "group_settings": "Réglages",
    "group_facts": "Choisi ou mesuré",
    "group_plan": "Plan",
    "group_provenance": "Fait avec",
    "group_base": "Modèle de base",
    "group_recipe": "Demande",
    "reproduce": "Reproduire",
    "reproduce_intro": (
        "La même commande sur les mêmes données, le même modèle de base et la même graine donne les mêmes modèles sur la même"
        " machine."
    ),
    "reproduce_compare": "Lancer la comparaison, ou la poursuivre",
    "reproduce_report": "Refaire ce rapport depuis les réponses conservées, sans les modèles",
    "notes": "Remarques",
    # columns
    "method": "Méthode",
    "run": "Essai",
    "seed": "Graine",
    "seeds": "Graines",
    "status": "État",
    "reason": "Raison",
    "difference": "Écart",
    "interval": "Intervalle",
    "p_adjusted": "p ajusté",
    "fit_seconds": "Temps d’ajustement",
    "fit_cpu_seconds": "Temps de calcul",
    "peak_memory_bytes": "Pic de mémoire",
    "base_bytes": "dont base",
    "trainable_parameters": "Poids entraînés",
    "tokens_trained": "Jetons vus",
    "artifact_bytes": "Sur disque",
    "predict_ms_per_row": "Par réponse",
    "short_gap": "Surappr.",
    "short_forgot": "Oubli",
    "short_fit": "Ajust.",
    "short_memory": "Mémoire",
    "short_disk": "Disque",
    "short_answer": "Réponse",
    "short_weights": "Poids",
    "short_tokens": "Jetons",
    "small_fit_cpu_seconds": "CPU {value}",
    "small_base_bytes": "base {value}",
    "small_tokens_trained": "{value} jetons",
    "money_fit": "Coût d’ajustement",
    "money_answers": "Pour 1 000 réponses",
    "gap": "Surapprentissage",
    "forgot": "Oubli",
    "seed_spread": "sur les graines {span}",
    "seed_spread_missing": (
        "Dispersion entre graines non estimée : il faut au moins 5 graines. Les intervalles disent combien d’autres lignes, "
        "non d’autres graines, déplaceraient un score."
    ),
    "recommended": "recommandée",
    "leaning": "avantage",
    "status_done": "terminé",
    "status_skipped": "ne s’applique pas",
    "status_failed": "échec",
    "status_interrupted": "interrompu",
    # notes
    "note_damaged": "L’essai {run} est abîmé ou incomplet sur le disque ; il a été écarté.",
    "note_missing": "Prévus, mais pas encore faits : {runs}.",
    "note_foreign": "Dans le dossier, mais hors de cette comparaison : {runs}.",
    "note_cut": "{method} a moins de place pour le texte : {share} % des lignes sont coupées pour cette méthode.",
    "note_no_primary": "{method} ne donne pas la mesure {metric} et ne peut donc pas entrer dans le verdict.",
    "note_forced": (
        "L’examen a trouvé des erreurs dans les données, et quelqu’un a choisi de continuer : voir « Examen des données »."
    ),
    "note_seed_lost": "{method} : l’essai {run} manque dans les moyennes ({status}).",
    "note_size_lost": "L’essai {run} manque à la qualité selon le nombre de lignes ({status}).",
    "note_other_primary": "Jugé selon {metric}, car toutes les méthodes ne donnent pas la mesure {wanted}.",
    # names
    "unit_points": "points",
    "unit_nats": "nats",
    "unit_bits": "bits",
    "unit_score": "",
    "kind_classify": "classification",
    "kind_tag": "étiquetage",
    "kind_extract": "extraction",
    "kind_write": "rédaction",
    "kind_prefer": "préférences",
    "kind_text": "texte",
    # the model card
    "money_each": "pour 1 000 réponses : {value}",
    "card_made": (
        "Un modèle de type *{kind}*, fait par la méthode `{method}` (graine {seed}) à partir du modèle de base {base}, sur le"
        " jeu de données {task}."
    ),
    "card_part": "Il n’a vu que {rows} des lignes d’entraînement, pour montrer la qualité selon leur nombre.",
    "card_named": "La comparaison recommande cette méthode.",
    "card_leaning": "La comparaison ne départage pas les méthodes avec certitude ; elle donne l’avantage à celle-ci.",
    "card_other": "La comparaison recommande plutôt `{method}`.",
    "card_other_leaning": "La comparaison ne départage pas les méthodes avec certitude ; elle donne l’avantage à `{method}`.",
    "card_evidence": "Preuves",
    "card_rows": (
        "Jugé une seule fois sur {rows} lignes de test qu’aucune méthode n’avait vues. Les intervalles sont à 95 % sur les "
        "lignes de test, pour ce modèle."
    ),
    "card_metric": "Mesure",
    "card_value": "Valeur",
    "card_compared": "Comparé aux autres méthodes sur les mêmes lignes",
    "card_limits": "Limites",
    "card_limit_rows": (
        "Les scores valent pour des lignes du même genre que celles du test. D’autres données n’ont pas été regardées."
    ),
    "card_limit_rows_also": "Les scores valent pour des lignes du même genre que celles du test. Sur d’autres données :",
    "card_limit_also": "{name} ({rows} lignes) : {score}, une chute de {drop} ({span}) par rapport aux lignes de test.",
    "card_limit_seed": (
        "C’est une seule graine. Les intervalles ne disent pas combien un nouvel entraînement changerait les scores."
    ),
    "card_limit_gap": (
        "Sur des lignes d’entraînement le score est {train}, sur celles du test {test} : un écart de {gap} ({span})."
    ),
    "card_limit_forgot": "{metric} : {before} avant, {after} après l’adaptation ; perdu {change} ({span}).",
    "card_cost": "Coût",
    "card_use": "Utilisation",
    "card_training": "Entraînement",
    "card_use_words": "Le dossier ne contient que ce qui a été modifié ou ajouté ; le modèle de base est chargé à côté.",
    "foot": "Fait par accordeur à partir des réponses conservées des essais. Rien sur cette page ne vient du réseau.",
}
