"""A head on frozen MiniLM, ten epochs' worth: vectors made once against a trainer that makes them in every epoch."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from accordeur.base import Base, default_encoder
from accordeur.context import Context
from accordeur.example import Example
from accordeur.methods.head import Head
from accordeur.models._vectors import Vectors, text_items
from accordeur.models.kept import kept
from accordeur.plan import DevicePlan
from accordeur.task import Task
from accordeur.training.device import plan_device
from benchmarks import _data
from benchmarks._worker import Work

EPOCHS, BATCH, LIMIT, HELD_OUT = 10, 16, 256, 400
TIMES = 8  # times as many rows as the benchmarks of decoders: messages are short
NOT_WORSE = 0.03  # of held-out accuracy: the tolerance of a comparison


def task(rows: int) -> Task:
    """Messages; the held-out ones are of no use to either side but for the gate."""
    path = _data.data_folder() / "sms_spam" / "train.jsonl"
    table = [json.loads(line) for line in path.read_text("utf-8").splitlines()[: TIMES * rows + HELD_OUT]]
    examples = tuple(
        Example(id=str(place), given={"text": row["text"]}, expected=str(row["label"])) for place, row in enumerate(table)
    )
    labels = tuple(sorted({row.expected for row in examples}))
    train, test = examples[: TIMES * rows], examples[TIMES * rows :]
    return Task(
        name="sms", kind="classify", train=train, validation=(), test=test, metrics=("accuracy",), labels=labels, max_length=LIMIT
    )


def fitted(given: Task, base: Base) -> Any:
    device = plan_device("cpu", threads=torch.get_num_threads())
    with tempfile.TemporaryDirectory() as folder:
        context = Context(seed=0, folder=Path(folder) / "work", cache=Path(folder) / "cache", device=device)
        return Head().fit(given, base, context)


def ours(rows: int) -> Callable[[], Work]:
    """Reading the weights is on neither side's clock; tokenising is on ours, not on the peer's."""
    given, base = task(rows), kept(default_encoder(), DevicePlan())
    fitted(replace(given, train=given.train[:32]), base)

    def work() -> Work:
        fitted(given, base)
        return Work(units=EPOCHS * len(given.train))

    return work


class Frozen(nn.Module):
    """The encoder as it is, its mean-pooled vectors and a linear head: what moves is the head alone."""

    def __init__(self, labels: int) -> None:
        super().__init__()
        from transformers import AutoModel

        self.trunk = AutoModel.from_pretrained(default_encoder().path, dtype=torch.float32).requires_grad_(False)
        self.head = nn.Linear(self.trunk.config.hidden_size, labels)

    def vectors(self, input_ids: Any, attention_mask: Any) -> Any:
        """Means over real tokens, of length one."""
        hidden = self.trunk(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        mask = attention_mask[..., None].to(hidden.dtype)
        return nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1), dim=-1)

    def forward(self, input_ids: Any, attention_mask: Any, labels: Any = None, **_: Any) -> dict[str, Any]:
        """What the trainer asks for."""
        logits = self.head(self.vectors(input_ids, attention_mask))
        loss = None if labels is None else nn.functional.cross_entropy(logits, labels)
        return {"loss": loss, "logits": logits}


def trainer(given: Task) -> Any:
    """The usual one: rows tokenised once, padded batch by batch, the encoder run again in every epoch."""
    from datasets import Dataset
    from transformers import AutoTokenizer, DataCollatorWithPadding, Trainer, TrainingArguments

    coder = AutoTokenizer.from_pretrained(default_encoder().path)

    def encode(part: Any) -> Any:
        texts = [row.given["text"] for row in part]
        labels = [given.labels.index(row.expected) for row in part]
        return Dataset.from_dict({**coder(texts, truncation=True, max_length=LIMIT), "labels": labels})

    arguments = TrainingArguments(
        output_dir=tempfile.mkdtemp(),
        per_device_train_batch_size=BATCH,
        per_device_eval_batch_size=64,
        num_train_epochs=EPOCHS,
        learning_rate=1e-2,
        report_to="none",
        save_strategy="no",
        use_cpu=True,
        disable_tqdm=True,
    )
    torch.manual_seed(0)
    return Trainer(
        model=Frozen(len(given.labels)),
        args=arguments,
        train_dataset=encode(given.train),
        eval_dataset=encode(given.test),
        data_collator=DataCollatorWithPadding(coder),
    )


def peer(rows: int) -> Callable[[], Work]:
    given = task(rows)
    made = trainer(given)

    def work() -> Work:
        made.train()
        return Work(units=EPOCHS * len(given.train))

    return work


def gate(rows: int) -> dict[str, Any]:
    """The vectors are those of plain transformers, and the head that is fitted on them is not worse on held-out rows."""
    given = task(rows)
    vectors = Vectors(base=default_encoder(), pooling="mean", device=plan_device("cpu", threads=torch.get_num_threads()))
    texts = [row.given["text"] for row in given.test[:64]]
    found = vectors.of_items(text_items(texts, vectors.codec(LIMIT)))
    made = trainer(given)
    plain = made.model.eval()
    with torch.no_grad():
        expected = np.concatenate(
            [plain.vectors(**vectors.codec(LIMIT).tokenizer(text, return_tensors="pt", truncation=True, max_length=LIMIT,
             return_token_type_ids=False)).numpy() for text in texts]
        )  # fmt: skip
    made.train()
    theirs = float((made.predict(made.eval_dataset).predictions.argmax(1) == made.eval_dataset["labels"]).mean())
    model = fitted(given, default_encoder())
    own = float(np.mean([one.output == row.expected for one, row in zip(model.predict(given.test), given.test, strict=True)]))
    cosine = float((found * expected).sum() / np.sqrt((found**2).sum() * (expected**2).sum()))
    return {
        "loss_difference": float(np.abs(found - expected).max()),
        "cosine": cosine,
        "accuracy": own,
        "accuracy_peer": theirs,
        "holds": own >= theirs - NOT_WORSE,
    }


SIDES = {"ours": ours, "peer": peer, "gate": gate}
