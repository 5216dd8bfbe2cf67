"""The page of an audit: self-contained, in the style of the report, in English or French."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from accordeur.app.check_words import WORDS
from accordeur.audit.finding import written
from accordeur.report.html import policy, shown

if TYPE_CHECKING:
    from accordeur.app.check_run import Checked

MOST_CHANGES = 200
STYLE = """
svg.share { color: var(--accent); display: block; margin-top: .3em; }
.verdict.refused { border-top-color: var(--bad); }
.verdict.refused .badge { color: var(--bad); }
.verdict.careful { border-top-color: var(--warn); }
.verdict.careful .badge { color: var(--warn); }
table.narrow { width: auto; min-width: 24rem; }
table.narrow td.wide { width: 22rem; }
"""


def render(found: Checked, language: str) -> str:
    """The page of one audit."""
    words, audit = WORDS[language], found.audit
    state = "refused" if audit.errors and not audit.forced else "careful" if audit.findings else "clean"
    parts: dict[str, Any] = {
        "found": found,
        "name": found.name.rstrip("/").rpartition("/")[2] or found.name,
        "audit": audit,
        "words": words,
        "language": language,
        "state": state,
        "headline": words["forced"] if audit.forced else words[state],
        "total": words["total"].format(errors=len(audit.errors), warnings=len(audit.warnings)),
        "lead": words["lead"].format(rows=number(sum(audit.rows.values()), language), kind=audit.kind) if audit.kind else "",
        "findings": [(finding, *finding.said(language)) for finding in audit.findings],
        "tables": tables(audit.facts, language),
        "changes": found.changes[:MOST_CHANGES],
        "more": words["more"].format(count=len(found.changes) - MOST_CHANGES) if len(found.changes) > MOST_CHANGES else "",
        "style": Markup(report_file("page.css") + STYLE),
        "script": Markup(report_file("page.js")),
        "policy": policy(report_file("page.js")),
    }
    return environment().get_template("check.html.j2").render(parts)


def environment() -> Environment:
    """Jinja with everything escaped, and an error for every name that is missing."""
    folder = str(files("accordeur.app"))
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=shown,
    )


def report_file(name: str) -> str:
    """A file of the report's page."""
    return files("accordeur.report").joinpath(name).read_text(encoding="utf-8")


def tables(facts: Mapping[str, Any], language: str) -> list[dict[str, Any]]:
    """The facts as tables: each a title, a sentence, heads and rows; a cell is a text, or a share drawn as a bar."""
    words = WORDS[language]
    makers = {
        "rows": rows_table,
        "classes": classes_table,
        "lengths": lengths_table,
        "duplicates": repeats_table,
        "languages": languages_table,
    }
    found = [
        make(facts, words, language)
        for name, make in makers.items()
        if name in facts or (name == "classes" and "planned" in facts)
    ]
    if "shift" in facts:
        values = {name: written(facts["shift"][name], language) for name in ("auc", "low", "high")}
        found.append({"title": words["shift"], "intro": words["shift_intro"].format(**values), "heads": [], "rows": []})
    return [table for table in found if table]


def rows_table(facts: Mapping[str, Any], words: Mapping[str, str], language: str) -> dict[str, Any]:
    """Rows by part, in the files and as a comparison would divide them."""
    planned = facts.get("planned", {}).get("rows", {})
    parts = list(dict.fromkeys([*facts["rows"], *planned]))
    rows = [
        [words.get(part, part), *(number(counts.get(part), language) for counts in (facts["rows"], planned))] for part in parts
    ]
    return table(words["rows"], words["rows_intro"], [words["part"], words["in_files"], words["in_comparison"]], rows)


def classes_table(facts: Mapping[str, Any], words: Mapping[str, str], language: str) -> dict[str, Any] | None:
    """Rows of each class by part, as a comparison would divide them where it can."""
    classes = facts.get("planned", {}).get("classes") or facts.get("classes")
    if not classes:
        return None
    parts = list(next(iter(classes.values())))
    rows = [[label, *(number(counts[part], language) for part in parts)] for label, counts in classes.items()]
    return table(words["classes"], "", [words["class"], *(words.get(part, part) for part in parts)], rows)


def lengths_table(facts: Mapping[str, Any], words: Mapping[str, str], language: str) -> dict[str, Any]:
    """The histogram of lengths."""
    lengths = facts["lengths"]
    values = {name: number(lengths[name], language) for name in ("median", "most_95", "longest")}
    intro = words["lengths_intro"].format(**values, unit=words[lengths["unit"]])
    if "limit" in lengths:
        intro += " " + words["lengths_limit"].format(limit=number(lengths["limit"], language))
    edges, counts = lengths["edges"], lengths["counts"]
    most = max(1, *counts)
    rows = []
    for place, count in enumerate(counts):
        name = f"{edges[place]:.0f} +" if place == len(counts) - 1 else f"{edges[place]:.0f}–{edges[place + 1]:.0f}"
        rows.append([name, number(count, language), round(count / most, 3)])
    return {**table(words["lengths"], intro, [words[lengths["unit"]], words["number"], ""], rows), "narrow": True}


def repeats_table(facts: Mapping[str, Any], words: Mapping[str, str], language: str) -> dict[str, Any]:
    """Rows that repeat others, by part."""
    rows = [
        [words.get(part, part), number(counts["exact"], language), number(counts["near"], language)]
        for part, counts in facts["duplicates"].items()
    ]
    return table(words["duplicates"], "", [words["part"], words["exact"], words["near"]], rows)


def languages_table(facts: Mapping[str, Any], words: Mapping[str, str], language: str) -> dict[str, Any]:
    """Rows of each language by part."""
    parts = facts["languages"]
    named = list(dict.fromkeys(name for counts in parts.values() for name in counts))
    rows = [[name, *(number(counts.get(name, 0), language) for counts in parts.values())] for name in named]
    return table(words["languages"], words["languages_intro"], ["", *(words.get(part, part) for part in parts)], rows)


def table(title: str, intro: str, heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """One table."""
    return {"title": title, "intro": intro, "heads": heads, "rows": rows, "narrow": False}


def number(value: int | None, language: str) -> str:
    """A count, or a dash."""
    return "–" if value is None else written(int(value), language)
