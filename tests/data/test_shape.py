from __future__ import annotations

from typing import Any

import pytest

from accordeur.data import recognise
from accordeur.errors import DataError
from tests.data.files import says

T = "some text"
TURNS = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]

SHAPES: list[tuple[dict[str, Any], str, dict[str, str]]] = [
    ({"text": T, "label": "a"}, "classify", {"text": "text", "label": "label"}),
    ({"id": "1", "Review": T, "Sentiment": "a"}, "classify", {"text": "Review", "label": "Sentiment"}),
    ({"sentence": T, "intent": 3, "source": "x"}, "classify", {"text": "sentence", "label": "intent"}),
    ({"text": T, "sentence": T, "label": 1, "category": 2}, "classify", {"text": "text", "label": "label"}),
    ({"premise": T, "hypothesis": T, "label": 1}, "classify", {"text": "premise", "text_pair": "hypothesis", "label": "label"}),
    ({"text_a": T, "text_b": T, "class": 1}, "classify", {"text": "text_a", "text_pair": "text_b", "label": "class"}),
    (
        {"sentence1": T, "sentence2": T, "score": 1.5, "label": "E"},
        "classify",
        {"text": "sentence1", "text_pair": "sentence2", "label": "label"},
    ),
    (
        {"sentence1": T, "sentence2": T, "score": 1.5},
        "classify",
        {"text": "sentence1", "text_pair": "sentence2", "score": "score"},
    ),
    ({"tokens": [T], "tags": ["O"]}, "tag", {"tokens": "tokens", "tags": "tags"}),
    ({"tokens": [T], "ner_tags": [0]}, "tag", {"tokens": "tokens", "tags": "ner_tags"}),
    ({"words": [T], "labels": ["O"]}, "tag", {"tokens": "words", "tags": "labels"}),
    (
        {"question": T, "context": T, "answers": {"text": [], "answer_start": []}},
        "extract",
        {"question": "question", "context": "context", "answers": "answers"},
    ),
    ({"question": T, "context": T, "answer": T}, "write", {"question": "question", "context": "context", "answer": "answer"}),
    (
        {"instruction": T, "input": "", "output": T, "text": T},
        "write",
        {"instruction": "instruction", "input": "input", "output": "output"},
    ),
    (
        {"instruction": T, "context": "", "response": T, "category": T},
        "write",
        {"instruction": "instruction", "input": "context", "output": "response"},
    ),
    ({"messages": TURNS}, "write", {"messages": "messages"}),
    ({"conversations": TURNS, "system": ""}, "write", {"conversations": "conversations"}),
    ({"prompt": T, "chosen": T, "rejected": T}, "prefer", {"prompt": "prompt", "chosen": "chosen", "rejected": "rejected"}),
    ({"prompt": T, "completion": T}, "write", {"prompt": "prompt", "completion": "completion"}),
    ({"question": T, "answer": T, "final": T}, "write", {"question": "question", "answer": "answer"}),
    ({"source": T, "target": T}, "write", {"source": "source", "target": "target"}),
    ({"id": "1", "fr": T, "en": T, "source": "x"}, "write", {"source": "fr", "target": "en"}),
    ({"text": T, "title": T}, "text", {"text": "text"}),
    ({"id": 1, "content": T}, "text", {"text": "content"}),
]


@pytest.mark.parametrize(
    ("values", "kind", "columns"), SHAPES, ids=lambda value: "+".join(value) if isinstance(value, dict) else value
)
def test_shape_is_recognised(values: dict[str, Any], kind: str, columns: dict[str, str]) -> None:
    shape = recognise(values)
    assert (shape.kind, dict(shape.columns)) == (kind, columns)
    assert set(shape.extra) == set(values) - set(columns.values())
    assert shape.reading.startswith(kind)


MAPPED: list[tuple[list[str], dict[str, str], str, dict[str, str]]] = [
    (["body", "stars"], {"text": "body", "label": "stars"}, "classify", {"text": "body", "label": "stars"}),
    (["text", "stars"], {"label": "stars"}, "classify", {"text": "text", "label": "stars"}),
    (["text", "label"], {"label": ""}, "text", {"text": "text"}),
    (["prompt", "answer"], {"text": "prompt"}, "text", {"text": "prompt"}),
    (["text", "grade"], {"score": "grade"}, "classify", {"text": "text", "score": "grade"}),
    (["a", "b", "label"], {"text": "a", "text_pair": "b"}, "classify", {"text": "a", "text_pair": "b", "label": "label"}),
    (["en", "fr"], {"source": "fr", "target": "en"}, "write", {"source": "fr", "target": "en"}),
    (
        ["sentence1", "sentence2", "score", "label"],
        {"score": "score"},
        "classify",
        {"text": "sentence1", "text_pair": "sentence2", "score": "score"},
    ),
    (["review", "content", "label"], {"text": "review"}, "classify", {"text": "review", "label": "label"}),
]


@pytest.mark.parametrize(("columns", "mapping", "kind", "expected"), MAPPED)
def test_mapping_decides(columns: list[str], mapping: dict[str, str], kind: str, expected: dict[str, str]) -> None:
    shape = recognise(dict.fromkeys(columns, T), mapping)
    assert (shape.kind, dict(shape.columns)) == (kind, expected)


REFUSED: list[tuple[list[str], dict[str, str], list[str]]] = [
    (["review", "content", "label"], {}, ["2 ways", "--map text=review", "--map text=content"]),
    (
        ["prompt", "completion", "question", "answer"],
        {},
        ["2 ways", "prompt=prompt,completion=completion", "question=question,answer=answer"],
    ),
    (["text", "class", "intent"], {}, ["--map label=class", "--map label=intent"]),
    (["body", "stars"], {}, ["'body', 'stars'", "text + label", "--map label=stars,text=body"]),
    (["txet", "label"], {}, ["'txet' (did you mean 'text'?)"]),
    (["text", "stars"], {"label": "star"}, ["no column 'star'", "did you mean 'stars'"]),
    (["text", "label"], {"lable": "label"}, ["can't map 'lable'", "did you mean 'label'"]),
    (["chosen"], {}, ["chosen + rejected"]),
]


@pytest.mark.parametrize(("columns", "mapping", "words"), REFUSED)
def test_unclear_columns_are_refused_with_the_way_out(columns: list[str], mapping: dict[str, str], words: list[str]) -> None:
    with pytest.raises(DataError) as caught:
        recognise(dict.fromkeys(columns, T), mapping, where="rows.jsonl")
    says(str(caught.value), "rows.jsonl", *words)
