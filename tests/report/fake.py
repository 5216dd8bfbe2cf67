"""A run folder as a real comparison leaves it, made of numbers drawn from a seed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from accordeur.run import Answered, Cost, Run, save_run
from accordeur.store import sealed_folder, write_json

LABELS = ("appointment", "complaint", "invoice", "opening_hours", "price", "repair_request", "status", "tuning")
SUBJECTS = ("accordion", "clarinet", "cello", "upright piano", "trumpet", "harp", "concertina", "bassoon")
SENTENCES = {
    "appointment": "Could I bring the {} in on Thursday morning, or is the week after better?",
    "complaint": "The {} came back worse than before, and nobody has answered my two letters.",
    "invoice": "There is a line on the bill for the {} that I don't understand, could you explain it?",
    "opening_hours": "Are you open on Saturday, so that I can fetch the {} after work?",
    "price": "Roughly how much is a full service of a {}?",
    "repair_request": "A key of my {} sticks and makes a rattling noise in the low register. Can you mend it?",
    "status": "Any news of the {}? You said ten days, it is now three weeks.",
    "tuning": "The {} is flat since the heating came on. I'd like it at 442 again.",
}
# name: (accuracy, train accuracy, seeds, height, trained, seconds, memory MB, kept MB, ms a row, weights trained)
METHODS: dict[str, tuple[float, float, int, int, bool, float, float, float, float, int]] = {
    "majority": (0.0, 0.0, 1, 0, False, 0.002, 96, 0, 0.001, 0),
    "tfidf": (0.86, 0.995, 1, 10, True, 1.9, 210, 1.4, 0.35, 61_000),
    "prompt": (0.62, 0.63, 1, 20, False, 14.0, 402, 0, 8.9, 0),
    "head": (0.925, 0.95, 1, 30, True, 6.4, 418, 0.02, 8.7, 3_080),
    "lora": (0.945, 0.985, 3, 50, True, 171.0, 655, 0.61, 9.6, 152_000),
    "full": (0.94, 0.999, 3, 60, True, 288.0, 905, 90.9, 8.8, 22_700_000),
}
BASE_MB = 90.9


def texts(rows: int, seed: int = 0) -> list[tuple[str, str]]:
    """(text, label) of some rows."""
    random = np.random.default_rng(seed)
    chosen = [LABELS[place] for place in random.integers(len(LABELS), size=rows)]
    return [(SENTENCES[label].format(SUBJECTS[int(random.integers(len(SUBJECTS)))]), label) for label in chosen]


def answered(part: str, accuracy: float, rows: int, seed: int) -> list[Answered]:
    """Answers whose mistakes fall on the same hard rows for every method."""
    given = texts(rows, seed=len(part))
    hardness = np.random.default_rng(1).random(rows)
    random = np.random.default_rng(seed + 10)
    found = []
    blurred = 0.75 * hardness + 0.25 * random.random(rows)
    for row, (text, label) in enumerate(given):
        right = blurred[row] < np.quantile(blurred, accuracy) if accuracy else label == LABELS[5]
        neighbour = LABELS[(LABELS.index(label) + 1 + int(random.integers(2))) % len(LABELS)]
        output = label if right else (neighbour if accuracy else LABELS[5])
        sure = float(np.clip(0.55 + 0.44 * random.random(), 0, 0.99))
        scores = {name: sure if name == output else (1 - sure) / (len(LABELS) - 1) for name in LABELS}
        nll = -float(np.log(scores[label]))
        found.append(Answered(id=f"{part}-{row:04d}", expected=label, output=output, scores=scores, nll=nll, units=1, given=text))
    return found


def curve(seconds: float, seed: int) -> list[dict[str, Any]]:
    """A loss that falls, and a validation score that rises, every 10 steps."""
    random = np.random.default_rng(seed)
    return [
        {
            "step": step,
            "loss": float(0.08 + 2.0 * np.exp(-step / 60) + 0.04 * random.standard_normal() * np.exp(-step / 200)),
            "rate": 1e-3 * (1 - step / 400),
            "score": float(0.945 - 0.7 * np.exp(-step / 70) + 0.008 * random.standard_normal())
            if step % 40 == 0 and step
            else None,
            "seconds": seconds * step / 400,
        }
        for step in range(0, 401, 10)
    ]


def forgetting(method: str, seed: int) -> dict[str, Any]:
    """A linear probe on a general task, before and after; positive means lost."""
    lost = {"lora": 0.012 + 0.003 * seed, "full": 0.061 + 0.003 * seed}.get(method, 0.0)
    width = 0.021 if lost else 0.0
    bounds = {"change": lost, "low": lost - width, "high": lost + width}
    return {"metric": "general_accuracy", "before": 0.842, "after": 0.842 - lost, **bounds, "rows": 600}


def done_run(method: str, seed: int) -> Run:
    """The record of a finished run."""
    _, _, _, height, trained, seconds, memory, kept, speed, weights = METHODS[method]
    deep = method in ("lora", "full")
    settings: dict[str, Any] = {
        "lora": {"rank": 8, "alpha": 32, "dropout": 0.1, "targets": ["query", "value"], "rate": None}
    }.get(method, {})
    facts: dict[str, Any] = (
        {"best_step": 320 + 40 * (seed % 2), "rate": 1e-3, "stopped": "early", "tried": {"0.0003": 0.91, "0.001": 0.94}}
        if deep
        else {}
    )
    return Run(
        name=f"{method}-s{seed}",
        method=method,
        seed=seed,
        status="done",
        height=height,
        trained=trained,
        settings=settings,
        plan={"steps": 400, "batch_rows": 16, "threads": 2} if deep else {},
        facts=facts or ({"strength": 4.0} if method == "head" else {}),
        curve=curve(seconds, seed) if deep else (),
        forgetting=forgetting(method, seed) if method not in ("majority", "tfidf") else None,
        cost=Cost(
            fit_seconds=seconds * (1 + 0.03 * seed),
            fit_cpu_seconds=seconds * 1.8 * (1 + 0.03 * seed),
            peak_memory_bytes=int(memory * 1e6),
            base_bytes=0 if method in ("majority", "tfidf") else int(BASE_MB * 1e6),
            trainable_parameters=weights,
            tokens_trained=184_320 if deep else 0,
            artifact_bytes=int(kept * 1e6),
            predict_ms_per_row=speed,
        ),
        provenance={"python": "3.11.2", "torch": "2.13.0", "threads": 2, "machine": "x86_64"},
    )


def about(names: Sequence[str], rows: int, **recipe: Any) -> dict[str, Any]:
    """The content of task.json."""
    return {
        "schema": 1,
        "task": {
            "name": "workshop",
            "kind": "classify",
            "primary_metric": "macro_f1",
            "labels": list(LABELS),
            "metrics": ["macro_f1", "accuracy", "log_loss", "calibration_error"],
            "rows": {"train": 600, "validation": 120, "test": rows},
        },
        "base": {"name": "all-MiniLM-L6-v2", "family": "encoder", "parameters": 22_713_216, "fingerprint": "0f3c9e1d2b7a4856"},
        "recipe": {"data": "workshop.jsonl", "seeds": 3, "budget": 5.0, "language": "en", **recipe},
        "summary": {
            "kind": "classify",
            "rows": {"train": 600, "validation": 120, "test": rows},
            "classes": {label: {"train": 75, "validation": 15, "test": rows // 8} for label in LABELS},
            "within": {
                "train": {
                    "count": 2,
                    "shown": [["workshop.jsonl:41", "workshop.jsonl:7"], ["workshop.jsonl:90", "workshop.jsonl:12"]],
                }
            },
            "across": {"train in test": {"count": 0, "shown": []}},
            "dropped": {"count": 1, "shown": [["workshop.jsonl:300", "workshop.jsonl:17"]]},
            "conflicts": [{"labels": {"price": 1, "invoice": 1}, "places": ["workshop.jsonl:5", "workshop.jsonl:8"]}],
            "conflict_count": 1,
            "notes": [],
        },
        "lengths": {"limit": 256, "rows": 1040, "longest": 141, "cut_rows": 0, "lost_answer_tokens": 0, "notes": []},
        "command": "accordeur compare workshop.jsonl --methods majority,tfidf,head,adapter,freeze,lora,full --seeds 3",
        "notes": ["read as text and label"],
        "planned": list(names),
    }


def write_run(out: Path, run: Run, test: Sequence[Answered] = (), train: Sequence[Answered] = ()) -> None:
    """Writes and seals a run as a comparison does."""
    with sealed_folder(out / "runs" / run.name, run=run.name) as folder:
        save_run(folder, run, test, train)


def fake_out(out: Path, rows: int = 320, **recipe: Any) -> Path:
    """The whole folder: six methods, two of them with three seeds, one skipped, one failed, one interrupted."""
    names = [f"{method}-s{seed}" for method, about_ in METHODS.items() for seed in range(about_[2])]
    others = [
        Run(name="fewshot-s0", method="fewshot", seed=0, status="skipped", height=25, reason="an encoder sees no examples"),
        Run(
            name="freeze-s0", method="freeze", seed=0, status="failed", height=55, trained=True, error_kind="diverged",
            reason="the loss became NaN at step 31; the weights are those before the step",
        ),
    ]  # fmt: skip
    stopped = Run(
        name="adapter-s0", method="adapter", seed=0, status="interrupted", height=45, trained=True, reason="stopped on request"
    )
    write_json(out / "task.json", about([*names, *(run.name for run in others), stopped.name], rows, **recipe))
    for method, (accuracy, seen, seeds, *_) in METHODS.items():
        for seed in range(seeds):
            shift = 100 * sum(map(ord, method)) + seed
            write_run(
                out, done_run(method, seed), answered("test", accuracy, rows, shift), answered("train", seen, 200, shift + 7)
            )
    for run in others:
        write_run(out, run)
    write_json(out / "work" / stopped.name / "run.json", stopped.plain())
    return out
