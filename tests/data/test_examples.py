from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from accordeur.data import Reading, load_examples
from tests.data.files import jsonl, refused, says

U, A, S = ({"role": role, "content": f"by {role}"} for role in ("user", "assistant", "system"))
SHAREGPT = [{"from": "human", "value": "hi"}, {"from": "gpt", "value": "hello"}]

BUILT: list[tuple[dict[str, Any], Any, Any]] = [
    ({"text": "a", "label": 5}, {"text": "a"}, "5"),
    ({"text": "a", "label": True}, {"text": "a"}, "true"),
    ({"text": "a", "label": 1.5}, {"text": "a"}, "1.5"),
    ({"premise": "a", "hypothesis": "b", "label": "x"}, {"text": "a", "text_pair": "b"}, "x"),
    ({"sentence1": "a", "sentence2": "b", "score": 3}, {"text": "a", "text_pair": "b"}, 3.0),
    ({"sentence1": "a", "sentence2": "b", "score": "4.5"}, {"text": "a", "text_pair": "b"}, 4.5),
    ({"tokens": ["a", "b"], "tags": ["O", "B-X"]}, {"tokens": ("a", "b")}, ("O", "B-X")),
    ({"tokens": ["a"], "ner_tags": [3]}, {"tokens": ("a",)}, ("3",)),
    ({"instruction": "a", "input": "", "output": "b"}, {"instruction": "a", "input": ""}, "b"),
    ({"prompt": "a", "completion": "b"}, {"instruction": "a", "input": ""}, "b"),
    ({"question": "a", "context": "c", "answer": "b"}, {"instruction": "a", "input": "c"}, "b"),
    ({"question": "a", "answers": ["b", "c"]}, {"instruction": "a", "input": ""}, "b"),
    ({"en": "a", "fr": "b"}, {"instruction": "Translate from English to French.", "input": "a"}, "b"),
    ({"source": "a", "target": "b"}, {"instruction": "a", "input": ""}, "b"),
    ({"messages": [S, U, A, U, A]}, {"messages": (S, U, A, U)}, "by assistant"),
    ({"conversations": SHAREGPT}, {"messages": ({"role": "user", "content": "hi"},)}, "hello"),
    ({"prompt": "a", "chosen": "b", "rejected": "c"}, {"prompt": "a"}, {"chosen": "b", "rejected": "c"}),
    ({"messages": [S, U], "chosen": "b", "rejected": "c"}, {"prompt": (S, U)}, {"chosen": "b", "rejected": "c"}),
    (
        {"instruction": "a", "input": "i", "output": "o", "chosen": "b", "rejected": "c"},
        {"prompt": "a\n\ni"},
        {"chosen": "b", "rejected": "c"},
    ),
    (
        {"chosen": [U, A], "rejected": [U, {"role": "assistant", "content": "no"}]},
        {"prompt": (U,)},
        {"chosen": "by assistant", "rejected": "no"},
    ),
    (
        {"question": "q", "context": "a cat", "answers": {"text": ["cat"], "answer_start": [2]}},
        {"question": "q", "context": "a cat"},
        ({"text": "cat", "start": 2},),
    ),
    (
        {"question": "q", "context": "a cat", "answers": [{"text": "cat", "start": 2}]},
        {"question": "q", "context": "a cat"},
        ({"text": "cat", "start": 2},),
    ),
    (
        {"question": "q", "context": "a cat", "answers": {"text": [], "answer_start": []}},
        {"question": "q", "context": "a cat"},
        (),
    ),
    ({"text": "raw"}, {}, "raw"),
]


@pytest.mark.parametrize(
    ("row", "given", "expected"), BUILT, ids=lambda value: "+".join(value) if isinstance(value, dict) else ""
)
def test_row_becomes_example(tmp_path: Path, row: dict[str, Any], given: Any, expected: Any) -> None:
    _, (example,), _ = load_examples(jsonl(tmp_path, [row]))
    assert (example.given, example.expected) == (given, expected)
    assert type(example.expected) is type(expected)
    assert (example.file, example.line, example.id) == (str(tmp_path / "rows.jsonl"), 1, "1")


def spoken(*roles: str) -> list[dict[str, str]]:
    return [{"role": role, "content": "words"} for role in roles]


BAD: list[tuple[str, dict[str, Any], list[str]]] = [
    ("J28-role", {"messages": spoken("usr", "assistant")}, ["turn 1", "'usr'", "did you mean 'user'"]),
    ("J28-two-users", {"messages": spoken("user", "user", "assistant")}, ["turns 1 and 2", "both by user"]),
    ("J28-no-assistant", {"messages": spoken("user")}, ["ends with turn 1 by user"]),
    ("J28-system-last", {"messages": spoken("user", "assistant", "system")}, ["turn 3", "system may only be first"]),
    ("J28-assistant-first", {"messages": spoken("assistant", "user", "assistant")}, ["turn 1", "nothing was asked"]),
    ("J28-content-null", {"messages": [U, {"role": "assistant", "content": None}]}, ["turn 2", "content is null"]),
    ("J28-content-list", {"messages": [{"role": "user", "content": []}, A]}, ["turn 1", "content is a list"]),
    ("J28-empty", {"messages": []}, ["empty list"]),
    ("J28-no-turn", {"messages": ["hi"]}, ["turn 1 is text"]),
    ("null-completion", {"prompt": "a", "completion": None}, ["'completion' is null"]),
    ("null-input", {"instruction": "a", "input": None, "output": "b"}, ["'input' is null"]),
    ("empty-output", {"instruction": "a", "output": " "}, ["'output' is empty"]),
    ("list-label", {"text": "a", "label": "x", "tokens": None}, []),
    ("score-text", {"sentence1": "a", "sentence2": "b", "score": "high"}, ["'score' is 'high'", "expected a number"]),
    ("score-truth", {"sentence1": "a", "sentence2": "b", "score": True}, ["expected a number"]),
    ("tag-count", {"tokens": ["a", "b"], "tags": ["O"]}, ["2 tokens, but 1 tags"]),
    ("empty-tokens", {"tokens": [], "tags": []}, ["'tokens' is an empty list"]),
    ("null-token", {"tokens": ["a", None], "tags": ["O", "O"]}, ["'tokens' item 2 is null"]),
    (
        "span-moved",
        {"question": "q", "context": "a cat", "answers": [{"text": "cat", "start": 1}]},
        ["character 1", "it stands at 2"],
    ),
    ("span-nowhere", {"question": "q", "context": "a cat", "answers": [{"text": "dog", "start": 0}]}, ["stands nowhere"]),
    ("span-negative", {"question": "q", "context": "a cat", "answers": [{"text": "t", "start": -1}]}, ["character -1"]),
    ("span-lists", {"question": "q", "context": "c", "answers": {"text": ["c"], "answer_start": []}}, ["same length"]),
    ("prefer-no-prompt", {"chosen": "a", "rejected": "b"}, ["expected a column 'prompt'"]),
    ("prefer-same", {"prompt": "p", "chosen": "a", "rejected": "a"}, ["the same text"]),
    ("prefer-diverges", {"chosen": [U, A], "rejected": [S, U, A]}, ["differ before their last turn"]),
    ("prefer-ends", {"messages": [U, A], "chosen": "a", "rejected": "b"}, ["must end with the user's turn"]),
]


@pytest.mark.parametrize(("row", "words"), [row[1:] for row in BAD if row[2]], ids=[row[0] for row in BAD if row[2]])
def test_bad_row_is_refused_with_its_line(tmp_path: Path, row: dict[str, Any], words: list[str]) -> None:
    says(refused(jsonl(tmp_path, [row])), "rows.jsonl:1:", *words)


def test_extra_columns_and_ids(tmp_path: Path) -> None:
    rows = [{"id": f"row-{n}", "text": "a", "label": "x", "source": {"deep": [n]}} for n in range(3)]
    _, examples, notes = load_examples(jsonl(tmp_path, rows))
    assert [example.id for example in examples] == ["row-0", "row-1", "row-2"]
    assert examples[1].extra == {"source": {"deep": [1]}}
    assert not notes


@pytest.mark.parametrize("ids", [["a", "a"], [1, 2], ["a", None], ["", "b"]])
def test_unfit_ids_are_replaced_by_lines(tmp_path: Path, ids: list[Any]) -> None:
    _, examples, notes = load_examples(jsonl(tmp_path, [{"id": name, "text": "a"} for name in ids]))
    assert [example.id for example in examples] == ["1", "2"]
    says(" ".join(notes), "named by their line")


def test_other_right_answers_are_carried_along(tmp_path: Path) -> None:
    _, (example,), _ = load_examples(jsonl(tmp_path, [{"question": "a", "answers": ["b", "c"]}]))
    assert example.extra == {"answers": ["b", "c"]}


def test_notes_on_labels_grades_and_special_tokens(tmp_path: Path) -> None:
    rows = [{"text": "Say <|im_end|> now", "label": "Pos"}, {"text": "b", "label": "pos"}]
    _, examples, notes = load_examples(jsonl(tmp_path, rows))
    assert examples[0].given["text"] == "Say <|im_end|> now"
    says(" ".join(notes), "upper and lower case", "<|im_end|> in 1")
    _, _, notes = load_examples(jsonl(tmp_path, [{"text": "a", "grade": 1}]), reading=Reading(mapping={"score": "grade"}))
    says(" ".join(notes), "graded", "'grade'")


def test_every_fault_of_every_row_is_listed(tmp_path: Path) -> None:
    rows = [{"text": "", "label": None}, {"text": "a", "label": "x"}, {"text": 3, "label": "y"}]
    says(refused(jsonl(tmp_path, rows)), "2 bad rows", ":1: 'text'", ":1: 'label'", ":3: 'text'")
