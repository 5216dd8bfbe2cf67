from __future__ import annotations

import string

import pytest

from accordeur.evidence.resampling import Resampling
from accordeur.evidence.verdict import Candidate, Ruling, Verdict, decide
from accordeur.evidence.wording import TEXTS, explain, format_amount, format_count
from tests.evidence.rows import ACCURACY, exactly, right_rows


def verdict(cheap: int, dear: int, rows: int, trained: bool = False, tolerance: float = 0.02) -> Verdict:
    candidates = [
        Candidate(method="prompt", trained=trained, fit_cpu_seconds=0, height=0, statistics=exactly(rows, cheap)),
        Candidate(method="lora", trained=True, fit_cpu_seconds=9, height=5, statistics=exactly(rows, dear)),
    ]
    return decide(candidates, ACCURACY, tolerance, ruling=Ruling(resampling=Resampling(resamples=500)))


@pytest.mark.parametrize("key", TEXTS)
def test_both_languages_take_the_same_numbers(key: str) -> None:
    names = {
        language: {name for _, name, _, _ in string.Formatter().parse(text) if name} for language, text in TEXTS[key].items()
    }
    assert names["en"] == names["fr"]
    assert TEXTS[key]["en"] != TEXTS[key]["fr"]


@pytest.mark.parametrize(
    ("value", "unit", "english", "french"),
    [
        (0.0213, "points", "2.1 points", "2,1 points"),
        (-0.05, "points", "−5.0 points", "−5,0 points"),
        (-0.0001, "points", "0.0 points", "0,0 points"),
        (1.23456, "nats", "1.235 nats", "1,235 nats"),
        (1.5, "bits", "1.500 bits", "1,500 bits"),
        (0.25, "score", "0.250", "0,250"),
    ],
)
def test_amounts(value: float, unit: str, english: str, french: str) -> None:
    assert format_amount(value, unit, "en") == english  # type: ignore[arg-type]
    assert format_amount(value, unit, "fr") == french  # type: ignore[arg-type]


def test_signs_and_counts() -> None:
    assert format_amount(0.013, "points", "en", signed=True) == "+1.3 points"
    assert format_amount(0.0, "points", "en", signed=True) == "0.0 points"
    assert format_count(12500, "en") == "12,500"
    assert format_count(12500, "fr") == "12\u202f500"


def test_the_reasons_of_use() -> None:
    found = verdict(300, 450, 500)
    assert found.reasons == explain(found, "en")
    assert found.reasons[0] == "On these 500 test rows lora has the best accuracy: 90.0 points."
    assert found.reasons[1] == "lora is shown to be at most 2.0 points behind any other method."
    assert found.reasons[2].startswith("prompt is cheaper but shown to be more than 2.0 points worse than lora: −30.0 points")
    assert found.reasons[-1].endswith("another seed would change the scores.")
    assert explain(found, "fr")[0] == "Sur ces 500 lignes de test, lora a la meilleure valeur de accuracy : 90,0 points."
    assert len(explain(found, "fr")) == len(found.reasons)


def test_the_reasons_of_do_not_fine_tune() -> None:
    found = verdict(1600, 1604, 2000)
    assert "prompt takes less to train and is shown to be within 2.0 points of the best: −0.2 points" in found.reasons[1]
    assert found.reasons[2] == "prompt needs no training, so do not fine-tune."
    assert "ne pas affiner" in explain(found, "fr")[2]


def test_the_reasons_of_cannot_tell() -> None:
    candidates = [
        Candidate(method="head", trained=True, fit_cpu_seconds=1, height=1, statistics=right_rows(150, 0.76, 1)),
        Candidate(method="lora", trained=True, fit_cpu_seconds=9, height=5, statistics=right_rows(150, 0.8, 2)),
    ]
    found = decide(candidates, ACCURACY, 0.02, language="fr")
    assert found.reasons == explain(found, "fr")
    english = explain(found, "en")
    needed = found.rows_needed or 0
    assert english[1].split(" is open")[0] in ("head against lora", "lora against head")
    assert english[2] == f"About {needed:,} test rows in all ({needed - 150:,} more) would settle it in 4 cases of 5."
    assert english[3].startswith(f"If you must choose now: {found.leans_to}")
