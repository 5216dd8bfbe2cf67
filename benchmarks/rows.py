"""Is a large file read in flat memory: `python -m benchmarks.rows [--rows 200000 1000000]`.

A JSON lines file of each size is made of the embedded sample; then, in a process of its own, everything that a comparison
does to its rows before training: reading, splitting, counting, the audit, labels and fingerprint. Measured are the seconds
and the peak of the memory that can't be given back (anonymous pages; the mapped rows are pages of a file).
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from importlib.resources import files
from pathlib import Path
from typing import Any

MOST = 200  # bytes of memory that one more row may cost; a held row takes 1,500 and more


def write_rows(path: Path, count: int) -> None:
    """Rows of about 200 letters, one in a hundred the same as an earlier one, seven labels."""
    chance = random.Random(0)
    sample = files("accordeur").joinpath("assets/sample/messages.jsonl").read_text(encoding="utf-8").splitlines()
    messages = [json.loads(line) for line in sample]
    with path.open("w", encoding="utf-8") as stream:
        text, label = "", ""
        for place in range(count):
            if place % 100 or not place:
                parts = chance.choices(messages, k=8)
                text = f"{place}: " + " ".join(" ".join(part["text"].split()[:4]) for part in parts)
                label = parts[0]["label"]
            stream.write(json.dumps({"id": f"row-{place}", "text": text, "label": label, "source": f"s{place % 50}"}) + "\n")


def anonymous() -> int:
    """Bytes of this process that belong to no file."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("RssAnon"))) * 1024


class Watch(threading.Thread):
    """Looks at the memory a hundred times a second."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most = anonymous()

    def run(self) -> None:
        """Until the process ends."""
        while True:
            self.most = max(self.most, anonymous())
            time.sleep(0.01)


def measured(path: Path) -> dict[str, Any]:
    """Seconds and peak of what comes before training."""
    from accordeur.audit import audit_splits
    from accordeur.data import load_splits
    from accordeur.tasks import kind_of

    kind = kind_of("classify")
    audit_splits(load_splits(Path(str(files("accordeur").joinpath("assets/sample/messages.jsonl")))).splits, kind.name)
    before = anonymous()
    watch = Watch()
    watch.start()
    steps: dict[str, float] = {}
    start = time.perf_counter()
    loaded = load_splits(path)
    steps["read_and_split"] = round(time.perf_counter() - start, 1)
    start = time.perf_counter()
    found = audit_splits(loaded.splits, kind.name)
    steps["audit"] = round(time.perf_counter() - start, 1)
    start = time.perf_counter()
    train = loaded.splits.train
    kind.labels(train)
    letters = sum(len(row.given["text"]) for row in train)
    steps["one_pass_over_train"] = round(time.perf_counter() - start, 1)
    return {
        "rows": {part: len(rows) for part, rows in loaded.splits.parts().items()},
        "letters_of_train": letters,
        "findings": len(found.findings),
        "seconds": steps,
        "megabytes_before": round(before / 1e6),
        "megabytes_peak": round(watch.most / 1e6),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rows", description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[200_000, 1_000_000], help="sizes of the files")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        print(json.dumps(measured(given.measure)))
        return
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for count in given.rows:
            path = Path(folder) / f"rows{count}.jsonl"
            write_rows(path, count)
            command = [sys.executable, "-m", "benchmarks.rows", "--measure", str(path)]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            found.append({"file_megabytes": round(path.stat().st_size / 1e6), **json.loads(done.stdout)})
            path.unlink()
    more = (found[-1]["megabytes_peak"] - found[0]["megabytes_peak"]) * 1e6
    a_row = more / max(1, given.rows[-1] - given.rows[0])
    print(json.dumps({"files": found, "bytes_a_further_row": round(a_row), "gate": "passed" if a_row <= MOST else "failed"}))


if __name__ == "__main__":
    main()
