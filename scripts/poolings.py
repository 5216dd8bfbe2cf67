"""One table of poolings: `head` on the same frozen base by the first token, the mean, the last token or the maximum.

`poolings.py FOLDER` prints it, keeping vectors in FOLDER; with `--store` it also goes to docs/results for `make docs`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from accordeur.compare import prepare
from accordeur.compare.prepare import Prepared
from accordeur.context import Context
from accordeur.evidence.intervals import score_interval
from accordeur.methods.head import Head
from accordeur.models.judge import answer_rows
from accordeur.recipe import load_recipe
from accordeur.report.scores import judged, stacked
from accordeur.tasks import kind_of
from accordeur.training.device import plan_device
from accordeur.training.pooling import POOLINGS

STORED = Path("docs/results/poolings.json")
DECODER = Path("src/accordeur/assets/accordeur-mini")
BASES: tuple[str | None, ...] = (None, str(DECODER))  # none: the default encoder
TASKS = ("topic", "sentiment", "demo")  # recipes
HIDDEN = 64  # units of the small network that is shown beside the linear head


def table(folder: Path, rows: int | None) -> Iterator[list[str]]:
    """A line per base and task: macro-F1 with its interval for every pooling, then for a hidden layer on the base's own."""
    for base in BASES:
        for name in TASKS:
            recipe = load_recipe(Path("recipes") / f"{name}.yaml")
            changes = {"base": base, "methods": {"head": {}}, **({"rows": rows} if rows else {})}
            prepared = prepare(recipe.model_copy(update=changes))
            heads = [*(Head(pooling=pooling) for pooling in POOLINGS), Head(hidden=HIDDEN)]
            cells = [cell(prepared, head, folder) for head in heads]
            yield [Path(prepared.base.name).name, prepared.task.name, prepared.base.pooling, *cells]


def cell(prepared: Prepared, head: Any, folder: Path) -> str:
    """The score of one head on the test rows."""
    task = prepared.task
    context = Context(seed=0, folder=folder / "work", cache=folder / "cache", device=plan_device())
    model = head.fit(task, prepared.base, context)
    metric = kind_of(task.kind).metric(task.primary)
    answers = answer_rows(model, task.test, task)
    found = score_interval(stacked([metric.statistics(answers, task.labels)]), judged(metric))
    return f"{100 * found.value:.1f} ({100 * found.low:.1f}–{100 * found.high:.1f})"


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table, and stores it where asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", type=Path, help="where sentence vectors are kept")
    parser.add_argument("--rows", type=int, help="rows of each task, at most (default: those of its recipe)")
    parser.add_argument("--store", action="store_true", help=f"write {STORED}")
    given = parser.parse_args(arguments)
    heads = ["Base", "Task", "Its own", *POOLINGS, f"own, {HIDDEN} hidden units"]
    rows = []
    for row in table(given.folder, given.rows):
        print(" | ".join(row), flush=True)
        rows.append(row)
    if given.store:
        about = "Macro-F1 (95 %) of `head` by pooling; a base's own is the one that `modules.json` or its family says."
        command = "python scripts/poolings.py runs/poolings --store"
        page = {"title": "poolings", "about": about, "table": [heads, *rows], "command": command}
        STORED.write_text(json.dumps(page, ensure_ascii=False, indent=1) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
