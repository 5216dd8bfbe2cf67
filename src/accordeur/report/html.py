"""The report as one HTML page that needs nothing else: no network, no remote font, style, script or image."""

from __future__ import annotations

import base64
import hashlib
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from accordeur.report import audit, checks, details, figures, sweep, views
from accordeur.report.figures import Reading, read
from accordeur.report.format import clean
from accordeur.report.words import Words

HERE = Path(__file__).parent
TEMPLATE = "template.html.j2"


def shown(value: Any) -> Any:
    """What a template puts out: foreign text without invisible letters, ready-made markup as it is."""
    return value if isinstance(value, Markup) else clean(value)


def environment() -> Environment:
    """Jinja with everything escaped, and an error for every name that is missing."""
    return Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=shown,
    )


def render_html(report: Mapping[str, Any], out: Path | None = None) -> str:
    """The page. `out` is the folder as it is named in the command that makes the report again."""
    reading = read(report)
    script = (HERE / "page.js").read_text(encoding="utf-8")
    parts = {
        "report": report,
        "reading": reading,
        "words": reading.words,
        "numbers": reading.numbers,
        "style": Markup((HERE / "page.css").read_text(encoding="utf-8")),
        "script": Markup(script),
        "policy": policy(script),
        "verdict": verdict_view(reading),
        "notes": [note for note in report["notes"] if note not in report["recorded"]],
        "sections": sections(reading, out),
    }
    return environment().get_template(TEMPLATE).render(parts)


def policy(script: str) -> str:
    """A content policy under which nothing is loaded and only our own script runs, by its hash."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def verdict_view(reading: Reading) -> dict[str, Any]:
    """The verdict in words that need no statistics: headline, lead, reasons, and the key figures of the method it names."""
    verdict, words = reading.report["verdict"], reading.words
    named = next((method for method in reading.report["methods"] if method["method"] == reading.named), None)
    headline = words("headline_nothing") if named is None else words(f"headline_{verdict['decision']}", method=named["method"])
    return {
        "decision": verdict["decision"],
        "badge": words(f"decision_{verdict['decision']}"),
        "headline": headline,
        "lead": lead(reading, named) if named else [],
        "reasons": verdict["reasons"],
        "facts": key_figures(reading, named) if named else [],
    }


def lead(reading: Reading, method: Mapping[str, Any]) -> list[str]:
    """What the method is, and what to expect of it."""
    words, score = reading.words, method["scores"][reading.primary]
    gloss = words.method(method["method"])
    unit = words.unit(reading.unit)
    said = [words("lead_is", method=method["method"], gloss=gloss)] if gloss else []
    return [
        *said,
        words(
            "lead_score" if reading.higher_is_better else "lead_score_lower",
            rows=reading.numbers.number(reading.report["test_rows"]),
            metric=reading.metric,
            score=f"{reading.score(score['value'])} {unit}".strip(),
            low=reading.score(score["low"]),
            high=reading.score(score["high"]),
        ),
    ]


def key_figures(reading: Reading, method: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """(name, figure, remark) of what a decision weighs."""
    words, numbers, cost, score = reading.words, reading.numbers, method["cost"], method["scores"][reading.primary]
    found = [
        (words("fact_quality"), reading.score(score["value"]), f"{reading.metric}, {reading.span(score['low'], score['high'])}"),
        (
            words("fact_fit"),
            numbers.seconds(cost["fit_seconds"]),
            f"{words('fit_cpu_seconds').lower()} {numbers.seconds(cost['fit_cpu_seconds'])}",
        ),
        (
            words("fact_memory"),
            numbers.size(cost["peak_memory_bytes"]),
            f"{words('base_bytes')} {numbers.size(cost['base_bytes'])}",
        ),
        (words("fact_speed"), numbers.milliseconds(cost["predict_ms_per_row"]), ""),
        (words("fact_disk"), numbers.size(cost["artifact_bytes"]), ""),
    ]
    if method["money"]:
        per_answers = words("money_each", value=numbers.money(method["money"]["per_1000_answers"]))
        found.append((words("fact_money"), numbers.money(method["money"]["fit"]), per_answers))
    return found


def sections(reading: Reading, out: Path | None) -> list[dict[str, Any]]:
    """The sections that have something to show, in the order in which they are read."""
    makers = (
        quality_section,
        differences_section,
        unfinished_section,
        cost_section,
        curves_section,
        sweep_section,
        sizes_section,
        overfitting_section,
        forgetting_section,
        entities_section,
        errors_section,
        slices_section,
        also_section,
        data_section,
        settings_section,
    )
    found = [section for maker in makers if (section := maker(reading)) is not None]
    return [*found, reproduce_section(reading, out)]


def section(name: str, words: Words, intro: str = "", **parts: Any) -> dict[str, Any]:
    """A section with its heading; parts that it lacks are empty."""
    empty: dict[str, Any] = {
        "figures": [],
        "small": [],
        "tables": [],
        "small_tables": [],
        "matrices": [],
        "rows": [],
        "groups": [],
        "commands": [],
        "findings": [],
        "noted": [],
        "folded": [],
        "remark": "",
    }
    return {**empty, "id": name, "title": words(name), "intro": intro, **parts}


def quality_section(reading: Reading) -> dict[str, Any] | None:
    """Scores with intervals."""
    figure = figures.quality(reading)
    if figure is None:
        return None
    intro = reading.words("quality_intro", rows=reading.numbers.number(reading.report["test_rows"]))
    return section("quality", reading.words, intro, figures=[figure], tables=[views.quality(reading)])


def differences_section(reading: Reading) -> dict[str, Any] | None:
    """The comparisons behind the verdict."""
    figure, table = figures.differences(reading), views.differences(reading)
    if figure is None:
        return None
    against = reading.report["verdict"]["comparisons"][0]["against"]
    intro = reading.words("differences_intro", tolerance=reading.tolerance, against=against)
    return section("differences", reading.words, intro, figures=[figure], tables=[table])


def unfinished_section(reading: Reading) -> dict[str, Any] | None:
    """What was skipped, failed or interrupted."""
    table = views.unfinished(reading)
    return section("not_compared", reading.words, reading.words("not_compared_intro"), tables=[table]) if table else None


def cost_section(reading: Reading) -> dict[str, Any] | None:
    """Quality against cost, and all costs."""
    table = views.cost(reading)
    if table is None:
        return None
    price = (reading.report["recipe"] or {}).get("price_per_hour")
    remark = reading.words("money_note", price=reading.numbers.money(price)) if price is not None else ""
    intro = reading.words("cost_intro" if reading.higher_is_better else "cost_intro_lower")
    return section("cost", reading.words, intro, small=figures.costs(reading), tables=[table], remark=remark)


def curves_section(reading: Reading) -> dict[str, Any] | None:
    """How training went."""
    found = figures.curves(reading)
    return section("curves", reading.words, reading.words("curves_intro"), small=found) if found else None


def sweep_section(reading: Reading) -> dict[str, Any] | None:
    """What a sweep tried, where there was one."""
    tables = sweep.sweep_tables(reading)
    remark = sweep.sweep_remark(reading)
    return section("sweep", reading.words, reading.words("sweep_intro"), tables=tables, remark=remark) if tables else None


def sizes_section(reading: Reading) -> dict[str, Any] | None:
    """Quality against training rows, where that was measured."""
    if not reading.report.get("train_sizes"):
        return None
    intro = reading.words("sizes_intro", metric=figures.capital(reading.metric))
    return section("sizes", reading.words, intro, small=figures.sizes(reading), tables=[views.sizes(reading)])


def overfitting_section(reading: Reading) -> dict[str, Any] | None:
    """Train against test."""
    figure = figures.overfitting(reading)
    return section("overfitting", reading.words, reading.words("overfitting_intro"), figures=[figure]) if figure else None


def forgetting_section(reading: Reading) -> dict[str, Any] | None:
    """What a general ability became."""
    table = views.forgetting(reading)
    if table is None:
        return None
    words = reading.words
    measured = [method for method in reading.report["methods"] if figures.abilities(method)]
    names = list(dict.fromkeys(words.metric(str(one["metric"])) for method in measured for one in figures.abilities(method)))
    still = [method["method"] for method in measured if all(figures.unmoved(one) for one in figures.abilities(method))]
    remark = words("forgetting_none", methods=words.listed(still)) if still else ""
    intro = words("forgetting_intro", metric=words.listed(names))
    return section("forgetting", words, intro, figures=figures.forgetting(reading), tables=[table], remark=remark)


def entities_section(reading: Reading) -> dict[str, Any] | None:
    """How well each type of entity is found, where entities are looked for."""
    table = views.entities(reading)
    return section("entities", reading.words, reading.words("entities_intro"), tables=[table]) if table else None


def errors_section(reading: Reading) -> dict[str, Any] | None:
    """Confusion matrices, and single rows side by side."""
    words, rows = reading.words, reading.report["rows"]
    confused = [method for method in reading.ranked if method["confusion"]]
    matrices = [method for method in confused if method["confusion"]["matrix"]]
    tables = [
        views.pairs(reading, method) for method in confused if not method["confusion"]["matrix"] and method["confusion"]["pairs"]
    ]
    kind, remark = reading.report["task"]["kind"], details.rows_remark(reading)
    lists = [
        {
            "title": words(key),
            "intro": f"{words.maybe(f'{key}_intro_{kind}') or words(f'{key}_intro')} {remark}".strip(),
            "rows": [{**row, "said": details.answers(reading, row)} for row in rows[key]],
        }
        for key in ("hardest", "split")
        if rows[key]
    ]
    if not matrices and not tables and not lists:
        return None
    return section("errors", words, matrices=matrices, small_tables=tables, rows=lists)


def slices_section(reading: Reading) -> dict[str, Any] | None:
    """Scores on parts of the test rows, where there are any."""
    entries = reading.report.get("slices") or []
    if not entries:
        return None
    drawn, tables = [], []
    for column in dict.fromkeys(entry["column"] for entry in entries):
        chosen = [entry for entry in entries if entry["column"] == column]
        drawn += figures.slices(reading, column, chosen)
        tables.append(views.slices(reading, column, chosen))
    intro = reading.words("slices_intro", metric=figures.capital(reading.metric))
    return section("slices", reading.words, intro, figures=drawn, tables=tables)


def also_section(reading: Reading) -> dict[str, Any] | None:
    """Scores on other data than the test rows, where there are any."""
    entries = reading.report.get("also") or []
    if not entries:
        return None
    drawn = [figures.elsewhere(reading, entry) for entry in entries]
    tables = [views.elsewhere(reading, entry) for entry in entries]
    return section("also", reading.words, reading.words("also_intro"), figures=drawn, tables=tables)


def data_section(reading: Reading) -> dict[str, Any] | None:
    """What the audit found, the counts behind it, and what was noted before the first run."""
    tables = [table for table in (checks.found(reading), checks.labels(reading)) if table]
    groups = details.groups_of(checks.rest(reading), "", reading)
    found, noted = audit.cards(reading), reading.report["recorded"]
    if not (tables or groups or found or noted):
        return None
    parts = {"tables": tables, "groups": groups, "findings": found, "noted": noted, "remark": audit.shift(reading)}
    return section("data", reading.words, audit.intro(reading), **parts)


def settings_section(reading: Reading) -> dict[str, Any] | None:
    """What each method was asked and what it chose, folded away."""
    folded = [
        {"title": method["method"], "small": reading.words.method(method["method"]), "groups": found}
        for method in reading.report["methods"]
        if (found := details.settings(reading, method["method"]))
    ]
    words = reading.words
    general = [
        *details.groups_of(reading.report["recipe"], words("group_recipe"), reading),
        *details.groups_of(reading.report["base"], words("group_base"), reading),
    ]
    return section("settings", words, words("settings_intro"), folded=folded, groups=general) if folded or general else None


def reproduce_section(reading: Reading, out: Path | None) -> dict[str, Any]:
    """The commands."""
    words, command = reading.words, str(reading.report["command"])
    again = f"accordeur report {shlex.quote(str(out))}" if out else ""
    commands = [(words("reproduce_compare"), command), (words("reproduce_report"), again)]
    return section("reproduce", words, words("reproduce_intro"), commands=[entry for entry in commands if entry[1]])
