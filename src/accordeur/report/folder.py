"""Reading a run folder: what was asked, which runs are whole, what they answered."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from accordeur.errors import ModelError
from accordeur.run import (
    ALSO_PREDICTIONS,
    RUN_FILE,
    RUNS_FOLDER,
    TASK_FILE,
    TRAIN_PREDICTIONS_FILE,
    Answered,
    Run,
    load_answers,
    load_run,
)
from accordeur.store import is_sealed, read_json

SCHEMA = 1
WORK_FOLDER = "work"


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """A run with its answers on the test rows, on a sample of the train rows, and on other distributions by name."""

    run: Run
    test: tuple[Answered, ...] = ()
    train: tuple[Answered, ...] = ()
    also: Mapping[str, tuple[Answered, ...]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RunFolder:
    """Everything that a report is made of. `damaged`, `foreign` and `missing` name runs that are not in it."""

    about: Mapping[str, Any]  # task.json
    records: tuple[Recorded, ...]
    damaged: tuple[str, ...] = ()  # not whole, or changed after they were written
    foreign: tuple[str, ...] = ()  # whole, but not part of the planned comparison
    missing: tuple[str, ...] = ()  # planned, and neither finished nor interrupted

    @property
    def done(self) -> tuple[Recorded, ...]:
        """The runs that have something to compare."""
        return tuple(record for record in self.records if record.run.status == "done")


@dataclass(kw_only=True)
class Found:
    """What a look through the folder has found so far."""

    records: dict[str, Recorded] = field(default_factory=dict)
    damaged: list[str] = field(default_factory=list)


def read_folder(out: Path) -> RunFolder:
    """Reads task.json and the finished and unfinished runs; ModelError where there is no comparison, or its rows differ."""
    about = read_about(out)
    found = Found()
    for path in folders(out / RUNS_FOLDER):
        add_finished(found, path, list(about.get("also") or {}))
    for path in folders(out / WORK_FOLDER):
        add_interrupted(found, path)
    planned = [str(name) for name in about.get("planned") or []]
    kept = [record for name, record in found.records.items() if not planned or name in planned]
    records = tuple(sorted(kept, key=lambda record: place(record.run, planned)))
    check_same_rows([record for record in records if record.run.status == "done"])
    return RunFolder(
        about=about,
        records=records,
        damaged=tuple(found.damaged),
        foreign=tuple(name for name in found.records if planned and name not in planned),
        missing=tuple(name for name in planned if name not in found.records and name not in found.damaged),
    )


def read_about(out: Path) -> dict[str, Any]:
    """What was asked for: the content of task.json."""
    path = out / TASK_FILE
    if not path.is_file():
        hint = f"`accordeur compare DATA --out {out}` makes one" if out.is_dir() else "check the path"
        raise ModelError(f"{out} holds no {TASK_FILE}: it is not the folder of a comparison", hint=hint)
    about = read_json(path)
    if not isinstance(about, dict) or about.get("schema") != SCHEMA:
        found = about.get("schema") if isinstance(about, dict) else type(about).__name__
        raise ModelError(f"{path} has schema {found!r}, this version reads {SCHEMA}")
    for key in ("task", "base"):
        if not isinstance(about.get(key), dict):
            raise ModelError(f"{path} has no {key!r}", hint="repeat the comparison")
    return about


def folders(parent: Path) -> list[Path]:
    """The folders in a folder, by name; staging folders are invisible."""
    if not parent.is_dir():
        return []
    return sorted(path for path in parent.iterdir() if path.is_dir() and not path.name.startswith("."))


def add_finished(found: Found, path: Path, others: Sequence[str] = ()) -> None:
    """Takes a sealed run with its answers, also those on `others`; one that is not whole is named instead."""
    if not is_sealed(path):
        found.damaged.append(path.name)
        return
    try:
        run = load_run(path)
        train = tuple(load_answers(path, TRAIN_PREDICTIONS_FILE))
        also = {name: tuple(load_answers(path, ALSO_PREDICTIONS.format(name=name))) for name in others}
        record = Recorded(run=run, test=tuple(load_answers(path)), train=train, also=also)
    except (ModelError, KeyError, TypeError, ValueError, OSError):
        found.damaged.append(path.name)
        return
    if run.status == "done" and not record.test:
        found.damaged.append(path.name)
        return
    found.records[path.name] = record if run.name == path.name else dataclasses.replace(record, run=renamed(run, path.name))


def add_interrupted(found: Found, path: Path) -> None:
    """Takes the record of a run that was stopped on its way, unless it has been finished since."""
    if path.name in found.records or not (path / RUN_FILE).is_file():
        return
    try:
        run = load_run(path)
    except (ModelError, KeyError, TypeError, ValueError, OSError):
        return
    if run.status == "interrupted":
        found.records[path.name] = Recorded(run=renamed(run, path.name))


def renamed(run: Run, name: str) -> Run:
    """The run under the name of its folder, which is how people find it."""
    return dataclasses.replace(run, name=name)


def place(run: Run, planned: Sequence[str]) -> tuple[int, int, str, int]:
    """Where a run stands: in the order of the plan, else cheapest first."""
    return (planned.index(run.name) if run.name in planned else len(planned), run.height, run.method, run.seed)


def check_same_rows(records: Sequence[Recorded]) -> None:
    """Every run must have answered the same rows in the same order: without that there is nothing to compare."""
    for record in records[1:]:
        first = records[0]
        names = f"{first.run.name} and {record.run.name}"
        if len(first.test) != len(record.test):
            raise ModelError(
                f"{names} answered {len(first.test)} and {len(record.test)} test rows, expected the same rows",
                hint="delete the run that is out of date, or compare again into a new folder",
            )
        for place_, (one, other) in enumerate(zip(first.test, record.test, strict=True)):
            if one.id != other.id or one.expected != other.expected:
                raise ModelError(
                    f"{names} answered different test rows: row {place_} is {one.id!r} in one and {other.id!r} in the other",
                    hint="delete the run that is out of date, or compare again into a new folder",
                )
