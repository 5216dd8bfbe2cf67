"""A model behind an OpenAI-compatible address: it can be asked, never trained."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

from accordeur.adapted import AdaptedModel, FloatArray, Message, Prediction, Token, TokenLogProbs, describe
from accordeur.base import Base
from accordeur.errors import ModelError, NotApplicable
from accordeur.example import Example
from accordeur.models._asking import Prompt, Shots, questions, read_answers
from accordeur.models._saved import plain_base, plain_task, read_base, read_task
from accordeur.models.asked import open_shots, save_shots
from accordeur.plan import DevicePlan, Sampling
from accordeur.task import Task

TIMEOUT = 120  # seconds for one answer
TRIES = 3
AT_ONCE = 4  # requests in flight
KEY_VARIABLES = ("ACCORDEUR_API_KEY", "OPENAI_API_KEY")


class Served(AdaptedModel):
    """Answers come over the network, only because the user gave the address. The key is read from the environment, never kept."""

    def __init__(self, task: Task, base: Base, prompt: Prompt, shots: Shots, facts: Mapping[str, Any]) -> None:
        self.task = task.frame()
        self.base = base
        self.prompt = prompt
        self.shots = shots
        self._facts = dict(facts)

    def asking(self, prompt: Prompt, shots: Shots) -> Served:
        """The same server behind another prompt."""
        return Served(self.task, self.base, prompt, shots, self._facts)

    def with_facts(self, **facts: Any) -> Served:
        """The same model with more facts for the record."""
        return Served(self.task, self.base, self.prompt, self.shots, {**self._facts, **facts})

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """What the server writes, read as the kind reads written answers. No probabilities."""
        shown = self.shots.of(examples)
        texts = questions(examples, self.prompt, shown, self.task)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(lambda text: self.ask([{"role": "user", "content": text}], Sampling()), texts))
        return read_answers(answers, examples, shown, self.task)

    def ask(self, messages: Sequence[Mapping[str, str]], sampling: Sampling) -> str:
        """One answer of the server."""
        body = {
            "model": self._facts.get("model") or served_model(self.base.name),
            "messages": list(messages),
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "max_tokens": sampling.max_new_tokens,
            "seed": sampling.seed,
        }
        reply = request(f"{address(self.base.name)}/chat/completions", body)
        try:
            return str(reply["choices"][0]["message"]["content"] or "")
        except (KeyError, IndexError, TypeError) as fault:
            raise ModelError(f"{self.base.name} answered without choices[0].message.content: {str(reply)[:200]}") from fault

    def log_probs(self, examples: Sequence[Example]) -> list[TokenLogProbs]:
        """None: such servers don't score a given answer."""
        raise NotApplicable("a served model does not score a given answer")

    def features(self, texts: Sequence[str]) -> FloatArray:
        """None."""
        raise NotApplicable("a served model gives no sentence vectors here")

    def stream(self, messages: Sequence[Message], sampling: Sampling) -> Iterator[Token]:
        """The whole answer as one piece."""
        yield Token(text=self.ask([asdict(message) for message in messages], sampling), log_prob=0.0)

    def save(self, folder: Path) -> None:
        """The address, the prompt and the worked examples; never a key."""
        save_shots(self.shots, folder)
        base = plain_base(self.base)
        describe(folder, "served", task=plain_task(self.task), base=base, prompt=asdict(self.prompt), facts=self._facts)

    def facts(self) -> Mapping[str, Any]:
        """Nothing was trained."""
        return {**self._facts, "trainable_parameters": 0, "moves_base": False, "prompt": self.prompt.name}


def address(url: str) -> str:
    """The address without the `#model` that may stand behind it, and without a closing slash."""
    return url.partition("#")[0].rstrip("/")


def served_model(url: str) -> str:
    """The model asked for: what stands behind `#`, else the first one that the server lists."""
    chosen = url.partition("#")[2]
    if chosen:
        return chosen
    listed = request(f"{address(url)}/models").get("data") or []
    if not listed:
        raise ModelError(f"{url} lists no model", hint="name one behind the address: http://host:port/v1#name")
    return str(listed[0]["id"])


def request(url: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """One JSON exchange, tried a few times where the server is overloaded."""
    key = next((os.environ[name] for name in KEY_VARIABLES if os.environ.get(name)), None)
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}
    data = None if body is None else json.dumps(body).encode()
    for trial in range(TRIES):
        try:
            with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=TIMEOUT) as reply:
                found: dict[str, Any] = json.loads(reply.read())
                return found
        except urllib.error.HTTPError as fault:
            if fault.code not in (429, 500, 502, 503, 504) or trial == TRIES - 1:
                raise ModelError(
                    f"{url} answered {fault.code}: {fault.reason}", hint="check the address, the model and the key"
                ) from fault
        except (OSError, ValueError) as fault:
            raise ModelError(
                f"{url} can't be reached or does not answer in JSON: {fault}", hint="is the server running?"
            ) from fault
    raise AssertionError("unreachable")


def open_model(folder: Path, described: Mapping[str, Any], base: Base | None = None, device: DevicePlan | None = None) -> Served:
    """Reopens a saved one."""
    found = read_base(described["base"], base)
    return Served(read_task(described["task"]), found, Prompt(**described["prompt"]), open_shots(folder), described["facts"])
