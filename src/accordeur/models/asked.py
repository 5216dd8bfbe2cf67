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
from accordeur.models._asking import Prompt, Shots, questions, read_answers
from accordeur.models._saved import plain_base, plain_task, read_base, read_task
from accordeur.models._vectors import text_items
from accordeur.models._writing import MIN_ANSWER, answer_limit, fitted, positions, stream_text, write_texts
from accordeur.plan import DevicePlan, Sampling
from accordeur.store import read_json, write_json
from accordeur.task import Task
from accordeur.tasks import Codec
from accordeur.tasks.classify import labelled
from accordeur.tasks.write import answer_ids, answered_item, chat_ids, opening_ids
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
        self._cut: dict[tuple[str, str], bool] = {}  # by row, whether its question was too long to be read whole

    @cached_property
    def loaded(self) -> tuple[Any, Codec]:
        """(model with its language head, codec), loaded at first use."""
        model, tokenizer = self.base.load()
        return model, Codec(tokenizer=tokenizer, family=self.base.family, max_length=self.task.max_length)

    @cached_property
    def wide(self) -> Codec:
        """The codec of a base that no training has cut rows for: it reads as many tokens as it has positions."""
        model, codec = self.loaded
        return Codec(tokenizer=codec.tokenizer, family=codec.family, max_length=positions(model) or 1_000_000)

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

    def prompt_ids(
        self,
        examples: Sequence[Example],
        answers: Sequence[int] | None = None,
        shown: Sequence[Sequence[Example]] | None = None,
    ) -> list[IntArray]:
        """Every question as ids: a user's turn where the base has a chat template. shown: the worked examples, where known.

        One is cut only where it does not leave the tokens of its answer (MIN_ANSWER unless given); `facts` tells how many are.
        """
        texts = questions(examples, self.prompt, shown or self.shots.of(examples), self.task)
        found = []
        for example, text, answer in zip(examples, texts, answers or [MIN_ANSWER] * len(texts), strict=True):
            whole = question_ids(text, self.loaded[1])
            found.append(self.shortened(whole, answer))
            row = (example.place, example.id)
            self._cut[row] = self._cut.get(row, False) or len(found[-1]) < len(whole)
        return found

    def shortened(self, ids: Sequence[int], answer: int) -> IntArray:
        """A question that fits: worked examples give way first. An encoder-decoder's without any is cut as in training."""
        if self.base.family == "encoder-decoder" and not self.shots.count:
            return self.wide.cut(np.asarray(ids, np.int32))
        model, codec = self.loaded
        return np.asarray(fitted(ids, positions(model), answer, codec), np.int32)

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """Labels: softmax over the mean log-probability per token of each label. Texts: without examples of its own."""
        model, codec = self.loaded
        if self.task.kind == "classify" and self.task.labels:
            scores = self.label_scores(examples)
            return [labelled(row, self.task.labels) for row in scores]
        shown = self.shots.of(examples)
        prompts = [Encoded(tokens=ids) for ids in self.prompt_ids(examples, shown=shown)]
        written = write_texts(model, prompts, codec, self.device, answer_limit(self._facts), beams=self.task.beams)
        return read_answers(written, examples, shown, self.task)

    def label_scores(self, examples: Sequence[Example]) -> FloatArray:
        """(rows, labels): probabilities. The mean over tokens keeps long labels from being punished for their length.

        What the family puts before every answer, BART's <s>, is read before a label and counts for none.
        """
        model, codec = self.loaded
        labels = [codec.plain(f" {label}") for label in self.task.labels]
        before = codec.frame.before.tolist() if codec.family == "encoder-decoder" else []
        choices = [[*before, *ids] for ids in labels] + ([before] if before else [])
        prompts = self.prompt_ids(examples, [max(map(len, labels)) - 1] * len(examples))  # the last one isn't read
        sums = choice_log_probs(model, prompts, choices, self.device, codec.pad)
        sums = sums[:, :-1] - sums[:, -1:] if before else sums
        means = sums / np.asarray([len(ids) for ids in labels], np.float32)
        exponentials = np.exp(means - means.max(axis=1, keepdims=True))
        return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True), np.float32)

    def log_probs(self, examples: Sequence[Example]) -> list[TokenLogProbs]:
        """Of the expected answers behind this prompt."""
        if self.task.kind == "classify" and self.task.labels:
            return label_log_probs(self.predict(examples), examples)
        model, codec = self.loaded
        answers = [answer_ids(example, codec) for example in examples]
        pairs = zip(self.prompt_ids(examples, [len(answer) - 1 for answer in answers]), answers, strict=True)
        items = [answered_item(ids, answer, row, self.wide) for row, (ids, answer) in enumerate(pairs)]
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
        return stream_text(self.loaded[0], messages, self.task, self.wide, sampling)

    def save(self, folder: Path) -> None:
        """The prompt and the worked examples."""
        save_shots(self.shots, folder)
        base = plain_base(self.base)
        describe(folder, "asked", task=plain_task(self.task), base=base, prompt=asdict(self.prompt), facts=self._facts)

    def facts(self) -> Mapping[str, Any]:
        """Nothing was trained. `cut_rows` is the share of the rows asked so far that were too long to be read whole, if any."""
        share = sum(self._cut.values()) / max(1, len(self._cut))
        cut = {"cut_rows": share} if share else {}
        return {**self._facts, **cut, "trainable_parameters": 0, "moves_base": False, "prompt": self.prompt.name}


def question_ids(text: str, codec: Codec) -> list[int]:
    """A question as ids, as the family and the base's chat template want it."""
    if getattr(codec.tokenizer, "chat_template", None):
        return chat_ids([{"role": "user", "content": text}], codec)
    if codec.family == "encoder-decoder":
        return [int(token) for token in codec.framed(text)[0]]
    return [*opening_ids(codec), *codec.plain(text)] or [codec.end]


def save_shots(shots: Shots, folder: Path) -> None:
    """Writes the worked examples of a model."""
    pool = [{"id": shot.id, "given": dict(shot.given), "expected": shot.expected} for shot in shots.pool]
    write_json(folder / SHOTS_FILE, {"choice": shots.choice, "count": shots.count, "pool": pool})


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
