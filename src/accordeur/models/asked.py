"""A base behind a prompt: nothing moved, it is only asked, with or without worked examples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from accordeur.adapted import AdaptedModel, FloatArray, Message, Prediction, Token, TokenLogProbs, describe, label_log_probs
from accordeur.base import Base
from accordeur.errors import NotApplicable
from accordeur.example import Encoded, Example, IntArray
from accordeur.models._asking import Prompt, Shots, questions
from accordeur.models._saved import plain_base, plain_task, read_base, read_task
from accordeur.models._vectors import text_items
from accordeur.models._writing import answer_limit, fitted, positions, stream_text, write_texts
from accordeur.plan import DevicePlan, Sampling
from accordeur.store import read_json, write_json
from accordeur.task import Task
from accordeur.tasks import Codec, kind_of
from accordeur.tasks.classify import labelled
from accordeur.tasks.write import answer_ids, answered_item, opening_ids
from accordeur.training.choices import choice_log_probs
from accordeur.training.device import plan_device
from accordeur.training.features import encode
from accordeur.training.network import Network
from accordeur.training.prefix import answer_log_probs

SHOTS_FILE = "shots.json"


class Asked(AdaptedModel):
    """A decoder or encoder-decoder that answers prompts: labels by their likelihood, texts by writing them."""

    def __init__(
        self, task: Task, base: Base, prompt: Prompt, shots: Shots, device: DevicePlan, facts: Mapping[str, Any]
    ) -> None:
        self.task = task.frame()
        self.base = base
        self.prompt = prompt
        self.shots = shots
        self.device = device
        self._facts = dict(facts)

    @cached_property
    def loaded(self) -> tuple[Any, Codec]:
        """(model with its language head, codec), loaded at first use."""
        model, tokenizer = self.base.load()
        return model, Codec(tokenizer=tokenizer, family=self.base.family, max_length=self.task.max_length)

    def asking(self, prompt: Prompt, shots: Shots) -> Asked:
        """The same loaded base behind another prompt."""
        other = Asked(self.task, self.base, prompt, shots, self.device, self._facts)
        other.__dict__["loaded"] = self.loaded
        return other

    def with_facts(self, **facts: Any) -> Asked:
        """The same model with more facts for the record."""
        other = self.asking(self.prompt, self.shots)
        other._facts = {**self._facts, **facts}
        return other

    def prompt_ids(self, examples: Sequence[Example]) -> list[IntArray]:
        """Every question as ids: a user's turn where the base has a chat template. Its beginning gives way when too long."""
        model, codec = self.loaded
        room, wanted = positions(model), answer_limit(self._facts)
        texts = questions(examples, self.prompt, self.shots, self.task)
        return [np.asarray(fitted(question_ids(text, codec), room, wanted), np.int32) for text in texts]

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """Labels: softmax over the mean log-probability per token of each label. Texts: greedy."""
        model, codec = self.loaded
        if self.task.kind == "classify" and self.task.labels:
            scores = self.label_scores(examples)
            return [labelled(row, self.task.labels) for row in scores]
        kind = kind_of(self.task.kind)
        prompts = [Encoded(tokens=ids) for ids in self.prompt_ids(examples)]
        texts = write_texts(model, prompts, codec, self.device, answer_limit(self._facts))
        return [Prediction(output=kind.read(text, self.task, example)) for text, example in zip(texts, examples, strict=True)]

    def label_scores(self, examples: Sequence[Example]) -> FloatArray:
        """(rows, labels): probabilities. The mean over tokens keeps long labels from being punished for their length."""
        model, codec = self.loaded
        continuations = [codec.plain(f" {label}") for label in self.task.labels]
        sums = choice_log_probs(model, self.prompt_ids(examples), continuations, self.device, codec.pad)
        means = sums / np.asarray([len(ids) for ids in continuations], np.float32)
        exponentials = np.exp(means - means.max(axis=1, keepdims=True))
        return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True), np.float32)

    def log_probs(self, examples: Sequence[Example]) -> list[TokenLogProbs]:
        """Of the expected answers behind this prompt."""
        if self.task.kind == "classify" and self.task.labels:
            return label_log_probs(self.predict(examples), examples)
        model, codec = self.loaded
        pairs = zip(examples, self.prompt_ids(examples), strict=True)
        wide = Codec(tokenizer=codec.tokenizer, family=codec.family, max_length=positions(model) or 1_000_000)
        items = [answered_item(ids, answer_ids(example, codec), row, wide) for row, (example, ids) in enumerate(pairs)]
        network = Network(model, "seq2seq" if self.base.family == "encoder-decoder" else "causal")
        found = answer_log_probs(network, items, self.device, codec.pad)
        return [
            TokenLogProbs(log_probs=row, characters=len(str(example.expected)))
            for example, row in zip(examples, found, strict=True)
        ]

    def features(self, texts: Sequence[str]) -> FloatArray:
        """The base's own sentence vectors."""
        model, codec = self.loaded
        return encode(model.base_model, text_items(texts, codec), self.base.pooling, self.device, codec.pad)

    def stream(self, messages: Sequence[Message], sampling: Sampling) -> Iterator[Token]:
        """The base itself, token by token."""
        model, codec = self.loaded
        return stream_text(model, messages, self.task, codec, sampling)

    def save(self, folder: Path) -> None:
        """The prompt and the worked examples."""
        pool = [{"id": shot.id, "given": dict(shot.given), "expected": shot.expected} for shot in self.shots.pool]
        write_json(folder / SHOTS_FILE, {"choice": self.shots.choice, "count": self.shots.count, "pool": pool})
        base = plain_base(self.base)
        describe(folder, "asked", task=plain_task(self.task), base=base, prompt=asdict(self.prompt), facts=self._facts)

    def facts(self) -> Mapping[str, Any]:
        """Nothing was trained."""
        return {**self._facts, "trainable_parameters": 0, "moves_base": False, "prompt": self.prompt.name}


def question_ids(text: str, codec: Codec) -> list[int]:
    """A question as ids, as the family and the base's chat template want it."""
    if getattr(codec.tokenizer, "chat_template", None):
        turn = [{"role": "user", "content": text}]
        return [int(token) for token in codec.tokenizer.apply_chat_template(turn, add_generation_prompt=True, return_dict=False)]
    if codec.family == "encoder-decoder":
        return [int(token) for token in codec.framed(text)[0]]
    return [*opening_ids(codec), *codec.plain(text)] or [codec.end]


def open_shots(folder: Path) -> Shots:
    """The worked examples of a saved model."""
    values = read_json(folder / SHOTS_FILE)
    pool = tuple(Example(id=row["id"], given=row["given"], expected=row["expected"]) for row in values["pool"])
    return Shots(choice=values["choice"], count=values["count"], pool=pool)


def open_model(
    folder: Path, described: Mapping[str, Any], base: Base | None = None, device: DevicePlan | None = None
) -> AdaptedModel:
    """Reopens a saved one."""
    task, found = read_task(described["task"]), read_base(described["base"], base)
    if found.family == "encoder":
        raise NotApplicable("an encoder is not asked in words")
    return Asked(task, found, Prompt(**described["prompt"]), open_shots(folder), device or plan_device(), described["facts"])
