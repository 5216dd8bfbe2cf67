"""`python -m benchmarks.table`: writes the table of docs/performance.md from the results at hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks._result import read

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"
HEAD = "| benchmark | against | wall | CPU | peak memory | padding | needed products | must reach | gate |\n" + "|---" * 9 + "|"
ROWS, PAIRS = 64, 3
WAYS = {
    "planned": "the same in the planned precision",
    "keep": "the same with the trunk's dropout kept",
    "plain": "the same, every block run in every epoch",
    "halving": "the same by successive halving (must reach 12x)",
}


def table() -> str:
    rows = [result["result"] for result in read()]
    if not rows:
        return "No result has been recorded yet: `make bench` writes them."
    return "\n".join([HEAD, *(line for row in rows for line in lines_of(row))])


def lines_of(row: dict[str, Any]) -> Iterator[str]:
    """The line of a benchmark, and one for each other way of ours that ran in the same turns."""
    name = f"{row['benchmark']}: {row['setting']}{unusual(row)}"
    yield line(name, row["peer"], {**row.get("ours", {}), **row}, f"{row['must_reach']}x", row["gate"])
    for way, found in row.get("also", {}).items():
        yield line(f"{row['benchmark']}: {WAYS[way]}", "the same", found, "", "")


def unusual(row: dict[str, Any]) -> str:
    """Rows and pairs, where they are not the usual ones."""
    rows, pairs = row.get("rows", ROWS), row.get("pairs", PAIRS)
    return "" if (rows, pairs) == (ROWS, PAIRS) else f"; {rows} rows, {pairs} pair{'s' * (pairs != 1)}"


def line(name: str, peer: str, found: dict[str, Any], wanted: str, gate: str) -> str:
    share = f"{found['share_of_products']:.0%}" if "share_of_products" in found else ""
    ratios = (
        f"{found['ratio_wall']:.2f}x | {found['ratio_cpu']:.2f}x | {found['memory_ratio' if wanted else 'ratio_memory']:.2f}x"
    )
    return f"| {name} | {peer} | {ratios} | {found.get('padding', 0):.1%} | {share} | {wanted} | {gate} |"


def main() -> None:
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n{table()}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
