"""Lengths in words and in tokens, cut rows, and rows with nothing left to learn."""

from __future__ import annotations

from accordeur.audit import audit
from accordeur.audit.lengths import BINS
from accordeur.audit.subject import spread
from accordeur.task import Task
from accordeur.tasks import Codec
from tests.audit.subjects import codes, finding, instructed, labelled, subject


class Letters:
    """A tokenizer of one token a letter."""

    all_special_ids = (0, 1)
    all_special_tokens = ("</s>", "<pad>")
    eos_token_id, bos_token_id, pad_token_id, unk_token_id = 0, None, 1, None
    chat_template = None

    def __call__(self, text: str, **_: object) -> dict[str, list[int]]:
        return {"input_ids": [2 + ord(letter) for letter in text]}


def ruler(limit: int) -> tuple[Task, Codec]:
    task = Task(
        name="t", kind="write", train=(), validation=(), test=(), metrics=("nll",), max_length=limit, template="{{ instruction }}"
    )
    return task, Codec(tokenizer=Letters(), family="decoder", max_length=limit)


def test_words_without_a_base() -> None:
    rows = labelled([("one two three", "a")] * 9 + [("word " * 30, "b")])
    lengths = audit(subject(rows)).facts["lengths"]
    assert (lengths["unit"], lengths["median"], lengths["longest"]) == ("words", 4, 31)  # the label is a word too
    assert sum(lengths["counts"]) == 10
    assert len(lengths["edges"]) == BINS + 1


def test_cut_rows_and_lost_tokens_are_counted() -> None:
    rows = instructed([("ask " + str(place), "short") for place in range(40)] + [("ask", "x" * 50)])
    found = finding(audit(subject(rows, "write", ruler=ruler(30))), "cut-rows")
    assert (found.severity, found.count, found.rows) == ("warning", 1, ("rows.jsonl:41",))
    assert found.values["lost"] == 3 + 50 + 1 - 1 - 30


def test_many_cut_rows_are_an_error() -> None:
    rows = instructed([("ask", "x" * 50), ("ask me", "y" * 50)])
    assert finding(audit(subject(rows, "write", ruler=ruler(30))), "cut-rows").severity == "error"


def test_rows_with_nothing_left_to_learn_are_an_error() -> None:
    rows = instructed([("a" * 40, "answer"), ("short", "answer")])
    found = finding(audit(subject(rows, "write", ruler=ruler(30))), "untrainable")
    assert (found.severity, found.count, found.rows) == ("error", 1, ("rows.jsonl:1",))
    assert "untrainable" not in codes(audit(subject(rows[1:], "write", ruler=ruler(30))))


def test_spread_keeps_to_the_limit_and_to_the_whole() -> None:
    assert list(spread(range(10), 4)) == [0, 3, 6, 9]
    assert list(spread(range(3), 10)) == [0, 1, 2]
    assert list(spread([], 10)) == []
