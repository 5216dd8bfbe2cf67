"""The shapes a row may have: which columns each needs, and the names that such columns go by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Names = Mapping[str, tuple[str, ...]]

PAIRS = (
    ("text", "text_pair"),
    ("text_a", "text_b"),
    ("text1", "text2"),
    ("sentence1", "sentence2"),
    ("premise", "hypothesis"),
    ("question1", "question2"),
)
LANGUAGES = {
    "ar": "Arabic", "bg": "Bulgarian", "ca": "Catalan", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek",
    "en": "English", "es": "Spanish", "et": "Estonian", "eu": "Basque", "fa": "Persian", "fi": "Finnish", "fr": "French",
    "ga": "Irish", "he": "Hebrew", "hi": "Hindi", "hr": "Croatian", "hu": "Hungarian", "it": "Italian", "ja": "Japanese",
    "ko": "Korean", "lt": "Lithuanian", "lv": "Latvian", "nl": "Dutch", "no": "Norwegian", "pl": "Polish", "pt": "Portuguese",
    "ro": "Romanian", "ru": "Russian", "sk": "Slovak", "sl": "Slovenian", "sr": "Serbian", "sv": "Swedish", "th": "Thai",
    "tr": "Turkish", "uk": "Ukrainian", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip
TEXT = ("text", "sentence", "content", "review", "message")
LABEL = ("label", "class", "intent", "category", "sentiment", "labels")
SCORE = ("score", "similarity", "relatedness")
ANSWER = ("answer", "response")


@dataclass(frozen=True, kw_only=True)
class Form:
    """One way rows may be laid out. Of the forms whose needed columns are all there, the lowest rank is taken.

    `needs` and `may` give, for each canonical column, the names it goes by, the canonical one first and strongest.
    """

    name: str
    kind: str
    rank: int
    needs: Names
    may: Names
    example: str


def _form(name: str, kind: str, rank: int, needs: Names, may: Names | None = None) -> Form:
    return Form(name=name, kind=kind, rank=rank, needs=needs, may=may or {}, example=" + ".join(needs))


def _pair(first: str, second: str) -> Names:
    return {"text": (first,), "text_pair": (second,)}


MESSAGES = ("messages",)
CONVERSATIONS = ("conversations", "conversation")
FORMS = (
    _form(
        "preference",
        "prefer",
        1,
        {"chosen": ("chosen",), "rejected": ("rejected",)},
        {
            "messages": MESSAGES,
            "conversations": CONVERSATIONS,
            "instruction": ("instruction",),
            "input": ("input",),
            "prompt": ("prompt", "question", "query"),
        },
    ),
    _form("messages", "write", 2, {"messages": MESSAGES}),
    _form("conversations", "write", 2, {"conversations": CONVERSATIONS}),
    _form(
        "instruction",
        "write",
        3,
        {"instruction": ("instruction",), "output": ("output", *ANSWER)},
        {"input": ("input", "context")},
    ),
    _form(
        "extract",
        "extract",
        4,
        {"question": ("question",), "context": ("context", "passage", "paragraph"), "answers": ("answers",)},
    ),
    _form("reading", "write", 5, {"question": ("question",), "context": ("context", "passage", "paragraph"), "answer": ANSWER}),
    *(_form("pair", "classify", 6, {**_pair(*names), "label": LABEL}) for names in PAIRS),
    *(_form("graded pair", "classify", 7, {**_pair(*names), "score": SCORE}) for names in PAIRS),
    _form("tags", "tag", 8, {"tokens": ("tokens", "words"), "tags": ("tags", "ner_tags", "labels")}),
    _form("labelled", "classify", 9, {"text": TEXT, "label": LABEL}),
    _form("prompt", "write", 10, {"prompt": ("prompt",), "completion": ("completion", *ANSWER, "output")}),
    _form("answer", "write", 10, {"question": ("question",), "answer": ANSWER}),
    _form("answers", "write", 10, {"question": ("question",), "answers": ("answers",)}),
    _form("source", "write", 10, {"source": ("source",), "target": ("target",)}),
    _form("text", "text", 11, {"text": TEXT}),
)
GRADED_TEXT = _form("graded", "classify", 9, {"text": TEXT, "score": SCORE})
LISTS = frozenset({"messages", "conversations", "tokens", "tags"})
CANONICAL = tuple(dict.fromkeys(name for form in (*FORMS, GRADED_TEXT) for name in (*form.needs, *form.may)))
