"""`python -m benchmarks.table`: writes the table of docs/performance.md from the results at hand."""

from __future__ import annotations

from pathlib import Path

from benchmarks._result import read

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"
HEAD = "| benchmark | against | wall | CPU | peak memory | must reach | gate |\n|---|---|---|---|---|---|---|"


def table() -> str:
    rows = [result["result"] for result in read()]
    if not rows:
        return "No result has been recorded yet: `make bench` writes them."
    lines = [
        f"| {row['benchmark']}: {row['setting']} | {row['peer']} | {row['ratio_wall']:.2f}x | {row['ratio_cpu']:.2f}x "
        f"| {row['memory_ratio']:.2f}x | {row['must_reach']}x | {row['gate']} |"
        for row in rows
    ]
    return "\n".join([HEAD, *lines])


def main() -> None:
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n{table()}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
