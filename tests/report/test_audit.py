"""The audit in the report: the findings as they were said, in both languages, errors first, with rows and advice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from accordeur.audit import Audit, Finding
from accordeur.report import build_report
from accordeur.report.html import render_html
from accordeur.store import read_json, write_json
from tests.report.fake import fake_out

LEAK = Finding(
    code="leaked-rows", severity="error", count=3, rows=("shop.jsonl:4 = <b>.jsonl:9",), values={"part": "train", "other": "test"}
)
MAIL = Finding(code="personal-email", severity="warning", count=1200, rows=tuple(f"shop.jsonl:{row}" for row in range(50)))
SHIFT = {"shift": {"auc": 0.734, "low": 0.69, "high": 0.78, "level": 0.95, "rows": [600, 320]}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fake_out(tmp_path_factory.mktemp("audit") / "out")


def with_audit(folder: Path, language: str, *findings: Finding, **facts: Any) -> str:
    """The page of the folder with an audit."""
    forced = any(finding.severity == "error" for finding in findings)
    audit = Audit(
        kind="classify", rows={"train": 600, "validation": 120, "test": 320}, findings=findings, facts=facts, forced=forced
    )
    about = {**read_json(folder / "task.json"), "audit": audit.as_dict()}
    about["notes"] = ["classify (a label for a text): text, label"]
    write_json(folder / "task.json", about)
    return render_html(build_report(folder, language=language))


def test_findings_stand_in_a_section_of_their_own(folder: Path) -> None:
    page = with_audit(folder, "en", LEAK, MAIL, **SHIFT)
    section = page[page.index('<section id="data"') : page.index('<section id="settings"')]
    assert "Audit of the data" in section
    assert "1,040 rows were looked through before anything was trained. Errors: 1, warnings: 1." in section
    assert "passed over with --force" in section
    assert section.index("leaked-rows") < section.index("personal-email")
    assert "Rows of train that stand in test too: 3." in section
    assert "--fix OUT removes them" in section
    assert "shop.jsonl:4 = &lt;b&gt;.jsonl:9" in section
    assert section.count("<li>shop.jsonl:") == 51
    assert "AUC of 0.73 (0.69 to 0.78)" in section
    before = page[: page.index('<section id="data"')]
    assert "somebody chose to go on" in before
    assert "a label for a text" not in before  # what was printed while reading stands in the section, folded away


def test_in_french_nothing_of_it_is_english(folder: Path) -> None:
    page = with_audit(folder, "fr", LEAK, MAIL, **SHIFT)
    section = page[page.index('<section id="data"') : page.index('<section id="settings"')]
    assert "Examen des données" in section
    assert "Lignes de la partie apprentissage qui figurent aussi dans la partie test\u00a0: 3." in section
    assert "1\u202f200" in section
    assert "AUC de 0,73 (0,69 à 0,78)" in section
    assert "quelqu’un a choisi de continuer" in page
    for word in ("Rows of", "rows to look at", "warning ", "Errors"):
        assert word not in section


def test_clean_data_and_old_folders_say_so(folder: Path) -> None:
    assert "Nothing wrong was found." in with_audit(folder, "en")
    about = read_json(folder / "task.json")
    del about["audit"]
    write_json(folder / "task.json", about)
    page = render_html(build_report(folder))
    assert "What was found in the rows before anything was trained." in page
    assert '<article class="finding' not in page
