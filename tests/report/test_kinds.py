"""What a report shows of each kind: types of entity, right answers, single rows as people read them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from accordeur.report import build_report, render_html
from accordeur.report.scores import statistics
from accordeur.run import Answered
from accordeur.store import write_json
from accordeur.tasks import kind_of
from accordeur.tasks._entities import entity_statistics
from tests.report.fake import about, done_run, write_run
from tests.report.test_html import Page

TAGS = ["O", "B-LOC", "I-LOC", "B-PER", "I-PER", "B-ZOO", "I-ZOO"]
SENTENCES = [
    ("Ada Lovelace saw London", ["B-PER", "I-PER", "O", "B-LOC"]),
    ("nobody was there", ["O", "O", "O"]),
    ("Grace left Paris", ["B-PER", "O", "B-LOC"]),
    ("it rained", ["O", "O"]),
]
MISSED = [["B-PER", "I-PER", "O", "O"], ["O", "O", "O"], ["O", "O", "B-LOC"], ["O", "O"]]
SHORT = [["B-PER", "O", "O", "O"], ["O", "O", "O"], ["B-LOC", "O", "B-LOC"], ["B-PER", "O"]]
PERFECT = [tags for _, tags in SENTENCES]


def folder(out: Path, kind: str, runs: Mapping[str, list[Answered]], labels: Sequence[str] = ()) -> Path:
    """A run folder of a kind with all its metrics, its train rows being its test rows."""
    names = kind_of(kind).metric_names(())
    if kind == "classify":
        names = ("pearson", "spearman", "mae")
    task = {**about([], 4)["task"], "kind": kind, "primary_metric": names[0], "metrics": list(names), "labels": list(labels)}
    write_json(out / "task.json", {**about(list(runs), 4), "task": task})
    for name, rows in runs.items():
        method, _, seed = name.rpartition("-s")
        run = dataclasses.replace(done_run("head", 0), name=name, method=method, seed=int(seed), forgetting=None)
        write_run(out, run, rows, rows)
    return out


def tagged(outputs: Sequence[Any]) -> list[Answered]:
    """Answers to the sentences."""
    rows = zip(SENTENCES, outputs, strict=True)
    return [
        Answered(id=f"row{place}", expected=tags, output=output, given=text) for place, ((text, tags), output) in enumerate(rows)
    ]


def answers(rows: Sequence[Answered], outputs: Sequence[Any]) -> list[Answered]:
    """The same rows answered in another way."""
    return [dataclasses.replace(row, output=output) for row, output in zip(rows, outputs, strict=True)]


def tag_folder(out: Path) -> Path:
    """One method of two seeds, one of a single seed."""
    runs = {"two-s0": tagged(MISSED), "two-s1": tagged(PERFECT), "one-s0": tagged(SHORT)}
    return folder(out, "tag", runs, TAGS)


def ids(report: Mapping[str, Any]) -> list[str]:
    """The rows shown."""
    return [row["id"] for part in ("hardest", "split") for row in report["rows"][part]]


def cell_texts(page: str, section: str) -> list[str]:
    """All texts of a section."""
    part = page.partition(f'<section id="{section}"')[2].partition("</section>")[0]
    return [text.strip() for text in Page(f"<section{part}</section>").texts if text.strip()]


def test_tags_have_a_table_by_type_in_place_of_a_confusion_matrix(tmp_path: Path) -> None:
    report = build_report(tag_folder(tmp_path))
    two, one = report["methods"]
    assert two["confusion"] is None
    assert [(entry["type"], entry["expected"], entry["given"]) for entry in two["entities"]] == [
        ("LOC", 2, 1.5),
        ("PER", 2, 1.5),
        ("ZOO", 0, 0),
    ]
    place, person, never = two["entities"]
    assert (place["precision"], place["recall"], place["f1"]) == (1.0, 0.75, pytest.approx((2 / 3 + 1) / 2))
    assert (person["precision"], person["recall"]) == (1.0, 0.75)
    assert (never["precision"], never["recall"], never["f1"]) == (None, None, None)
    assert [entry["f1"] for entry in one["entities"]] == [pytest.approx(0.5), 0.0, None]


def test_the_page_shows_every_method_on_every_type_in_both_languages(tmp_path: Path) -> None:
    out = tag_folder(tmp_path)
    page = render_html(build_report(out))
    texts = cell_texts(page, "entities")
    assert texts[3:7] == ["Type", "Entities in the test rows", "two", "one"]
    assert texts[7:17] == ["LOC", "2", "83.3", "P 100.0;", "R 75.0", "50.0", "P 50.0;", "R 50.0", "PER", "2"]
    assert texts[-4:] == ["ZOO", "0", "–", "–"]
    assert "means over the seeds" in texts[2] and "What is taken for what" not in page
    french = cell_texts(render_html(build_report(out, language="fr")), "entities")
    assert french[3:7] == ["Type", "Entités dans les lignes de test", "two", "one"] and "83,3" in french
    assert "moyennes sur les graines" in french[2]


def test_rows_without_entities_count_as_right_and_are_not_shown_as_hard(tmp_path: Path) -> None:
    report = build_report(tag_folder(tmp_path))
    assert ids(report) == ["row0", "row3", "row2"]  # nobody is wrong on row 1
    wrong = report["rows"]["hardest"][1]
    assert (wrong["expected"], wrong["answers"]["one"]["output"]) == ("", "it: PER")
    assert [wrong["answers"][name]["right"] for name in ("two", "one")] == [True, False]
    assert [wrong["answers"][name]["score"] for name in ("two", "one")] == [1.0, 0.0]
    first = report["rows"]["hardest"][0]
    assert first["expected"] == "Ada Lovelace: PER; London: LOC"
    assert first["answers"]["two"]["score"] == pytest.approx(2 / 3)  # of the first seed, whose answer is shown
    texts = cell_texts(render_html(report), "errors")
    assert "66.7" in texts and "✗" in texts and "∅" in texts
    assert any("the answers of the first one are shown. The numbers are the entity F1" in text for text in texts)


def test_rows_that_everybody_has_right_are_left_out(tmp_path: Path) -> None:
    report = build_report(folder(tmp_path, "tag", {"a-s0": tagged(PERFECT), "b-s0": tagged(PERFECT)}, TAGS))
    assert ids(report) == []


def test_extracted_answers_are_right_as_exact_match_counts_them(tmp_path: Path) -> None:
    rows = [
        Answered(
            id="tower", expected=[{"text": "Eiffel Tower", "start": 4}, {"text": "Tower", "start": 11}], output="", given="Q"
        ),
        Answered(id="none", expected=[], output="", given="Q"),
        Answered(id="easy", expected=[{"text": "1889", "start": 0}], output="", given="Q"),
    ]
    runs = {"a-s0": answers(rows, ["the Eiffel tower!", "", "1889"]), "b-s0": answers(rows, ["Paris", "Paris", "1889."])}
    report = build_report(folder(tmp_path, "extract", runs, ["no answer"]))
    assert [method["confusion"] for method in report["methods"]] == [None, None]
    shown = {row["id"]: row for part in ("hardest", "split") for row in report["rows"][part]}
    assert set(shown) == {"tower", "none"}
    for row in shown.values():
        assert [row["answers"][name]["right"] for name in ("a", "b")] == [True, False]
    assert shown["tower"]["expected"] == "Eiffel Tower / Tower"
    texts = cell_texts(render_html(report), "errors")
    assert "What is taken for what" not in texts and texts.count("✓") == texts.count("✗") == 2


def test_grades_are_told_apart_by_their_error(tmp_path: Path) -> None:
    rows = [Answered(id=f"row{place}", expected=float(place), output=None, given="a") for place in range(4)]
    runs = {"a-s0": answers(rows, [0.0, 1.0, 2.25, 3.0]), "b-s0": answers(rows, [0.0, 1.0, 4.0, 3.123456789])}
    report = build_report(folder(tmp_path, "classify", runs))
    assert report["rows"]["metric"] == "mae" and ids(report) == ["row2", "row3"]
    assert report["rows"]["hardest"][1]["answers"]["b"]["output"] == "3.123"
    texts = cell_texts(render_html(report), "errors")
    assert "2.000" in texts and "✗" not in texts
    assert build_report(tmp_path, language="fr")["rows"]["hardest"][0]["answers"]["a"]["output"] == "2,25"


def test_preferences_show_the_text_of_the_side_that_was_taken(tmp_path: Path) -> None:
    sides = {"chosen": "Gladly.", "rejected": "No!"}
    taken = {"chosen": {"chosen": -1.0, "rejected": -2.0}, "rejected": {"chosen": -2.0, "rejected": -1.0}}
    runs = {
        f"{name}-s0": [Answered(id="row", expected=sides, output=side, scores=taken[side], given="Help")] * 2
        for name, side in (("a", "chosen"), ("b", "rejected"))
    }
    row = build_report(folder(tmp_path, "prefer", runs))["rows"]["hardest"][0]
    assert row["expected"] == "Gladly."
    assert row["answers"]["a"] == {"output": "Gladly.", "score": 1.0, "right": True}
    assert row["answers"]["b"] == {"output": "No!", "score": 0.0, "right": False}
    assert cell_texts(render_html(build_report(tmp_path)), "errors").count("✗") == 2


def test_a_text_shows_its_score_by_every_model_and_no_answers(tmp_path: Path) -> None:
    rows = [Answered(id=str(place), expected="four", output="", nll=float(place + 1), units=2) for place in range(3)]
    other = [dataclasses.replace(row, nll=2 * float(row.nll or 0)) for row in rows]
    report = build_report(folder(tmp_path, "text", {"a-s0": rows, "b-s0": other}))
    row = report["rows"]["hardest"][0]
    assert row["id"] == "2" and row["answers"]["a"]["right"] is None
    page = render_html(report)
    texts = cell_texts(page, "errors")
    assert "1.082" in texts and "2.164" in texts and "∅" not in texts and "<blockquote>" not in page
    assert any("improbable" in text for text in texts) and not any("mislabelled" in text for text in texts)


def test_metrics_that_share_their_statistics_are_worked_out_once() -> None:
    calls = []

    def counted(answered: Sequence[Answered], labels: Sequence[str]) -> Any:
        calls.append(len(answered))
        return entity_statistics(answered, labels)

    metrics = [dataclasses.replace(metric, statistics=counted) for metric in kind_of("tag").metrics[:3]]
    assert list(statistics(tagged(MISSED), metrics, ())) == ["entity_f1", "entity_precision", "entity_recall"]
    assert calls == [4]
    assert statistics([], metrics, ()) == {}
