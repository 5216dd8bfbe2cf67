"""`python -m benchmarks NAME [--rows N] [--pairs N]`: one benchmark; the last line printed is its result as JSON."""

from __future__ import annotations

import argparse
import json
import sys

from benchmarks import growth
from benchmarks._measure import compare
from benchmarks._result import write
from benchmarks.names import BENCHMARKS


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "name", choices=sorted([*BENCHMARKS, growth.NAME]), nargs="?", help="one benchmark; without a name, all of them"
    )
    parser.add_argument("--rows", type=int, default=64, help="rows both sides work on")
    parser.add_argument("--pairs", type=int, default=3, help="interleaved pairs of runs")
    parser.add_argument("--threads", type=int, default=2, help="threads of either side")
    given = parser.parse_args()
    passed = True
    for name in [given.name] if given.name else [*BENCHMARKS, growth.NAME]:
        if name == growth.NAME:
            lines, result = growth.compare(threads=given.threads)
        else:
            lines, result = compare(name, rows=given.rows, pairs=given.pairs, threads=given.threads)
        write(name, lines, result)
        print(json.dumps(result), flush=True)
        passed &= result["gate"] == "passed"
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
