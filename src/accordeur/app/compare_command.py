"""`accordeur compare`: shows what was found, then the progress, then the table and the verdict."""

from __future__ import annotations

import shlex
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.text import Text

from accordeur.app.progress import Progress
from accordeur.app.report_command import show
from accordeur.app.signals import Stopper
from accordeur.audit import Audit
from accordeur.compare import Prepared, prepare, run_all
from accordeur.compare.planned import Planned
from accordeur.errors import Interrupted
from accordeur.example import IGNORED
from accordeur.recipe import Recipe, dump_recipe
from accordeur.store import write_text
from accordeur.tasks import Codec, kind_of
from accordeur.training.device import plan_device

MANY_LABELS = 12
FEW_TRAINED = 3
TOLD = ("duplicates", "conflicting-labels", "left-out", "special-tokens")  # findings that the notes on the data tell too


def run(recipe: Recipe, save_recipe: str | None) -> None:
    """Runs a recipe from the command line."""
    console = Console()
    if save_recipe:
        write_text(Path(save_recipe), dump_recipe(recipe))
    prepared = prepare(recipe)
    introduce(prepared, console)
    stop = Stopper(lambda: console.print("stopping after this step; once more to stop at once")).listen()
    with Progress(console=console, names=[planned.name for planned in prepared.planned]) as progress:
        try:
            report = run_all(prepared, progress.tell, stop, shlex.join(["accordeur", *sys.argv[1:]]))
        except Interrupted as fault:
            raise Interrupted(fault.message, hint=f"the same command goes on; finished runs are in {prepared.out}") from fault
    show(report, prepared.out, console)


def introduce(prepared: Prepared, console: Console) -> None:
    """What was found, before anything is trained."""
    task, base = prepared.task, prepared.base
    rows = " / ".join(str(len(part)) for part in (task.train, task.validation, task.test))
    lines = [
        f"data   {prepared.recipe.data}: kind {task.kind}, {rows} rows to train / validate / test",
        f"base   {base.name}: {base.family}" + (f", {base.parameters / 1e6:.1f} M parameters" if base.parameters else ""),
        f"plan   {plan_device(**prepared.recipe.machine()).reason}",
        f"runs   {effort(prepared.planned, prepared.recipe.budget)}",
        *([f"labels {classes(prepared)}"] if task.labels else []),
        *(f"note   {note}" for note in prepared.notes),
        *(f"audit  {said}" for said in audit_lines(prepared.audit)),
    ]
    for line in lines:
        console.print(Text(line), soft_wrap=True)
    if task.kind == "write" and base.family != "remote":
        show_first(prepared, console)


def audit_lines(audit: Audit) -> list[str]:
    """What the audit found and the notes on the data don't say; errors that somebody chose to pass over come first."""
    passed = [f"error, passed over with --force: {finding.said()[0]}" for finding in audit.errors]
    return passed + [finding.said()[0] for finding in audit.warnings if finding.code not in TOLD]


def effort(planned: Sequence[Planned], budget: float) -> str:
    """How many runs there are, and how long those that move weights may take; `budget` in minutes per run."""
    training = sum(type(run.work).trained and run.work.seeded for run in planned)
    if not training:
        return f"{len(planned)}, none of which moves weights"
    most = f"{training * budget:.3g} minutes at most" + (", shorter with --methods or --budget" if training > FEW_TRAINED else "")
    return f"{len(planned)}, of which {training} train for up to {budget:g} minutes each: {most}"


def classes(prepared: Prepared) -> str:
    """How many train rows each label has; of many labels the largest and the smallest."""
    counts = Counter(str(example.expected) for example in prepared.task.train).most_common()
    shown = counts if len(counts) <= MANY_LABELS else [*counts[:3], *counts[-3:]]
    words = [f"{label} {count}" for label, count in shown]
    return " · ".join(words if len(counts) <= MANY_LABELS else [*words[:3], f"… ({len(counts)} labels)", *words[3:]])


def show_first(prepared: Prepared, console: Console) -> None:
    """The first train row as the model will see it; what is in the loss is marked."""
    task, base = prepared.task, prepared.base
    codec = Codec(tokenizer=base.tokenizer(), family=base.family, max_length=task.max_length)
    item = kind_of(task.kind).encode(task.train[0], 0, task, codec)[0]
    console.print(Text("first row, with what is learned in [brackets]:"))
    if base.family == "encoder-decoder":
        given, answer = codec.tokenizer.decode(item.tokens), codec.tokenizer.decode(item.target)
    else:
        target = np.asarray(item.target)
        learned = target != IGNORED
        given = codec.tokenizer.decode(item.tokens[: int(learned.argmax()) + 1])
        answer = codec.tokenizer.decode(target[learned])
    console.print(Text(f"{given}[{answer}]", style="dim"), soft_wrap=True)
