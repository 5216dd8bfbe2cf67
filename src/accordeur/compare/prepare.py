"""From a recipe to everything that is decided before anything is trained; all errors come before any cost."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from accordeur.audit import Audit, audit_splits, refuse, summary
from accordeur.audit.lengths import untrainable
from accordeur.base import Base, default_encoder, find_base
from accordeur.compare.also import Others, cut_notes, read_others
from accordeur.compare.grid import grid_notes, grids
from accordeur.compare.planned import Planned, planned_runs
from accordeur.compare.sizes import chosen_sizes, strata
from accordeur.compare.slices import slice_values
from accordeur.compare.unlearned import unlearned_notes
from accordeur.data import Loaded, Reading, SplitRule, Splits, load_splits
from accordeur.data.hub import hub_copy, hub_name
from accordeur.data.keyed import chained, taken
from accordeur.errors import DataError, EnvironmentFault, RecipeError
from accordeur.example import Example
from accordeur.measure.forgetting import Ability, retained
from accordeur.method import build_method, method_names, nearest, require_known, settings_of
from accordeur.models._asking import read_prompts
from accordeur.recipe import Recipe
from accordeur.store import nearest_folder
from accordeur.task import KindName, Task
from accordeur.tasks import Codec, Kind, kind_of
from accordeur.tasks._spoken import MOST_CUT

MOVES_ALL = 75  # height from which on methods move the whole base
LENGTH_SAMPLE = 20_000  # rows whose length is measured, at most
CACHE = Path("~/.cache/accordeur").expanduser()


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Everything that a comparison needs, checked."""

    recipe: Recipe
    task: Task
    base: Base
    planned: tuple[Planned, ...]
    out: Path
    loaded: Loaded
    audit: Audit
    lengths: dict[str, Any]
    retain: Ability | None
    notes: tuple[str, ...]
    slices: dict[str, list[str | None]] = field(default_factory=dict)  # column -> value of every test row
    also: Others = field(default_factory=dict)  # other distributions by name


def prepare(recipe: Recipe) -> Prepared:
    """Checks recipe, methods, data, base and lengths, in this order, cheapest first. Writes nothing."""
    methods = chosen_methods(recipe)
    swept = grids(methods, recipe.sweep)
    loaded = load(recipe)
    kind = checked_kind(recipe, loaded)
    loaded = in_one_form(loaded, kind)
    found = refuse(audit_splits(loaded.splits, kind.name, group=recipe.group), force=recipe.force, where=recipe.data)
    task = make_task(recipe, loaded, kind)
    slices = slice_values(recipe.slices, task.test)
    also, also_notes = read_others(recipe, loaded, kind, task)
    sizes, size_notes = chosen_sizes(recipe.train_sizes, len(task.train))
    retain = retained(Path(recipe.retain)) if recipe.retain else None
    out = Path(recipe.out) if recipe.out else Path("runs") / slug(task.name)
    base = choose_base(recipe, task)
    task, lengths = check_lengths(task, base, kind, force=recipe.force)
    planned = tuple(planned_runs(methods, recipe.seeds, sizes, swept))
    check_space(out, base, planned)
    asked_notes = (*size_notes, *grid_notes(swept, recipe.full_sweep), *also_notes, *cut_notes(also, task, base, kind))
    notes = (loaded.shape.reading, *loaded.notes, *lengths["notes"], *unlearned_notes(loaded.splits, kind), *asked_notes)
    return Prepared(
        recipe=recipe,
        task=task,
        base=base,
        planned=planned,
        out=out,
        loaded=loaded,
        audit=found,
        lengths=lengths,
        retain=retain,
        notes=notes,
        slices=slices,
        also=also,
    )


def chosen_methods(recipe: Recipe) -> dict[str, dict[str, Any]]:
    """The methods by name with their settings; unknown ones are refused before anything is read.

    The raw text of a recipe goes to every method that takes one.
    """
    if recipe.text and not Path(recipe.text).exists():
        raise RecipeError(f"no raw text at {recipe.text}", hint="expected a file (.txt, .md, .jsonl, .gz) or a folder of them")
    wanted = recipe.methods if recipe.methods is not None else {name: {} for name in method_names()}
    for name in wanted:
        require_known(name)
    shared = {"text": recipe.text} if recipe.text else {}
    takers = {name for name in wanted if shared and "text" in settings_of(build_method(name))}
    return {name: {**(shared if name in takers else {}), **settings} for name, settings in wanted.items()}


def load(recipe: Recipe) -> Loaded:
    """Reads and splits the rows, of files or of a hub dataset; files that are given beside a hub dataset replace its splits."""
    found = hub_copy(recipe.data, CACHE / "datasets") if hub_name(recipe.data) else None
    reading = Reading(mapping=recipe.mapping or None, separator=recipe.separator, where=recipe.where)
    parts = {name: Path(value) if (value := getattr(recipe, name)) else None for name in ("test", "validation")}
    if found:
        parts = {"test": parts["test"] or found.test, "validation": parts["validation"] or found.validation}
    loaded = load_splits(
        found.train if found else Path(recipe.data), **parts, reading=reading, rule=SplitRule(group=recipe.group)
    )
    loaded = replace(loaded, notes=(*(found.notes if found else ()), *loaded.notes))
    if recipe.rows is None:
        return loaded
    total = sum(len(part) for part in loaded.splits.parts().values())
    share = min(1.0, recipe.rows / total)
    splits = with_parts(loaded.splits, {name: thinned(part, share) for name, part in loaded.splits.parts().items()})
    return replace(loaded, splits=splits, notes=(*loaded.notes, f"about {recipe.rows} of {total} rows are used, as asked"))


def with_parts(splits: Splits, parts: Mapping[str, Sequence[Example]]) -> Splits:
    """The splits with other rows in them."""
    return replace(splits, train=parts["train"], validation=parts["validation"], test=parts["test"])


def thinned(rows: Sequence[Example], share: float) -> Sequence[Example]:
    """About a share of the rows, the same share of every label, drawn by seed 0, in their own order."""
    order = np.random.default_rng(0).permutation(len(rows))
    of = strata(rows)
    of = np.zeros_like(of) if len(rows) and int(of.max()) + 1 > len(rows) / 3 else of
    by_label = [order[of[order] == stratum] for stratum in range(int(of.max(initial=-1)) + 1)]
    kept = [places[: max(1, round(share * len(places)))] for places in by_label]
    return taken(rows, np.sort(np.concatenate([*kept, np.zeros(0, np.int64)])))


def checked_kind(recipe: Recipe, loaded: Loaded) -> Kind:
    """The kind that the columns make it; one that the user gave must agree."""
    if recipe.kind and recipe.kind != loaded.shape.kind:
        raise RecipeError(
            f"kind {recipe.kind!r} was asked for, the columns make it {loaded.shape.kind!r}", hint=loaded.shape.reading
        )
    kind = kind_of(loaded.shape.kind)
    problems = kind.check(chained(list(loaded.splits.parts().values())))
    if problems:
        raise DataError(f"{len(problems)} rows can't be used", where=recipe.data, problems=problems)
    return kind


def in_one_form(loaded: Loaded, kind: Kind) -> Loaded:
    """The same rows in the one form that the kind works with (one scheme of tags, say)."""
    parts = loaded.splits.parts()
    whole = chained(list(parts.values()))
    rows = kind.prepared(whole)
    if rows is whole:
        return loaded
    ends = np.cumsum([len(part) for part in parts.values()]).tolist()
    done = {name: rows[end - len(part) : end] for (name, part), end in zip(parts.items(), ends, strict=True)}
    return replace(loaded, splits=with_parts(loaded.splits, done))


def make_task(recipe: Recipe, loaded: Loaded, kind: Kind) -> Task:
    """The task with its frozen rows, labels and metrics."""
    splits = loaded.splits
    metrics = metric_order(recipe, kind, splits.train)
    labels = tuple(kind.labels(chained([splits.train, splits.validation, splits.test])))
    unknown = set(recipe.definitions) - set(labels)
    if unknown:
        raise RecipeError(
            f"definitions of labels that do not occur: {', '.join(sorted(unknown))}", hint=f"labels: {', '.join(labels)}"
        )
    name: KindName = loaded.shape.kind  # type: ignore[assignment]
    return Task(
        name=task_name(Path(recipe.data)),
        kind=name,
        train=splits.train,
        validation=splits.validation,
        test=splits.test,
        metrics=metrics,
        labels=labels,
        definitions=tuple(recipe.definitions.get(label, label) for label in labels) if recipe.definitions else (),
        template=read_prompts([recipe.template])[0] if recipe.template and Path(recipe.template).is_file() else recipe.template,
        prompts=read_prompts(recipe.prompts),
        max_length=recipe.max_length,
        beams=recipe.beams,
    )


def task_name(path: Path) -> str:
    """The file's name; that of its folder where the file is only called train, data or the like."""
    stem = path.name.split(".")[0]
    return (path.absolute().parent.name if stem.lower() in ("train", "data", "dataset", "all", "") else stem) or "task"


def metric_order(recipe: Recipe, kind: Kind, rows: Sequence[Example]) -> tuple[str, ...]:
    """The names of the kind's metrics, the chosen one first."""
    names = list(kind.metric_names(rows))
    if recipe.metric is None:
        return tuple(names)
    if recipe.metric not in names:
        raise RecipeError(f"metric {recipe.metric!r} is unknown to kind {kind.name}", hint=nearest(recipe.metric, names))
    return (recipe.metric, *(name for name in names if name != recipe.metric))


def choose_base(recipe: Recipe, task: Task) -> Base:
    """The base that was asked for, or the default one of the kind: MiniLM to classify, the small decoder to write."""
    if recipe.base:
        return find_base(recipe.base)
    if task.kind in ("write", "text", "prefer"):
        from accordeur.foundations.default import default_decoder

        folder = default_decoder(CACHE)
        return replace(find_base(str(folder)), name=folder.name)
    return default_encoder()


def check_lengths(task: Task, base: Base, kind: Kind, *, force: bool = False) -> tuple[Task, dict[str, Any]]:
    """Counts rows and answer tokens that a cut would lose; more than a few are refused with the limit that keeps them."""
    if base.family == "remote":
        return task, {"notes": []}
    limit = min(task.max_length, base.positions or task.max_length)
    task = replace(task, max_length=limit)
    codec = Codec(tokenizer=base.tokenizer(), family=base.family, max_length=limit)
    rows = chained([task.train, task.validation, task.test])[:LENGTH_SAMPLE]
    found = np.asarray([kind.length(example, task, codec) for example in rows])
    cut = int((found[:, 0] > limit).sum())
    facts = {
        "limit": limit,
        "rows": len(rows),
        "longest": int(found[:, 0].max()),
        "cut_rows": cut,
        "lost_answer_tokens": int(found[:, 1].sum()),
    }
    empty = untrainable(rows, found, task, codec)
    if empty and not force:
        raise DataError(summary(empty), hint=empty[0].said()[1])
    if cut > MOST_CUT * len(rows) and not force:
        enough = int(np.ceil(np.quantile(found[:, 0], 1 - MOST_CUT)))
        possible = base.positions is None or enough <= base.positions
        hint = (
            f"--max-length {enough} keeps all but 5 % of them"
            if possible
            else f"this base reads at most {base.positions} tokens; choose another one"
        )
        raise DataError(
            f"{cut} of {len(rows)} rows are longer than {limit} tokens and would be cut (at most 5 % may be)", hint=hint
        )
    notes = (
        [f"{cut} of {len(rows)} rows are cut at {limit} tokens ({facts['lost_answer_tokens']} answer tokens lost)"] if cut else []
    )
    return task, {**facts, "notes": notes}


def check_space(out: Path, base: Base, planned: Sequence[Planned]) -> None:
    """Refuses to start where the disk can't hold weights, optimizer state and best copy of the largest run, and what stays."""
    moving = sum(run.work.height >= MOVES_ALL for run in planned)
    need = int(1.2 * (base.parameters * 4 * (moving + 4 * bool(moving)) + 50e6))
    free = shutil.disk_usage(nearest_folder(out)).free
    if free < need:
        raise EnvironmentFault(
            f"need {need / 1e6:.1f} MB, {free / 1e6:.1f} MB free on {nearest_folder(out)}",
            hint="free some space, or choose another --out",
        )


def slug(name: str) -> str:
    """A safe folder name."""
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "task"
