"""Kinds as text to text: one string in, one string out, and back again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from accordeur.context import Context
from accordeur.errors import NotApplicable
from accordeur.example import IGNORED, Example
from accordeur.method import build_method
from accordeur.plan import DevicePlan, TrainingPlan
from accordeur.store import write_json
from accordeur.task import Task
from accordeur.tasks import kind_of
from accordeur.tasks._spoken import as_text, cut_share, spoken
from tests.bases import write_base
from tests.tasks.conftest import example, make_codec, make_task

ROWS: dict[str, tuple[Example, str, str]] = {
    "classify": (example({"text": "Paul jumps", "text_pair": "Ada"}, "cat"), "classify text: Paul jumps text_pair: Ada", "cat"),
    "tag": (
        example({"tokens": ("Ada", "wrote", "in", "Paris")}, ("B-PER", "O", "O", "B-LOC")),
        "tag tokens: Ada wrote in Paris", "Ada: PER; Paris: LOC",
    ),
    "extract": (
        example({"question": "où ?", "context": "né à Lille"}, ({"text": "Lille", "start": 5},)),
        "extract question: où ? context: né à Lille", "Lille",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", ROWS)
@pytest.mark.parametrize("family", ["decoder", "encoder-decoder"])
def test_what_goes_in_and_what_comes_out(kind: str, family: str) -> None:
    """The row in words, then only the answer and its end in the loss; what is written is read back as what was expected."""
    row, given, answer = ROWS[kind]
    inner = kind_of(kind)
    task = as_text(make_task(kind, (row,), labels=inner.labels([row])))
    outer, codec = kind_of(task.kind), make_codec(family, 128)
    assert (spoken(row, inner).given["instruction"], spoken(row, inner).expected) == (given, answer)
    assert outer.metrics == inner.metrics and outer.outputs(task) == 0
    assert outer.form(family, task) == ("causal" if family == "decoder" else "seq2seq")  # type: ignore[arg-type]
    (item,) = outer.encode(row, 3, task, codec)
    target = np.asarray(item.target)
    asked = target[target != IGNORED]
    assert item.row == 3 and asked[-1] == codec.end
    assert list(asked[:-1]) == codec.plain(answer)
    expected = row.expected[0]["text"] if kind == "extract" else row.expected
    assert outer.read(answer, task, row) == expected


def test_an_encoder_and_kinds_that_are_text_already_are_refused() -> None:
    task = as_text(make_task("classify", labels=("a", "b")))
    with pytest.raises(NotApplicable, match="encoder-decoder"):
        kind_of(task.kind).form("encoder", task)
    for kind in ("write", "text", "prefer"):
        with pytest.raises(NotApplicable, match="text to text"):
            as_text(make_task(kind))


def test_rows_that_would_be_cut_are_counted() -> None:
    rows = (example({"text": "a " * 100}, "a"), example({"text": "b"}, "b", "2"))
    task = as_text(make_task("classify", rows, labels=("a", "b")))
    assert cut_share(task, make_codec("encoder-decoder", 64), kind_of(task.kind)) == 0.5


def test_long_rows_are_refused_with_a_hint(tmp_path: Path) -> None:
    rows = tuple(example({"text": f"{'a ' * 100}{place}"}, "ab"[place % 2], str(place)) for place in range(4))
    task = Task(
        name="t", kind="classify", train=rows, validation=rows, test=rows, metrics=("macro_f1",), labels=("a", "b"), max_length=32
    )
    base = write_base(tmp_path / "base", "encoder-decoder")
    with pytest.raises(NotApplicable, match="max-length"):
        build_method("text-to-text").fit(task, base, Context(seed=0, folder=tmp_path / "w", cache=tmp_path / "c"))


def test_a_few_rows_are_learned_by_heart(tmp_path: Path) -> None:
    """Eight rows of kind tag: after enough steps the base writes every list of entities as it should, and stops."""
    names = ["Ada", "Paul", "Paris", "Lille", "London", "Orléans", "dogs", "fox"]
    rows = tuple(example({"tokens": (name, "wrote")}, ("B-A", "O"), str(place)) for place, name in enumerate(names))
    task = Task(
        name="t", kind="tag", train=rows, validation=rows[:2], test=rows, metrics=("entity_f1",),
        labels=kind_of("tag").labels(rows), max_length=64,
    )  # fmt: skip
    plan = TrainingPlan(steps=200, batch_rows=8, evaluate_every=100, seconds_per_step=0.01, budget_seconds=1.0)
    write_json(tmp_path / "work" / "plan.json", {"training": plan.plain()})
    context = Context(seed=0, folder=tmp_path / "work", cache=tmp_path / "cache", device=DevicePlan(threads=1))
    method = build_method("text-to-text", {"rate": 3e-3, "batch_rows": 8})
    model = method.fit(task, write_base(tmp_path / "base", "encoder-decoder"), context)
    assert [found.output for found in model.predict(rows)] == [("B-A", "O")] * 8
