"""The model card of a saved run: a README in the format of the Hugging Face hub, with the evidence in it."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML

from accordeur.errors import ModelError
from accordeur.report.figures import Reading, abilities, forgetting_unit, read, unmoved
from accordeur.report.format import MISSING, clean
from accordeur.report.table import markdown_table, markdown_text

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
PIPELINES = {
    "classify": "text-classification",
    "tag": "token-classification",
    "extract": "question-answering",
    "write": "text-generation",
    "prefer": "text-generation",
    "text": "text-generation",
}
HUB_METRICS = {
    "macro_f1": "f1",
    "accuracy": "accuracy",
    "rouge_l": "rouge",
    "chrf": "chrf",
    "bleu": "bleu",
    "exact_match": "exact_match",
}
USE = """```python
from pathlib import Path

from accordeur.adapted import reopen

model = reopen(Path("model"))
```"""


def model_card(report: Mapping[str, Any], run_name: str) -> str:
    """The README.md of one finished run. ModelError where the report has no such run, or it is not finished."""
    run = next((run for run in (*report["runs"], *report["size_runs"]) if run["name"] == run_name), None)
    if run is None or run["status"] != "done":
        known = ", ".join(one["name"] for one in report["runs"] if one["status"] == "done") or "none"
        raise ModelError(f"no finished run {run_name!r} in the report", hint=f"finished runs: {known}")
    reading = read(report)
    parts = [
        f"---\n{front_matter(reading, run)}---",
        f"# {markdown_text(clean(report['task']['name']))}: {markdown_text(clean(run_name))}",
        introduction(reading, run),
        evidence(reading, run),
        limits(reading, run),
        costs(reading, run),
        f"## {reading.words('card_use')}\n\n{reading.words('card_use_words')}\n\n{USE}",
        training(reading, run),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def front_matter(reading: Reading, run: Mapping[str, Any]) -> str:
    """The YAML block that the hub reads: tags, base model, and the results with their metric types."""
    report = reading.report
    task = {"type": PIPELINES.get(report["task"]["kind"], "text-classification")}
    dataset = {"name": clean(report["task"]["name"]), "type": "private"}
    metrics = [
        {"type": HUB_METRICS.get(name, name), "name": name, "value": round(score["value"], 6)}
        for name, score in run["scores"].items()
    ]
    values: dict[str, Any] = {
        "library_name": "accordeur",
        "tags": ["accordeur", clean(run["method"])],
        "pipeline_tag": task["type"],
    }
    if HUB_ID.fullmatch(report["base"]["name"]):
        values["base_model"] = report["base"]["name"]
    values["model-index"] = [{"name": clean(run["name"]), "results": [{"task": task, "dataset": dataset, "metrics": metrics}]}]
    stream = io.StringIO()
    writer: Any = YAML(typ="safe", pure=True)
    writer.default_flow_style = False
    writer.sort_base_mapping_type_on_output = False
    writer.dump(values, stream)
    return stream.getvalue()


def introduction(reading: Reading, run: Mapping[str, Any]) -> str:
    """What the model is, and what the comparison says of its method."""
    words, report = reading.words, reading.report
    base = clean(report["base"]["name"])
    shown = base if HUB_ID.fullmatch(base) else base.rstrip("/").rsplit("/", 1)[-1]  # never a path of the machine
    made = words(
        "card_made",
        kind=words.kind(report["task"]["kind"]),
        method=code(run["method"]),
        seed=run["seed"],
        base=markdown_text(shown),
        task=markdown_text(clean(report["task"]["name"])),
    )
    if run["train_rows"] is not None:
        made += " " + words("card_part", rows=reading.numbers.number(run["train_rows"]))
    gloss = words.method(run["method"])
    firm = report["verdict"]["method"] is not None
    if reading.named == run["method"]:
        said = words("card_named" if firm else "card_leaning")
    else:
        said = words("card_other" if firm else "card_other_leaning", method=code(str(reading.named)))
    return made + (f" {gloss[:1].upper()}{gloss[1:]}." if gloss else "") + f"\n\n**{said}**"


def evidence(reading: Reading, run: Mapping[str, Any]) -> str:
    """All metrics of this run, and the table of all methods."""
    words, numbers = reading.words, reading.numbers
    lines = [f"| {words('card_metric')} | {words('card_value')} | 95\u00a0% |", "| --- | ---: | ---: |"]
    for name, score in run["scores"].items():
        unit = reading.report["metrics"][name]["unit"]
        direction = words("higher" if reading.report["metrics"][name]["higher_is_better"] else "lower")
        title = f"{words.metric(name)} ({', '.join(part for part in (words.unit(unit), direction) if part)})"
        lines.append(f"| {title} | {numbers.score(score['value'], unit)} | {numbers.span(score['low'], score['high'], unit)} |")
    rows = words("card_rows", rows=numbers.number(reading.report["test_rows"]))
    reasons = "\n".join(f"- {markdown_text(clean(reason))}" for reason in reading.report["verdict"]["reasons"])
    table = markdown_table(reading.report)
    return (
        f"## {words('card_evidence')}\n\n{rows}\n\n" + "\n".join(lines) + f"\n\n{words('card_compared')}:\n\n{table}\n{reasons}"
    )


def limits(reading: Reading, run: Mapping[str, Any]) -> str:
    """What the scores don't cover, overfitting, and what was forgotten."""
    words, numbers = reading.words, reading.numbers
    found = [*elsewhere(reading, run), *([words("card_limit_seed")] if run["trained"] else [])]
    if gap := run["overfitting"]:
        values = {key: reading.score(gap[key]) for key in ("train", "test")}
        found.append(
            words("card_limit_gap", **values, gap=reading.signed(gap["gap"]), span=reading.span(gap["low"], gap["high"]))
        )
    for one in abilities(run):
        unit = forgetting_unit(str(one["metric"]))
        values = {key: numbers.score(one.get(key), unit) for key in ("before", "after")}
        span = MISSING if unmoved(one) else numbers.span(one.get("low"), one.get("high"), unit)
        name = words.metric(str(one["metric"]))
        found.append(
            words(
                "card_limit_forgot",
                metric=name[:1].upper() + name[1:],
                **values,
                change=numbers.signed(one["change"], unit),
                span=span,
            )
        )
    return f"## {words('card_limits')}\n\n" + "\n".join(f"- {line}" for line in found)


def elsewhere(reading: Reading, run: Mapping[str, Any]) -> list[str]:
    """What the scores say of other data: nothing, or what the method did on those that were looked at."""
    words, entries = reading.words, reading.report.get("also") or []
    found = [
        words(
            "card_limit_also",
            name=markdown_text(clean(entry["name"])),
            rows=reading.numbers.number(entry["rows"]),
            score=reading.score(score["value"]),
            drop=reading.signed(score["drop"]["value"]),
            span=reading.span(score["drop"]["low"], score["drop"]["high"]),
        )
        for entry in entries
        if (score := entry["scores"].get(run["method"]))
    ]
    return [words("card_limit_rows_also" if found else "card_limit_rows"), *found]


def costs(reading: Reading, run: Mapping[str, Any]) -> str:
    """What it cost to make, and what it costs to use."""
    words, numbers, cost = reading.words, reading.numbers, run["cost"]
    lines = [
        (words("fit_seconds"), f"{numbers.seconds(cost['fit_seconds'])} (CPU {numbers.seconds(cost['fit_cpu_seconds'])})"),
        (words("peak_memory_bytes"), numbers.size(cost["peak_memory_bytes"])),
        (words("trainable_parameters"), numbers.count(cost["trainable_parameters"])),
        (words("tokens_trained"), numbers.count(cost["tokens_trained"])),
        (words("artifact_bytes"), numbers.size(cost["artifact_bytes"])),
        (words("predict_ms_per_row"), numbers.milliseconds(cost["predict_ms_per_row"])),
    ]
    return f"## {words('card_cost')}\n\n" + "\n".join(f"- {name}: {value}" for name, value in lines)


def training(reading: Reading, run: Mapping[str, Any]) -> str:
    """Settings and versions, and the rows it was made from."""
    words, numbers = reading.words, reading.numbers
    rows = reading.report["task"]["rows"]
    shown = {key: numbers.number(rows[key]) for key in ("train", "validation", "test")}
    lines = [words("facts_rows", **shown)]
    for group in ("settings", "plan", "provenance"):
        if run.get(group):
            lines.append(f"{words(f'group_{group}')}: {markdown_text(clean(numbers.plain(run[group])))}")
    return f"## {words('card_training')}\n\n" + "\n".join(f"- {line}" for line in lines)


def code(text: str) -> str:
    """Text that may stand between backticks."""
    return clean(text).replace("`", "'").replace("\n", " ")
