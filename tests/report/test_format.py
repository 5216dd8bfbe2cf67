"""Numbers and foreign text, as they are read."""

from __future__ import annotations

import pytest

from accordeur.report.format import Formatter, clean, cut

EN, FR = Formatter(), Formatter(language="fr")


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (EN.score(0.91234, "points"), "91.2"),
        (FR.score(0.91234, "points"), "91,2"),
        (EN.score(1.23456, "nats"), "1.235"),
        (EN.score(None, "points"), "–"),
        (EN.signed(0.031, "points"), "+3.1"),
        (EN.signed(-0.031, "points"), "−3.1"),
        (EN.signed(-0.0001, "points"), "0.0"),
        (EN.signed(0.0001, "points"), "0.0"),
        (EN.span(0.1, 0.2, "points"), "10.0–20.0"),
        (EN.span(-0.1, 0.2, "points"), "−10.0 to 20.0"),
        (FR.span(-0.1, 0.2, "points"), "−10,0 à 20,0"),
        (EN.span(None, 0.2, "points"), "–"),
        (EN.tolerance(0.03, "points"), "3"),
        (EN.tolerance(0.025, "points"), "2.5"),
        (EN.tolerance(0.02, "nats"), "0.02"),
        (EN.seconds(0.0021), "2.1 ms"),
        (EN.seconds(0), "0 s"),
        (EN.seconds(6.44), "6.4 s"),
        (EN.seconds(59.9), "1 min"),
        (EN.seconds(171), "2 min 51 s"),
        (EN.seconds(3600), "1 h"),
        (EN.seconds(3599.8), "1 h"),
        (EN.seconds(5000), "1 h 23 min"),
        (EN.short_seconds(171), "2.9 min"),
        (EN.short_seconds(7200), "2.0 h"),
        (EN.milliseconds(8.71), "8.7 ms"),
        (EN.milliseconds(0.35), "0.35 ms"),
        (EN.milliseconds(0.001), "< 0.1 ms"),
        (EN.milliseconds(12_000), "12 s"),
        (EN.size(0), "0 B"),
        (EN.size(418e6), "418 MB"),
        (EN.size(999.9e3), "1.0 MB"),
        (FR.size(1.44e6), "1,4 Mo"),
        (EN.count(3080), "3,080"),
        (FR.count(3080), "3\u202f080"),
        (EN.count(22_713_216), "22.7 M"),
        (EN.count(7e9), "7.0 B"),
        (FR.count(7e9), "7,0 Md"),
        (EN.money(0.0035), "0.0035"),
        (EN.money(12.5), "12.50"),
        (EN.money(1e-7), "< 0.0001"),
        (EN.money(0), "0.00"),
        (EN.p_value(1e-9), "< 0.001"),
        (EN.p_value(0.5), "0.500"),
        (EN.round_mark("1.0 GB"), "1 GB"),
        (EN.round_mark("0.10 ms"), "0.1 ms"),
        (EN.round_mark("1,000 MB"), "1,000 MB"),
        (FR.round_mark("1,0 Go"), "1 Go"),
        (EN.plain(True), "yes"),
        (FR.plain([1, 2.5, None]), "1, 2,5, –"),
        (EN.plain(1e-3), "0.001"),
        (EN.plain({"a": {"b": 1}}), "a: b: 1"),
    ],
)
def test_numbers(found: str, expected: str) -> None:
    assert found.replace("\u00a0", " ") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\x1b[31mred", "a\\x1b[31mred"),
        ("exe.\u202egnp", "exe.\\u202egnp"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("accordéon 🪗 日本語", "accordéon 🪗 日本語"),
        ("half \ud83d", "half \\ud83d"),
        ("\r\x00", "\\x0d\\x00"),
    ],
)
def test_text_that_could_act_is_spelled_out(text: str, expected: str) -> None:
    assert clean(text) == expected


def test_cut_says_that_it_cut() -> None:
    assert cut("abcdef", 6) == "abcdef"
    assert cut("abcdef", 4) == "abc…"
