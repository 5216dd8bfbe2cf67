"""The report: a pure function of a run folder, as data, as a page, as a table, as a model card."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from accordeur.report.build import build_report
from accordeur.report.card import model_card
from accordeur.report.html import render_html
from accordeur.run import MODEL_FOLDER, RUNS_FOLDER
from accordeur.store import write_json, write_text

REPORT_FILE = "report.json"
PAGE_FILE = "report.html"
CARD_FILE = "README.md"

__all__ = ["CARD_FILE", "PAGE_FILE", "REPORT_FILE", "build_report", "model_card", "render_html", "write_report"]


def write_report(
    out: Path, language: str | None = None, metric: str | None = None, tolerance: float | None = None
) -> dict[str, Any]:
    """Builds the report of a run folder and writes OUT/report.json, OUT/report.html and a model card beside every saved model.

    Each file is written atomically; the manifest of a run does not list its card. Returns the data. Arguments and errors as for
    `build_report`; EnvironmentFault where the folder can't be written.
    """
    report = build_report(out, language=language, metric=metric, tolerance=tolerance)
    page = render_html(report, out)
    write_json(out / REPORT_FILE, report)
    write_text(out / PAGE_FILE, page)
    for run in (*report["runs"], *report["size_runs"]):
        folder = out / RUNS_FOLDER / run["name"]
        if run["status"] == "done" and (folder / MODEL_FOLDER).is_dir():
            write_text(folder / CARD_FILE, model_card(report, run["name"]))
    return report
