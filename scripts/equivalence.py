"""Whether methods are equivalent on a task: paired differences on the test rows of finished comparisons, seeds averaged.

`equivalence.py FOLDER [FOLDER ...]` prints, for each pair of full, lora, adapter and head in each comparison, the difference in
accuracy with its 95 % interval and whether that lies inside the margin; `--store` keeps the table for `make docs`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path

from accordeur.evidence.metric import score
from accordeur.evidence.pairing import paired_difference
from accordeur.report.folder import Recorded, read_folder
from accordeur.report.scores import judged, score_run, stacked
from accordeur.tasks import kind_of

STORED = Path("docs/results/equivalence.json")
METHODS = ("full", "lora", "adapter", "head")
MARGIN = 0.03
HEADS = ("Task", "Methods", "Seeds", "Accuracy", "Weights that move", "Difference (95 %)", "Inside ±3 points")


def table(folder: Path) -> Iterator[list[str]]:
    """A line per pair of methods that the comparison in this folder has."""
    found = read_folder(folder)
    metric = kind_of(found.about["task"]["kind"]).metric("accuracy")
    judge, weights = judged(metric), found.about["base"]["parameters"]
    runs = {method: [record for record in found.done if record.run.method == method] for method in METHODS}
    for pair in combinations([method for method in METHODS if runs[method]], 2):
        first, second = (
            stacked([score_run(record, [metric], found.about["task"]["labels"]).test[metric.name] for record in runs[method]])
            for method in pair
        )
        gap = paired_difference(first, second, judge)
        yield [
            folder.name,
            " − ".join(pair),
            f"{first.seeds}, {second.seeds}",
            f"{100 * score(first, judge):.1f}, {100 * score(second, judge):.1f}",
            ", ".join(moved(runs[method], weights) for method in pair),
            f"{100 * gap.difference:+.1f} ({100 * gap.low:+.1f} to {100 * gap.high:+.1f})",
            "yes" if max(-gap.low, gap.high) <= MARGIN else "no",
        ]


def moved(records: Sequence[Recorded], weights: int) -> str:
    """How many of the base's weights a method trains, as a share."""
    return f"{100 * records[0].run.cost.trainable_parameters / weights:.2g} %"


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table, and stores it where asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folders", type=Path, nargs="+", help="finished comparisons")
    parser.add_argument("--store", action="store_true", help=f"write {STORED}")
    given = parser.parse_args(arguments)
    rows = [row for folder in given.folders for row in table(folder)]
    for row in rows:
        print(" | ".join(row))
    if given.store:
        about = "Which methods are equivalent at their default settings? Paired differences in accuracy; seeds are averaged."
        command = "python scripts/equivalence.py " + " ".join(f"runs/{folder.name}" for folder in given.folders) + " --store"
        page = {"title": "equivalence", "about": about, "table": [HEADS, *rows], "command": command}
        STORED.write_text(json.dumps(page, ensure_ascii=False, indent=1) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
