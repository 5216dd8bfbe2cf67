"""The report in a terminal: one table, and the verdict in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.cells import cell_len
from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from accordeur.report.figures import Reading, abilities, forgetting_unit, read, unmoved
from accordeur.report.format import MISSING, clean, cut

NAME = 16  # letters of a method's name
ALWAYS = 3  # columns that are shown whatever the width
GAP = 2  # blanks between columns
STYLES = {"use": "bold green", "do-not-fine-tune": "bold green", "cannot-tell": "bold yellow"}


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A column: its heading, in lines, and a cell for each method."""

    title: str
    cells: tuple[str, ...]

    @property
    def width(self) -> int:
        """The letters of its longest line."""
        return max(cell_len(line) for line in (*self.title.split("\n"), *self.cells))


def rich_table(report: Mapping[str, Any], width: int = 80) -> Group:
    """The methods, best first: primary metric, interval, overfitting, forgetting, costs, and as many more columns as fit."""
    reading = read(report)
    methods = finished(reading)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    chosen = fitting_columns(columns(reading, methods), width)
    for place, column in enumerate(chosen):
        table.add_column(Text(column.title), justify="right" if place else "left", no_wrap=True, vertical="bottom")
    for place, method in enumerate(methods):
        table.add_row(
            *(Text(column.cells[place]) for column in chosen), style="bold" if method["method"] == reading.named else ""
        )
    left_out = [Text(clean(text), style="dim") for text in unfinished(reading)]
    return Group(table, *([Padding(Group(*left_out), (1, 0, 0, 0))] if left_out else []))


def finished(reading: Reading) -> list[Mapping[str, Any]]:
    """The methods that finished, best first, those without the primary metric last."""
    done = [method for method in reading.report["methods"] if method["status"] == "done"]
    return [*reading.ranked, *(method for method in done if method not in reading.ranked)]


def fitting_columns(found: Sequence[Shown], width: int) -> list[Shown]:
    """The first columns, up to the one that does not fit any more."""
    chosen: list[Shown] = []
    for place, column in enumerate(found):
        if place >= ALWAYS and sum(one.width for one in [*chosen, column]) + GAP * (place + 1) > width:
            break
        chosen.append(column)
    return chosen


def columns(reading: Reading, methods: Sequence[Mapping[str, Any]]) -> list[Shown]:
    """All columns, the most telling first."""
    words, numbers = reading.words, reading.numbers
    found = [
        column(words("method"), [name_of(reading, method) for method in methods]),
        column(
            reading.metric if len(reading.metric) <= NAME else reading.primary.replace("_", "\n"),
            [score_of(reading, method) for method in methods],
        ),
        column("95\u00a0%", [span_of(reading, method) for method in methods]),
        column(words("short_gap"), [gap_of(reading, method) for method in methods]),
        column(words("short_forgot"), [forgot(reading, method) for method in methods]),
        column(words("short_fit"), [numbers.short_seconds(method["cost"]["fit_seconds"]) for method in methods]),
        column(words("short_memory"), [numbers.size(method["cost"]["peak_memory_bytes"]) for method in methods]),
        column(words("short_answer"), [numbers.milliseconds(method["cost"]["predict_ms_per_row"]) for method in methods]),
        column(words("short_disk"), [numbers.size(method["cost"]["artifact_bytes"]) for method in methods]),
        column(words("short_weights"), [numbers.count(method["cost"]["trainable_parameters"]) for method in methods]),
    ]
    if any(method["money"] for method in methods):
        for key, title in (("fit", "money_fit"), ("per_1000_answers", "money_answers")):
            found.append(column(words(title).replace(" ", "\n", 1), [numbers.money(method["money"][key]) for method in methods]))
    others = [name for name in reading.report["metrics"] if name != reading.primary]
    found += [
        column(words.metric(name).replace(" ", "\n"), [other_score(reading, method, name) for method in methods])
        for name in others
    ]
    return [*found, column(words("short_tokens"), [numbers.count(method["cost"]["tokens_trained"]) for method in methods])]


def column(title: str, cells: Sequence[str]) -> Shown:
    """A column whose text can't act on the terminal."""
    return Shown(title=title, cells=tuple(clean(cell).replace("\u00a0", " ").replace("\u202f", " ") for cell in cells))


def name_of(reading: Reading, method: Mapping[str, Any]) -> str:
    """The name, marked where the verdict names it, with the number of seeds where there are several."""
    seeds = len(method["seeds"])
    return (
        ("▸ " if method["method"] == reading.named else "  ") + cut(method["method"], NAME) + (f" ×{seeds}" if seeds > 1 else "")
    )


def score_of(reading: Reading, method: Mapping[str, Any]) -> str:
    """The primary metric."""
    score = method["scores"].get(reading.primary)
    return reading.score(score["value"]) if score else MISSING


def span_of(reading: Reading, method: Mapping[str, Any]) -> str:
    """Its interval."""
    score = method["scores"].get(reading.primary)
    return reading.span(score["low"], score["high"]) if score else MISSING


def gap_of(reading: Reading, method: Mapping[str, Any]) -> str:
    """Train minus test."""
    return reading.signed(method["overfitting"]["gap"]) if method["overfitting"] else MISSING


def forgot(reading: Reading, method: Mapping[str, Any]) -> str:
    """What was lost of the built-in general ability; 0 where the base was not moved."""
    for one in abilities(method)[:1]:
        return "0" if unmoved(one) else reading.numbers.signed(one["change"], forgetting_unit(str(one["metric"])))
    return MISSING


def other_score(reading: Reading, method: Mapping[str, Any], name: str) -> str:
    """Another metric than the primary one."""
    score = method["scores"].get(name)
    return reading.numbers.score(score["value"], reading.report["metrics"][name]["unit"]) if score else MISSING


def unfinished(reading: Reading) -> list[str]:
    """What is not in the table, a line each."""
    seen = dict.fromkeys(
        (run["method"], run["status"], run["reason"] or "") for run in reading.report["runs"] if run["status"] != "done"
    )
    return [
        f"{method}: {reading.words(f'status_{status}')}" + (f" ({cut(first_line(reason), 160)})" if reason else "")
        for method, status, reason in seen
    ]


def first_line(text: str) -> str:
    """The first line of a text."""
    return text.splitlines()[0] if text else ""


def verdict_text(report: Mapping[str, Any]) -> Text:
    """The verdict: its headline, its reasons, and the notes."""
    reading = read(report)
    words, verdict = reading.words, report["verdict"]
    headline = (
        words("headline_nothing") if reading.named is None else words(f"headline_{verdict['decision']}", method=reading.named)
    )
    text = Text(clean(headline), style=STYLES[verdict["decision"]])
    append_all(text, verdict["reasons"], "")
    append_all(text, report["notes"], "dim")
    return text


def append_all(text: Text, lines_: Sequence[str], style: str) -> None:
    """Adds lines in one style; `text` itself keeps its own for the headline only."""
    for line in lines_:
        text.append("\n· " + clean(line), style=style or "not bold default")


def markdown_table(report: Mapping[str, Any], columns_: int = 9) -> str:
    """The table in Markdown, for a README; the method that the verdict names is in bold."""
    reading = read(report)
    methods = finished(reading)
    chosen = columns(reading, methods)[:columns_]
    heads = [markdown_text(one.title) for one in chosen]
    divider = ["---", *["---:"] * (len(chosen) - 1)]
    rows = [[markdown_text(one.cells[place].strip()) for one in chosen] for place in range(len(methods))]
    bold = [[f"**{row[0].removeprefix('▸ ')}**", *row[1:]] if row[0].startswith("▸ ") else row for row in rows]
    return "".join(f"| {' | '.join(row)} |\n" for row in [heads, divider, *bold])


def markdown_text(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    plain = " ".join(text.split()).replace("\\", "\\\\")
    for letter, shown in (("|", "\\|"), ("<", "&lt;"), (">", "&gt;"), ("`", "\\`"), ("[", "\\["), ("]", "\\]"), ("_", "\\_")):
        plain = plain.replace(letter, shown)
    return plain
