"""The verb `pretrain`: from the command line's arguments or a recipe to a request, and through it."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from accordeur.context import Context, silent
from accordeur.errors import AccordeurError, RecipeError
from accordeur.foundations.corpus import Source, divided, holds_text, sources, without
from accordeur.foundations.dial import dialled, read_dialled
from accordeur.foundations.families import OBJECTIVES, Objective, settings_of
from accordeur.foundations.pretrain import Pretrained, PretrainRequest, forget, pretrain
from accordeur.foundations.pretrain_recipe import read_pretrain_recipe
from accordeur.foundations.shapes import Family, Shape, shape_of
from accordeur.plan import DevicePlan
from accordeur.store import fingerprint, locked
from accordeur.training.device import plan_device
from accordeur.training.processes import Processes, launched
from accordeur.training.settings import TrainingSettings

RECIPES = (".yaml", ".yml")
MINUTES = 5.0
HELD_OUT_SHARE = 0.05  # of a single file
FAMILIES: dict[str, Family] = {"gpt": "gpt", "bert": "bert", "t5": "t5"}
COLUMNS = ("text",)
DECIDED = "decided-"  # begins the name of a folder of decisions, which the command's own fingerprint ends
NAMES = {one.name for one in fields(Shape)}

Dial = Callable[[Family, float], Shape]  # the shape for a family and minutes


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
    batch_rows: int | None = None
    tokenizer: Path | None = None
    held_out: tuple[Path, ...] = ()
    columns: tuple[str, ...] = COLUMNS
    seed: int | None = None  # 0, or a recipe's own


def run_pretrain(arguments: PretrainArguments, note: Callable[..., None] = silent, stop: Callable[[], bool] = bool) -> Pretrained:
    """Pretrains as asked; the work is kept beside `out` until it is done, so that the same call goes on after a stop.

    Where several processes were launched, all of them call this; the first holds the folder of work and tells how far it is.
    """
    work = arguments.out.parent / f".{arguments.out.name}.work"
    with launched() as processes, locked(work) if processes.first else contextlib.nullcontext():
        context = Context(seed=0, folder=work, cache=work, on_note=note if processes.first else silent, stop=stop)
        try:
            with processes.in_turn():
                request, context = decided(arguments, context, processes)
            done = pretrain(request, arguments.out, context, processes)
        except AccordeurError:
            if processes.first and not (work / "tokenizer").is_dir():  # refused before anything was made
                shutil.rmtree(work)
            raise
        if processes.first:
            forget(context, DECIDED)
        context.note(text=told(done))
        return done


def decided(arguments: PretrainArguments, context: Context, processes: Processes) -> tuple[PretrainRequest, Context]:
    """The request and what it is lent. What the machine decides, the device plan of each process and the shape that minutes
    allow, is kept for this very command, so that it goes on with them after a stop.
    """
    kept = context.part(DECIDED + fingerprint([asdict(arguments), processes.count]))
    own = kept.part(f"process-{processes.rank}")
    device = DevicePlan(**own.planned("device", lambda: asdict(plan_device(processes.device))))

    def dial(family: Family, minutes: float) -> Shape:
        found = read_dialled(kept.planned("shape", lambda: dialled(family, minutes, device, processes.count).plain()))
        context.note(text=found.told(minutes))
        return found.shape

    request, minutes, seed = requested(arguments, dial)
    seconds = 60 * minutes * processes.count  # a trial measures one of them
    return request, replace(context, seed=seed, device=device, budget_seconds=seconds)


def told(done: Pretrained) -> str:
    """What came of it, in one line."""
    bits = "" if done.bits_per_character is None else f", {done.bits_per_character:.4f} bits per character"
    return (
        f"{done.folder}: {done.weights:,} weights, {done.training.steps} steps, {done.training.tokens:,} tokens seen, "
        f"held out {done.loss:.4f} nats per token{bits}"
    )


def requested(arguments: PretrainArguments, dial: Dial) -> tuple[PretrainRequest, float, int]:
    """The request, the minutes and the seed, from a recipe or from the arguments; without a size, the dial gives the shape."""
    if len(arguments.texts) == 1 and arguments.texts[0].suffix in RECIPES:
        return from_recipe(arguments)
    family = FAMILIES.get(arguments.family or "gpt")
    if family is None:
        raise RecipeError(f"family {arguments.family!r} is unknown", hint=f"expected {', '.join(FAMILIES)}")
    minutes = MINUTES if arguments.minutes is None else arguments.minutes
    if minutes <= 0:
        raise RecipeError(f"budget {minutes:g}: expected more than 0 minutes")
    objective = chosen_objective(arguments.objective, family)
    texts, held_out = parted(arguments)
    shape = checked(shape_asked(arguments, lambda: dial(family, minutes)))
    request = PretrainRequest(
        texts=texts,
        held_out=held_out,
        shape=shape,
        family=family,
        objective=objective,
        tokenizer=arguments.tokenizer,
        settings=default_settings(shape, family, arguments.batch_rows),
        exact_vocabulary="vocabulary" in arguments.shape,  # else a small text has a small vocabulary
        steps=arguments.steps,
    )
    return request, minutes, arguments.seed or 0


def shape_asked(arguments: PretrainArguments, dial: Callable[[], Shape]) -> Shape:
    """The named size or else what the dial gives, but for what is named by itself."""
    if arguments.shape.keys() >= NAMES:
        return Shape(**arguments.shape)
    return replace(shape_of(arguments.size) if arguments.size else dial(), **arguments.shape)


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
    """The same from a recipe, in which what the command line says wins."""
    recipe = read_pretrain_recipe(arguments.texts[0], said(arguments))
    chosen_objective(recipe.objective, recipe.family)
    request = recipe.request()
    checked(request.shape)
    if arguments.held_out:
        held_out = tuple(sources(arguments.held_out, arguments.columns))
        request = replace(request, texts=without(request.texts, held_out), held_out=held_out)
    elif arguments.columns != COLUMNS:
        raise RecipeError(
            "--columns with a recipe are those of --held-out", hint="name the others in the recipe, beside the files"
        )
    return request, recipe.minutes or MINUTES, recipe.seed


def said(arguments: PretrainArguments) -> dict[str, Any]:
    """What the command line says in the words of a recipe; minutes or steps take the place of both."""
    given: dict[str, Any] = {
        "family": arguments.family,
        "objective": arguments.objective,
        "tokenizer": arguments.tokenizer and str(arguments.tokenizer),
        "batch_rows": arguments.batch_rows,
        "seed": arguments.seed,
        **(asdict(shape_of(arguments.size)) if arguments.size else {}),
        **arguments.shape,
    }
    long = {"steps": arguments.steps, "minutes": arguments.minutes}
    wanted = {name: value for name, value in given.items() if value is not None}
    return wanted if arguments.steps is None and arguments.minutes is None else {**wanted, **long}


def default_settings(shape: Shape, family: Family, batch_rows: int | None = None) -> TrainingSettings:
    """Rates, batch and decay that follow from shape and family, but for rows of a step that are named."""
    rows = batch_rows or max(4, 4096 // shape.context)
    return settings_of(family, rate=shape.rate, weight_decay=0.1, warmup=0.03, schedule="linear", batch_rows=rows)


def parted(arguments: PretrainArguments) -> tuple[tuple[Source, ...], tuple[Source, ...]]:
    """Texts and held-out texts: as named; else the last of several files that hold text, or the end of a single one."""
    texts = sources(arguments.texts, arguments.columns)
    if arguments.held_out:
        held_out = tuple(sources(arguments.held_out, arguments.columns))
        return without(texts, held_out), held_out
    texts = [source for source in texts if source.path.stat().st_size] or texts
    while len(texts) > 1 and not holds_text(texts[-1]):
        texts.pop()
    if len(texts) < 2:
        head, tail = divided(texts[0], HELD_OUT_SHARE)
        return (head,), (tail,)
    return tuple(texts[:-1]), (texts[-1],)
