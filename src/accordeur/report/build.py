"""The report as plain data: a pure function of a run folder, made and scored again without the models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from accordeur.errors import RecipeError
from accordeur.evidence.verdict import Candidate, Comparison, decide
from accordeur.report import elsewhere, entities, rows, scores, sizes
from accordeur.report.folder import Recorded, RunFolder, read_folder
from accordeur.report.format import Formatter, scale
from accordeur.report.scores import Intervals, Scored
from accordeur.report.sweep import sweep_entries
from accordeur.report.words import LANGUAGES, Language, Words
from accordeur.tasks import Kind, Metric, kind_of

SCHEMA = 1


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a report answers: by which metric, how much of it does not matter, in which language."""

    kind: Kind
    metrics: tuple[Metric, ...]
    primary: Metric
    tolerance: float  # in the metric's own scale
    words: Words
    labels: tuple[str, ...]
    intervals: Intervals = field(default_factory=Intervals)


def build_report(
    out: Path, language: str | None = None, metric: str | None = None, tolerance: float | None = None
) -> dict[str, Any]:
    """The report of a run folder as JSON-ready data; nothing is written.

    `metric` and `tolerance` score the stored answers again; a tolerance is in the unit in which the metric is shown
    (3 is 3 points). ModelError where the folder holds no comparison or its runs answered different rows; RecipeError for an
    unknown metric or language.
    """
    everything = read_folder(out)
    folder = sizes.whole(everything)
    words = Words(language=known_language(language or recipe_of(folder).get("language") or "en"))
    kind = kind_of(str(folder.about["task"]["kind"]))
    labels = tuple(folder.about["task"].get("labels") or ())
    measured = chosen_metrics(folder, kind, metric)
    scored = {record.run.name: scores.score_run(record, measured, labels) for record in folder.done}
    primary, remark = choose_primary(folder, kind, list(scored.values()), metric)
    wanted = tolerance if tolerance is not None else recipe_of(folder).get("tolerance")
    question = Question(
        kind=kind,
        metrics=(primary, *(one for one in measured if one is not primary)),
        primary=primary,
        tolerance=primary.tolerance if wanted is None else wanted / scale(primary.unit),
        words=words,
        labels=labels,
    )
    remarks = [words("note_other_primary", metric=words.metric(primary.name), wanted=words.metric(remark))] if remark else []
    report = assemble(folder, scored, question, remarks)
    return with_sizes(report, everything, by_method(folder, scored), question)


def with_sizes(
    report: dict[str, Any], folder: RunFolder, groups: Mapping[str, list[Scored]], question: Question
) -> dict[str, Any]:
    """The report with quality against train rows, and what that says of collecting more, where it was measured."""
    words, primary, verdict = question.words, question.primary, report["verdict"]
    curves = sizes.size_curves(folder, groups, primary, question.labels)
    sign = -1 if primary.higher_is_better else 1
    scored = [one for one in report["methods"] if primary.name in one["scores"]]
    ranked = [one["method"] for one in sorted(scored, key=lambda one: sign * one["scores"][primary.name]["value"])]
    rows_ = int(folder.about["task"].get("rows", {}).get("train") or 0)
    found = sizes.growth(curves, rows_, [verdict["method"] or verdict["leans_to"], *ranked], primary, question.tolerance)
    said = [sizes.growth_reason(found, words, primary, question.tolerance)] if found else []
    price = recipe_of(folder).get("price_per_hour")
    parts = [record for record in folder.done if record.run.train_rows is not None]
    return {
        **report,
        "size_runs": [
            run_entry(record, scores.score_run(record, question.metrics, question.labels), question, price) for record in parts
        ],
        "train_sizes": sizes.size_entries(curves, primary, question.intervals),
        "verdict": {**verdict, "reasons": [*verdict["reasons"], *said], "collect": found.more if found else None},
        "notes": [*report["notes"], *sizes.lost_notes(folder, words)],
    }


def assemble(folder: RunFolder, scored: Mapping[str, Scored], question: Question, remarks: Sequence[str]) -> dict[str, Any]:
    """All parts of the report in the order in which they are read."""
    groups = by_method(folder, scored)
    price = recipe_of(folder).get("price_per_hour")
    methods = [method_entry(name, folder, group, question) for name, group in groups.items()]
    verdict = verdict_of(groups, question)
    first, *others = verdict["reasons"]
    verdict = {**verdict, "reasons": [first, *short_reason(folder, question.words), *others]}
    about = folder.about["task"]
    task = {**about, "primary_metric": question.primary.name, "trained_by": about.get("primary_metric") or question.primary.name}
    return {
        "schema": SCHEMA,
        "language": question.words.language,
        "task": task,
        "base": dict(folder.about["base"]),
        "metrics": {one.name: metric_entry(one) for one in question.metrics},
        "tolerance": question.tolerance,
        "test_rows": len(folder.done[0].test) if folder.done else 0,
        "runs": [run_entry(record, scored.get(record.run.name), question, price) for record in folder.records],
        "methods": methods,
        "verdict": verdict,
        "rows": rows.telling_rows(groups, question.kind, question.primary, Formatter(language=question.words.language)),
        "sweeps": sweep_entries(folder),
        "slices": elsewhere.slice_entries(folder, groups, question.primary, question.words),
        "also": elsewhere.also_entries(folder, groups, question.primary, question.labels),
        "recipe": recipe_of(folder),
        "summary": folder.about.get("summary") or {},
        "lengths": folder.about.get("lengths") or {},
        "command": folder.about.get("command") or "",
        "planned": list(folder.about.get("planned") or []),
        "audit": folder.about.get("audit") or {},
        "recorded": [str(note) for note in folder.about.get("notes") or []],
        "notes": [
            *map(str, folder.about.get("notes") or []),
            *remarks,
            *([question.words("note_forced")] if (folder.about.get("audit") or {}).get("forced") else []),
            *folder_notes(folder, question.words),
            *method_notes(methods, question),
        ],
    }


def recipe_of(folder: RunFolder) -> dict[str, Any]:
    """The request as it was recorded."""
    return dict(folder.about.get("recipe") or {})


def known_language(language: str) -> Language:
    """The language, if a report can be written in it."""
    for known in LANGUAGES:
        if known == language:
            return known
    raise RecipeError(f"no report in language {language!r}", hint=f"known: {', '.join(LANGUAGES)}")


def chosen_metrics(folder: RunFolder, kind: Kind, asked: str | None) -> tuple[Metric, ...]:
    """The metrics of the task, which may be fewer than those of its kind, and the one that is asked for."""
    by_name = {metric.name: metric for metric in kind.metrics}
    about = folder.about["task"]
    names = [*(about.get("metrics") or by_name), about.get("primary_metric"), recipe_of(folder).get("metric"), asked]
    for name in names:
        if name is not None and name not in by_name:
            raise RecipeError(f"kind {kind.name!r} has no metric {name!r}", hint=f"known: {', '.join(by_name)}")
    return tuple(metric for metric in kind.metrics if metric.name in names)


def choose_primary(folder: RunFolder, kind: Kind, done: Sequence[Scored], asked: str | None) -> tuple[Metric, str]:
    """The metric that decides, and the name of the one it stands in for (a likelihood that some method can't give)."""
    chosen = asked or recipe_of(folder).get("metric")
    metric = kind.metric(str(chosen or folder.about["task"].get("primary_metric") or kind.metrics[0].name))
    if chosen is None and kind.name == "write" and metric.name == "nll" and any("nll" not in scored.test for scored in done):
        return kind.metric("rouge_l"), metric.name
    return metric, ""


def by_method(folder: RunFolder, scored: Mapping[str, Scored]) -> dict[str, list[Scored]]:
    """The finished runs of each method, seed by seed; a method without any has an empty list."""
    groups: dict[str, list[Scored]] = {record.run.method: [] for record in folder.records}
    for record in folder.done:
        groups[record.run.method].append(scored[record.run.name])
    return {name: sorted(group, key=lambda one: one.record.run.seed) for name, group in groups.items()}


def metric_entry(metric: Metric) -> dict[str, Any]:
    """What must be known to show and to judge a score."""
    return {"higher_is_better": metric.higher_is_better, "unit": metric.unit, "tolerance": metric.tolerance}


def run_entry(record: Recorded, scored: Scored | None, question: Question, price: float | None) -> dict[str, Any]:
    """One run: the record, its scores, and everything that was measured on it."""
    run = record.run.plain()
    cost = run.pop("cost")
    run.pop("schema")
    group = [scored] if scored else []
    return {
        **run,
        "scores": scores.score_table(group, question.metrics, question.intervals),
        "overfitting": scores.overfitting(group, question.primary, question.intervals),
        "forgetting": scores.forgetting([record]),
        "cost": cost,
        "money": scores.money(cost, price) if scored else None,
    }


def method_entry(name: str, folder: RunFolder, group: Sequence[Scored], question: Question) -> dict[str, Any]:
    """One method over all its seeds."""
    records = [record for record in folder.records if record.run.method == name]
    done = [scored.record for scored in group]
    status = min((record.run.status for record in records), key=scores.STATUS_ORDER.index)
    first = next(record.run for record in records if record.run.status == status)
    cost = scores.cost(done) if done else None
    price = recipe_of(folder).get("price_per_hour")
    return {
        "method": name,
        "status": status,
        "reason": first.reason,
        "trained": first.trained,
        "height": first.height,
        "runs": [record.run.name for record in records],
        "seeds": [record.run.seed for record in done],
        "unfinished": {record.run.name: record.run.status for record in records if record.run.status != "done"} if done else {},
        "scores": scores.score_table(group, question.metrics, question.intervals),
        "seed_spread": scores.seed_spread(group, question.primary) if len(group) > 1 else None,
        "overfitting": scores.overfitting(group, question.primary, question.intervals),
        "forgetting": scores.forgetting(done),
        "cost": cost,
        "money": scores.money(cost, price) if cost else None,
        "confusion": rows.confusion(group, question.labels) if question.kind.name == "classify" else None,
        "entities": entities.entity_entries(group, question.labels) if question.kind.name == "tag" else None,
    }


def verdict_of(groups: Mapping[str, Sequence[Scored]], question: Question) -> dict[str, Any]:
    """The verdict over the methods that have the primary metric."""
    primary, words = question.primary, question.words
    candidates = [
        Candidate(
            method=name,
            trained=group[0].record.run.trained,
            fit_cpu_seconds=scores.cost([scored.record for scored in group])["fit_cpu_seconds"],
            height=group[0].record.run.height,
            statistics=scores.stacked([scored.test[primary.name] for scored in group]),
        )
        for name, group in groups.items()
        if group and all(primary.name in scored.test for scored in group)
    ]
    if not candidates:
        nothing: dict[str, Any] = {
            "decision": "cannot-tell",
            "method": None,
            "leans_to": None,
            "rows_needed": None,
            "undecided": None,
            "comparisons": [],
        }
        return {**nothing, "reasons": [words("why_nothing")]}
    metric = scores.judged(primary, words.metric(primary.name))
    found = decide(candidates, metric, question.tolerance, language=words.language)
    return {
        "decision": found.decision,
        "method": found.method,
        "leans_to": found.leans_to or found.method,
        "reasons": list(found.reasons),
        "rows_needed": found.rows_needed,
        "undecided": list(found.undecided) if found.undecided else None,
        "comparisons": [comparison_entry(one) for one in found.comparisons],
    }


def comparison_entry(found: Comparison) -> dict[str, Any]:
    """One comparison; its difference is positive where `method` is the better one, whatever the metric's direction."""
    return {
        "method": found.method,
        "against": found.against,
        "difference": found.difference,
        "low": scores.finite(found.low),
        "high": scores.finite(found.high),
        "p_adjusted": found.p_adjusted,
    }


def folder_notes(folder: RunFolder, words: Words) -> list[str]:
    """Runs that are not in the report, and why; methods that had less room for the text than the others."""
    notes = [words("note_damaged", run=name) for name in folder.damaged]
    notes += [words("note_missing", runs=", ".join(folder.missing))] if folder.missing else []
    notes += [words("note_foreign", runs=", ".join(folder.foreign))] if folder.foreign else []
    cut = {record.run.method: share for record in folder.done if (share := record.run.facts.get("cut_rows"))}
    numbers = Formatter(language=words.language)
    return notes + [words("note_cut", method=method, share=numbers.number(100 * share, 1)) for method, share in cut.items()]


def short_reason(folder: RunFolder, words: Words) -> list[str]:
    """Methods whose budget ended before every train row was seen once: the verdict is one about this budget."""
    shares: dict[str, float] = {}
    for record in folder.done:
        seen = record.run.facts.get("epochs")
        if isinstance(seen, float) and seen < 1 and record.run.facts.get("stopped") != "early":
            shares[record.run.method] = min(seen, shares.get(record.run.method, 1.0))
    named = [f"{method} ({100 * share:.0f}\u00a0%)" for method, share in shares.items()]
    return [words("why_short", methods=words.listed(named))] if named else []


def method_notes(methods: Sequence[Mapping[str, Any]], question: Question) -> list[str]:
    """Methods that lack the primary metric, or some of their seeds."""
    words, notes = question.words, []
    name = words.metric(question.primary.name)
    for method in methods:
        if method["status"] == "done" and question.primary.name not in method["scores"]:
            notes.append(words("note_no_primary", method=method["method"], metric=name))
        for run, status in method["unfinished"].items():
            notes.append(words("note_seed_lost", method=method["method"], run=run, status=words(f"status_{status}")))
    spreads = [method["seed_spread"] for method in methods if method["seed_spread"]]
    if spreads and not all(spread["estimated"] for spread in spreads):
        notes.append(words("seed_spread_missing"))
    return notes
