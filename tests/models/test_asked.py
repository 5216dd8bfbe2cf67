"""The methods that only ask read what all their prompts begin with once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from accordeur.context import Context
from accordeur.example import Example
from accordeur.methods.fewshot import Fewshot
from accordeur.methods.prompt import PromptMethod
from accordeur.models.asked import Asked
from accordeur.task import Task
from accordeur.training import generate, prefix
from tests.bases import write_base


def rows(count: int, start: int = 0) -> tuple[Example, ...]:
    return tuple(
        Example(id=str(place), given={"text": f"the fox {place} jumps over"}, expected="ab"[place % 2])
        for place in range(start, start + count)
    )


def asks(count: int, start: int = 0) -> tuple[Example, ...]:
    return tuple(
        Example(id=str(place), given={"instruction": f"Say Paris {place}", "input": ""}, expected="Paris!")
        for place in range(start, start + count)
    )


def task(kind: str) -> Task:
    make = rows if kind == "classify" else asks
    return Task(
        name="t", kind=kind, train=make(8), validation=make(4, 100), test=make(6, 200),
        metrics=("accuracy",) if kind == "classify" else ("nll",), labels=("a", "b") if kind == "classify" else (),
    )  # fmt: skip


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Any:
    import tests.bases as bases

    before, bases.POSITIONS = bases.POSITIONS, 1024
    try:
        return write_base(tmp_path_factory.mktemp("base"), "decoder")
    finally:
        bases.POSITIONS = before


def tokens_read(model: Asked, work: Any) -> list[int]:
    read: list[int] = []
    trunk = model.loaded[0]
    hook = trunk.base_model.register_forward_pre_hook(
        lambda _, given, named: read.append((given[0] if given else named["input_ids"]).numel()), with_kwargs=True
    )
    work()
    hook.remove()
    return [count for count in read if count > 3]  # less the probe of the head


def without_sharing(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (generate, prefix):
        monkeypatch.setattr(module, "families", lambda prompts: [(list(range(len(prompts))), 0)])


@pytest.mark.parametrize("kind", ["classify", "write"])
@pytest.mark.parametrize("method", [PromptMethod(), Fewshot(counts=(2,)), Fewshot(counts=(2,), examples="nearest")])
def test_answers_are_those_without_sharing(tmp_path, base, kind, method, monkeypatch):
    model = method.fit(task(kind), base, Context(seed=0, folder=tmp_path / "work", cache=tmp_path / "cache"))
    test = task(kind).test
    found, likely = model.predict(test), model.log_probs(test)
    without_sharing(monkeypatch)
    assert [one.output for one in found] == [one.output for one in model.predict(test)]
    plain = model.log_probs(test)
    np.testing.assert_allclose(
        np.concatenate([one.log_probs for one in likely]),
        np.concatenate([one.log_probs for one in plain]),
        rtol=1e-3,
        atol=1e-4,
    )


@pytest.mark.parametrize("kind", ["classify", "write"])
def test_fixed_examples_are_read_once_for_all_rows(tmp_path, base, kind):
    method = Fewshot(counts=(4,))
    model = method.fit(task(kind), base, Context(seed=0, folder=tmp_path / "work", cache=tmp_path / "cache"))
    assert isinstance(model, Asked)
    test = task(kind).test
    prompts = model.prompt_ids(test)
    shared = prefix.common_prefix(prompts)
    assert shared > 0.7 * min(map(len, prompts))
    works = [lambda: model.predict(test)] + ([lambda: model.log_probs(test)] if kind == "write" else [])
    for work in works:
        read = tokens_read(model, work)
        assert read[0] == shared
        longest = max(len(prompt) - shared for prompt in prompts) + 16
        assert read[1] <= len(test) * longest, "no row reads the examples again"
        assert read.count(shared) == 1


def test_nearest_examples_are_read_once_for_all_labels(tmp_path, base):
    method = Fewshot(counts=(4,), examples="nearest")
    model = method.fit(task("classify"), base, Context(seed=0, folder=tmp_path / "work", cache=tmp_path / "cache"))
    assert isinstance(model, Asked)
    test = task("classify").test
    total = sum(map(len, model.prompt_ids(test)))
    assert sum(tokens_read(model, lambda: model.predict(test))) < 1.5 * total
