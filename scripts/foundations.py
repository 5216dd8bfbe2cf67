"""Tables of docs/results/foundations as Markdown, for the pages that `scripts/generate.py` writes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

RESULTS = Path("docs/results/foundations")
TASKS = {"trec_qc": "trec_qc, macro-F1", "rte": "rte, macro-F1", "xquad_en": "xquad_en, F1"}


def tables() -> str:
    """Everything that has been measured so far, each under a heading."""
    parts = [
        render(json.loads((RESULTS / f"{name}.json").read_text("utf-8")))
        for name, render in RENDERERS.items()
        if (RESULTS / f"{name}.json").is_file()
    ]
    return "\n\n".join(parts) or "Not measured yet."


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, words to the left and numbers to the right."""
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def points(interval: Mapping[str, float]) -> str:
    """A score in points with its interval."""
    return f"{100 * interval['value']:.1f} ({100 * interval['low']:.1f}–{100 * interval['high']:.1f})"


def change(interval: Mapping[str, float] | None, scale: float = 100, digits: int = 1) -> str:
    """A signed difference with its interval; bold where the interval leaves out zero."""
    if interval is None:
        return "—"
    value, low, high = (f"{scale * interval[key]:+.{digits}f}".replace("-", "−") for key in ("value", "low", "high"))
    text = f"{value} ({low} to {high})"
    return f"**{text}**" if interval["low"] > 0 or interval["high"] < 0 else text


def pretraining(result: Mapping[str, Any]) -> str:
    """Bases by objective, then each task."""
    tasks = result["tasks"]
    rows = []
    for name, base in result["bases"].items():
        tuned = sum(task["bases"][name]["cost"]["fit_cpu_seconds"] for task in tasks.values())
        read = f"{base['tokens_read'] / 1e6:.2f} M" if base["trained"] else "0"
        bits = f"{base['bits']:.3f}" if base.get("bits") is not None else "—"
        cost = f"{base['cpu_seconds']:.0f} s" if base["trained"] else "0 s"
        scores = [points(task["bases"][name]["score"]) for task in tasks.values()]
        rows.append([name, read, bits, *scores, cost, f"{tuned:.0f} s"])
    head = [
        "base",
        "tokens read",
        "bits per character",
        *(TASKS.get(name, name) for name in tasks),
        "pretraining, CPU",
        "tuning, CPU",
    ]
    gains = [
        [name, *(change(task["bases"][name]["gain"]) for task in tasks.values())]
        for name, base in result["bases"].items()
        if base["trained"]
    ]
    layers, width, full = result["shape"]["layers"], result["shape"]["width"], result["full"]
    rates = ", ".join(f"{rate:g}" for rate in full["rates"])
    counts = "; ".join(
        f"{name} {task['rows']['train']:,} train and {task['rows']['test']:,} test rows" for name, task in tasks.items()
    )
    return f"""### What pretraining is worth

Bases of {layers} layers by {width} (t5: as many on either side) read the same novels, cut alike; then `full` tunes
each for {full["epochs"]} passes, in which it first chooses that rate of {rates} which is best on validation. {counts}.
Points with 95 % intervals over test rows; bits per character on held-out novels, where the objective reads every token.

{table(head, rows)}

Paired difference to the same architecture without pretraining, on the same test rows (bold: the interval leaves zero out):

{table(["base", *(TASKS.get(name, name) for name in tasks)], gains)}

`{result["command"]}`"""


def regularisation(result: Mapping[str, Any]) -> str:
    """Regularisers by their gap, optimizers by their loss."""
    regularised = [
        [
            name,
            f"{found['train_loss']:.3f}",
            f"{found['test_loss']:.3f}",
            change(found["gap"], 1, 3),
            "—" if name == "none" else change(found["loss_change"], 1, 3),
            f"{100 * found['accuracy']:.1f}",
            "—" if name == "none" else change(found["accuracy_change"]),
        ]
        for name, found in result["regularisers"].items()
    ]
    optimized = []
    for name, found in result["optimizers"].items():
        curve = found["curves"]
        halfway = curve[len(curve) // 2 - 1][1]
        optimized.append(
            [
                name,
                f"{found['rate']:g}",
                f"{halfway:.3f}",
                f"{found['train_loss']:.3f}",
                f"{found['test_loss']:.3f}",
                f"{100 * found['accuracy']:.1f}",
                "—" if name == "Adam" else change(found["accuracy_change"]),
            ]
        )
    sizes = result["rows"]
    first = ["setting", "train loss", "test loss", "gap", "change of test loss", "accuracy", "change of accuracy"]
    second = ["optimizer", "rate", "train loss halfway", "train loss", "test loss", "accuracy", "against Adam"]
    return f"""### Regularisers and optimizers on a small set

accordeur-mini with a head learns six kinds of questions (trec_qc) from {sizes["train"]} rows, {result["epochs"]} times over;
{sizes["test"]:,} test rows; means over three seeds with 95 % intervals over rows. The gap is test loss minus train loss, in nats,
never smoothed.

{table(first, regularised)}

Without any regulariser, each optimizer at the best of its rates by validation loss:

{table(second, optimized)}

`{result["command"]}`"""


def embedded(result: Mapping[str, Any]) -> str:
    """The embedded decoder against counting, its samples, its gains."""
    floor, own = result["floor"], result["bits"]
    written, tuned = result["samples"], result["tuning"]
    fewer = 1 - own["bits_per_character"] / floor["bits_per_character"]
    ratio = written["distinct_4_grams"] / written["distinct_4_grams_held_out"] - 1
    rows = [
        ["bits per character, 5-gram modified Kneser-Ney", f"{floor['bits_per_character']:.4f}", ""],
        ["bits per character, accordeur-mini", f"{own['bits_per_character']:.4f}", f"{100 * fewer:.1f} % fewer; aim 8 %"],
        ["sampled words that are known", f"{100 * written['known']:.1f} %", "aim 97 %"],
        ["longest run copied from the text", f"{written['longest_copy']} characters", "aim below 60"],
        ["distinct 4-grams, against held-out text", f"{100 * ratio:+.1f} %", "aim within 10 %"],
        *([f"nats per token gained by {name}", change(found, 1, 3), "aim above 0"] for name, found in tuned.items()),
    ]
    return f"""### The embedded decoder

{floor["held_out_characters"]:,} characters of held-out novels; both models read the same {floor["train_tokens"]:,} tokens.
{written["words"]:,} words sampled from the {written["top_k"]} likeliest tokens; tuning on the embedded instruction sample.

{table(["what", "found", ""], rows)}

`{result["command"]}`"""


def embedded_t5(result: Mapping[str, Any]) -> str:
    """Whether the embedded encoder-decoder uses what it reads, and its gains."""
    spans, tuned = result["spans"], result["tuning"]
    rows = [
        ["nats per lost token, with the text around it", f"{spans['own']:.3f}"],
        ["nats per lost token, with another text", f"{spans['other']:.3f}"],
        ["nats gained by reading the right text", change(spans["gain"], 1, 3)],
        *([f"nats per token gained by {name}", change(found, 1, 3)] for name, found in tuned.items()),
    ]
    return f"""### The embedded encoder-decoder

{spans["rows"]:,} rows of held-out novels, each with its own spans lost; then tuning on the embedded instruction sample, of which
the untouched base knows nothing: it answers with spans, so that any tuning gains much.

{table(["what", "found"], rows)}

`{result["command"]}`"""


RENDERERS = {"embedded": embedded, "embedded_t5": embedded_t5, "pretraining": pretraining, "regularisation": regularisation}
