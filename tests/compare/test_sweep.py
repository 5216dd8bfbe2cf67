"""Many candidates in one process: the same as one by one, chosen on validation rows alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from accordeur.app.options import parse_sweep
from accordeur.compare import compare, prepare
from accordeur.compare.sweep import fit_best, hand_on
from accordeur.context import Context
from accordeur.errors import Diverged, Interrupted, RecipeError
from accordeur.method import build_method
from accordeur.report import build_report, render_html
from accordeur.run import load_run
from accordeur.training.trainable import moved_tensors
from tests.compare.shop import recipe_for

AXES = {"rank": [2, 4], "rate": [1e-3, 1e-2]}
SETTINGS = {"epochs": 4.0, "batch_rows": 8}
AMPLE = 1800.0  # seconds: the epochs, not the clock, then decide the number of steps


def lent(folder: Path, **other) -> Context:
    return Context(**{"seed": 0, "folder": folder / "work", "cache": folder / "cache", "budget_seconds": AMPLE, **other})


def shop(tmp_path, **other):
    return prepare(recipe_for(tmp_path, methods={"lora": SETTINGS}, sweep={"lora": AXES}, **other))


def run(prepared, context, halved=True):
    candidates = prepared.planned[0].candidates
    return fit_best(candidates, prepared.task, prepared.base, context, name="test", halved=halved)


def same_weights(one, other) -> bool:
    first, second = moved_tensors(one.network), moved_tensors(other.network)
    return set(first) == set(second) and all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("halved", [True, False])
def test_the_winner_is_bit_for_bit_what_it_is_on_its_own(tmp_path, halved):
    prepared, context = shop(tmp_path), lent(tmp_path / "sweep")
    model = run(prepared, context, halved)
    found = context.decisions()["sweep"]
    winner = next(one for one in prepared.planned[0].candidates if one.name == found["winner"])
    alone = lent(tmp_path / "alone")
    hand_on(found["training"], alone)
    expected = winner.work.fit(prepared.task, prepared.base, alone)
    assert same_weights(model, expected)
    assert model.facts()["steps"] == expected.facts()["steps"] <= found["training"]["steps"]
    assert model.facts()["curve"][-1]["loss"] == expected.facts()["curve"][-1]["loss"]
    rows = prepared.task.test
    assert [row.output for row in model.predict(rows)] == [row.output for row in expected.predict(rows)]


def test_everyone_takes_the_same_steps_and_half_go_on(tmp_path, monkeypatch):
    from accordeur.models import fit as fitting

    prepared, context, trained = shop(tmp_path), lent(tmp_path / "sweep"), {}
    whole = fitting.train

    def counted(network, items, settings, plan, given):
        before = given.note
        key = (network.trunk.peft_config["default"].r, settings.rate)
        note = lambda **told: (trained.setdefault(key, []).append(told["step"]), before(**told))  # noqa: E731
        return whole(network, items, settings, plan, replace(given, note=note))

    monkeypatch.setattr(fitting, "train", counted)
    run(prepared, context)
    steps = context.decisions()["sweep"]["training"]["steps"]
    every = context.decisions()["sweep"]["training"]["evaluate_every"]
    quarter, half = (max(1, round(share * -(-steps // every))) * every for share in (1 / 4, 1 / 2))
    reached = sorted(max(seen) for seen in trained.values())
    assert reached[:3] == [quarter, quarter, half]
    assert half <= reached[3] <= steps  # the winner goes on, unless it has stopped by itself
    assert all(seen == list(range(1, len(seen) + 1)) for seen in trained.values()), "no step is taken twice"


def test_the_base_is_read_once_and_the_rows_are_encoded_once(tmp_path, monkeypatch):
    from accordeur import base
    from accordeur.models import encoded

    prepared, read, made = shop(tmp_path), [], []
    load, encode = base.load_model, encoded.encoded
    monkeypatch.setattr(base, "load_model", lambda *given: read.append(1) or load(*given))
    monkeypatch.setattr(encoded, "encoded", lambda *given: made.append(1) or encode(*given))
    run(prepared, lent(tmp_path / "sweep"))
    assert (len(read), len(made)) == (1, 1)


def test_a_sweep_that_is_stopped_goes_on_as_if_it_never_was(tmp_path):
    prepared, whole = shop(tmp_path), lent(tmp_path / "whole")
    expected = run(prepared, whole)
    left, stops = lent(tmp_path / "cut"), 0
    hand_on(whole.decisions()["sweep"]["training"], left.part("sweep/003"))
    for patience in (1, 15, 15, 15, 15, 15, 10**9):  # also between two candidates of a later rung
        polls = iter(range(patience))
        try:
            model = run(prepared, replace(left, stop=lambda polls=polls: next(polls, None) is None))
            break
        except Interrupted:
            stops += 1
    assert stops > 3
    assert same_weights(model, expected)
    assert left.decisions()["sweep"] == whole.decisions()["sweep"]


def test_other_seeds_train_the_same_winner(tmp_path):
    report = compare(recipe_for(tmp_path, methods={"lora": SETTINGS}, sweep={"lora": AXES}, budget=30.0, seeds=2))
    first, second = (load_run(tmp_path / "out" / "runs" / f"lora-s{seed}") for seed in (0, 1))
    assert first.plan["sweep"] == second.plan["sweep"]
    assert first.settings == second.settings
    assert first.settings["rate"] in AXES["rate"]
    assert second.facts["steps"] <= first.plan["sweep"]["training"]["steps"]
    assert [one["method"] for one in report["methods"]] == ["lora"]
    weights = [(tmp_path / "out" / "runs" / f"lora-s{seed}/model/adapter_model.safetensors").read_bytes() for seed in (0, 1)]
    assert weights[0] != weights[1]


def test_only_the_winner_answers_test_rows(tmp_path, monkeypatch):
    from accordeur.models.moved import Moved

    asked: dict[int, set[str]] = {}
    predict = Moved.predict
    recipe = recipe_for(tmp_path, methods={"lora": SETTINGS}, sweep={"lora": AXES}, budget=30.0)
    test = {row.id for row in prepare(recipe).task.test}

    def watched(self, examples):
        asked.setdefault(id(self), set()).update(row.id for row in examples)
        return predict(self, examples)

    monkeypatch.setattr(Moved, "predict", watched)
    compare(recipe)
    assert sum(bool(ids & test) for ids in asked.values()) == 1


def test_the_record_says_what_was_tried_and_how_sure_it_was(tmp_path):
    recipe = recipe_for(tmp_path, methods={"lora": SETTINGS, "majority": {}}, sweep={"lora": AXES}, budget=30.0)
    report = compare(recipe)
    found = next(one for one in report["runs"] if one["method"] == "lora")["plan"]["sweep"]
    assert len(found["candidates"]) == 4
    assert [len(rung["standings"]) for rung in found["rungs"]] == [4, 2]
    out = [one for rung in found["rungs"] for one in rung["standings"] if not one["kept"]]
    assert len(out) == 3
    assert all(0.5 <= one["sure"] <= 1 and one["low"] <= one["difference"] <= one["high"] for one in out)
    assert found["effort"] == 2.0
    assert found["winner"] == found["rungs"][-1]["standings"][0]["candidate"]
    assert any("sweep of lora: 4 candidates (rank 2, 4; rate 0.001, 0.01)" in note for note in report["notes"])
    (entry,) = report["sweeps"]
    assert (entry["method"], entry["winner"]) == ("lora", found["winner"])
    assert entry["candidates"][0]["candidate"] == found["winner"]
    assert sorted(one["candidate"] for one in entry["candidates"]) == sorted(found["candidates"])
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert 'id="sweep"' in page
    assert page.count("lora[rank=4,rate=0.001]") == 2, "as text and sort key of one cell, and nowhere as raw data"
    assert "3 that were dropped" in page
    assert "Réglages essayés" in render_html(build_report(tmp_path / "out", language="fr"))
    news: list[str] = []
    compare(recipe, tell=lambda run, status=None, **_: news.append(f"{run} {status}"))
    assert "lora-s0 reused" in news
    changed = recipe_for(tmp_path, methods={"lora": SETTINGS}, sweep={"lora": {"rank": [2]}}, budget=30.0)
    assert prepare(changed).planned[0].candidates[0].values == {"rank": 2, "rate": 3e-4}


def test_methods_without_steps_are_swept_by_fitting_each(tmp_path):
    report = compare(recipe_for(tmp_path, methods={"tfidf": {}}, sweep={"tfidf": {"c": [1e-6, 10.0]}}))
    found = report["runs"][0]
    (rung,) = found["plan"]["sweep"]["rungs"]
    best, other = rung["standings"]
    assert best["score"] >= other["score"]
    assert found["plan"]["sweep"]["winner"] == best["candidate"]
    assert found["settings"]["c"] == {"tfidf[c=1e-06]": 1e-6, "tfidf[c=10]": 10.0}[best["candidate"]]
    assert found["scores"]["macro_f1"]["value"] > 0.9


def test_a_candidate_that_diverges_is_out_and_the_others_go_on(tmp_path, monkeypatch):
    from accordeur.models import fit as fitting

    whole = fitting.train

    def fragile(network, items, settings, plan, given):
        if settings.rate == 1e-3:
            raise Diverged("planted")
        return whole(network, items, settings, plan, given)

    monkeypatch.setattr(fitting, "train", fragile)
    prepared, context = shop(tmp_path), lent(tmp_path / "sweep")
    run(prepared, context)
    found = context.decisions()["sweep"]
    assert found["settings"]["rate"] == 1e-2
    assert set(found["faults"]) == {"lora[rank=2,rate=0.001]", "lora[rank=4,rate=0.001]"}
    monkeypatch.setattr(fitting, "train", lambda *_: (_ for _ in ()).throw(Diverged("planted")))
    with pytest.raises(Diverged, match="every candidate"):
        run(prepared, lent(tmp_path / "again"))


@pytest.mark.parametrize(
    ("entries", "found"),
    [
        (None, None),
        (["lora.rank=4,8", "lora.rate=1e-4, 3e-4"], {"lora": {"rank": [4, 8], "rate": [1e-4, 3e-4]}}),
        (
            ["head.pooling=mean,cls", "lora.dora=true,false"],
            {"head": {"pooling": ["mean", "cls"]}, "lora": {"dora": [True, False]}},
        ),
        (["soft-prompt.tokens=8"], {"soft-prompt": {"tokens": [8]}}),
        (["lora.targets=[x"], {"lora": {"targets": ["[x"]}}),
    ],
)
def test_the_option_is_read(entries, found):
    assert parse_sweep(entries) == found


@pytest.mark.parametrize("entry", ["lora", "lora.rank", "lora.rank=", "lora.rank=4,,8", "rank=4", ".rank=4", "lora.=4", ""])
def test_what_is_no_sweep_is_refused(entry):
    with pytest.raises(RecipeError, match="not understood"):
        parse_sweep([entry])


def test_a_setting_given_twice_is_refused():
    with pytest.raises(RecipeError, match="twice"):
        parse_sweep(["lora.rank=4", "lora.rank=8"])


def test_a_sweep_of_one_candidate_is_the_method_with_those_settings(tmp_path):
    recipe = recipe_for(tmp_path, methods={"lora": {"rate": 1e-3}}, sweep={"lora": {"rank": [2]}})
    prepared = prepare(recipe)
    assert prepared.planned[0].candidates == ()
    assert prepared.planned[0].work == build_method("lora", {"rate": 1e-3, "rank": 2})
    assert not any("sweep" in note for note in prepared.notes)


def test_a_wrong_sweep_is_refused_before_the_data_are_read(tmp_path):
    recipe = recipe_for(tmp_path, methods={"lora": {}}, sweep={"lora": {"rnak": [4]}})
    with pytest.raises(RecipeError, match="rnak"):
        prepare(recipe.model_copy(update={"data": "no such file"}))


def test_the_short_runs_by_which_a_rate_is_chosen_do_not_count_as_validations(tmp_path):
    heard: list[int] = []
    prepared = prepare(recipe_for(tmp_path, methods={"lora": {}}))
    method = build_method("lora", {"rates": [1e-3, 1e-2], "epochs": 20.0, "batch_rows": 4})
    context = lent(tmp_path / "run", on_judged=lambda answers: heard.append(len(answers)))
    hand_on({"steps": 300, "batch_rows": 4, "evaluate_every": 300, "seconds_per_step": 1.0, "budget_seconds": 1.0}, context)
    method.fit(prepared.task, prepared.base, context)
    assert {"rate-0.001", "rate-0.01"} <= set(context.decisions()), "two short runs were made"
    assert heard == [len(prepared.task.validation)], "only the training's own validation is heard"
