"""Raw text of a recipe: given to the methods that read, checked before anything, part of what makes a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from accordeur.compare.execute import run_fingerprint
from accordeur.compare.prepare import chosen_methods, prepare
from accordeur.errors import RecipeError

from .shop import recipe_for


def test_goes_to_those_that_read_and_makes_their_runs_anew(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("one\n\ntwo", encoding="utf-8")
    recipe = recipe_for(tmp_path, methods={"tfidf": {}, "domain": {}}, text=str(corpus))
    assert chosen_methods(recipe) == {"tfidf": {}, "domain": {"text": str(corpus)}}
    before = {planned.name: run_fingerprint(prepare(recipe), planned) for planned in prepare(recipe).planned}
    corpus.write_text("one\n\nthree", encoding="utf-8")
    after = {planned.name: run_fingerprint(prepare(recipe), planned) for planned in prepare(recipe).planned}
    assert before["tfidf-s0"] == after["tfidf-s0"]
    assert before["domain-s0"] != after["domain-s0"]


def test_a_missing_one_is_refused_first(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="nowhere"):
        prepare(recipe_for(tmp_path, methods={"domain": {}}, text=str(tmp_path / "nowhere.txt")))
