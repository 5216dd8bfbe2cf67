"""What every method found must keep to, without naming any: a new file in methods/ gains these tests."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from accordeur.adapted import reopen
from accordeur.base import Base
from accordeur.context import Context
from accordeur.errors import NotApplicable, RecipeError
from accordeur.method import Method, build_method, find_method, method_names, settings_of
from tests.bases import tiny

from . import cells

HEAD, FULL = 40, 90
names = pytest.mark.parametrize("name", (*method_names(), "domain+lora"))


@names
def test_builds_without_arguments_and_is_frozen(name: str) -> None:
    method = build_method(name)
    assert isinstance(method, Method)
    assert isinstance(method.height, int) and isinstance(method.trained, bool)
    for setting in settings_of(method):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(method, setting, None)
    assert type(method).__doc__ and build_method(name) == method


@names
def test_refuses_unknown_settings_naming_the_nearest(name: str) -> None:
    known = list(settings_of(build_method(name)))
    with pytest.raises(RecipeError) as fault:
        build_method(name, {"no_such_setting": 1})
    assert "no_such_setting" in fault.value.message
    if known:
        with pytest.raises(RecipeError) as fault:
            build_method(name, {known[0] + "x": 1})
        assert known[0] in fault.value.hint


@pytest.mark.parametrize("kind", cells.KINDS)
@names
def test_one_cell_of_each_kind(name: str, kind: str, tmp_path: Path) -> None:
    """Same seed, same predictions; saved and reopened, the same; task and base as before; the plan kept."""
    bases = {family: cells.weights_digest(tiny(family)) for family in cells.FAMILIES}
    before = cells.task_of(kind).fingerprint
    random = torch.get_rng_state()
    family, model = cells.first_cell(name, kind)
    if model is None:
        assert len(family) > 10
        return
    check(name, kind, family, model, tmp_path)
    assert bases == {family: cells.weights_digest(tiny(family)) for family in cells.FAMILIES}
    assert before == cells.task_of(kind).fingerprint
    assert torch.equal(random, torch.get_rng_state())


@names
def test_takes_some_kind_on_some_family(name: str) -> None:
    cells_ = [cells.first_cell(name, kind) for kind in cells.KINDS]
    if all(model is None for _, model in cells_):
        assert "isn't installed" in cells_[0][0], f"{name} takes nothing at all: {cells_[0][0]}"
        pytest.skip(cells_[0][0])


def check(name: str, kind: str, family: str, model: object, folder: Path) -> None:
    expected = cells.answers(model, kind)  # type: ignore[arg-type]
    facts = model.facts()  # type: ignore[attr-defined]
    assert facts.get("steps", 0) <= cells.STEPS
    assert 0 <= facts.get("best_step", 0) <= facts.get("steps", 0)
    saved = cells.saved(model, folder / "saved")  # type: ignore[arg-type]
    again = reopen(saved)
    if hasattr(again, "device"):
        again.device = model.device  # type: ignore[attr-defined]  # the machine's own plan may make other sums
    assert cells.answers(again, kind) == expected
    assert cells.answers(cells.fitted(name, kind, family, folder / "again"), kind) == expected


@names
def test_refuses_a_served_base_or_asks_it(name: str, tmp_path: Path) -> None:
    """What can't be done is said with NotApplicable, never with another error."""
    method = cells.built(name, tmp_path)
    if not method.trained:
        return
    base = Base(name="http://127.0.0.1:9", family="remote")
    for kind in cells.KINDS:
        try:
            method.fit(cells.task_of(kind), base, Context(seed=0, folder=tmp_path / kind, cache=tmp_path / "cache"))
        except NotApplicable as reason:
            assert len(reason.reason) > 10


@pytest.mark.slow
@pytest.mark.parametrize("family", cells.FAMILIES)
@pytest.mark.parametrize("kind", cells.KINDS)
@names
def test_every_cell_fits_or_says_why_not(name: str, kind: str, family: str, tmp_path: Path) -> None:
    try:
        model = cells.fitted(name, kind, family, tmp_path / "a")
    except NotApplicable as reason:
        assert len(reason.reason) > 10
        return
    check(name, kind, family, model, tmp_path)


def test_ways_of_moving_weights_stand_between_head_and_full() -> None:
    ours = ("soft-prompt", "prefix", "ia3", "bitfit", "adapter", "lora", "qlora", "freeze", "contrast", "domain")
    heights = [find_method(name).height for name in ours if name in method_names()]
    assert heights == sorted(heights)
    assert all(HEAD < height < FULL for height in heights)
    assert (find_method("head").height, find_method("full").height) == (HEAD, FULL)
