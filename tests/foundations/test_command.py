"""The verb `pretrain`: what is decided once, what a second command changes, and what of a recipe the command line replaces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import accordeur.foundations.pretrain as pretraining
from accordeur.context import Context
from accordeur.errors import Interrupted, RecipeError
from accordeur.foundations import command
from accordeur.foundations.command import PretrainArguments, decided, requested, run_pretrain
from accordeur.foundations.dial import Dialled
from accordeur.foundations.shapes import SIZES, Shape
from accordeur.plan import DevicePlan
from accordeur.training.processes import Processes
from tests.foundations.words import SMALL, recipe_folder, text

SHAPE = {"layers": 1, "width": 16, "heads": 2, "context": 16, "vocabulary": 300}
RECIPE = (
    SMALL
    + """
family: bert
seed: 5
texts: [{files: "${TEXTS}/*.txt"}]
"""
)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    recipe_folder(tmp_path, monkeypatch, RECIPE)
    return tmp_path


def arguments(files: Path, **other: Any) -> PretrainArguments:
    given: dict[str, Any] = {"texts": (files / "0.txt", files / "1.txt"), "out": files / "base", "shape": SHAPE, "steps": 2}
    return PretrainArguments(**{**given, **other})


def no_dial(family: str, minutes: float) -> Shape:
    raise AssertionError("nobody asked for a size")


def lent_devices(monkeypatch: pytest.MonkeyPatch) -> list[DevicePlan]:
    """The device plans that trainings are made with from here on."""
    used: list[DevicePlan] = []
    train = pretraining.train

    def watched(network: Any, rows: Any, settings: Any, plan: Any, lent: Any) -> Any:
        used.append(lent.device)
        return train(network, rows, settings, plan, lent)

    monkeypatch.setattr(pretraining, "train", watched)
    return used


def stopping_after(steps: int) -> Callable[[], bool]:
    asked = iter([False] * (steps - 1))
    return lambda: next(asked, True)


def plans(monkeypatch: pytest.MonkeyPatch, **values: Any) -> None:
    monkeypatch.setattr(command, "plan_device", lambda device=None: DevicePlan(**values))


def test_a_second_command_into_the_same_folder_does_what_it_says(files: Path) -> None:
    first = run_pretrain(arguments(files))
    longer = run_pretrain(arguments(files, steps=4))
    other = run_pretrain(arguments(files, texts=(files / "2.txt", files / "1.txt")))
    assert [done.training.steps for done in (first, longer, other)] == [2, 4, 2]
    assert other.tokens != first.tokens
    kept = {path.name for path in (files / ".base.work").iterdir() if path.is_dir()}
    assert kept == {"tokenizer", "train", "held_out"}  # a finished run forgets its plan


def test_a_stopped_command_does_not_lend_its_steps_to_another(files: Path) -> None:
    with pytest.raises(Interrupted):
        run_pretrain(arguments(files, steps=6), stop=stopping_after(1))
    held_out = (files / "2.txt",)
    assert run_pretrain(arguments(files, steps=6, held_out=held_out, seed=1)).training.curve[0]["step"] == 1


def test_a_second_start_uses_the_device_plan_of_the_first(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    used = lent_devices(monkeypatch)
    plans(monkeypatch, micro_tokens=64)
    with pytest.raises(Interrupted):
        run_pretrain(arguments(files), stop=stopping_after(1))
    plans(monkeypatch, micro_tokens=32, threads=2, onednn=True)
    run_pretrain(arguments(files))
    assert used == [DevicePlan(micro_tokens=64)] * 2
    run_pretrain(arguments(files))  # done before, so that this is another run
    assert used[2].micro_tokens == 32


def test_every_process_keeps_its_own_device_plan_and_all_one_shape(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = Context(seed=0, folder=files / "work", cache=files / "work")
    given = arguments(files, shape={})
    shapes = iter([SIZES["tiny"], SIZES["small"]])
    monkeypatch.setattr(command, "dialled", lambda *_: Dialled(shape=next(shapes), flops_per_second=1e9, flops=1e10))
    found = []
    for memory in (1, 2):  # the second time the machine is another one
        for rank in range(2):
            plans(monkeypatch, micro_tokens=100 * memory + rank)
            request, lent = decided(given, context, Processes(rank=rank, count=2))
            found.append((lent.device.micro_tokens, request.shape))
    assert found == [(100, SIZES["tiny"]), (101, SIZES["tiny"])] * 2


def test_the_dial_tells_what_it_measured(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    context = Context(
        seed=0, folder=files / "w", cache=files / "w", on_note=lambda **values: said.append(str(values.get("text", "")))
    )
    decided(arguments(files, shape={}, minutes=1.0, family="t5"), context, Processes())
    assert len(said) == 1
    assert "FLOP/s here" in said[0]
    assert "1 minutes" in said[0]


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ({}, {"steps": 3, "minutes": 5.0, "seed": 5}),
        ({"minutes": 2.0}, {"steps": None, "minutes": 2.0}),
        ({"steps": 9}, {"steps": 9}),
        ({"seed": 0}, {"seed": 0}),
        ({"shape": {"width": 64}}, {"shape": Shape(layers=1, width=64, heads=2, context=32, vocabulary=300)}),
        ({"size": "tiny"}, {"shape": SIZES["tiny"]}),
        ({"family": "t5"}, {"family": "t5"}),
        ({"objective": "masked-and-next"}, {"objective": "masked-and-next"}),
        ({"tokenizer": Path("some/base")}, {"tokenizer": Path("some/base")}),
    ],
)
def test_the_command_line_wins_over_a_recipe(files: Path, flags: dict[str, Any], expected: dict[str, Any]) -> None:
    given = PretrainArguments(texts=(files / "recipe.yaml",), out=files / "o", **flags)
    request, minutes, seed = requested(given, no_dial)
    found = {**vars(request), "minutes": minutes, "seed": seed}
    assert {name: found[name] for name in expected} == expected


def test_rows_of_a_step_can_be_named_with_and_without_a_recipe(files: Path) -> None:
    for given in ((files / "recipe.yaml",), (files / "0.txt", files / "1.txt")):
        asked = PretrainArguments(texts=given, out=files / "o", size="tiny", batch_rows=5)
        assert requested(asked, no_dial)[0].settings.batch_rows == 5


def test_held_out_files_of_the_command_line_win_over_a_recipe(files: Path) -> None:
    given = PretrainArguments(texts=(files / "recipe.yaml",), out=files / "o", held_out=(files / "0.txt",))
    request, _, _ = requested(given, no_dial)
    assert [source.path.name for source in request.texts] == ["1.txt"]
    assert [source.path.name for source in request.held_out] == ["0.txt"]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"objective": "spans"}, "doesn't fit family bert"),
        ({"family": "rnn"}, "family: Input should be"),
        ({"minutes": 0.0}, "minutes: Input should be greater"),
        ({"shape": {"heads": 3}}, "not a multiple of 3 heads"),
        ({"columns": ("title",)}, "--columns with a recipe"),
    ],
)
def test_what_does_not_go_with_a_recipe_is_refused(files: Path, flags: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        requested(PretrainArguments(texts=(files / "recipe.yaml",), out=files / "o", **flags), no_dial)


def test_no_minutes_and_no_steps_are_refused(files: Path) -> None:
    with pytest.raises(RecipeError, match="budget 0"):
        requested(arguments(files, minutes=0.0), no_dial)
    with pytest.raises(RecipeError, match="steps 0"):
        run_pretrain(arguments(files, steps=0))


def test_files_without_text_are_not_the_ones_held_out(files: Path) -> None:
    folder = files / "folder"
    folder.mkdir()
    for number, content in enumerate(["", text(60), text(60, 1), " \n", ""]):
        (folder / f"{number}.txt").write_text(content, "utf-8")
    request, _, _ = requested(arguments(files, texts=(folder,)), no_dial)
    assert [source.path.name for source in request.texts] == ["1.txt"]
    assert [source.path.name for source in request.held_out] == ["2.txt"]
    (folder / "2.txt").write_text("", "utf-8")
    request, _, _ = requested(arguments(files, texts=(folder,)), no_dial)
    (read,), (scored,) = request.texts, request.held_out
    assert read == replace(scored, first=0, last=scored.first)  # the one that is left is divided


def test_a_named_vocabulary_must_be_reached_and_one_of_a_size_need_not(files: Path) -> None:
    exact = [
        requested(arguments(files, shape=shape, size="tiny"), no_dial)[0].exact_vocabulary
        for shape in ({"vocabulary": 5000}, {"layers": 1})
    ]
    assert exact == [True, False]


def test_an_encoder_decoder_moves_by_size_with_and_without_a_recipe(files: Path) -> None:
    for given in ((files / "recipe.yaml",), (files / "0.txt", files / "1.txt")):
        for family in ("gpt", "bert", "t5"):
            asked = PretrainArguments(texts=given, out=files / "o", size="tiny", family=family)
            assert requested(asked, no_dial)[0].settings.by_size == (family == "t5")
