"""The plain record (JSON) of one method and one seed, and where it lies."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from accordeur.errors import ModelError
from accordeur.store import read_json, write_json, write_text

Status = Literal["done", "skipped", "failed", "interrupted"]
SCHEMA = 1
RUN_FILE = "run.json"
PREDICTIONS_FILE = "predictions.jsonl"  # on the test rows
TRAIN_PREDICTIONS_FILE = "train_predictions.jsonl"  # on a sample of the train rows, for overfitting
ALSO_PREDICTIONS = "also-{name}.jsonl"  # on the rows of another distribution
TASK_FILE = "task.json"
RUNS_FOLDER = "runs"
MODEL_FOLDER = "model"


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a run cost. Seconds, bytes, counts; the base's bytes are shown apart from the peak."""

    fit_seconds: float = 0.0
    fit_cpu_seconds: float = 0.0
    peak_memory_bytes: int = 0
    base_bytes: int = 0
    trainable_parameters: int = 0
    tokens_trained: int = 0
    artifact_bytes: int = 0
    predict_ms_per_row: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Run:
    """One method x one seed: what was asked, what came out, what it cost."""

    name: str
    method: str
    seed: int
    status: Status
    fingerprint: str = ""  # of data, base, settings, seed, budget and code version: equal means reusable
    reason: str | None = None
    error_kind: str | None = None
    height: int = 0
    trained: bool = False  # whether it moved weights or fitted anything
    train_rows: int | None = None  # where it learned from a part of the train rows only: how many
    settings: Mapping[str, Any] = field(default_factory=dict)
    plan: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    curve: Sequence[Mapping[str, Any]] = ()
    forgetting: Mapping[str, Any] | None = None
    cost: Cost = field(default_factory=Cost)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    schema: int = SCHEMA

    def plain(self) -> dict[str, Any]:
        """As JSON-ready data."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Answered:
    """One test row as a run answered it: enough to score it again without the model."""

    id: str
    expected: Any
    output: Any
    scores: Mapping[str, float] | None = None
    nll: float | None = None  # sum of negative natural-log probabilities of the expected answer
    units: int = 0  # how many tokens (or 1 for a label) that sum is over
    given: str = ""

    def plain(self) -> dict[str, Any]:
        """As JSON-ready data."""
        return asdict(self)


def save_run(
    folder: Path,
    run: Run,
    test: Sequence[Answered],
    train: Sequence[Answered],
    also: Mapping[str, Sequence[Answered]] | None = None,
) -> None:
    """Writes the record and the predictions into a folder (its caller seals it); `also`: those on other distributions by name."""
    others = ((ALSO_PREDICTIONS.format(name=name), answered) for name, answered in (also or {}).items())
    for name, answered in ((PREDICTIONS_FILE, test), (TRAIN_PREDICTIONS_FILE, train), *others):
        write_text(folder / name, "".join(json.dumps(row.plain(), ensure_ascii=False) + "\n" for row in answered))
    write_json(folder / RUN_FILE, run.plain())


def load_run(folder: Path) -> Run:
    """Reads a record; ModelError where it is damaged or from a newer version."""
    values = read_json(folder / RUN_FILE)
    if not isinstance(values, dict) or values.get("schema") != SCHEMA:
        raise ModelError(f"{folder / RUN_FILE} has schema {values.get('schema')!r}, this version reads {SCHEMA}")
    return Run(**{**values, "cost": Cost(**values["cost"])})


def load_answers(folder: Path, name: str = PREDICTIONS_FILE) -> list[Answered]:
    """Reads the predictions of a run, in the order of the rows; none where the run has none."""
    path = folder / name
    if not path.exists():
        return []
    with path.open(encoding="utf-8") as lines:
        return [Answered(**json.loads(line)) for line in lines]
