"""The table of the terminal and of a README, and the verdict in words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from rich.console import Console

from accordeur.report.table import markdown_table, markdown_text, rich_table, verdict_text


def shown(thing: Any, width: int) -> list[str]:
    """The lines that a terminal of this width shows."""
    console = Console(width=width, force_terminal=False, color_system=None)
    with console.capture() as capture:
        console.print(thing)
    return [line.rstrip() for line in capture.get().splitlines()]


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("width", [80, 120, 200])
def test_no_figure_is_cut_at_any_width(report: dict[str, Any], width: int, language: str) -> None:
    lines = shown(rich_table({**report, "language": language}, width), width)
    assert not [line for line in lines if "…" in line]
    assert all(len(line) <= width for line in lines)
    named = next(line for line in lines if line.startswith("▸"))
    assert report["verdict"]["leans_to"] in named


def test_wider_terminals_show_more(report: dict[str, Any]) -> None:
    heads = [shown(rich_table(report, width), width) for width in (80, 200)]
    assert "Memory" in " ".join(heads[0]) and "Tokens" not in " ".join(heads[0])
    assert "Tokens" in " ".join(heads[1]) and "accuracy" in " ".join(heads[1])


def test_a_long_name_of_a_metric_stands_on_lines_of_its_own(report: dict[str, Any]) -> None:
    renamed = json.loads(json.dumps(report).replace("macro_f1", "bits_per_character"))
    lines = shown(rich_table(renamed, 80), 80)
    assert not any("bits_per" in line for line in lines)
    assert [word for line in lines[:3] for word in line.split() if word in ("bits", "per", "character")] == [
        "bits",
        "per",
        "character",
    ]
    assert markdown_table(renamed).startswith("| Method | bits per character |")


def test_what_is_not_in_the_table_is_said_below(report: dict[str, Any]) -> None:
    text = "\n".join(shown(rich_table(report, 160), 160))
    assert "fewshot: does not apply (an encoder sees no examples)" in text
    assert "freeze: failed" in text and "adapter: interrupted" in text


def test_terminal_codes_and_markup_in_names_do_nothing(report: dict[str, Any]) -> None:
    methods = [{**method, "method": "[red]\x1b[31mx\r"} if method["method"] == "head" else method for method in report["methods"]]
    text = "\n".join(shown(rich_table({**report, "methods": methods}, 160), 160))
    assert "\x1b" not in text and "\r" not in text
    assert "[red]\\x1b[31mx" in text


def test_verdict_text_has_headline_reasons_and_notes(report: dict[str, Any]) -> None:
    text = verdict_text(report).plain
    assert report["verdict"]["leans_to"] in text.splitlines()[0]
    assert all(reason in text for reason in report["verdict"]["reasons"])
    assert "at least 5 seeds" in text


def test_markdown_has_a_row_per_method_and_as_many_cells_in_each(report: dict[str, Any]) -> None:
    lines = markdown_table(report).splitlines()
    done = [method for method in report["methods"] if method["status"] == "done"]
    assert len(lines) == 2 + len(done)
    assert {line.count("|") for line in lines} == {lines[0].count("|")}
    assert sum(line.startswith("| **") for line in lines) == 1


def test_markdown_text_is_shown_as_it_is() -> None:
    assert markdown_text("a|b <i>_x_</i> [l](u)\n`c`") == "a\\|b &lt;i&gt;\\_x\\_&lt;/i&gt; \\[l\\](u) \\`c\\`"
