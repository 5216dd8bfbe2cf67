"""Shows a report in the terminal: the table, the verdict, where the files are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console

from accordeur.report.table import rich_table, verdict_text


def show(report: dict[str, Any], folder: Path, console: Console | None = None) -> None:
    """Prints a report."""
    console = console or Console()
    console.print(rich_table(report, console.width))
    console.print(verdict_text(report), soft_wrap=True)
    console.print(f"report: {folder / 'report.html'}", markup=False, soft_wrap=True)
