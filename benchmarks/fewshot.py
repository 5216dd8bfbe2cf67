"""Four labels after a prompt with worked examples, through the method's own model: shared reading against a pass a label."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from accordeur.example import Example
from accordeur.models._asking import Shots, prompts_of
from accordeur.models.asked import Asked
from accordeur.task import Task
from accordeur.training.device import plan_device
from benchmarks import _data
from benchmarks._worker import Work

PREFIX = 400  # tokens that the worked examples have, about
POOL = 500


def task(rows: int) -> Task:
    """News of four topics."""
    path = _data.data_folder() / "ag_news" / "train.jsonl"
    table = [json.loads(line) for line in path.read_text("utf-8").splitlines()[: POOL + rows]]
    examples = tuple(Example(id=row["id"], given={"text": row["text"]}, expected=row["label"]) for row in table)
    labels = tuple(sorted({row.expected for row in examples}))
    train, test = examples[:POOL], examples[POOL:]
    return Task(name="news", kind="classify", train=train, validation=(), test=test, metrics=("accuracy",), labels=labels)


def asked(rows: int, fixed: bool) -> Asked:
    """The model that method `fewshot` ends in, with as many examples as make the prefix."""
    given, base = task(rows), _data.saved(_data.small_decoder(), Path(tempfile.mkdtemp()))
    coder = base.tokenizer()
    mean = float(np.mean([len(coder.encode(row.text())) + 10 for row in given.train]))
    count = max(1, round(PREFIX / mean))
    prompt = next(one for one in prompts_of(given) if one.name.startswith("role"))
    shots = Shots(choice="fixed" if fixed else "nearest", count=count, pool=tuple(given.train[: count if fixed else POOL]))
    model = Asked(given, base, prompt, shots, plan_device("cpu", threads=torch.get_num_threads()), {})
    model.loaded  # noqa: B018  (read the weights before the clock starts)
    return model


def ours(rows: int, fixed: bool) -> Callable[[], Work]:
    model, given = asked(rows, fixed), task(rows)
    model.shots.nearest(given.test[:1])  # the index of the neighbours is made before the clock starts

    def work() -> Work:
        model.predict(given.test)
        return Work(units=len(given.test))

    return work


def naive(model: torch.nn.Module, prompt: Any, label: list[int]) -> float:
    """What anyone would write: the whole text, the whole table of logits, the label's tokens picked out of it."""
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([[*map(int, prompt), *label]])).logits[0, len(prompt) - 1 : -1]
    return float(logits.log_softmax(-1)[torch.arange(len(label)), torch.tensor(label)].sum())


def naive_scores(model: Asked, rows: Sequence[Example]) -> np.ndarray[Any, Any]:
    """(rows, labels): mean log-probability of each label's tokens, label by label."""
    trunk, codec = model.loaded
    labels = [codec.plain(f" {label}") for label in model.task.labels]
    prompts = model.prompt_ids(rows)
    return np.array([[naive(trunk, prompt, label) / len(label) for label in labels] for prompt in prompts])


def peer(rows: int, fixed: bool) -> Callable[[], Work]:
    model, given = asked(rows, fixed), task(rows)
    model.shots.nearest(given.test[:1])

    def work() -> Work:
        naive_scores(model, given.test).argmax(1)
        return Work(units=len(given.test))

    return work


def gate(rows: int, fixed: bool) -> dict[str, Any]:
    """Scores have no gradient: the largest difference is that of the labels' probabilities, the cosine theirs too."""
    model, given = asked(rows, fixed), task(rows)
    test = given.test[:8]
    found = model.label_scores(test)
    means = naive_scores(model, test)
    expected = np.exp(means - means.max(1, keepdims=True))
    expected /= expected.sum(1, keepdims=True)
    cosine = float((found * expected).sum() / np.sqrt((found**2).sum() * (expected**2).sum()))
    lengths = [len(ids) for ids in model.prompt_ids(test)]
    return {"loss_difference": float(np.abs(found - expected).max()), "cosine": cosine, "tokens": float(np.mean(lengths))}


SIDES = {"ours": ours, "peer": peer, "gate": gate}
