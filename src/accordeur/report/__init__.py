"""The report: a pure function of a run folder, as data, as a page, as a table, as a model card."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from accordeur.report.build import build_report
from accordeur.report.html import render_html
from accordeur.store import write_json, write_text

REPORT_FILE = "report.json"
PAGE_FILE = "report.html"

__all__ = ["PAGE_FILE", "REPORT_FILE", "build_report", "render_html", "write_report"]


def write_report(
    out: Path, language: str | None = None, metric: str | None = None, tolerance: float | None = None
) -> dict[str, Any]:
    """Builds the report of a run folder and writes OUT/report.json and OUT/report.html, each atomically; returns the data.

    Arguments and errors as for `build_report`; EnvironmentFault where the folder can't be written.
    """
    report = build_report(out, language=language, metric=metric, tolerance=tolerance)
    page = render_html(report, out)
    write_json(out / REPORT_FILE, report)
    write_text(out / PAGE_FILE, page)
    return report
