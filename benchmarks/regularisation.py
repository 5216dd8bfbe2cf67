"""`python -m benchmarks.regularisation --out FOLDER`: what regularisers and optimizers do on a small set; repeat it to go on.

accordeur-mini with a head learns six kinds of questions from 300 rows, so often that it knows them by heart. Dropout, weight
decay and label smoothing, off and on, three seeds each: the generalisation gap. Then SGD, momentum, RMSProp and Adam, each at
the best of its rates by validation loss. The numbers go to docs/results/foundations/regularisation.json.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from accordeur.evidence.metric import Metric, RowStatistics, mean
from accordeur.evidence.pairing import paired_difference, unpaired_difference
from accordeur.example import Encoded
from accordeur.foundations.default import EMBEDDED
from accordeur.plan import TrainingPlan
from accordeur.store import read_json, write_json
from accordeur.training.device import plan_device
from accordeur.training.loop import Lent, train
from accordeur.training.network import Network
from accordeur.training.scoring import answers
from accordeur.training.settings import TrainingSettings
from benchmarks._data import data_folder
from benchmarks._pairs import bounds

RESULT = Path(__file__).parents[1] / "docs" / "results" / "foundations" / "regularisation.json"
SIZES = {"train": 300, "validation": 300, "test": 1000}
EPOCHS, BATCH = 15, 16
SEEDS = 3
LOSS = Metric(name="log-loss", finish=mean, higher_is_better=False, unit="nats", bounds=None)
ACCURACY = Metric(name="accuracy", finish=mean)
PLAIN = TrainingSettings(rate=3e-4, weight_decay=0.0, batch_rows=BATCH, patience=None)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """How one model is trained."""

    settings: TrainingSettings
    dropout: float = 0.0  # everywhere: embeddings, attention, residuals, before the head


REGULARISERS = {
    "none": Setting(settings=PLAIN),
    "dropout 0.2": Setting(settings=PLAIN, dropout=0.2),
    "weight decay 1": Setting(settings=replace(PLAIN, weight_decay=1.0)),
    "label smoothing 0.1": Setting(settings=replace(PLAIN, smoothing=0.1)),
    "all three": Setting(settings=replace(PLAIN, weight_decay=1.0, smoothing=0.1), dropout=0.2),
}
RATES = {
    "SGD": (0.03, 0.1, 0.3),
    "momentum": (0.003, 0.01, 0.03),
    "RMSProp": (3e-6, 1e-5, 3e-5, 1e-4),
    "Adam": (1e-5, 3e-5, 1e-4, 3e-4),
}


def optimizer(name: str, rate: float) -> Setting:
    """One of the four at one rate, without any regulariser."""
    chosen: Any = {"SGD": "sgd", "momentum": "sgd", "RMSProp": "rmsprop", "Adam": "adam"}[name]
    momentum = 0.9 if name == "momentum" else 0.0
    return Setting(settings=replace(PLAIN, rate=rate, optimizer=chosen, momentum=momentum))


@dataclass(frozen=True, kw_only=True)
class Set:
    """The rows as ids, by split."""

    items: Mapping[str, list[Encoded]]
    labels: tuple[str, ...]
    pad: int


def small_set(tokenizer: Any) -> Set:
    """trec_qc: drawn once, the same for all."""
    lines = (data_folder() / "trec_qc" / "train.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    labels = tuple(sorted({row["label"] for row in rows}))
    order = iter(np.random.default_rng(0).permutation(len(rows)))
    items: dict[str, list[Encoded]] = {}
    for split, size in SIZES.items():
        chosen = [rows[next(order)] for _ in range(size)]
        items[split] = [
            Encoded(
                tokens=np.asarray(tokenizer(row["text"])["input_ids"], np.int32), target=labels.index(row["label"]), row=place
            )
            for place, row in enumerate(chosen)
        ]
    return Set(items=items, labels=labels, pad=int(tokenizer.pad_token_id))


def run(name: str, setting: Setting, seed: int, rows: Set, out: Path) -> dict[str, Any]:
    """One training, where it isn't there yet: its curve, and loss and hit of every row of every split."""
    record = out / f"{name} {setting.settings.rate:g} s{seed}.json".replace(" ", "-")
    if not record.is_file():
        write_json(record, trained(setting, seed, rows, record.with_suffix("")))
        print(record.stem, {split: round(float(np.mean(read_json(record)[split][0])), 4) for split in SIZES}, flush=True)
    found: dict[str, Any] = read_json(record)
    return found


def trained(setting: Setting, seed: int, rows: Set, work: Path) -> dict[str, Any]:
    """The planned steps, then every split scored with the last weights."""
    from transformers import AutoModel

    trunk = AutoModel.from_pretrained(EMBEDDED, local_files_only=True, dtype=torch.float32)
    network = Network(trunk, "label", outputs=len(rows.labels), pooling="mean", dropout=setting.dropout, seed=seed)
    for module in network.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = setting.dropout
    device = plan_device("cpu")
    steps = EPOCHS * -(-SIZES["train"] // BATCH)
    plan = TrainingPlan(steps=steps, batch_rows=BATCH, evaluate_every=steps, seconds_per_step=0, budget_seconds=0)
    lent = Lent(
        device=device, pad=rows.pad, seed=seed, folder=work, validate=lambda: 0.0, note=lambda **_: None, stop=lambda: False
    )
    training = train(network, rows.items["train"], setting.settings, plan, lent)
    scored = {split: losses(answers(network, items, device, rows.pad), items) for split, items in rows.items.items()}
    return {"curve": list(training.curve), **scored}


def losses(logits: Sequence[Any], items: Sequence[Encoded]) -> list[list[float]]:
    """Per row: -log p of its label, and whether that is the likeliest."""
    targets = torch.tensor([item.target for item in items])
    table = torch.tensor(np.stack(logits))
    loss = torch.nn.functional.cross_entropy(table, targets, reduction="none")
    return [loss.tolist(), (table.argmax(-1) == targets).float().tolist()]


def statistics(runs: Sequence[Mapping[str, Any]], split: str, place: int) -> RowStatistics:
    """(seeds, rows, 2): of every row its loss (place 0) or hit (place 1), and the 1 by which a mean is divided."""
    values = np.array([found[split][place] for found in runs])
    return RowStatistics(values=np.stack([values, np.ones_like(values)], axis=-1))


def summary(runs: Sequence[Mapping[str, Any]], against: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Means over seeds with 95 % intervals over rows: test minus train loss, and what changed on test rows."""
    parts = {f"{split}_loss": float(np.mean([found[split][0] for found in runs])) for split in SIZES}
    gap = unpaired_difference(statistics(runs, "test", 0), statistics(runs, "train", 0), LOSS)
    loss = paired_difference(statistics(runs, "test", 0), statistics(against, "test", 0), LOSS)
    hits = paired_difference(statistics(runs, "test", 1), statistics(against, "test", 1), ACCURACY)
    changes = {"gap": bounds(gap), "loss_change": bounds(loss), "accuracy_change": bounds(hits)}
    accuracies = [float(np.mean(found["test"][1])) for found in runs]
    return {**parts, **changes, "accuracy": float(np.mean(accuracies)), "accuracy_by_seed": accuracies}


def main() -> None:
    from transformers import AutoTokenizer
    from transformers.utils import logging

    logging.set_verbosity_error()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.regularisation", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("runs/regularisation"))
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    rows = small_set(AutoTokenizer.from_pretrained(EMBEDDED, local_files_only=True))
    regularised = {name: [run(name, setting, seed, rows, out) for seed in range(SEEDS)] for name, setting in REGULARISERS.items()}
    optimized, chosen = {}, {}
    for name, rates in RATES.items():
        first = {rate: run(name, optimizer(name, rate), 0, rows, out) for rate in rates}
        chosen[name] = min(rates, key=lambda rate: float(np.mean(first[rate]["validation"][0])))
        optimized[name] = [run(name, optimizer(name, chosen[name]), seed, rows, out) for seed in range(SEEDS)]
    result = {
        "command": "python -m benchmarks.regularisation",
        "rows": SIZES,
        "epochs": EPOCHS,
        "regularisers": {name: summary(runs, regularised["none"]) for name, runs in regularised.items()},
        "optimizers": {
            name: {**summary(runs, optimized["Adam"]), "rate": chosen[name], "rates": RATES[name], "curves": curves(runs)}
            for name, runs in optimized.items()
        },
    }
    write_json(RESULT, result)
    print(f"wrote {RESULT}; `make docs` puts the tables into docs/results.md")


def curves(runs: Sequence[Mapping[str, Any]]) -> list[list[float]]:
    """[step, train loss], averaged over seeds."""
    points = zip(*(found["curve"] for found in runs), strict=True)
    return [[point[0]["step"], float(np.mean([part["loss"] for part in point]))] for point in points]


if __name__ == "__main__":
    main()
