from __future__ import annotations

from dataclasses import replace

import pytest

from accordeur.base import default_encoder
from accordeur.compare.prepare import prepare
from accordeur.context import Context
from accordeur.measure.forgetting import Before, forgetting, general_probe, general_text, retained
from accordeur.method import build_method
from accordeur.plan import DevicePlan, TrainingPlan
from accordeur.recipe import parse_recipe
from tests.bases import tiny
from tests.compare.shop import recipe_for
from tests.methods import cells

CPU = DevicePlan(threads=1, micro_tokens=2048)


def context(tmp_path, steps: int | None = None, batch_rows: int = 16) -> Context:
    """A context whose plan is decided already, so that a test takes the steps that it asks for."""
    found = Context(seed=0, folder=tmp_path / "work", cache=tmp_path / "cache", device=CPU)
    if steps:
        plan = TrainingPlan(steps=steps, batch_rows=batch_rows, evaluate_every=steps, seconds_per_step=1, budget_seconds=60)
        found.planned("training", plan.plain)
    return found


def test_the_general_sample_is_large_enough():
    assert len(" ".join(general_text().texts).split()) >= 20_000
    probe = general_probe()
    assert len(probe.texts) >= 400
    assert len(set(probe.labels)) == 10


@pytest.mark.parametrize("method", ["majority", "tfidf", "prompt", "head"])
def test_what_does_not_move_the_base_forgets_exactly_nothing(tmp_path, method):
    task = prepare(recipe_for(tmp_path, methods={"tfidf": {}})).task
    model = build_method(method).fit(task, tiny("encoder"), context(tmp_path))
    found = forgetting(model, Before(base=tiny("encoder"), device=CPU, cache=tmp_path / "cache", max_length=128))
    assert found is not None
    assert found["before"] == found["after"]
    assert (found["change"], found["low"], found["high"]) == (0.0, 0.0, 0.0)


def test_a_decoder_is_measured_by_its_loss_on_general_text(tmp_path):
    task = prepare(recipe_for(tmp_path, "decoder", "write", methods={"prompt": {}})).task
    lent = context(tmp_path, steps=1, batch_rows=4)
    model = build_method("lora", {"rate": 1e-12, "batch_rows": 4}).fit(task, tiny("decoder"), lent)
    found = forgetting(model, Before(base=tiny("decoder"), device=CPU, cache=tmp_path / "cache", max_length=128))
    assert found is not None
    assert found["metric"] == "general_nll"
    assert found["before"] == pytest.approx(
        found["after"], abs=1e-6
    )  # a rate of nothing moves nothing: the two ways of scoring agree
    assert found["rows"] == len(general_text().texts)


def test_full_at_ten_times_the_rate_forgets_and_the_interval_says_so(tmp_path):
    base = default_encoder()
    recipe = parse_recipe({"data": "src/accordeur/assets/sample/messages.jsonl", "methods": ["full"]})
    task = prepare(recipe).task
    task = replace(task, train=task.train[:96], validation=task.validation[:8])
    model = build_method("full", {"rate": 3e-3, "batch_rows": 8}).fit(task, base, context(tmp_path, steps=12, batch_rows=8))
    found = forgetting(model, Before(base=base, device=CPU, cache=tmp_path / "cache"))
    assert found is not None
    assert found["low"] > 0, found


def test_the_users_own_rows_are_retained_too(tmp_path):
    (tmp_path / "own.jsonl").write_text("".join(f'{{"text": "row {i} of {i % 2}", "label": "{i % 2}a"}}\n' for i in range(40)))
    ability = retained(tmp_path / "own.jsonl")
    assert (ability.name, len(ability.texts), set(ability.labels)) == ("retain", 40, {"0a", "1a"})
    task = prepare(recipe_for(tmp_path, methods={"tfidf": {}})).task
    model = build_method("head").fit(task, tiny("encoder"), context(tmp_path))
    found = forgetting(model, Before(base=tiny("encoder"), device=CPU, cache=tmp_path / "cache", max_length=128), ability)
    assert found is not None
    assert found["retain"]["metric"] == "retain_accuracy"


def test_raw_text_is_read_in_windows_before_as_after(tmp_path):
    """Passages longer than the limit: every token counts on both sides, so a base that did not move has lost nothing."""
    task = cells.task_of("text")
    model = cells.fitted("lora", "text", "decoder", tmp_path, rate=1e-12)
    before = Before(base=tiny("decoder"), device=CPU, cache=tmp_path / "cache", max_length=task.max_length, kind=task.kind)
    found = forgetting(model, before)
    assert found is not None
    assert found["before"] == pytest.approx(found["after"], abs=1e-5)


def test_preferences_are_measured_too(tmp_path):
    model = cells.fitted("lora", "prefer", "decoder", tmp_path, rate=1e-12)
    found = forgetting(model, Before(base=tiny("decoder"), device=CPU, cache=tmp_path / "cache", max_length=64, kind="prefer"))
    assert found is not None
    assert found["before"] == pytest.approx(found["after"], abs=1e-5)
