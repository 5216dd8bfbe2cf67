"""The settings of the loop: every method that trains takes them, refuses wrong ones before any cost, and hands them on."""

from __future__ import annotations

import importlib.util
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, get_args

import pytest

from accordeur.errors import RecipeError
from accordeur.method import build_method, find_method, method_names, settings_of
from accordeur.models import domain, fit
from accordeur.models.trained import TrainedMethod
from accordeur.training.settings import Optimizer, TrainingSettings
from tests.methods import cells

TRAINED = [name for name in method_names() if issubclass(find_method(name), TrainedMethod)]
OTHERS: dict[str, Any] = {
    "batch_rows": 8, "epochs": 2.5, "optimizer": "sgd", "momentum": 0.5, "schedule": "cosine", "warmup": 7.0, "floor": 0.25,
    "weight_decay": 0.3, "clip": None, "smoothing": 0.2, "noise": 5.0, "patience": None,
}  # fmt: skip
UNSUITED = {"contrast": {"smoothing": 0.0, "noise": 0.0}}
WRONG: dict[str, list[Any]] = {
    "rate": [0, -1, float("nan"), float("inf"), "abc", []],
    "batch_rows": [0, 1.5],
    "epochs": [0, float("nan")],
    "optimizer": ["adamm"],
    "schedule": ["linaer"],
    "warmup": [-0.1, float("inf")],
    "floor": [1.5],
    "weight_decay": [-1],
    "clip": [0, -1],
    "smoothing": [1, -0.1],
    "noise": [-1, float("nan")],
    "patience": [0],
    "momentum": [1.0],
}


class CaughtError(Exception):
    """Ends a fit where the loop would begin."""


def test_most_methods_that_move_weights_are_of_this_sort() -> None:
    assert set(TRAINED) >= {
        "adapter", "bitfit", "contrast", "domain", "freeze", "full", "ia3", "lora", "prefix", "qlora", "soft-prompt",
    }  # fmt: skip


@pytest.mark.parametrize("name", TRAINED)
def test_all_of_them_reach_the_loop(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if name == "qlora":
        pytest.importorskip("bitsandbytes")
    caught: list[TrainingSettings] = []

    def instead(network: Any, items: Any, settings: TrainingSettings, *rest: Any) -> Any:
        caught.append(settings)
        raise CaughtError

    monkeypatch.setattr(fit, "train", instead)
    monkeypatch.setattr(domain, "train", instead)
    wanted = {**OTHERS, **UNSUITED.get(name, {})}
    with pytest.raises(CaughtError):
        cells.fitted(name, "classify", "decoder" if name == "text-to-text" else "encoder", tmp_path, rate=0.0123, **wanted)
    found = asdict(caught[0])
    assert {key: found[key] for key in wanted} == wanted
    assert found["rate"] == 0.0123
    assert set(wanted) == {field.name for field in fields(TrainedMethod)}  # a new shared setting joins this test


@pytest.mark.parametrize("name", [*TRAINED, "domain+lora"])
@pytest.mark.parametrize("setting", WRONG)
def test_wrong_ones_are_refused_by_name(name: str, setting: str) -> None:
    for value in WRONG[setting]:
        with pytest.raises(RecipeError, match=setting):
            build_method(name, {setting: value})


@pytest.mark.parametrize("optimizer", get_args(Optimizer))
def test_every_optimizer_trains_a_lora(optimizer: str, tmp_path: Path) -> None:
    if optimizer == "adamw8bit" and importlib.util.find_spec("bitsandbytes") is None:
        pytest.skip("bitsandbytes isn't installed")
    model = cells.fitted("lora", "classify", "encoder", tmp_path, rate=1e-2, optimizer=optimizer)
    assert model.facts()["steps"] == cells.STEPS


@pytest.mark.parametrize("family", cells.FAMILIES)
@pytest.mark.parametrize(
    "name", [name for name in TRAINED if name not in ("contrast", "domain", "qlora", "bitfit", "text-to-text")]
)
def test_noise_goes_with_every_way_of_moving(name: str, family: str, tmp_path: Path) -> None:
    kind = "classify" if family == "encoder" else "write"
    model = cells.fitted(name, kind, family, tmp_path, rate=1e-3, noise=5.0)
    plain = cells.fitted(name, kind, family, tmp_path / "plain", rate=1e-3)
    assert model.facts()["curve"][-1]["loss"] != plain.facts()["curve"][-1]["loss"]


def test_contrast_says_what_pairs_are_trained_without() -> None:
    with pytest.raises(RecipeError, match="smoothing"):
        build_method("contrast", {"noise": 5})


def test_settings_behind_a_plus_find_their_method() -> None:
    given = {"text": "a.txt", "rank": 4, "rate": 1e-3, "domain": {"rate": 2e-5}, "share": 0.2}
    method = settings_of(build_method("domain+lora", given))
    assert (method["text"], method["rate"], method["share"]) == ("a.txt", 2e-5, 0.2)
    assert (method["then"]["rank"], method["then"]["rate"]) == (4, 1e-3)
    assert settings_of(build_method("domain+adapter"))["then"]["reduction"] == 16


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        ("lora+domain", {}, "nothing can go on from"),
        ("domain+lorra", {}, "unknown method 'lorra'"),
        ("domain+", {}, "unknown method ''"),
        ("domain+lora", {"rnk": 4}, "has no setting 'rnk'"),
        ("domain+lora", {"domain": {"lenght": 64}}, "has no setting 'lenght'"),
        ("domain+lora", {"domain": 3}, "expected a mapping"),
        ("domain+lora", {"share": 1.0}, "share"),
        ("domain", {"then": "lora"}, "then"),
    ],
)
def test_wrong_chains_are_refused(name: str, settings: dict[str, Any], said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        build_method(name, settings)
