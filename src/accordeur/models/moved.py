"""A base together with what moved in it: low-rank adapters, some layers or all of them, and a head where there is one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.torch import load_file, save_file

from accordeur.adapted import AdaptedModel, FloatArray, Message, Prediction, Token, TokenLogProbs, describe, label_log_probs
from accordeur.base import Base
from accordeur.errors import ModelError
from accordeur.example import Encoded, Example
from accordeur.models._saved import plain_base, plain_task, read_base, read_task
from accordeur.models._surgery import Surgery, operate, save_ecosystem
from accordeur.models._vectors import text_items
from accordeur.models._writing import answer_limit, stream_text, write_texts
from accordeur.plan import DevicePlan, Sampling
from accordeur.task import Task
from accordeur.tasks import Codec, kind_of
from accordeur.training import scoring
from accordeur.training.device import plan_device
from accordeur.training.features import encode
from accordeur.training.network import Network
from accordeur.training.trainable import count, load_moved, moved_tensors

MOVED_FILE = "moved.safetensors"
WRITTEN = ("causal", "seq2seq", "masked")  # forms that need the base's own language head


class Moved(AdaptedModel):
    """A network whose moved tensors are all that is saved."""

    def __init__(
        self,
        task: Task,
        base: Base,
        network: Network,
        surgery: Surgery,
        device: DevicePlan,
        *,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        self.task = task.frame()
        self.base = base
        self.network = network
        self.surgery = surgery
        self.device = device
        self._facts = dict(facts or {})
        self.codec = Codec(tokenizer=base.tokenizer(), family=base.family, max_length=task.max_length)

    def with_facts(self, **facts: Any) -> Moved:
        """The same model with more facts for the record."""
        return Moved(self.task, self.base, self.network, self.surgery, self.device, facts={**self._facts, **facts})

    def items(self, examples: Sequence[Example]) -> list[Encoded]:
        """All windows of all rows, as ids."""
        kind = kind_of(self.task.kind)
        return [item for row, example in enumerate(examples) for item in kind.encode(example, row, self.task, self.codec)]

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """By the head where there is one, else by writing."""
        kind = kind_of(self.task.kind)
        if self.network.form in ("causal", "seq2seq"):
            prompts, limit = self.prompts(examples), answer_limit(self._facts)
            texts = write_texts(self.network.trunk, prompts, self.codec, self.device, limit, beams=self.task.beams)
            return [Prediction(output=kind.read(text, self.task, example)) for text, example in zip(texts, examples, strict=True)]
        items = self.items(examples)
        answers = scoring.answers(self.network, items, self.device, self.codec.pad)
        by_row: list[list[FloatArray]] = [[] for _ in examples]
        for item, answer in zip(items, answers, strict=True):
            by_row[item.row].append(answer)
        return [kind.decode(example, found, self.task, self.codec) for example, found in zip(examples, by_row, strict=True)]

    def prompts(self, examples: Sequence[Example]) -> list[Encoded]:
        """What is given, as ids, without any answer."""
        kind = kind_of(self.task.kind)
        return [kind.prompt(example, row, self.task, self.codec) for row, example in enumerate(examples)]

    def log_probs(self, examples: Sequence[Example]) -> list[TokenLogProbs]:
        """Of the expected answers: token by token for texts, one number for a label."""
        if self.network.form == "label":
            return label_log_probs(self.predict(examples), examples)
        items = self.items(examples)
        by_row: list[list[FloatArray]] = [[] for _ in examples]
        for item, found in zip(items, scoring.log_probs(self.network, items, self.device, self.codec.pad), strict=True):
            by_row[item.row].append(found)
        pairs = zip(examples, by_row, strict=True)
        return [TokenLogProbs(log_probs=np.concatenate(parts), characters=len(str(example.expected))) for example, parts in pairs]

    def features(self, texts: Sequence[str]) -> FloatArray:
        """Sentence vectors of the moved trunk, by the base's own pooling."""
        return encode(self.network.trunk, text_items(texts, self.codec), self.base.pooling, self.device, self.codec.pad)

    def stream(self, messages: Sequence[Message], sampling: Sampling) -> Iterator[Token]:
        """Writes token by token."""
        return stream_text(self.network.trunk, messages, self.task, self.codec, sampling)

    def save(self, folder: Path) -> None:
        """What moved, as safetensors, and where the ecosystem has a format for it in that format too."""
        tensors = moved_tensors(self.network)
        kept = save_ecosystem(folder, self.network, self.surgery, self.base)
        rest = {name: tensor.cpu().contiguous() for name, tensor in tensors.items() if name not in kept}
        save_file(rest, folder / MOVED_FILE)
        describe(
            folder,
            "moved",
            task=plain_task(self.task),
            base=plain_base(self.base),
            network={"form": self.network.form, "outputs": self.network.outputs, "pooling": self.network.pooling},
            surgery=asdict(self.surgery),
            facts=self._facts,
        )

    def facts(self) -> Mapping[str, Any]:
        """How much moved, and how the training went."""
        written = self.network.form in WRITTEN
        own = {"trainable_parameters": count(self.network).moving, "moves_base": True, "language_head": written}
        return {**own, **self._facts}


def build_network(  # noqa: PLR0913  (one call, its arguments named)
    task: Task,
    base: Base,
    surgery: Surgery,
    *,
    pooling: str = "own",
    dropout: float = 0.1,
    seed: int = 0,
    trunk: Any = None,
) -> Network:
    """The base in the form that the kind asks for, prepared so that only what should move can; a fresh copy unless lent one."""
    kind = kind_of(task.kind)
    form, outputs = kind.form(base.family, task), kind.outputs(task)
    if trunk is None:
        trunk, _ = base.load(language_head=form in WRITTEN)
    pooling = base.pooling if pooling == "own" else pooling
    network = Network(trunk, form, outputs=outputs, pooling=pooling, dropout=dropout, seed=seed)
    operate(network, surgery)
    return network


def open_model(folder: Path, described: Mapping[str, Any], base: Base | None = None, device: DevicePlan | None = None) -> Moved:
    """Reopens a saved one on the very base it was made from."""
    found = read_base(described["base"], base, folder)
    surgery = Surgery(**described["surgery"])
    network = build_network(read_task(described["task"]), found, surgery, pooling=described["network"]["pooling"])
    fill(network, surgery, folder, described)
    return Moved(read_task(described["task"]), found, network, surgery, device or plan_device(), facts=described["facts"])


def fill(network: Network, surgery: Surgery, folder: Path, described: Mapping[str, Any]) -> None:
    """Writes what was saved into a network prepared the same way."""
    if network.outputs != described["network"]["outputs"]:
        raise ModelError(f"{folder}: a head of {described['network']['outputs']} outputs, this kind makes {network.outputs}")
    tensors = {**load_file(folder / MOVED_FILE), **surgery.load_ecosystem(folder)}
    try:
        load_moved(network, tensors)
    except ValueError as fault:
        raise ModelError(f"{folder / MOVED_FILE} does not fit its base: {fault}") from fault
    missing = sorted(set(moved_tensors(network)) - set(tensors))
    if missing:
        raise ModelError(f"{folder / MOVED_FILE} lacks {', '.join(missing[:5])}")
    network.eval()
