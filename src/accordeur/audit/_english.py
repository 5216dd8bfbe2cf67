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
    "sampled": (
        "Looked through row by row: {count} of {total} rows, evenly spread.",
        (
            "Exact repeats, leaks and conflicting labels were looked for among all rows; what is said of near repeats,"
            " texts, labels and lengths is said of these rows."
        ),
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
        "Rows of {part} that repeat an earlier row: {count} of {total} ({share} %).",
        "Repeats weigh double; --fix OUT writes a copy without them.",
    ),
    "near-duplicates": (
        "Rows of {part} that nearly repeat an earlier row: {count} of {total} ({share} %).",
        "Look at some pairs: where they come from a template, the data is smaller than it looks.",
    ),
    "near-limited": (
        "So many rows look alike that not all pairs were compared (near pairs found: {count}).",
        "The rows seem to come from few templates; remove the repeats first (--fix OUT) and check again.",
    ),
    "leaked-rows": (
        "Rows of {part} that stand in {other} too: {count}.",
        ("What was seen in training can't judge it: remove them from one side (--fix OUT removes them from the training rows)."),
    ),
    "near-leaks": (
        "Rows of {part} that nearly repeat a row of {other}: {count}; rows of {other} concerned: {judged} ({share} %).",
        ("The score on these rows flatters: remove them from the training rows (--fix OUT), or split by group (--group COLUMN)."),
    ),
    "leaked-groups": (
        "Rows of {part} whose group of '{group}' has rows in {other} too: {count} (groups: {groups}).",
        "Split by group: give one file and --group {group}, or remove these rows (--fix OUT).",
    ),
    "left-out": (
        "Rows left out of training, because a validation or test row repeats them: {count}.",
        "Nothing: the comparison is fair without them. Mend the files to be rid of this line.",
    ),
    "conflicting-labels": (
        "Rows whose text stands with several labels: {count} ({share} %; different texts: {texts}).",
        "Decide for one label; --fix OUT writes a copy without these rows.",
    ),
    "suspicious-labels": (
        "Labels that are probably wrong: {count} ({share} %). Most often: {mixed}.",
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
        "Answers of one greatest length ({length} characters) and without an ending: {count}.",
        "They look cut at a limit: a model would learn to stop mid-sentence. Export them in full.",
    ),
    "cut-rows": (
        "Rows longer than {limit} tokens, which would be cut: {count} ({share} %); answer tokens lost: {lost}.",
        "--max-length {enough} keeps all but 5 % of them, where the base can read that much.",
    ),
    "untrainable": (
        "Rows with no token left to learn from once they are cut at {limit} tokens: {count}.",
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
