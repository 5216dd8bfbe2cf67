from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest

from accordeur.errors import DataError
from accordeur.evidence.metric import Metric, RowStatistics
from accordeur.evidence.resampling import Resampling
from accordeur.evidence.verdict import Candidate, Ruling, Verdict, decide
from tests.evidence.rows import ACCURACY, NLL, counted, exactly, right_rows

FAST = Ruling(resampling=Resampling(resamples=500))


def candidate(method: str, cost: float, statistics: RowStatistics, trained: bool = True, height: int = 0) -> Candidate:
    return Candidate(method=method, trained=trained, fit_cpu_seconds=cost, height=height, statistics=statistics)


def judged(*candidates: Candidate, tolerance: float = 0.02, metric: Metric = ACCURACY) -> Verdict:
    return decide(candidates, metric, tolerance, ruling=FAST)


def test_a_dear_method_that_is_clearly_better_is_used() -> None:
    verdict = judged(candidate("lora", 90, exactly(500, 450)), candidate("prompt", 0, exactly(500, 300), trained=False))
    assert (verdict.decision, verdict.method, verdict.best) == ("use", "lora", "lora")
    assert (verdict.leans_to, verdict.undecided, verdict.rows_needed) == (None, None, None)
    (against,) = verdict.comparisons
    assert (against.method, against.against) == ("prompt", "lora")
    assert against.difference == pytest.approx(-0.3)
    assert against.low < -0.3 < against.high < -0.02
    assert against.p_adjusted == against.p_value < 0.001


def test_an_untrained_method_as_good_as_the_best_means_do_not_fine_tune() -> None:
    verdict = judged(candidate("prompt", 0, exactly(2000, 1600), trained=False), candidate("lora", 90, exactly(2000, 1604)))
    assert (verdict.decision, verdict.method, verdict.best) == ("do-not-fine-tune", "prompt", "lora")


def test_a_small_difference_on_few_rows_cannot_be_told() -> None:
    verdict = judged(
        candidate("prompt", 0, right_rows(150, 0.76, 1), trained=False), candidate("lora", 90, right_rows(150, 0.8, 2))
    )
    assert verdict.decision == "cannot-tell"
    assert verdict.method is None
    assert verdict.leans_to in ("prompt", "lora")
    assert set(verdict.undecided or ()) == {"prompt", "lora"}
    assert verdict.rows_needed is not None and verdict.rows_needed > 150


def test_many_rows_of_the_same_kind_settle_it() -> None:
    verdict = judged(
        candidate("prompt", 0, right_rows(9000, 0.74, 1), trained=False), candidate("lora", 90, right_rows(9000, 0.8, 2))
    )
    assert (verdict.decision, verdict.method) == ("use", "lora")


def test_absence_of_evidence_never_wins() -> None:
    """The cheap method is best on four rows; nothing is shown."""
    verdict = judged(candidate("prompt", 0, exactly(4, 4), trained=False), candidate("lora", 90, exactly(4, 3)))
    assert (verdict.decision, verdict.leans_to, verdict.rows_needed) == ("cannot-tell", "prompt", None)
    assert any("too few" in reason for reason in verdict.reasons)


def test_one_method_alone_is_not_crowned() -> None:
    verdict = judged(candidate("lora", 90, exactly(500, 450)))
    assert (verdict.decision, verdict.leans_to, verdict.comparisons) == ("cannot-tell", "lora", ())
    assert "nothing to compare" in verdict.reasons[1]


def test_one_row_decides_nothing() -> None:
    verdict = judged(candidate("a", 0, exactly(1, 1)), candidate("b", 1, exactly(1, 0)))
    assert (verdict.decision, verdict.rows_needed) == ("cannot-tell", None)


def test_identical_predictions_are_only_equal_on_enough_rows() -> None:
    few, many = (
        judged(candidate("a", 0, exactly(rows, rows // 2)), candidate("b", 1, exactly(rows, rows // 2)), tolerance=0.01)
        for rows in (60, 2000)
    )
    assert few.decision == "cannot-tell"
    assert few.rows_needed is not None and 60 < few.rows_needed < 2000
    assert (many.decision, many.method) == ("use", "a")


def test_no_tolerance_never_settles_a_tie() -> None:
    verdict = judged(candidate("a", 0, exactly(500, 400)), candidate("b", 1, exactly(500, 400)), tolerance=0.0)
    assert (verdict.decision, verdict.leans_to, verdict.rows_needed) == ("cannot-tell", "a", None)
    assert any("larger tolerance" in reason for reason in verdict.reasons)


def test_the_cheapest_of_equals_wins_and_height_breaks_ties() -> None:
    stats = exactly(3000, 2400)
    assert judged(candidate("b", 5, stats), candidate("a", 4, stats), candidate("c", 9, stats)).method == "a"
    assert judged(candidate("b", 5, stats, height=2), candidate("a", 5, stats, height=3)).method == "b"


def test_a_floor_method_may_win() -> None:
    verdict = judged(
        candidate("majority", 0, exactly(1000, 900), trained=False),
        candidate("prompt", 0.5, exactly(1000, 600), trained=False),
        candidate("lora", 50, exactly(1000, 800)),
    )
    assert (verdict.decision, verdict.method) == ("do-not-fine-tune", "majority")


def test_only_untrained_methods() -> None:
    verdict = judged(
        candidate("prompt", 0, exactly(800, 300), trained=False), candidate("fewshot", 1, exactly(800, 600), trained=False)
    )
    assert (verdict.decision, verdict.method, verdict.fewest_seeds) == ("do-not-fine-tune", "fewshot", None)
    assert "seed" not in " ".join(verdict.reasons)


def test_losses_are_better_when_lower() -> None:
    random = np.random.default_rng(0)
    base = random.lognormal(0.0, 0.4, size=600)
    verdict = judged(
        candidate("prompt", 0, counted(base), trained=False),
        candidate("lora", 9, counted(0.8 * base)),
        metric=NLL,
        tolerance=0.02,
    )
    assert (verdict.decision, verdict.method) == ("use", "lora")
    assert verdict.comparisons[0].difference < 0.0  # prompt is worse
    assert dict(verdict.scores)["prompt"] == pytest.approx(base.mean())


def test_one_more_rival_widens_the_bounds() -> None:
    a, b, c = exactly(500, 400), exactly(500, 300), exactly(500, 100)
    two = judged(candidate("a", 1, a), candidate("b", 2, b)).comparisons[0]
    three = judged(candidate("a", 1, a), candidate("b", 2, b), candidate("c", 3, c)).comparisons
    assert [(one.method, one.against) for one in three] == [("b", "a"), ("c", "a")]
    assert three[0].low < two.low < two.high < three[0].high
    assert three[0].p_value == pytest.approx(two.p_value)
    assert three[0].p_adjusted >= three[0].p_value


def test_an_open_pair_without_the_best_is_listed_too() -> None:
    """The cheap one always agrees with the best, so is close to it; the third is erratic, and may be far better."""
    rows = 400
    best, erratic = exactly(rows, 240), counted((np.arange(rows) + 170) % rows < 238)
    verdict = judged(candidate("cheap", 0, exactly(rows, 239)), candidate("erratic", 1, erratic), candidate("best", 2, best))
    assert verdict.best == "best"
    assert verdict.undecided == ("cheap", "erratic")
    assert [(one.method, one.against) for one in verdict.comparisons] == [
        ("cheap", "best"),
        ("erratic", "best"),
        ("cheap", "erratic"),
    ]
    assert any(reason.startswith("cheap against erratic is open") for reason in verdict.reasons)


def test_the_verdict_is_plain_data_and_repeats() -> None:
    candidates = [candidate("a", 0, right_rows(90, 0.7, 1)), candidate("b", 1, right_rows(90, 0.8, 2))]
    first, again = judged(*candidates), judged(*reversed(candidates))
    assert first == again
    assert json.loads(json.dumps(asdict(first)))["decision"] == first.decision


@pytest.mark.parametrize("names", [[], ["a", "a"]])
def test_the_methods_must_be_named_once(names: list[str]) -> None:
    with pytest.raises(DataError, match="expected at least one, each once"):
        judged(*(candidate(name, 0, exactly(5, 2)) for name in names))


@pytest.mark.parametrize("tolerance", [-0.01, float("nan")])
def test_the_tolerance_must_make_sense(tolerance: float) -> None:
    with pytest.raises(DataError, match="expected 0 or more"):
        judged(candidate("a", 0, exactly(5, 2)), tolerance=tolerance)
