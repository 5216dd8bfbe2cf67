"""Does the evidence keep its promises where the truth is known? `python -m benchmarks.simulations` prints how often.

Rows are drawn from a known truth, the package judges them, and each line counts how often it was right:

(a) cover      the interval of a score holds its true value in 93-97 % of draws
(b) equal      two methods of equal true score are called different in at most 5 %
(c) crown      a firm verdict names a method that is truly more than the tolerance behind the best, or passes over a
               cheaper one that is not, in at most 5 %
(d) plan       with known scores, 75-90 % of the verdicts on the rows that `rows_to_settle` asks for are firm
    settle     an open verdict asks for rows; drawn anew with that many rows, 75-90 % are firm
    gap        the interval of the difference between train and test rows holds its true value in 93-100 %
(e) fifth      firm on a random fifth of the rows and firm on all: they contradict each other in at most 10 %
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import numpy.typing as npt

from accordeur.evidence.intervals import score_interval
from accordeur.evidence.metric import Array, Metric, RowStatistics, macro_f1, mean
from accordeur.evidence.pairing import pair_up, paired_difference, unpaired_difference
from accordeur.evidence.power import MAX_ROWS, rows_to_settle
from accordeur.evidence.resampling import Resampling
from accordeur.evidence.verdict import Candidate, Ruling, Verdict, decide

ACCURACY = Metric(name="accuracy", finish=mean)
MACRO_F1 = Metric(name="macro-F1", finish=macro_f1)
NLL = Metric(name="NLL", finish=mean, higher_is_better=False, unit="nats", bounds=None)


@dataclass(frozen=True, kw_only=True)
class World:
    """A truth to draw from: the methods, cheapest first, with their true scores."""

    name: str
    metric: Metric
    draw: Callable[[int, np.random.Generator], list[RowStatistics]]
    true: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One line of the table: `percent` of `draws` draws; low and high are what was promised."""

    check: str
    world: str
    rows: int
    draws: int
    percent: float
    low: float
    high: float
    median_rows_needed: int | None = None

    @property
    def kept(self) -> bool:
        """Whether the promise held."""
        return self.low <= self.percent <= self.high


# --- truths ----------------------------------------------------------------------------------------------------------


def accuracy_world(accuracies: Sequence[float], together: float = 0.0) -> World:
    """Methods right on a share of the rows; on a share `together` of the rows they are judged by one common draw."""
    levels = np.array(accuracies)

    def draw(rows: int, random: np.random.Generator) -> list[RowStatistics]:
        luck = random.random((rows, len(levels)))
        shared = random.random(rows) < together
        luck[shared] = luck[shared, :1]
        right = (luck < levels).astype(float)
        return [_counted(right[:, method]) for method in range(len(levels))]

    name = "accuracy " + " ".join(f"{level:g}" for level in accuracies) + (f", {together:.0%} in common" if together else "")
    return World(name=name, metric=ACCURACY, draw=draw, true=tuple(accuracies))


def f1_world(classes: int, accuracies: Sequence[float], imbalance: float = 1.0, twins: bool = False) -> World:
    """Classifiers with their own confusions; each class is `imbalance` times rarer than the one before. Twins share them."""
    random = np.random.default_rng(classes)
    prior = imbalance ** -np.arange(classes, dtype=float)
    prior /= prior.sum()
    joint = [_confusion(prior, accuracy, random) for accuracy in accuracies]
    if twins:
        joint = [joint[0]] * len(joint)
    answers = [np.cumsum(one / prior[:, None], axis=1) for one in joint]
    true = tuple(float(macro_f1(_confusion_totals(one))) for one in joint)

    def draw(rows: int, random: np.random.Generator) -> list[RowStatistics]:
        expected = random.choice(classes, size=rows, p=prior)
        return [_confused(expected, answer, random) for answer in answers]

    name = f"macro-F1 {classes} classes" + (f" (x{imbalance:g} rarer)" if imbalance > 1 else "")
    return World(name=f"{name} {' '.join(f'{value:.2f}' for value in true)}", metric=MACRO_F1, draw=draw, true=true)


def nll_world(spread: float, means: Sequence[float], own: float = 0.3) -> World:
    """Token losses of rows of 5-80 tokens: log-normal over rows (`spread`), times a log-normal of each method (`own`)."""

    def draw(rows: int, random: np.random.Generator) -> list[RowStatistics]:
        tokens = random.integers(5, 81, size=rows).astype(float)
        row = random.lognormal(-(spread**2) / 2, spread, size=rows)
        return [
            RowStatistics(
                values=np.stack([tokens * level * row * random.lognormal(-(own**2) / 2, own, size=rows), tokens], axis=1)
            )
            for level in means
        ]

    return World(name=f"NLL spread {spread:g}: {' '.join(map(str, means))}", metric=NLL, draw=draw, true=tuple(means))


def _counted(values: Array) -> RowStatistics:
    return RowStatistics(values=np.stack([values, np.ones_like(values)], axis=1))


def _confusion(prior: Array, accuracy: float, random: np.random.Generator) -> Array:
    """Joint shares (expected, predicted): each class is recognised about as often, its errors go where they like."""
    classes = len(prior)
    joint = np.zeros((classes, classes))
    for expected in range(classes):
        right = float(np.clip(accuracy + random.normal(0.0, 0.05), 0.02, 0.995))
        joint[expected] = np.insert(random.dirichlet(np.ones(classes - 1)) * (1.0 - right), expected, right)
    return joint * prior[:, None]


def _confusion_totals(joint: Array) -> Array:
    return np.concatenate([np.diag(joint), joint.sum(axis=0), joint.sum(axis=1)])


def _confused(expected: npt.NDArray[np.int64], answer: Array, random: np.random.Generator) -> RowStatistics:
    classes = len(answer)
    predicted = np.minimum((random.random((len(expected), 1)) > answer[expected]).sum(axis=1), classes - 1)
    one_hot = np.eye(classes)
    right = one_hot[expected] * (expected == predicted)[:, None]
    return RowStatistics(values=np.concatenate([right, one_hot[predicted], one_hot[expected]], axis=1))


# --- checks ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How many draws of each world, and how many resamples in each."""

    draws: int = 400
    resamples: int = 1000

    def resampling(self) -> Resampling:
        """The settings for the package."""
        return Resampling(resamples=self.resamples, seed=0)

    def generators(self) -> Iterable[np.random.Generator]:
        """One seeded generator a draw."""
        return (np.random.default_rng([7, draw]) for draw in range(self.draws))


def judge(world: World, methods: Sequence[RowStatistics], tolerance: float, effort: Effort, *, asking: bool = False) -> Verdict:
    """The verdict on methods that are listed cheapest first; only if `asking`, with the rows it needs (which takes longer)."""
    candidates = [
        Candidate(method=f"m{place}", trained=place > 0, fit_cpu_seconds=float(place), height=place, statistics=stats)
        for place, stats in enumerate(methods)
    ]
    ruling = Ruling(resampling=effort.resampling(), max_rows=MAX_ROWS if asking else methods[0].rows)
    return decide(candidates, world.metric, tolerance, ruling=ruling)


def cover(world: World, rows: int, effort: Effort) -> Outcome:
    """(a) How often the 95 % interval of the first method holds its true score."""
    hits = 0
    for random in effort.generators():
        found = score_interval(world.draw(rows, random)[0], world.metric, resampling=effort.resampling())
        hits += found.low <= world.true[0] <= found.high
    near_the_end = world.metric is ACCURACY and world.true[0] >= 0.95  # a few wrong rows: wide rather than too narrow
    return Outcome(
        check="cover",
        world=world.name,
        rows=rows,
        draws=effort.draws,
        percent=100 * hits / effort.draws,
        low=93,
        high=99 if near_the_end else 97,
    )


def cover_gap(world: World, rows: int, effort: Effort) -> Outcome:
    """How often the 95 % interval of the difference between unrelated train and test rows holds its true value, 0."""
    hits = 0
    for random in effort.generators():
        train, test = world.draw(2 * rows, random)[0], world.draw(rows, random)[0]
        found = unpaired_difference(train, test, world.metric, resampling=effort.resampling())
        hits += found.low <= 0.0 <= found.high
    return Outcome(
        check="gap", world=world.name, rows=rows, draws=effort.draws, percent=100 * hits / effort.draws, low=93, high=100
    )


def equal(world: World, rows: int, effort: Effort) -> Outcome:
    """(b) How often two methods of equal true score are called different at p <= 5 %."""
    calls = 0
    for random in effort.generators():
        a, b = world.draw(rows, random)[:2]
        calls += paired_difference(a, b, world.metric, resampling=effort.resampling()).p_value <= 0.05
    percent = 100 * calls / effort.draws
    return Outcome(check="equal", world=world.name, rows=rows, draws=effort.draws, percent=percent, low=0, high=5)


def right_answer(world: World, tolerance: float) -> str:
    """The cheapest method truly within the tolerance of the truly best."""
    sign = world.metric.sign
    best = max(sign * value for value in world.true)
    return next(f"m{place}" for place, value in enumerate(world.true) if sign * value >= best - tolerance - 1e-9)


def crown(world: World, rows: int, tolerance: float, effort: Effort) -> Outcome:
    """(c) How often a firm verdict names another method than the right one."""
    right, wrong = right_answer(world, tolerance), 0
    for random in effort.generators():
        wrong += judge(world, world.draw(rows, random), tolerance, effort).method not in (None, right)
    name, percent = f"{world.name} (t={tolerance:g})", 100 * wrong / effort.draws
    return Outcome(check="crown", world=name, rows=rows, draws=effort.draws, percent=percent, low=0, high=5)


def settle(world: World, rows: int, tolerance: float, effort: Effort) -> Outcome:
    """(d) Of the draws that leave it open, how many are firm when drawn anew with the rows asked for."""
    firm, asked = [], []
    for random in effort.generators():
        needed = judge(world, world.draw(rows, random), tolerance, effort, asking=True).rows_needed
        if needed is not None:
            again = judge(world, world.draw(needed, random), tolerance, Effort(resamples=300))
            firm.append(again.decision != "cannot-tell")
            asked.append(needed)
    return Outcome(
        check="settle",
        world=f"{world.name} (t={tolerance:g})",
        rows=rows,
        draws=len(firm),
        percent=100 * float(np.mean(firm)),
        low=75,
        high=90,
        median_rows_needed=int(np.median(asked)),
    )


def plan(world: World, rows: int, tolerance: float, effort: Effort) -> Outcome:
    """(d) With the truth known (from 10,000 rows) and 80 % asked for: how many draws of the rows asked for are firm."""
    known = pair_up(world.draw(10_000, np.random.default_rng(3)), world.metric, Resampling(resamples=2000))
    oriented = replace(
        known, scores=world.metric.sign * np.array(world.true), covariance=known.covariance * 10_000 / rows, rows=rows
    )
    needed = rows_to_settle(oriented, tolerance, assurance=0.8, doubt=0.0)
    firm = [
        judge(world, world.draw(needed, random), tolerance, effort).decision != "cannot-tell"
        for random in effort.generators()
        if needed is not None
    ]
    return Outcome(
        check="plan",
        world=f"{world.name} (t={tolerance:g})",
        rows=rows,
        draws=len(firm),
        percent=100 * float(np.mean(firm)) if firm else 0.0,
        low=75,
        high=90,
        median_rows_needed=needed,
    )


def fifth(world: World, rows: int, tolerance: float, effort: Effort) -> Outcome:
    """(e) Of the draws firm on all rows and on a random fifth of them, how many contradict each other."""
    contradictions, both = 0, 0
    for random in effort.generators():
        methods = world.draw(rows, random)
        chosen = random.choice(rows, size=rows // 5, replace=False)
        part = judge(world, [stats.take(chosen) for stats in methods], tolerance, effort).method
        if part is not None:
            whole = judge(world, methods, tolerance, effort).method
            both += whole is not None
            contradictions += whole is not None and whole != part
    percent = 100 * contradictions / both if both else 0.0
    return Outcome(check="fifth", world=world.name, rows=rows, draws=both, percent=percent, low=0, high=10)


# --- the whole table -------------------------------------------------------------------------------------------------

SCORED = (
    f1_world(3, [0.8]),
    f1_world(4, [0.95]),
    f1_world(5, [0.7], 1.3),
    f1_world(8, [0.8]),
    f1_world(8, [0.6], 1.3),
    accuracy_world([0.7]),
    accuracy_world([0.95]),
    accuracy_world([0.99]),
    nll_world(0.5, [1.2]),
    nll_world(1.0, [1.2]),
)
TWINS = (
    f1_world(3, [0.8, 0.8], twins=True),
    f1_world(8, [0.6, 0.6], 1.3, twins=True),
    accuracy_world([0.8, 0.8]),
    accuracy_world([0.8, 0.8], 0.9),
    accuracy_world([0.97, 0.97]),
    nll_world(0.5, [1.2, 1.2]),
    nll_world(1.0, [1.2, 1.2], 0.6),
)
# world, test rows, tolerance. The last ones are the hardest: the truth lies just beyond the tolerance.
CROWNING = (
    *((accuracy_world(levels, 0.5), rows, 0.01) for levels in ([0.75, 0.80], [0.70, 0.75, 0.80]) for rows in (100, 300, 1000)),
    (accuracy_world([0.75, 0.75, 0.75, 0.75, 0.80], 0.5), 1000, 0.01),
    (f1_world(5, [0.75, 0.80, 0.85], 1.3), 300, 0.01),
    (nll_world(0.5, [1.26, 1.2]), 300, 0.01),
    (accuracy_world([0.75, 0.80], 0.8), 1000, 0.049),
    (accuracy_world([0.75, 0.75, 0.80], 0.8), 1000, 0.049),
    (accuracy_world([0.75, 0.75, 0.75, 0.75, 0.80], 0.8), 1000, 0.049),
    (accuracy_world([0.75, 0.80, 0.80, 0.80, 0.80], 0.8), 1000, 0.049),
    (accuracy_world([0.75, 0.80], 0.8), 1000, 0.051),
    (accuracy_world([0.75, 0.80, 0.80, 0.80, 0.80], 0.8), 1000, 0.051),
)
# World, test rows at hand, tolerance.
SETTLING = (
    (accuracy_world([0.75, 0.80], 0.5), 100, 0.01),
    (accuracy_world([0.75, 0.80], 0.5), 200, 0.01),
    (accuracy_world([0.77, 0.80], 0.5), 200, 0.01),
    (accuracy_world([0.77, 0.80], 0.5), 600, 0.01),
    (accuracy_world([0.83, 0.80], 0.5), 200, 0.01),
    (accuracy_world([0.80, 0.80], 0.5), 200, 0.02),
    (accuracy_world([0.70, 0.77, 0.80], 0.5), 200, 0.01),
    (accuracy_world([0.70, 0.75, 0.80], 0.5), 300, 0.02),
    (accuracy_world([0.75, 0.80, 0.80], 0.5), 300, 0.02),
    (accuracy_world([0.60, 0.70, 0.75, 0.80], 0.5), 300, 0.01),
    (accuracy_world([0.70, 0.74, 0.77, 0.80], 0.5), 300, 0.01),
    (accuracy_world([0.60, 0.70, 0.75, 0.70, 0.80], 0.5), 300, 0.01),
    (accuracy_world([0.70, 0.75, 0.80, 0.805, 0.79], 0.5), 300, 0.02),
    (accuracy_world([0.60, 0.70, 0.75, 0.78, 0.80], 0.5), 300, 0.01),
    (f1_world(5, [0.75, 0.80], 1.3), 200, 0.01),
    (nll_world(0.5, [1.25, 1.2]), 200, 0.02),
)
FIFTHS = (
    (accuracy_world([0.70, 0.80], 0.5), 1500, 0.02),
    (accuracy_world([0.60, 0.70, 0.80], 0.5), 3000, 0.02),
    (accuracy_world([0.70, 0.80, 0.80], 0.8), 3000, 0.04),
    (accuracy_world([0.76, 0.80], 0.9), 3000, 0.03),
)


def outcomes(check: str, effort: Effort) -> Iterable[Outcome]:
    """One check on every world of its list, lazily."""
    if check == "cover":
        yield from (cover(world, rows, effort) for world in SCORED for rows in (100, 200, 500))
    elif check == "gap":
        yield from (cover_gap(world, 200, effort) for world in SCORED)
    elif check == "equal":
        yield from (equal(world, rows, effort) for world in TWINS for rows in (100, 300))
    elif check == "crown":
        yield from (crown(world, rows, tolerance, effort) for world, rows, tolerance in CROWNING)
    elif check == "plan":
        yield from (plan(world, 50, tolerance, effort) for world, _, tolerance in SETTLING)
    elif check == "settle":
        yield from (settle(world, rows, tolerance, effort) for world, rows, tolerance in SETTLING)
    elif check == "fifth":
        yield from (fifth(world, rows, tolerance, effort) for world, rows, tolerance in FIFTHS)


CHECKS = ("cover", "gap", "equal", "crown", "plan", "settle", "fifth")


def line(one: Outcome) -> str:
    """One line of the table."""
    needed = f", asks for {one.median_rows_needed} rows" if one.median_rows_needed else ""
    counted = f"{one.rows:6d} rows{one.draws:6d} draws{one.percent:7.1f} %"
    return f"{one.check:7s}{one.world:62s}{counted}  {one.low:g}-{one.high:g} {'kept' if one.kept else 'MISSED'}{needed}"


def main() -> None:
    """Print the table, then one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--only", choices=CHECKS, action="append", help="this check; may be repeated")
    arguments = parser.parse_args()
    effort = Effort(draws=arguments.draws, resamples=arguments.resamples)
    found = []
    for one in (one for check in arguments.only or CHECKS for one in outcomes(check, effort)):
        found.append({**asdict(one), "kept": one.kept})
        print(line(one), flush=True)
    print(json.dumps({"kept": sum(bool(one["kept"]) for one in found), "of": len(found), "outcomes": found}))


if __name__ == "__main__":
    main()
