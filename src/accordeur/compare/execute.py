"""One run: fit, answer, measure, seal. Resumes its own unfinished work; a finished one is never made twice."""

from __future__ import annotations

import errno
import json
import os
import platform
import shutil
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from importlib import resources
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from accordeur.adapted import AdaptedModel
from accordeur.compare.planned import Planned
from accordeur.compare.prepare import Prepared
from accordeur.compare.sweep import DECISION, fit_best
from accordeur.context import Context
from accordeur.errors import AccordeurError, EnvironmentFault, Interrupted, NotApplicable
from accordeur.measure.cost import Meter, folder_bytes
from accordeur.measure.forgetting import Before, forgetting
from accordeur.method import settings_of
from accordeur.models.judge import answer_rows
from accordeur.plan import DevicePlan
from accordeur.run import MODEL_FOLDER, RUN_FILE, RUNS_FOLDER, Answered, Cost, Run, load_run, save_run
from accordeur.store import digest, digest_file, fingerprint, is_sealed, read_json, recover, seal, sealed_folder, write_json
from accordeur.task import rows_fingerprint
from accordeur.tasks import kind_of
from accordeur.training.device import plan_device

WORK_FOLDER = "work"
CACHE_FOLDER = "cache"
SPENT_FILE = "spent.json"
TRAIN_SAMPLE = 500  # train rows on which overfitting is measured
WRITTEN_SAMPLE = 100  # the same where answers are texts: writing them out can take longer than the training
SPENT_EVERY = 5.0  # seconds between two notes of what a run has cost so far
NO_SPACE = os.strerror(errno.ENOSPC)
REUSED = ("done", "skipped")
CODE = ("methods", "models", "training", "tasks", "data", "measure", "foundations", "compare")

Tell = Callable[..., None]


@dataclass(kw_only=True)
class Spent:
    """What a run has cost in earlier, stopped processes, kept on disk."""

    path: Path
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    meter: Meter = field(default_factory=Meter)
    _written: float = 0.0

    @classmethod
    def read(cls, path: Path) -> Spent:
        """The earlier cost, or nothing."""
        values = read_json(path) if path.is_file() else {}
        return cls(path=path, **values)

    def note(self) -> None:
        """Writes the cost so far, every few seconds."""
        if time.monotonic() - self._written > SPENT_EVERY:
            self._written = time.monotonic()
            write_json(self.path, self.total())

    def total(self) -> dict[str, float]:
        """Earlier processes and this one."""
        self.meter.stop()
        return {"seconds": self.seconds + self.meter.seconds, "cpu_seconds": self.cpu_seconds + self.meter.cpu_seconds}


@cache
def code_version() -> str:
    """A digest of the code that can change a result, and the version of torch it runs on."""
    root = Path(str(resources.files("accordeur")))
    paths = sorted(path for name in CODE for path in (root / name).rglob("*.py"))
    return digest(b"".join(path.read_bytes() for path in [*paths, *sorted(root.glob("*.py"))]) + version("torch").encode())[:12]


def run_fingerprint(prepared: Prepared, planned: Planned) -> str:
    """Equal means that the run would come out the same: data, base, method, settings, seed, budget, code."""
    return fingerprint(
        {
            "task": prepared.task.fingerprint,
            "base": prepared.base.fingerprint,
            "method": [planned.method, settings_of(planned.work), planned.seed],
            "sweep": [prepared.recipe.full_sweep, *(settings_of(one.work) for one in planned.candidates)],
            "budget": prepared.recipe.budget if type(planned.work).trained else 0,
            "retain": prepared.retain and [prepared.retain.texts, prepared.retain.labels],
            "also": {name: rows_fingerprint(rows) for name, rows in prepared.also.items()},
            "text": text_digests(planned),
            "machine": prepared.recipe.machine(),
            "code": code_version(),
        }
    )


def text_digests(planned: Planned) -> list[str]:
    """Digests of the raw text that the method reads, where it reads any: another text makes another run."""
    name = settings_of(planned.work).get("text")
    if not name:
        return []
    place = Path(name)
    files = [place] if place.is_file() else sorted(path for path in place.rglob("*") if path.is_file())
    return [digest_file(path) for path in files]


def finished(prepared: Prepared, planned: Planned) -> Run | None:
    """The run from an earlier command, where it is whole and still the same run."""
    folder = prepared.out / RUNS_FOLDER / planned.name
    recover(folder)
    if not (folder / RUN_FILE).is_file() or not is_sealed(folder):
        return None
    run = load_run(folder)
    return run if run.status in REUSED and run.fingerprint == run_fingerprint(prepared, planned) else None


def execute(prepared: Prepared, planned: Planned, tell: Tell, stop: Callable[[], bool]) -> Run:
    """Makes one run. Raises Interrupted (with the record written) and EnvironmentFault; every other fault is recorded."""
    work = prepared.out / WORK_FOLDER / planned.name
    keep_only(work, run_fingerprint(prepared, planned))
    spent = Spent.read(work / SPENT_FILE)
    context = make_context(prepared, planned, work, spent, tell=tell, stop=stop)
    record = blank(prepared, planned)
    try:
        run = attempt(prepared, planned, context, spent, record)
    except Interrupted as fault:
        spent.total()
        write_json(work / RUN_FILE, replace(record, status="interrupted", reason=fault.message, plan=context.decisions()).plain())
        raise
    except EnvironmentFault:
        raise
    except NotApplicable as reason:
        run = replace(record, status="skipped", reason=reason.reason)
        store(prepared, run, None, (), ())
    except Exception as fault:
        if is_out_of_space(fault):
            raise EnvironmentFault(
                f"no space left on {prepared.out} while {planned.name} was at work",
                hint="free some space, then the same command goes on; finished runs are kept",
            ) from fault
        run = failed(record, fault, context)
        store(prepared, run, None, (), ())
    shutil.rmtree(work, ignore_errors=True)
    return run


def is_out_of_space(fault: Exception) -> bool:
    """Whether a write failed for want of space: libraries that write for us say so in words only."""
    return (isinstance(fault, OSError) and fault.errno in (errno.ENOSPC, errno.EDQUOT)) or NO_SPACE in str(fault)


def make_context(
    prepared: Prepared, planned: Planned, work: Path, spent: Spent, *, tell: Tell, stop: Callable[[], bool]
) -> Context:
    """What the method is lent; the device plan is decided once and kept with the run."""

    def note(**values: Any) -> None:
        spent.note()
        tell(run=planned.name, **values)

    context = Context(
        seed=planned.seed,
        folder=work,
        cache=prepared.out / CACHE_FOLDER,
        budget_seconds=60 * prepared.recipe.budget,
        on_note=note,
        stop=stop,
    )
    device = DevicePlan(**context.planned("device", lambda: asdict(plan_device(**prepared.recipe.machine()))))
    return replace(context, device=device)


def keep_only(work: Path, wanted: str) -> None:
    """Keeps unfinished work of the very same run, and removes any other."""
    mark = work / "fingerprint.json"
    if mark.is_file() and read_json(mark) == wanted:
        return
    shutil.rmtree(work, ignore_errors=True)
    write_json(mark, wanted)


def blank(prepared: Prepared, planned: Planned) -> Run:
    """The record before anything has happened."""
    cls = type(planned.work)
    return Run(
        name=planned.name,
        method=planned.method,
        seed=planned.seed,
        status="failed",
        fingerprint=run_fingerprint(prepared, planned),
        height=cls.height,
        trained=cls.trained,
        train_rows=planned.train_rows,
        settings=json.loads(json.dumps(settings_of(planned.work))),
        provenance=provenance(),
    )


def provenance() -> dict[str, Any]:
    """Versions and machine, without names of people or places."""
    packages = ("accordeur", "torch", "transformers", "peft", "scikit-learn", "numpy")
    return {
        "versions": {name: version(name) for name in packages},
        "code": code_version(),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "finished": time.strftime("%Y-%m-%d %H:%M:%S"),
    }


def attempt(prepared: Prepared, planned: Planned, context: Context, spent: Spent, record: Run) -> Run:
    """Fits, answers the test rows once, measures, and seals the result."""
    spent.meter.start()
    model = fitted(prepared, planned, context)
    fit = spent.total()
    peak = spent.meter.peak_bytes
    context.check_stop()
    context.note(text="answering the test rows")
    test, milliseconds = timed_answers(model, prepared)
    also = answers_elsewhere(model, prepared, context)
    context.check_stop()
    context.note(text="measuring overfitting and forgetting")
    train = answer_rows(model, train_sample(prepared), prepared.task)
    task = prepared.task
    before = Before(base=prepared.base, device=context.device, cache=context.cache, max_length=task.max_length, kind=task.kind)
    facts = dict(model.facts())
    cost = Cost(
        fit_seconds=fit["seconds"],
        fit_cpu_seconds=fit["cpu_seconds"],
        peak_memory_bytes=peak,
        base_bytes=4 * prepared.base.parameters,
        trainable_parameters=int(facts.pop("trainable_parameters", 0)),
        tokens_trained=int(facts.pop("tokens_trained", 0)),
        predict_ms_per_row=milliseconds,
    )
    run = replace(
        record,
        status="done",
        settings=context.decisions().get(DECISION, {}).get("settings", record.settings),
        plan=context.decisions(),
        curve=facts.pop("curve", ()),
        facts=facts,
        forgetting=forgetting(model, before, prepared.retain),
        cost=cost,
        provenance=provenance(),
    )
    return store(prepared, run, model, test, train, also)


def fitted(prepared: Prepared, planned: Planned, context: Context) -> AdaptedModel:
    """The method as it is, or the best of its candidates where it is swept."""
    if not planned.candidates:
        return planned.work.fit(prepared.task, prepared.base, context)
    name = run_fingerprint(prepared, replace(planned, seed=0))
    halved = not prepared.recipe.full_sweep
    return fit_best(planned.candidates, prepared.task, prepared.base, context, name=name, halved=halved)


def timed_answers(model: AdaptedModel, prepared: Prepared) -> tuple[list[Answered], float]:
    """The answers to all test rows, and milliseconds per row (likelihoods included where the kind measures them)."""
    begun = time.monotonic()
    answers = answer_rows(model, prepared.task.test, prepared.task)
    return answers, 1000 * (time.monotonic() - begun) / max(1, len(answers))


def answers_elsewhere(model: AdaptedModel, prepared: Prepared, context: Context) -> dict[str, list[Answered]]:
    """The answers to the rows of every other distribution, by its name."""
    found = {}
    for name, rows in prepared.also.items():
        context.check_stop()
        context.note(text=f"answering the rows of {name}")
        found[name] = answer_rows(model, rows, prepared.task)
    return found


def train_sample(prepared: Prepared) -> list[Any]:
    """The train rows on which every run is asked, drawn once; as many as there are test rows, at most the sample's size."""
    rows, kind = prepared.task.train, kind_of(prepared.task.kind)
    most = WRITTEN_SAMPLE if kind.likelihood and kind.answers else TRAIN_SAMPLE
    count = min(len(rows), len(prepared.task.test), most)
    places = np.random.default_rng(0).choice(len(rows), count, replace=False)
    return [rows[place] for place in sorted(places)]


def store(
    prepared: Prepared,
    run: Run,
    model: AdaptedModel | None,
    test: Sequence[Answered],
    train: Sequence[Answered],
    also: Mapping[str, Sequence[Answered]] | None = None,
) -> Run:
    """Writes record, answers and model into a folder that is whole or not there."""
    folder = prepared.out / RUNS_FOLDER / run.name
    with sealed_folder(folder) as staging:
        if model is not None:
            (staging / MODEL_FOLDER).mkdir()
            model.save(staging / MODEL_FOLDER)
            seal(staging / MODEL_FOLDER, {})
            run = replace(run, cost=replace(run.cost, artifact_bytes=folder_bytes(staging / MODEL_FOLDER)))
        save_run(staging, run, test, train, also)
    return run


def failed(record: Run, fault: Exception, context: Context) -> Run:
    """The record of a run that broke: the others go on."""
    known = isinstance(fault, AccordeurError)
    kind = fault.kind if isinstance(fault, AccordeurError) else "memory" if isinstance(fault, MemoryError) else "internal"
    facts = {} if known else {"traceback": traceback.format_exc()}
    reason = fault.message if isinstance(fault, AccordeurError) else f"{type(fault).__name__}: {fault}"
    return replace(record, status="failed", reason=reason, error_kind=kind, facts=facts, plan=context.decisions())
