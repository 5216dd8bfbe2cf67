"""What is told before a pretraining starts, by hand-worked numbers; and the dial."""

from __future__ import annotations

from dataclasses import replace

import pytest

from accordeur.foundations import dial
from accordeur.foundations.dial import dialled, product_rate, read_dialled
from accordeur.foundations.families import new_pupil
from accordeur.foundations.forecast import Forecast
from accordeur.foundations.shapes import Family, Shape, shape_for
from accordeur.foundations.tokenizers import TokenizerRequest, train_tokenizer
from accordeur.plan import DevicePlan, TrainingPlan
from tests.foundations.words import lines

SHAPE = Shape(layers=2, width=64, heads=2, context=100, vocabulary=400)
PLAN = TrainingPlan(steps=90, batch_rows=4, evaluate_every=40, seconds_per_step=2.0, budget_seconds=0.0)


@pytest.mark.parametrize("family", ["gpt", "bert", "t5"])
def test_weights_are_those_of_the_model(family: Family) -> None:
    tokenizer = train_tokenizer(lines(200), TokenizerRequest(size=400, family=family, exact=False))
    shape = replace(SHAPE, vocabulary=len(tokenizer))
    trunk = new_pupil(family, None, shape, tokenizer, 0).trunk
    found = sum(parameter.numel() for parameter in trunk.parameters())
    assert found == pytest.approx(shape.weights(family), rel=0.03)  # biases and norms are left out of the formula


def test_flops_of_a_row_by_hand() -> None:
    layer, words, pair = 64 * 64, 400 * 64, 12 * 2 * 64
    assert SHAPE.row_flops() == 100 * 6 * (2 * 12 * layer + words) + pair * 100 * 100
    assert SHAPE.row_flops("bert") == 100 * 6 * 2 * 12 * layer + 15 * 6 * (layer + words) + pair * 100 * 100
    read, written = 100 - 15 + 5 + 1, 15 + 5 + 2  # 15 tokens are lost in 5 spans
    matrices = 6 * (2 * (12 + 2) * layer * read + 2 * 14 * layer * written + words * written)
    assert SHAPE.row_flops("t5") == matrices + pair * (read * read + written * written + read * written)


def test_the_forecast_counts_validations_and_the_last_scoring() -> None:
    forecast = Forecast(plan=PLAN, shape=SHAPE, family="t5", judged=10, scored=50, row_seconds=0.5)
    assert forecast.tokens == 90 * 4 * 100
    assert forecast.scorings == 3 * 10 + 50  # after 40, 80 and 90 steps
    assert forecast.flops == pytest.approx((90 * 4 + 80 / 3) * SHAPE.row_flops("t5"))
    assert forecast.seconds == 90 * 2.0 + 80 * 0.5
    assert replace(forecast, processes=2).seconds == 90 * 2.0 / 2 + 80 * 0.5


def test_the_dial_knows_machine_and_family(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dial, "product_rate", lambda device: 9e10)
    found = dialled("gpt", 10, DevicePlan(), processes=2)
    assert found.flops == pytest.approx(2 * 9e10 * dial.SHARE * 600)
    assert found.shape == shape_for(found.flops)
    assert read_dialled(found.plain()) == found
    assert "1.8e+11 FLOP/s" in found.told(10)
    for family in ("gpt", "bert", "t5"):
        shape = dialled(family, 10, DevicePlan()).shape  # type: ignore[arg-type]
        cost = shape.row_flops(family) / shape.context * 20 * shape.weights(family)  # type: ignore[arg-type]
        assert cost <= 9e10 * dial.SHARE * 600


def test_a_product_is_tried_on_the_planned_device() -> None:
    assert 1e7 < product_rate(DevicePlan(device="cpu", threads=1)) < 1e14
