"""The findings in English: what was found, and what to do; the count and the other values are filled in."""

ENGLISH: dict[str, tuple[str, str]] = {
    "unreadable": (
        "The data can't be used: {reason}",
        "{hint}",
    ),
    "bad-rows": (
        "Rows that can't be read or lack something: {count}.",
        "Mend them at their source; --fix OUT writes a copy without them.",
    ),
    "no-split": (
        "The rows can't be divided into train, validation and test: {reason}",
        "{hint}",
    ),
    "small-classes": (
        "Classes with fewer than {few} rows to learn from: {count}. {classes}.",
        "Collect more rows of these classes, merge them with others, or expect nothing of them.",
    ),
    "lopsided": (
        "{share} % of the rows have the label {label}.",
        "Accuracy says little here: compare by macro-F1, and collect rows of the other classes.",
    ),
    "duplicates": (
        "{part}: {count} of {total} rows repeat an earlier row ({share} %).",
        "Repeats weigh double; --fix OUT writes a copy without them.",
    ),
    "near-duplicates": (
        "{part}: {count} of {total} rows nearly repeat an earlier row ({share} %).",
        "Look at some pairs: where they come from a template, the data is smaller than it looks.",
    ),
    "near-limited": (
        "So many rows look alike that not all pairs were compared ({count} near pairs found).",
        "The rows seem to come from few templates; remove the repeats first (--fix OUT) and check again.",
    ),
    "leaked-rows": (
        "{count} rows of {part} stand in {other} too.",
        ("What was seen in training can't judge it: remove them from one side (--fix OUT removes them from the training rows)."),
    ),
    "near-leaks": (
        "{count} rows of {part} nearly repeat a row of {other}; {judged} rows of {other} ({share} %) are concerned.",
        ("The score on these rows flatters: remove them from the training rows (--fix OUT), or split by group (--group COLUMN)."),
    ),
    "leaked-groups": (
        "{count} rows of {part} belong to groups of '{group}' that {other} has too ({groups} groups).",
        "Split by group: give one file and --group {group}, or remove these rows (--fix OUT).",
    ),
    "left-out": (
        "{count} rows were left out of training, because a validation or test row repeats them.",
        "Nothing: the comparison is fair without them. Mend the files to be rid of this line.",
    ),
    "conflicting-labels": (
        "{count} rows ({share} %) belong to {texts} texts that stand with several labels.",
        "Decide for one label; --fix OUT writes a copy without these rows.",
    ),
    "suspicious-labels": (
        "{count} labels ({share} %) are probably wrong. Most often: {mixed}.",
        "Look at these rows, the surest come first. Nothing is changed by itself: some may be right.",
    ),
    "damaged-text": (
        "Rows with broken letters (such as Ã© or �): {count}.",
        "The text was read in a wrong encoding once: export it again as UTF-8.",
    ),
    "no-words": (
        "Rows without a single letter or digit: {count}.",
        "Remove them, unless signs alone mean something here.",
    ),
    "cut-answers": (
        "{count} answers have the same greatest length ({length} characters) and no ending.",
        "They look cut at a limit: a model would learn to stop mid-sentence. Export them in full.",
    ),
    "cut-rows": (
        "{count} rows ({share} %) are longer than {limit} tokens and would be cut; {lost} answer tokens would be lost.",
        "--max-length {enough} keeps all but 5 % of them, where the base can read that much.",
    ),
    "untrainable": (
        "{count} rows have no token left to learn from once they are cut at {limit} tokens.",
        "Shorten what is given, or raise --max-length.",
    ),
    "special-tokens": (
        "Rows whose text spells special tokens: {count}. {tokens}.",
        "They are read as plain text. If they are left over from a chat format, remove them from the text.",
    ),
    "personal-email": (
        "Rows with an e-mail address: {count}.",
        "A trained model can repeat what it read: replace addresses before training.",
    ),
    "personal-phone": (
        "Rows with what looks like a phone number: {count}.",
        "A trained model can repeat what it read: replace numbers before training.",
    ),
    "personal-iban": (
        "Rows with a valid bank account number (IBAN): {count}.",
        "Replace them before training, and ask how they came here.",
    ),
    "personal-card": (
        "Rows with a valid payment card number: {count}.",
        "Replace them before training, and ask how they came here.",
    ),
    "languages": (
        "The rows are in several languages: {named}.",
        "If that is meant, choose a base that knows them all and look at the scores by language.",
    ),
    "shift": (
        (
            "Test rows look different from training rows: a classifier tells them apart with an AUC of {auc} ({low} to"
            " {high}; 0.5 is chance)."
        ),
        (
            "If the test is what will come later, scores on it are honest, but validation rows should look like it too. If"
            " not, draw it anew."
        ),
    ),
}
