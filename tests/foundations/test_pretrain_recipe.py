"""Pretraining recipes and the verb's arguments."""

from __future__ import annotations

from pathlib import Path

import pytest

from accordeur.errors import RecipeError
from accordeur.foundations.command import PretrainArguments, requested, run_pretrain
from accordeur.foundations.pretrain_recipe import read_pretrain_recipe
from accordeur.foundations.shapes import SIZES, Shape, new_model, shape_for, shape_of
from accordeur.foundations.tokenizers import TokenizerRequest, train_tokenizer
from tests.foundations.words import SMALL, lines, text

ROOT = Path(__file__).parents[2]
RECIPE = (
    SMALL
    + """
texts: [{files: "${TEXTS}/*.txt"}]
"""
)


def no_dial(family: str, minutes: float) -> Shape:
    raise AssertionError("nobody asked for a size")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TEXTS", str(tmp_path))
    for number in range(3):
        (tmp_path / f"{number}.txt").write_text(text(120, number), "utf-8")
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    return tmp_path


def test_a_recipe_leaves_out_what_it_holds_out(folder: Path) -> None:
    request = read_pretrain_recipe(folder / "recipe.yaml").request()
    assert [source.path.name for source in request.texts] == ["0.txt", "1.txt"]
    assert [source.path.name for source in request.held_out] == ["2.txt"]
    assert request.steps == 3


def test_the_verb_runs_a_recipe_and_refuses_a_second_one_on_the_same_folder(folder: Path) -> None:
    done = run_pretrain(PretrainArguments(texts=(folder / "recipe.yaml",), out=folder / "base"))
    assert done.training.steps == 3
    assert (folder / "base" / "config.json").is_file()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("widht: 3\n", "widht"),
        ("layers: 0\n", "layers"),
        ("rate: -1\n", "rate"),
        ("x: [\n", "not valid YAML"),
    ],
)
def test_a_wrong_recipe_is_refused(folder: Path, change: str, message: str) -> None:
    key = change.partition(":")[0]
    kept = "\n".join(line for line in RECIPE.splitlines() if not line.startswith(f"{key}:"))
    (folder / "recipe.yaml").write_text(f"{kept}\n{change}")
    with pytest.raises(RecipeError, match=message):
        read_pretrain_recipe(folder / "recipe.yaml")


def test_patterns_without_files_and_unset_variables_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = read_pretrain_recipe(folder / "recipe.yaml")
    monkeypatch.setenv("TEXTS", str(folder / "none"))
    with pytest.raises(RecipeError, match="no file matches"):
        recipe.request()
    monkeypatch.delenv("TEXTS")
    with pytest.raises(RecipeError, match="isn't set"):
        recipe.request()


@pytest.mark.parametrize("path", sorted((ROOT / "recipes" / "pretrain").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_recipes_that_come_with_the_project_are_valid(path: Path) -> None:
    read_pretrain_recipe(path)


def test_arguments_become_a_request(folder: Path) -> None:
    arguments = PretrainArguments(texts=(folder / "0.txt", folder / "1.txt"), out=folder / "o", size="tiny", minutes=2, seed=7)
    request, minutes, seed = requested(arguments, no_dial)
    assert (request.shape, minutes, seed) == (SIZES["tiny"], 2, 7)
    assert [source.path.name for source in request.held_out] == ["1.txt"]


def test_of_one_file_alone_the_end_is_held_out(folder: Path) -> None:
    request, _, _ = requested(PretrainArguments(texts=(folder / "0.txt",), out=folder / "o", size="tiny"), no_dial)
    (read,), (scored,) = request.texts, request.held_out
    assert read.last == scored.first > 0


def test_the_dial_grows_with_the_flops() -> None:
    shapes = [shape_for(flops) for flops in (1e12, 1e14, 1e15, 1e17)]
    assert [shape.weights() for shape in shapes] == sorted({shape.weights() for shape in shapes})


def test_unknown_names_and_heads_that_do_not_fit_are_refused(folder: Path) -> None:
    with pytest.raises(RecipeError, match="size 'huge'"):
        shape_of("huge")
    with pytest.raises(RecipeError, match="family 'rnn'"):
        requested(PretrainArguments(texts=(folder / "0.txt", folder / "1.txt"), out=folder / "o", family="rnn"), no_dial)
    tokenizer = train_tokenizer(lines(200), TokenizerRequest(size=300))
    with pytest.raises(RecipeError, match="not a multiple"):
        new_model("gpt", Shape(layers=1, width=33, heads=2), tokenizer, 0)
