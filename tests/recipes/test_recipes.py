"""Every worked recipe runs from its file to a verdict, at about one hundredth of its size."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from accordeur.compare import compare
from accordeur.recipe import Recipe, load_recipe
from tests.bases import tiny

FOLDER = Path("recipes")
ELSEWHERE = ("demo", "methods", "domain")  # families of recipes with tests of their own
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml") if not path.stem.startswith(ELSEWHERE))
QUICK = ("spam", "ner")  # these run in `make test` too, on a tiny base
MINUTES = 0.02
ROWS = 80
OWN_BASE = {  # recipes whose base is made, fetched or chosen first: a tiny one of its family stands for it
    "translation": "encoder-decoder",
    "medical-translation": "encoder-decoder",
    "summary": "encoder-decoder",
    "gpt2-alpaca-lora": "decoder",
    "history": "decoder",  # on the embedded one, `embedded` is left out for `prompt`
}
QUICK_BASE = dict.fromkeys(QUICK, "encoder")


def small(name: str, out: Path, bases: dict[str, str]) -> Recipe:
    """The recipe with fewer rows, seeds and seconds; a tiny base reads few tokens, so that rows may be cut."""
    recipe = load_recipe(FOLDER / f"{name}.yaml")
    changed: dict[str, Any] = {"rows": 500 if name.startswith("intent") else ROWS, "seeds": 1, "budget": MINUTES, "out": str(out)}
    if name in bases:
        changed |= {"base": str(tiny(bases[name]).path), "force": True, "max_length": 128}
    return recipe.model_copy(update=changed)


def run(name: str, out: Path, bases: dict[str, str]) -> None:
    recipe = small(name, out, bases)
    report = compare(recipe)
    assert report["task"]["rows"]["test"] >= 5
    assert recipe.methods
    assert {(run["method"], run["status"]) for run in report["runs"]} == {(method, "done") for method in recipe.methods}, [
        run["reason"] for run in report["runs"]
    ]
    assert report["verdict"]["decision"] in ("use", "do-not-fine-tune", "cannot-tell")
    assert (out / "report.html").is_file()


def test_all_recipes_of_the_folder_are_known() -> None:
    """Each says in its first line what it is for, and in another how it is run."""
    assert len(NAMES) >= 15
    for name in NAMES:
        lines = (FOLDER / f"{name}.yaml").read_text("utf-8").splitlines()
        assert lines[0].startswith("# ") and any(f"accordeur compare recipes/{name}.yaml" in line for line in lines), name


def test_data_is_found_in_the_folder_that_the_variable_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the recipe first, then here, then there; a value with a variable in it stays as it stands."""
    shared, beside = tmp_path / "shared", tmp_path / "recipes"
    for folder in (shared / "shop", beside / "shop"):
        folder.mkdir(parents=True)
    recipe = beside / "r.yaml"
    recipe.write_text("data: shop/rows.jsonl\ntest: $ACCORDEUR_DATA/shop/rows.jsonl\nbase: shop\n", encoding="utf-8")
    monkeypatch.delenv("ACCORDEUR_DATA", raising=False)
    assert load_recipe(recipe).data == "shop/rows.jsonl"
    (shared / "shop" / "rows.jsonl").write_text("", encoding="utf-8")
    monkeypatch.setenv("ACCORDEUR_DATA", str(shared))
    found = load_recipe(recipe)
    assert found.data == str(shared / "shop" / "rows.jsonl")
    assert found.test == "$ACCORDEUR_DATA/shop/rows.jsonl"
    assert found.base == str(beside / "shop")
    (beside / "shop" / "rows.jsonl").write_text("", encoding="utf-8")
    assert load_recipe(recipe).data == str(beside / "shop" / "rows.jsonl")


@pytest.mark.data
@pytest.mark.short_data
@pytest.mark.skipif("ACCORDEUR_DATA" not in os.environ, reason="ACCORDEUR_DATA is not set")
@pytest.mark.parametrize("name", QUICK)
def test_a_recipe_runs_with_a_tiny_base(name: str, tmp_path: Path) -> None:
    run(name, tmp_path / "out", QUICK_BASE)


@pytest.mark.data
@pytest.mark.skipif("ACCORDEUR_DATA" not in os.environ, reason="ACCORDEUR_DATA is not set")
@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_runs_at_a_hundredth_of_its_size(name: str, tmp_path: Path) -> None:
    run(name, tmp_path / "out", OWN_BASE)
