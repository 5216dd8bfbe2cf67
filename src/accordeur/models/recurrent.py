"""An LSTM over a base's tokens, for raw text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.torch import load_file, save_file

from accordeur.adapted import AdaptedModel, FloatArray, Message, Prediction, Token, TokenLogProbs, describe
from accordeur.base import Base
from accordeur.errors import NotApplicable
from accordeur.example import Encoded, Example
from accordeur.models._saved import plain_base, plain_task, read_base, read_task
from accordeur.plan import DevicePlan, Sampling
from accordeur.task import Task
from accordeur.tasks import Codec, kind_of
from accordeur.training.device import plan_device
from accordeur.training.lstm import LstmNetwork, LstmShape
from accordeur.training.scoring import log_probs

WEIGHTS = "lstm.safetensors"


class RecurrentText(AdaptedModel):
    """A trained LSTM language model; texts are cut into the same windows as for the base itself."""

    def __init__(self, network: LstmNetwork, task: Task, base: Base, device: DevicePlan) -> None:
        self.network = network
        self.task = task.frame()
        self.base = base
        self.device = device
        self.codec = Codec(tokenizer=base.tokenizer(), family=base.family, max_length=task.max_length)
        self.known: dict[str, Any] = {}

    def items(self, examples: Sequence[Example]) -> list[Encoded]:
        """The windows of all texts, each with the number of its text."""
        kind = kind_of(self.task.kind)
        return [item for row, example in enumerate(examples) for item in kind.encode(example, row, self.task, self.codec)]

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """None."""
        raise NotApplicable("a language model of raw text scores, it answers nothing")

    def log_probs(self, examples: Sequence[Example]) -> list[TokenLogProbs]:
        """Of every token of the texts."""
        items = self.items(examples)
        scored = log_probs(self.network, items, self.device, self.codec.pad)
        parts: list[list[FloatArray]] = [[np.zeros(0, np.float32)] for _ in examples]
        for item, values in zip(items, scored, strict=True):
            parts[item.row].append(values)
        return [
            TokenLogProbs(log_probs=np.concatenate(values), characters=len(str(example.expected)))
            for values, example in zip(parts, examples, strict=True)
        ]

    def features(self, texts: Sequence[str]) -> FloatArray:
        """None."""
        raise NotApplicable("this model has no sentence vectors")

    def stream(self, messages: Sequence[Message], sampling: Sampling) -> Iterator[Token]:
        """None."""
        raise NotApplicable("a language model of raw text does not converse")

    def save(self, folder: Path) -> None:
        """All its weights: nothing of the base but its tokenizer is used."""
        save_file({name: tensor.cpu().contiguous() for name, tensor in self.network.state_dict().items()}, folder / WEIGHTS)
        shape = asdict(self.network.shape)
        describe(folder, "recurrent", base=plain_base(self.base), task=plain_task(self.task), shape=shape, facts=self.known)

    def facts(self) -> Mapping[str, Any]:
        """How it was trained."""
        weights = sum(parameter.numel() for parameter in self.network.parameters())
        return {"trainable_parameters": weights, "moves_base": False, **self.known}


def open_model(folder: Path, described: Mapping[str, Any]) -> RecurrentText:
    """Reopens a saved one."""
    network = LstmNetwork(LstmShape(**described["shape"]))
    network.load_state_dict(load_file(folder / WEIGHTS))
    model = RecurrentText(network.eval(), read_task(described["task"]), read_base(described["base"]), plan_device())
    model.known = dict(described["facts"])
    return model
