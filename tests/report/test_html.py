"""The page: self-contained, everything escaped, complete in both languages, whatever the run folder holds."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from accordeur.report import build_report, render_html
from accordeur.report.words import LANGUAGES, TABLES
from accordeur.run import Run
from accordeur.store import write_json
from tests.report.fake import about, answered, done_run, write_run

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\u202egnp.exe\x1b[31m{{ 7 * 7 }}"
VOID = {"meta", "br", "img", "link", "input", "hr"}


class Page(HTMLParser):
    """What a browser would find: elements with their attributes, texts, and whether every element is closed."""

    def __init__(self, text: str) -> None:
        HTMLParser.__init__(self, convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {key: value or "" for key, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-1:]} near {self.getpos()}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def of(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self) -> str:
        return " ".join(self.texts)


@pytest.fixture(scope="module")
def page(report: dict[str, Any], out: Path) -> Page:
    return Page(render_html(report, out))


def test_nothing_comes_from_elsewhere(report: dict[str, Any], out: Path, page: Page) -> None:
    text = render_html(report, out)
    assert not re.search(r"(?:https?:)?//[a-z]|url\(|@import|data:", text.replace("// ", ""))
    loading = {"script": "src", "link": "href", "img": "src", "iframe": "src", "object": "data", "source": "src", "use": "href"}
    assert not [attributes for tag, key in loading.items() for attributes in page.of(tag) if key in attributes]
    assert len(page.of("script")) == 1
    policy = next(
        attributes["content"] for attributes in page.of("meta") if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert "default-src 'none'" in policy and re.search(r"script-src 'sha256-[A-Za-z0-9+/]{43}='", policy)


def test_every_element_is_closed_and_ids_are_unique(page: Page) -> None:
    assert page.open == []
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = [attributes["href"][1:] for attributes in page.of("a")]
    assert links and set(links) <= set(ids)


def test_verdict_comes_first_and_all_sections_follow(page: Page) -> None:
    ids = [attributes["id"] for tag, attributes in page.elements if tag in ("section", "h2") and "id" in attributes]
    sections = [name for name in ids if not name.endswith("-title")]
    assert sections == [
        "verdict", "quality", "differences", "not_compared", "cost", "curves", "overfitting", "forgetting", "errors", "data",
        "settings", "reproduce",
    ]  # fmt: skip


def test_it_can_be_read_without_eyes_or_colours(page: Page) -> None:
    assert all(attributes.get("aria-label") for attributes in page.of("svg"))
    assert len(page.of("figcaption")) >= len(page.of("svg"))
    assert all(attributes.get("scope") for attributes in page.of("th"))
    assert page.of("html")[0]["lang"] == "en"


def colours(text: str) -> Iterator[dict[str, str]]:
    """The palettes of the style: light, dark, print."""
    for block in re.findall(r":root \{(.*?)\}", text, re.DOTALL):
        yield dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2."""

    def light(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_text_stands_out_in_light_dark_and_print(report: dict[str, Any]) -> None:
    palettes = list(colours(render_html(report)))
    assert len(palettes) == 3
    for palette in palettes:
        for tone in ("ink", "soft", "accent", "bad", "good", "warn"):
            for ground in ("paper", "card"):
                assert contrast(palette[tone], palette[ground]) >= 4.5, (tone, ground, palette)
        assert contrast(palette["dot"], palette["paper"]) >= 3


def test_languages_say_the_same_things() -> None:
    fields = {
        language: {key: sorted(re.findall(r"\{(\w+)\}", text)) for key, text in table.items()}
        for language, table in TABLES.items()
    }
    assert LANGUAGES == ("en", "fr")
    assert fields["en"].keys() == fields["fr"].keys()
    # a language may leave a value out, never ask for one that is not there
    assert not [
        key
        for key in fields["en"]
        if set(fields["fr"][key]) - set(fields["en"][key]) and set(fields["en"][key]) - set(fields["fr"][key])
    ]


def test_the_french_page_is_french(out: Path) -> None:
    page = Page(render_html(build_report(out, language="fr"), out))
    assert page.of("html")[0]["lang"] == "fr"
    for word in ("Surapprentissage", "Oubli", "Courbes d’apprentissage", "Reproduire", "Pourquoi"):
        assert word in page.text
    for word in ("Overfitting", "Forgetting", "Why", " interval ", "higher"):
        assert word not in page.text
    assert re.search(r"\d,\d", page.text)


def test_slices_and_training_sizes_appear_where_they_were_measured(report: dict[str, Any]) -> None:
    score = {"value": 0.8, "low": 0.7, "high": 0.9}
    more = {
        "slices": [{"column": "language", "value": value, "rows": 40, "scores": {"head": score}} for value in ("en", "fr")],
        "train_sizes": [
            {"method": "head", "rows": rows, "value": 0.5 + rows / 2000, "low": 0.5, "high": 0.9} for rows in (50, 200, 600)
        ],
    }
    page = Page(render_html({**report, **more}))
    ids = [attributes.get("id") for attributes in page.of("section")]
    assert "slices" in ids and "sizes" in ids


def many_labels(tmp_path: Path, count: int) -> dict[str, Any]:
    """A report of a task with many labels."""
    labels = [f"label {place:03d}" for place in range(count)]
    rows = [
        dataclasses.replace(row, expected=labels[place % count], output=labels[(place * 7) % count], scores=None)
        for place, row in enumerate(answered("test", 0.5, 200, 0))
    ]
    write_json(tmp_path / "task.json", {**about([], 200), "task": {**about([], 200)["task"], "labels": labels}})
    write_run(tmp_path, done_run("head", 0), rows, rows)
    return build_report(tmp_path)


def test_many_labels_give_the_most_frequent_confusions_in_place_of_a_matrix(tmp_path: Path) -> None:
    report = many_labels(tmp_path, 77)
    assert report["methods"][0]["confusion"]["matrix"] is None
    page = Page(render_html(report))
    assert "the most frequent confusions" in page.text
    assert not [attributes for attributes in page.of("figure") if attributes.get("class") == "matrix"]


def test_a_folder_without_any_finished_run_has_a_page(tmp_path: Path) -> None:
    write_json(tmp_path / "task.json", about(["lora-s0"], 10))
    write_run(tmp_path, Run(name="lora-s0", method="lora", seed=0, status="failed", reason="no memory"))
    page = Page(render_html(build_report(tmp_path), tmp_path))
    assert "No verdict: no method finished." in page.text.replace("\u00a0", " ")
    assert "no memory" in page.text


def test_a_single_method_has_a_page(tmp_path: Path) -> None:
    write_json(tmp_path / "task.json", about(["head-s0"], 40))
    write_run(tmp_path, done_run("head", 0), answered("test", 0.9, 40, 0), answered("train", 0.9, 40, 0))
    page = Page(render_html(build_report(tmp_path), tmp_path))
    assert "head" in page.text and page.open == []


def test_what_was_forgotten_stands_beside_quality(page: Page, report: dict[str, Any], out: Path) -> None:
    table = render_html(report, out).partition('<section id="quality"')[2].partition("</section>")[0]
    assert ">Forgot<" in table
    assert re.search(r">\+6\.\d</span><small><span>\d\.\d–\d\.\d</span>", table)  # with its interval, which does not break
