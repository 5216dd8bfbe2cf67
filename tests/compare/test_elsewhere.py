"""Scores by the value of a column, and on other data than the test rows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from accordeur.app.options import parse_named
from accordeur.compare import compare, prepare
from accordeur.compare.slices import slice_values
from accordeur.errors import DataError, RecipeError
from accordeur.example import Example
from accordeur.recipe import load_recipe, parse_recipe
from accordeur.report.elsewhere import parts
from accordeur.report.words import Words
from accordeur.run import load_answers
from accordeur.store import read_json
from tests.compare.shop import labelled_rows, recipe_for, write_rows

METHODS = {"majority": {}, "tfidf": {}}


def with_columns(folder: Path, **other: object):
    """A recipe over rows that carry two columns along; every 30th place is rare."""
    recipe = recipe_for(folder, methods=METHODS, **other)
    rows = [
        {**row, "place": "rare" if number % 30 == 7 else ("Paris", "Lille")[number % 2], "note": {"a": number}}
        for number, row in enumerate(labelled_rows(120))
    ]
    write_rows(Path(recipe.data), rows)
    return recipe


def test_scores_are_broken_down_with_intervals(tmp_path):
    recipe = with_columns(tmp_path, slice=["place"])
    report = compare(recipe)
    task = prepare(recipe).task
    stored = read_json(tmp_path / "out" / "task.json")["slices"]
    assert stored == {"place": [row.extra["place"] for row in task.test]}
    entries = report["slices"]
    assert {entry["column"] for entry in entries} == {"place"}
    assert sum(entry["rows"] for entry in entries) == report["test_rows"] == len(task.test)
    assert {"Paris", "Lille"} <= {entry["value"] for entry in entries}
    assert all(entry["rows"] >= 5 or entry["value"].startswith("other (") for entry in entries)
    for entry in entries:
        assert set(entry["scores"]) == set(METHODS)
        assert all(score["low"] <= score["value"] <= score["high"] for score in entry["scores"].values())
    assert 'id="slices"' in (tmp_path / "out" / "report.html").read_text("utf-8")


@pytest.mark.parametrize(("column", "words"), [("palce", "did you mean 'place'"), ("xyzzy", "known: place, note")])
def test_an_unknown_column_is_refused_before_anything_runs(tmp_path, column, words):
    with pytest.raises(RecipeError, match="no column") as fault:
        compare(with_columns(tmp_path, slice=[column]))
    assert words in fault.value.hint
    assert not (tmp_path / "out").exists()


def test_rare_values_stand_together_and_missing_ones_apart():
    words = Words(language="en")
    found = parts(["a"] * 6 + ["b"] * 5 + ["c"] * 4 + ["d"] + [None] * 2, words)
    assert [(len(places), name.split(" ")[0]) for name, places in found] == [(6, "a"), (5, "b"), (5, "other"), (2, "(no")]
    assert "2 values" in found[2][0]
    assert sorted(place for _, places in found for place in places) == list(range(18))
    many = parts([str(number) for number in range(40) for _ in range(5)], words)
    assert len(many) == 31 and len(many[-1][1]) == 50


def test_values_are_texts_and_empty_ones_are_missing():
    rows = [
        Example(id=str(place), given={"text": "x"}, expected="a", extra={"column": value})
        for place, value in enumerate(["x", 3, True, None, "", ["a", "b"], "y" * 99])
    ] + [Example(id="none", given={"text": "x"}, expected="a")]
    assert slice_values(["column"], rows)["column"] == ["x", "3", "True", None, None, "a b", "y" * 59 + "…", None]


def moved(folder: Path, name: str = "moved.jsonl", flip: bool = True, start: int = 200) -> Path:
    """Rows from elsewhere: half of their labels are wrong, so every method falls."""
    rows = labelled_rows(30, seed=5)
    names = ["cat", "dog", "bird"]
    for number, row in enumerate(rows):
        row["text"] += f" {start + number}"
        if flip and number % 2:
            row["label"] = names[(names.index(row["label"]) + 1) % 3]
    return write_rows(folder / name, rows)


def test_every_run_is_scored_on_other_data(tmp_path):
    recipe = recipe_for(tmp_path, methods=METHODS, also={"moved": str(moved(tmp_path))}, train_sizes=[12])
    report = compare(recipe)
    [entry] = report["also"]
    assert (entry["name"], entry["rows"]) == ("moved", 30)
    assert set(entry["scores"]) == set(METHODS)
    tfidf = entry["scores"]["tfidf"]
    here = next(one for one in report["methods"] if one["method"] == "tfidf")["scores"]["macro_f1"]["value"]
    assert tfidf["low"] <= tfidf["value"] <= tfidf["high"]
    assert tfidf["drop"]["value"] == pytest.approx(here - tfidf["value"])
    assert 0 < tfidf["drop"]["low"] < tfidf["drop"]["value"] < tfidf["drop"]["high"]
    for name in ("majority-s0", "tfidf-s0", "tfidf-n12-s0"):
        assert len(load_answers(tmp_path / "out" / "runs" / name, "also-moved.jsonl")) == 30
    assert 'id="also"' in (tmp_path / "out" / "report.html").read_text("utf-8")
    card = (tmp_path / "out" / "runs" / "tfidf-s0" / "README.md").read_text("utf-8")
    assert "On other data" in card and "moved (30 rows)" in card
    news: list[str] = []
    compare(recipe, tell=lambda run, status=None, **_: news.append(f"{run} {status}"))
    assert "tfidf-s0 reused" in news
    moved(tmp_path, start=300)
    compare(recipe, tell=lambda run, status=None, **_: news.append(f"{run} {status}"))
    assert "tfidf-s0 started" in news


def test_rows_that_were_seen_are_left_out_and_said(tmp_path):
    recipe = recipe_for(tmp_path, methods=METHODS)
    task = prepare(recipe).task
    rows = [{"text": row.given["text"], "label": row.expected} for row in (*task.train[:3], *task.test[:5])]
    also = {"old": str(write_rows(tmp_path / "old.jsonl", rows))}
    prepared = prepare(recipe.model_copy(update={"also": also}))
    assert len(prepared.also["old"]) == 5
    assert any("3 rows of old left out" in note for note in prepared.notes)
    write_rows(tmp_path / "old.jsonl", rows[:3])
    with pytest.raises(DataError, match="no rows of old are left"):
        prepare(recipe.model_copy(update={"also": also}))


def test_unknown_labels_are_refused_with_their_lines(tmp_path):
    path = write_rows(tmp_path / "cows.jsonl", [{"text": "moo", "label": "cow"}, {"text": "purr purr", "label": "cat"}])
    with pytest.raises(DataError, match="labels that the task doesn't know") as fault:
        compare(recipe_for(tmp_path, methods=METHODS, also={"cows": str(path)}))
    assert [problem.line for problem in fault.value.problems] == [1]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["../up", "a b", "", "x" * 41, ".hidden"])
def test_a_name_that_can_name_no_file_is_refused(tmp_path, name):
    with pytest.raises(RecipeError, match="can't name a file"):
        prepare(recipe_for(tmp_path, methods=METHODS, also={name: str(moved(tmp_path))}))


def test_a_file_that_is_not_there_is_refused_before_anything_runs(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        compare(recipe_for(tmp_path, methods=METHODS, also={"gone": str(tmp_path / "gone.jsonl")}))
    assert not (tmp_path / "out").exists()


def test_files_of_a_recipe_lie_beside_it(tmp_path):
    (tmp_path / "rows.jsonl").write_text("")
    (tmp_path / "recipe.yaml").write_text(json.dumps({"data": "rows.jsonl", "also": {"spring": "rows.jsonl"}, "slice": ["a"]}))
    recipe = load_recipe(tmp_path / "recipe.yaml")
    assert recipe.also == {"spring": str(tmp_path / "rows.jsonl")}
    assert recipe.slices == ["a"] and parse_recipe(recipe.plain()) == recipe


@pytest.mark.parametrize("entries", [["spring"], ["=x.csv"], ["a="], ["a=x", "a=y"]])
def test_what_names_no_file_is_refused(entries):
    with pytest.raises(RecipeError, match="--also"):
        parse_named(entries)


def test_named_files_are_read():
    assert parse_named(["a=x.csv", "b=y=z.csv"]) == {"a": "x.csv", "b": "y=z.csv"}
    assert parse_named(None) is None
