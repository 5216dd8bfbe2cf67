"""Fewer train rows: nested parts, runs of their own, and what the report makes of them."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from accordeur.app.options import parse_sizes
from accordeur.compare import compare, prepare
from accordeur.compare.sizes import chosen_sizes, nested_order, sized
from accordeur.errors import RecipeError
from accordeur.example import Example
from accordeur.recipe import parse_recipe
from accordeur.report import build_report
from accordeur.run import load_answers, load_run
from tests.compare.shop import recipe_for

METHODS = {"majority": {}, "tfidf": {}}


def rows(counts: dict[str, int]) -> list[Example]:
    labels = [label for label, count in counts.items() for _ in range(count)]
    return [Example(id=str(place), given={"text": f"text {place}"}, expected=label) for place, label in enumerate(labels)]


def test_parts_are_nested_and_keep_the_shares_of_the_labels():
    examples = rows({"a": 60, "b": 30, "c": 10})
    order = nested_order(examples)
    assert sorted(order) == list(range(100))
    for size in (10, 20, 50):
        found = Counter(examples[place].expected for place in order[:size])
        for label, share in (("a", 0.6), ("b", 0.3), ("c", 0.1)):
            assert abs(found[label] - share * size) <= 1, (size, found)
    assert order.tolist() == nested_order(examples).tolist()
    assert order[:50].tolist() != sorted(order[:50])


def test_every_label_is_in_a_part_that_has_room_for_it():
    examples = rows({"common": 200, **{f"rare {place}": 2 for place in range(9)}})
    assert len({examples[place].expected for place in nested_order(examples)[:10]}) == 10


def test_free_answers_are_drawn_without_strata():
    examples = [Example(id=str(place), given={"instruction": "say"}, expected=f"answer {place}") for place in range(30)]
    assert sorted(nested_order(examples)) == list(range(30))


def test_sizes_at_or_above_all_rows_are_left_out_and_said():
    assert chosen_sizes([200, 20, "all", 58, 20], 58) == ((20,), ["train sizes 58, 200 left out: there are 58 train rows"])
    assert chosen_sizes([], 58) == ((), [])


def test_only_methods_that_train_get_smaller_runs(tmp_path):
    prepared = prepare(recipe_for(tmp_path, methods={**METHODS, "lora": {}}, train_sizes=[12, 30, "all"], seeds=2))
    names = [run.name for run in prepared.planned]
    assert names == [
        "majority-s0", "tfidf-s0", "tfidf-n12-s0", "tfidf-n30-s0",
        "lora-s0", "lora-s1", "lora-n12-s0", "lora-n12-s1", "lora-n30-s0", "lora-n30-s1",
    ]  # fmt: skip
    small, large = (sized(prepared.task, size) for size in (12, 30))
    assert len(small.train) == 12
    assert {row.id for row in small.train} < {row.id for row in large.train} < {row.id for row in prepared.task.train}
    assert (small.validation, small.test) == (prepared.task.validation, prepared.task.test)
    assert len({small.fingerprint, large.fingerprint, prepared.task.fingerprint}) == 3


def test_the_verdict_uses_all_rows_and_the_curve_has_every_size(tmp_path):
    recipe = recipe_for(tmp_path, methods=METHODS, train_sizes=[6, 30])
    report = compare(recipe)
    out = tmp_path / "out"
    assert [run["name"] for run in report["runs"]] == ["majority-s0", "tfidf-s0"]
    assert [method["runs"] for method in report["methods"]] == [["majority-s0"], ["tfidf-s0"]]
    assert load_run(out / "runs" / "tfidf-n6-s0").train_rows == 6
    assert len(load_answers(out / "runs" / "tfidf-n6-s0", "train_predictions.jsonl")) == 6
    curve = [(entry["method"], entry["rows"]) for entry in report["train_sizes"]]
    assert curve == [("tfidf", 6), ("tfidf", 30), ("tfidf", report["task"]["rows"]["train"])]
    first, _, last = report["train_sizes"]
    assert first["value"] < last["value"]
    assert all(entry["low"] <= entry["value"] <= entry["high"] for entry in report["train_sizes"])
    assert last["value"] == report["methods"][1]["scores"]["macro_f1"]["value"]
    assert "collect" in report["verdict"]
    page = (out / "report.html").read_text("utf-8")
    assert 'id="sizes"' in page
    news: list[str] = []
    compare(recipe, tell=lambda run, status=None, **_: news.append(f"{run} {status}"))
    assert {"tfidf-n6-s0 reused", "tfidf-n30-s0 reused", "tfidf-s0 reused"} <= set(news)
    french = build_report(out, language="fr")
    assert "lignes" in french["verdict"]["reasons"][-1]
    for folder in (out / "runs").iterdir():  # every saved model has its card, those of fewer rows too
        assert (folder / "README.md").is_file() is (folder / "model").is_dir()
    assert "saw only 6 of the train rows" in (out / "runs/tfidf-n6-s0/README.md").read_text()
    assert "saw only" not in (out / "runs/tfidf-s0/README.md").read_text()


def test_a_smaller_run_that_breaks_is_said(tmp_path, monkeypatch):
    from accordeur.methods.tfidf import Tfidf

    whole = Tfidf.fit

    def fragile(self, task, base, context):
        if len(task.train) == 30:
            raise RuntimeError("planted")
        return whole(self, task, base, context)

    monkeypatch.setattr(Tfidf, "fit", fragile)
    report = compare(recipe_for(tmp_path, methods=METHODS, train_sizes=[12, 30]))
    assert any("tfidf-n30-s0" in note for note in report["notes"])
    assert {entry["rows"] for entry in report["train_sizes"]} == {12, report["task"]["rows"]["train"]}


def test_without_sizes_nothing_is_said_of_them(tmp_path):
    report = compare(recipe_for(tmp_path, methods=METHODS))
    assert report["train_sizes"] == []
    assert report["verdict"]["collect"] is None
    assert json.loads((tmp_path / "out" / "report.json").read_text())["train_sizes"] == []


@pytest.mark.parametrize(("text", "found"), [(None, None), ("50,200,all", [50, 200, "all"]), (" 5 , all", [5, "all"])])
def test_the_option_is_read(text, found):
    assert parse_sizes(text) == found


@pytest.mark.parametrize("text", ["", "50,,200", "half", "-5", "1e3", "٣"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(RecipeError, match="not understood"):
        parse_sizes(text)


@pytest.mark.parametrize("sizes", [[1], [0, "all"], ["half"], [2.5], "all"])
def test_a_recipe_with_other_sizes_is_refused(sizes):
    with pytest.raises(RecipeError, match="train_sizes"):
        parse_recipe({"data": "x.csv", "train_sizes": sizes})
