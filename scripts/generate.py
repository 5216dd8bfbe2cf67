"""Writes the pages that programs print: the command's help, the methods with their settings, the tables of stored results.

`--check` writes nothing and fails where a page is not what the programs print today.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import foundations

RESULTS = Path("docs/results")
CHAINED = "then"  # what `domain+lora` puts behind the plus: no setting of a recipe
LOOP = """## Settings of the loop

Every method that ends with "And those of the loop" takes these too, where its own table has no other default. In a recipe:
`lora: {rank: 4, optimizer: adafactor, schedule: cosine, clip: 0.5}`. Optimizers: adamw, adam, sgd, rmsprop, adafactor,
adamw8bit (needs the extra `quant`), muon. Schedules: linear, cosine, inverse_sqrt, exponential, constant, trapezoid, each
after `warmup`. `domain+lora` reads a text and then trains, with any method behind the plus: its settings are those of that
method, and `text`, `length` and `share`; other settings of the reading stand in a mapping of their own:
`domain+lora: {rank: 4, domain: {rate: 2e-5}}`.

"""
BEGIN, END = "<!-- generated: {name} -->", "<!-- end: {name} -->"


def help_page() -> str:
    """What every command says of itself."""
    from typer.main import get_command

    from accordeur.app.cli import app

    names = sorted(get_command(app).commands)  # type: ignore[attr-defined]
    parts = ["# The command line\n", "Made by `make docs` from the programs themselves.\n"]
    for name in ["", *names]:
        parts.append(f"## accordeur {name}".rstrip() + f"\n\n```\n{help_of(name)}\n```\n")
    return "\n".join(parts)


def help_of(command: str) -> str:
    """The help of one command as plain text, at a fixed width."""
    environment = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}
    words = [sys.executable, "-m", "accordeur", *command.split(), "--help"]
    text = subprocess.run(words, capture_output=True, text=True, check=True, env=environment).stdout
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def methods_page() -> str:
    """Every method: what it is, its place on the ladder, its settings with their defaults; those of the loop once."""
    from accordeur.method import find_method, method_names
    from accordeur.models.trained import TrainedMethod

    shared = {field.name: default(field) for field in dataclasses.fields(TrainedMethod)}
    parts = ["# Methods\n", "Made by `make docs` from the methods themselves, cheapest first.\n", LOOP + table_of(shared) + "\n"]
    for name, cls in sorted(((name, find_method(name)) for name in method_names()), key=lambda pair: (pair[1].height, pair[0])):
        summary = (cls.__doc__ or "").strip().splitlines()[0]
        settings = {field.name: default(field) for field in dataclasses.fields(cls) if field.name != CHAINED}  # type: ignore[arg-type]
        trained = issubclass(cls, TrainedMethod)
        own = {key: value for key, value in settings.items() if not trained or shared.get(key) != value}
        more = "\nAnd those of the loop.\n" if trained else ""
        parts.append(f"## {name}\n\n{summary}\n\n{table_of(own) if own else 'No settings.'}\n{more}")
    return "\n".join(parts)


def table_of(settings: Mapping[str, str]) -> str:
    """Settings with their defaults."""
    rows = [f"| `{name}` | `{value}` |" for name, value in settings.items()]
    return "\n".join(["| setting | default |", "|---|---|", *rows])


def default(field: Any) -> str:
    """A default as it is written in a recipe."""
    value = field.default if field.default is not dataclasses.MISSING else field.default_factory()
    return json.dumps(value).replace("|", "\\|")


def result_tables() -> str:
    """First all stored reports at a glance; then the table and the verdict of each, and the command that made it."""
    pages = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(RESULTS.glob("*.json"))}
    reports = {name: page for name, page in pages.items() if "table" not in page}
    parts = [overview(reports)] if reports else []
    parts += [plain_page(name, page) if "table" in page else report_page(name, page) for name, page in pages.items()]
    return "\n".join(parts) or "No results yet.\n"


def overview(reports: Mapping[str, Any]) -> str:
    """One line per report: what it is, the primary metric of every method, the verdict's first sentence."""
    from accordeur.report.figures import read
    from accordeur.report.table import finished, verdict_text

    lines = [["Recipe", "Kind", "Train rows", "Base", "Metric", "Methods, best first", "Verdict"], ["---"] * 7]
    for name, report in reports.items():
        reading = read(report)
        scored = [
            f"{method['method']} {reading.score(method['scores'][reading.primary]['value'])}"
            for method in finished(reading)
            if reading.primary in method["scores"]
        ]
        verdict = str(verdict_text(report)).strip().splitlines()[0]
        task, base = report["task"], report["base"]["name"]
        cells = [
            f"[{name}](#{name})",
            task["kind"],
            f"{task['rows']['train']:,}",
            base,
            reading.metric,
            ", ".join(scored),
            verdict,
        ]
        lines.append(cells)
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def report_page(name: str, report: Mapping[str, Any]) -> str:
    """The table and the verdict of one report."""
    from accordeur.report.table import markdown_table, verdict_text

    rows = report["task"]["rows"]
    counts = f"{rows['train']:,} / {rows['validation']:,} / {rows['test']:,} rows"
    head = f"### {name}\n\n{report['task']['kind']}, {counts}, base {report['base']['name']}.\n"
    command = f"`{report.get('command') or 'accordeur compare'}`\n"
    parts = [head, markdown_table(report), "", *type_table(report), said(verdict_text(report)), "", command]
    return "\n".join(parts)


def type_table(report: Mapping[str, Any]) -> list[str]:
    """Of a report on tags: F1 of every type of entity by every method, the most frequent type first."""
    methods = [method for method in report["methods"] if method.get("entities")]
    if not methods:
        return []
    head = ["Type", "In the test rows", *(method["method"] for method in methods)]
    lines = [head, ["---", "---:", *["---:"] * len(methods)]]
    for entries in zip(*(method["entities"] for method in methods), strict=True):
        scores = ["–" if entry["f1"] is None else f"{100 * entry['f1']:.1f}" for entry in entries]
        lines.append([entries[0]["type"], f"{entries[0]['expected']:,}", *scores])
    return ["".join(f"| {' | '.join(line)} |\n" for line in lines)]


def plain_page(name: str, page: Mapping[str, Any]) -> str:
    """A stored table that is no report: a heading, a sentence, the rows, the command."""
    head, *rows = page["table"]
    lines = [head, ["---"] * len(head), *rows]
    table = "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)
    return f"### {page.get('title', name)}\n\n{page['about']}\n\n{table}\n`{page['command']}`\n"


def said(verdict: Any) -> str:
    """A verdict as Markdown: its headline in bold, its reasons as a list."""
    first, *reasons = str(verdict).strip().splitlines()
    return "\n".join([f"**{first}**", "", *(f"- {reason.removeprefix('· ')}" for reason in reasons)])


def replaced(text: str, name: str, body: str) -> str:
    """A page with the part between its marks replaced."""
    begin, end = BEGIN.format(name=name), END.format(name=name)
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.S)
    if not pattern.search(text):
        raise SystemExit(f"the mark {begin} is missing")
    return pattern.sub(lambda _: f"{begin}\n{body.strip()}\n{end}", text)


def demo_table(name: str) -> str:
    """The table of one stored report."""
    from accordeur.report.table import markdown_table, verdict_text

    report = json.loads((RESULTS / f"{name}.json").read_text("utf-8"))
    return f"{markdown_table(report).strip()}\n\n{said(verdict_text(report))}"


def pages() -> Mapping[Path, str]:
    """Every generated page with what it should hold."""
    found = {Path("docs/cli.md"): help_page(), Path("docs/methods.md"): methods_page()}
    results = replaced(Path("docs/results.md").read_text("utf-8"), "results", result_tables())
    found[Path("docs/results.md")] = replaced(results, "foundations", foundations.tables())
    for readme in (Path("README.md"), Path("docs/guide.fr.md")):
        if readme.is_file() and BEGIN.format(name="demo") in readme.read_text("utf-8"):
            found[readme] = replaced(readme.read_text("utf-8"), "demo", demo_table("demo"))
    return found


def main() -> int:
    """Writes the pages, or checks them."""
    wanted = pages()
    stale = [path for path, text in wanted.items() if not path.is_file() or path.read_text("utf-8") != text]
    if "--check" in sys.argv:
        print(
            "\n".join(f"{path} is not what the programs print: run `make docs`" for path in stale)
            or "generated pages are up to date"
        )
        return int(bool(stale))
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wanted[path], "utf-8")
        print(f"wrote {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
