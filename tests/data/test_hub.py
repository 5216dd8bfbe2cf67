"""Hub datasets: when a word names one, what becomes of its splits, and what is said where it can't be had. All offline."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import datasets
import pytest

from accordeur.compare import prepare
from accordeur.data import hub
from accordeur.errors import DataError, ModelError, RecipeError
from tests.compare.shop import labelled_rows, recipe_for

NAMES = ["bird", "cat", "dog"]


def split(count: int, seed: int, **columns: object) -> datasets.Dataset:
    rows = [{**row, "label": NAMES.index(row["label"])} for row in labelled_rows(count, seed)]
    table = {"text": [row["text"] for row in rows], "label": [row["label"] for row in rows], **columns}
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=NAMES)})
    return datasets.Dataset.from_dict(table, features=features)


@pytest.fixture(autouse=True)
def no_cache_at_home(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules["accordeur.compare.prepare"], "CACHE", tmp_path / "cache")


@pytest.mark.parametrize(
    ("data", "found"),
    [
        ("hub:org/name", ("org/name", None)),
        ("hub:org/name:plain", ("org/name", "plain")),
        ("org/name", ("org/name", None)),
        ("org/name-v1.5", ("org/name-v1.5", None)),
        ("here/name", None),
        ("org/rows.csv", None),
        ("org/rows.jsonl.gz", None),
        ("org/recipe.yaml", None),
        ("rows", None),
        ("./rows", None),
        ("../org/rows", None),
        ("/org/rows", None),
        ("a/b/c", None),
    ],
)
def test_what_names_a_hub_dataset(tmp_path, monkeypatch, data, found):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").mkdir()
    assert hub.hub_name(data) == found


@pytest.mark.parametrize("data", ["hub:", "hub:name", "hub:org/name:", "hub:../x", "hub:org/na me", "hub:/etc/passwd"])
def test_hub_before_something_else_is_refused(data):
    with pytest.raises(RecipeError, match="names no hub dataset"):
        hub.hub_name(data)


def test_nothing_is_fetched_for_a_path(tmp_path, monkeypatch):
    monkeypatch.setattr(hub, "load", lambda *_: pytest.fail("the hub was asked"))
    assert prepare(recipe_for(tmp_path, methods={"majority": {}})).task.kind == "classify"


def test_the_splits_of_the_hub_are_used_and_classes_have_their_names(tmp_path, monkeypatch):
    asked = []
    parts = {"train": split(30, 1), "validation": split(12, 2), "test": split(9, 3), "extra": split(3, 4)}
    monkeypatch.setattr(hub, "load", lambda *words: asked.append(words) or datasets.DatasetDict(parts))
    recipe = recipe_for(tmp_path, methods={"majority": {}}).model_copy(update={"data": "hub:org/pets:plain"})
    prepared = prepare(recipe)
    assert asked == [("org/pets", "plain")]
    task = prepared.task
    assert (len(task.train), len(task.validation), len(task.test)) == (30, 12, 9)
    assert task.labels == ("bird", "cat", "dog")
    assert any("train from split 'train'" in note for note in prepared.notes)
    assert any("other splits left aside: extra" in note for note in prepared.notes)
    assert task.test[0].file.endswith("org--pets--plain/test.jsonl")


def test_one_split_is_divided_by_us_and_a_file_replaces_the_test_split(tmp_path, monkeypatch):
    monkeypatch.setattr(hub, "load", lambda *_: datasets.DatasetDict({"everything": split(60, 1)}))
    recipe = recipe_for(tmp_path, methods={"majority": {}})
    own = tmp_path / "own.jsonl"
    own.write_text("".join(json.dumps(row) + "\n" for row in labelled_rows(9, 7)))
    prepared = prepare(recipe.model_copy(update={"data": "org/pets", "test": str(own)}))
    assert len(prepared.task.test) == 9
    assert len(prepared.task.train) + len(prepared.task.validation) == 60


def test_a_split_without_public_labels_is_left_aside(tmp_path, monkeypatch):
    parts = {"train": split(60, 1), "test": split(9, 2, label=[-1] * 9)}
    monkeypatch.setattr(hub, "load", lambda *_: datasets.DatasetDict(parts))
    copy = hub.hub_copy("org/pets", tmp_path)
    assert copy.test is None and any("not public" in note for note in copy.notes)


def test_text_stays_text_and_tags_have_names(tmp_path, monkeypatch):
    features = datasets.Features(
        {"tokens": datasets.List(datasets.Value("string")), "tags": datasets.List(datasets.ClassLabel(names=["O", "B-X"]))}
    )
    rows = datasets.Dataset.from_dict({"tokens": [["007", "NA"]], "tags": [[0, 1]]}, features=features)
    monkeypatch.setattr(hub, "load", lambda *_: datasets.DatasetDict({"train": rows}))
    copy = hub.hub_copy("org/tags", tmp_path)
    assert json.loads(copy.train.read_text("utf-8")) == {"tokens": ["007", "NA"], "tags": ["O", "B-X"]}
    assert not list(Path(copy.train.parent).glob(".*"))


def test_bad_rows_of_the_hub_are_listed_as_those_of_a_file(tmp_path, monkeypatch):
    rows = datasets.Dataset.from_dict({"text": ["fine", ""], "label": ["a", "b"]})
    monkeypatch.setattr(hub, "load", lambda *_: datasets.DatasetDict({"train": rows}))
    with pytest.raises(DataError) as fault:
        prepare(recipe_for(tmp_path, methods={"majority": {}}).model_copy(update={"data": "org/pets"}))
    assert fault.value.problems[0].line == 2


def test_a_cell_that_is_no_text_is_refused(tmp_path, monkeypatch):
    rows = datasets.Dataset.from_dict({"text": ["x"], "picture": [b"\x89PNG"]})
    monkeypatch.setattr(hub, "load", lambda *_: datasets.DatasetDict({"train": rows}))
    with pytest.raises(DataError, match="not plain text"):
        hub.hub_copy("org/pictures", tmp_path)
    assert not list((tmp_path / "org--pictures--default").iterdir())


def test_splits_without_one_to_train_on_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(hub, "load", lambda *_: {"a": split(3, 1), "b": split(3, 2)})
    with pytest.raises(DataError, match="the splits are a, b"):
        hub.hub_copy("org/pets", tmp_path)


@pytest.mark.parametrize(
    ("raised", "environment", "kind", "words"),
    [
        (ConnectionError("no route"), {}, ModelError, "check the network"),
        (ConnectionError("offline"), {"HF_HUB_OFFLINE": "1"}, ModelError, "HF_HUB_OFFLINE is set"),
        (datasets.exceptions.DatasetNotFoundError("no such thing"), {}, ModelError, "check the id"),
        (ValueError("Config name is missing: ['fr', 'en']"), {}, RecipeError, "hub:org/pets:CONFIGURATION"),
        (RuntimeError("Dataset scripts are no longer supported"), {}, ModelError, "no longer supported"),
    ],
)
def test_what_cannot_be_had_is_said_in_words(tmp_path, monkeypatch, raised, environment, kind, words):
    def refuse(*_: object) -> None:
        raise raised

    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(datasets, "load_dataset", refuse)
    recipe = recipe_for(tmp_path, methods={"majority": {}}).model_copy(update={"data": "org/pets"})
    with pytest.raises(kind) as fault:
        prepare(recipe)
    assert words in str(fault.value)
    assert fault.value.exit_code == (2 if kind is RecipeError else 4)
    assert not (tmp_path / "out").exists()
