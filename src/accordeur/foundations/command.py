"""The verb `pretrain`: from the command line's arguments or a recipe to a request, and through it."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from accordeur.context import Context, silent
from accordeur.errors import AccordeurError, RecipeError
from accordeur.foundations.corpus import Source, divided, sources
from accordeur.foundations.families import OBJECTIVES, Objective
from accordeur.foundations.pretrain import Pretrained, PretrainRequest, pretrain
from accordeur.foundations.pretrain_recipe import read_pretrain_recipe
from accordeur.foundations.shapes import Family, Shape, shape_for, shape_of
from accordeur.store import locked
from accordeur.training.device import plan_device
from accordeur.training.processes import launched
from accordeur.training.settings import TrainingSettings

RECIPES = (".yaml", ".yml")
MINUTES = 5.0
HELD_OUT_SHARE = 0.05  # of a single file
FAMILIES: dict[str, Family] = {"gpt": "gpt", "bert": "bert", "t5": "t5"}
FLOPS_PER_SECOND = 3e10  # of a thread pair in training; the trial then measures, the shape only needs the order of magnitude


@dataclass(frozen=True, kw_only=True)
class PretrainArguments:
    """What the command line says."""

    texts: tuple[Path, ...]
    out: Path
    family: str | None = None
    objective: str | None = None
    size: str | None = None
    shape: Mapping[str, int] = field(default_factory=dict)  # layers, width, heads, context, vocabulary in place of the size's own
    minutes: float | None = None
    steps: int | None = None
    tokenizer: Path | None = None
    held_out: tuple[Path, ...] = ()
    columns: tuple[str, ...] = ("text",)
    seed: int = 0


def run_pretrain(arguments: PretrainArguments, note: Callable[..., None] = silent, stop: Callable[[], bool] = bool) -> Pretrained:
    """Pretrains as asked; the work is kept beside `out` until it is done, so that the same call goes on after a stop.

    Where several processes were launched, all of them call this; the first holds the folder of work and tells how far it is.
    """
    request, minutes, seed = requested(arguments)
    work = arguments.out.parent / f".{arguments.out.name}.work"
    with launched() as processes, locked(work) if processes.first else contextlib.nullcontext():
        context = Context(
            seed=seed,
            folder=work,
            cache=work,
            budget_seconds=60 * minutes * processes.count,  # a trial measures one of them
            device=plan_device(processes.device),
            on_note=note if processes.first else silent,
            stop=stop,
        )
        try:
            done = pretrain(request, arguments.out, context, processes)
            context.note(text=told(done))
            return done
        except AccordeurError:
            if processes.first and not any(path.is_dir() for path in work.iterdir()):  # refused before anything was made
                shutil.rmtree(work)
            raise


def told(done: Pretrained) -> str:
    """What came of it, in one line."""
    bits = "" if done.bits_per_character is None else f", {done.bits_per_character:.4f} bits per character"
    return (
        f"{done.folder}: {done.weights:,} weights, {done.training.steps} steps, {done.training.tokens:,} tokens seen, "
        f"held out {done.loss:.4f} nats per token{bits}"
    )


def requested(arguments: PretrainArguments) -> tuple[PretrainRequest, float, int]:
    """The request, the minutes and the seed, from a recipe or from the arguments."""
    if len(arguments.texts) == 1 and arguments.texts[0].suffix in RECIPES:
        return from_recipe(arguments)
    family = FAMILIES.get(arguments.family or "gpt")
    if family is None:
        raise RecipeError(f"family {arguments.family!r} is unknown", hint=f"expected {', '.join(FAMILIES)}")
    minutes = arguments.minutes or MINUTES
    size = shape_of(arguments.size) if arguments.size else shape_for(FLOPS_PER_SECOND * 60 * minutes)
    shape = checked(replace(size, **arguments.shape))
    texts, held_out = parted(arguments)
    request = PretrainRequest(
        texts=texts,
        held_out=held_out,
        shape=shape,
        family=family,
        objective=chosen_objective(arguments.objective, family),
        tokenizer=arguments.tokenizer,
        settings=default_settings(shape),
        exact_vocabulary=False,  # a small text has a small vocabulary
        steps=arguments.steps,
    )
    return request, minutes, arguments.seed


def checked(shape: Shape) -> Shape:
    """The shape, if it can be built. RecipeError names what is too small or doesn't fit."""
    least = {"layers": 1, "width": 8, "heads": 1, "context": 8, "vocabulary": 300}
    wrong = [
        f"{name} {getattr(shape, name)}: expected at least {limit}"
        for name, limit in least.items()
        if getattr(shape, name) < limit
    ]
    if wrong:
        raise RecipeError("; ".join(wrong))
    if shape.width % shape.heads:
        raise RecipeError(
            f"width {shape.width} is not a multiple of {shape.heads} heads", hint="choose --heads that divide --width"
        )
    return shape


def chosen_objective(name: str | None, family: Family) -> Objective | None:
    """The objective by its name; RecipeError where the family has no such one."""
    found = next((objective for objective in OBJECTIVES[family] if objective == name), None)
    if name is not None and found is None:
        raise RecipeError(f"objective {name!r} doesn't fit family {family}", hint=f"expected {' or '.join(OBJECTIVES[family])}")
    return found


def from_recipe(arguments: PretrainArguments) -> tuple[PretrainRequest, float, int]:
    """The same from a recipe; steps and minutes of the command line win."""
    recipe = read_pretrain_recipe(arguments.texts[0])
    request = recipe.request()
    if arguments.steps is not None:
        request = replace(request, steps=arguments.steps)
    return request, arguments.minutes or recipe.minutes or MINUTES, recipe.seed


def default_settings(shape: Shape) -> TrainingSettings:
    """Rates, batch and decay that follow from the shape."""
    rows = max(4, 4096 // shape.context)
    return TrainingSettings(
        rate=shape.rate, betas=(0.9, 0.95), weight_decay=0.1, warmup=0.03, schedule="linear", batch_rows=rows, patience=None
    )


def parted(arguments: PretrainArguments) -> tuple[tuple[Source, ...], tuple[Source, ...]]:
    """Texts and held-out texts: as named; else the last of several files, or the end of a single one."""
    texts = sources(arguments.texts, arguments.columns)
    if arguments.held_out:
        held_out = sources(arguments.held_out, arguments.columns)
        apart = {source.path.resolve() for source in held_out}
        return tuple(source for source in texts if source.path.resolve() not in apart), tuple(held_out)
    if len(texts) < 2:
        head, tail = divided(texts[0], HELD_OUT_SHARE)
        return (head,), (tail,)
    return tuple(texts[:-1]), (texts[-1],)
