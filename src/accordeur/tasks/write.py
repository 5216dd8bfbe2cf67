"""Kind `write`: text to text, from instructions, questions or conversations."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from accordeur.adapted import FloatArray, Prediction
from accordeur.base import Family
from accordeur.data.template import render
from accordeur.errors import NotApplicable
from accordeur.example import IGNORED, Encoded, Example, Form, IntArray
from accordeur.task import Task
from accordeur.tasks._kind import Codec, Kind
from accordeur.tasks._text import BLEU, CHRF, EXACT_MATCH, NLL, ROUGE_L, TOKEN_F1

DEFAULT_TEMPLATE = "### Instruction:\n{{ instruction }}\n\n{% if input %}### Input:\n{{ input }}\n\n{% endif %}### Response:\n"
TURNS_TEMPLATE = (
    "{% for message in messages %}{% if message.role == 'system' %}{{ message.content }}\n\n"
    "{% elif message.role == 'user' %}### Instruction:\n{{ message.content }}\n\n"
    "{% else %}### Response:\n{{ message.content }}\n\n{% endif %}{% endfor %}### Response:\n"
)
PROMPTS = {
    "bare": "{{ instruction }}\n{% if input %}{{ input }}\n{% endif %}",
    "role-task-format": "{{ shots }}" + DEFAULT_TEMPLATE,
    "definitions": (
        "Below is an instruction that describes a task{% if input %}, with an input that gives context{% endif %}. "
        "The response does exactly what the instruction asks, and nothing else.\n\n{{ shots }}" + DEFAULT_TEMPLATE
    ),
    "step-by-step": (
        "Read the instruction{% if input %} and the input{% endif %} with care, think of what is asked, "
        "then write only the answer.\n\n{{ shots }}" + DEFAULT_TEMPLATE
    ),
}


MARK = "\ue000{}\ue001"  # stands for a turn while the template is filled: two signs of the private use area
MARKED = re.compile("\ue000(\\d+)\ue001")
TRANSLATES = re.compile(r"\W*(translate|traduis|traduisez|traduire|traduction)\b", re.IGNORECASE)


def prompt_text(example: Example, template: str | None) -> str:
    """What is given as one string, by the user's template or the default one (instructions, or turns of a conversation)."""
    fallback = TURNS_TEMPLATE if "messages" in example.given else DEFAULT_TEMPLATE
    return render(template or fallback, example.given)


def prompt_ids(example: Example, task: Task, codec: Codec) -> IntArray:
    """The prompt as ids: by the base's own chat template where it has one and the user gave none, else by the text template."""
    if not example.given:
        return np.asarray(opening_ids(codec) or [codec.end], np.int32)
    if task.template is None and getattr(codec.tokenizer, "chat_template", None):
        return np.asarray(chat_ids(turns(example), codec), np.int32)
    text = prompt_text(example, task.template)
    if codec.family == "encoder-decoder":
        return codec.framed(text)[0]
    opening = opening_ids(codec)
    return np.asarray([*opening, *codec.plain(text)], np.int32)


def answer_ids(example: Example, codec: Codec) -> IntArray:
    """The expected answer with the end token, which is always in the loss. A raw text, with nothing given, has no end.

    For encoder-decoders the answer is framed as the family frames any text: BART's begins with <s>, T5's with nothing.
    """
    if codec.family == "encoder-decoder":
        framed = codec.framed(str(example.expected))[0]
        return framed if framed[-1:] == codec.end else np.append(framed, np.int32(codec.end))
    end = [codec.end] if example.given else []
    return np.asarray([*codec.plain(str(example.expected)), *end], np.int32)


def answered_item(prompt: IntArray, answer: IntArray, row: int, codec: Codec) -> Encoded:
    """A prompt with its expected answer, where only the answer is in the loss."""
    if codec.family == "encoder-decoder":
        return Encoded(tokens=codec.cut(prompt), target=answer[: codec.max_length], row=row)
    ids = np.concatenate([prompt, answer])[: codec.max_length + 1]
    target = np.concatenate([np.full(len(prompt), IGNORED, np.int32), answer])[: codec.max_length + 1]
    return Encoded(tokens=ids[:-1], target=target[1:], row=row)


def opening_ids(codec: Codec) -> list[int]:
    """The ids that a tokenizer puts before every text (a BOS token, or nothing)."""
    return list(codec.opening)


def chat_ids(messages: Sequence[Mapping[str, str]], codec: Codec) -> list[int]:
    """A conversation by the base's own chat template; special tokens spelled inside a turn stay plain text."""
    tokenizer = codec.tokenizer
    special = [token for token in tokenizer.all_special_tokens if token]
    if not any(token in message["content"] for message in messages for token in special):
        ids: list[int] = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=True, return_dict=False)
        return ids
    marked = [{**message, "content": MARK.format(place)} for place, message in enumerate(messages)]
    text = tokenizer.apply_chat_template(marked, add_generation_prompt=True, tokenize=False)
    ids = []
    for place, part in enumerate(MARKED.split(text)):  # every second part is the number of a turn
        plain = codec.plain(messages[int(part)]["content"]) if place % 2 else None
        ids += tokenizer(part, add_special_tokens=False, verbose=False)["input_ids"] if plain is None else plain
    return ids


def turns(example: Example) -> list[dict[str, str]]:
    """The example as a conversation that ends with the user's turn."""
    if "messages" in example.given:
        return [dict(message) for message in example.given["messages"]]
    parts = [example.given.get("instruction", ""), example.given.get("input", "")]
    return [{"role": "user", "content": "\n\n".join(part for part in parts if part)}]


class Write(Kind):
    """An answer in words. Its likelihood per answer token is primary where every method has one, else ROUGE-L."""

    name = "write"
    metrics = (NLL, ROUGE_L, TOKEN_F1, CHRF, BLEU, EXACT_MATCH)
    likelihood = True

    def form(self, family: Family, task: Task) -> Form:
        """The next token for decoders, an answer from a question for encoder-decoders."""
        if family == "encoder":
            raise NotApplicable("an encoder can't write: give a decoder (GPT) or an encoder-decoder (T5) as --base")
        return "seq2seq" if family == "encoder-decoder" else "causal"

    def metric_names(self, examples: Sequence[Example]) -> tuple[str, ...]:
        """chrF first where every row asks for a translation: its words are known, and likelihoods of bases don't compare."""
        names = [metric.name for metric in self.metrics]
        if examples and all(TRANSLATES.match(str(example.given.get("instruction", ""))) for example in examples):
            names.sort(key=lambda name: name not in ("chrf", "bleu"))
        return tuple(names)

    def outputs(self, task: Task) -> int:
        """The base's own language head answers."""
        return 0

    def encode(self, example: Example, row: int, task: Task, codec: Codec) -> list[Encoded]:
        """Prompt, answer and end; only the answer and its end are in the loss. The answer is cut last, the prompt never."""
        return [answered_item(prompt_ids(example, task, codec), answer_ids(example, codec), row, codec)]

    def prompt(self, example: Example, row: int, task: Task, codec: Codec) -> Encoded:
        """The prompt as the training lays it out, and cuts it: an encoder-decoder reads its beginning."""
        ids = prompt_ids(example, task, codec)
        return Encoded(tokens=codec.cut(ids) if codec.family == "encoder-decoder" else ids, row=row)

    def decode(self, example: Example, answers: Sequence[FloatArray], task: Task, codec: Codec) -> Prediction:
        """Written answers are generated, not decoded from scores."""
        raise NotApplicable("a written answer is generated token by token")

    def length(self, example: Example, task: Task, codec: Codec) -> tuple[int, int]:
        """Prompt and answer together for decoders; the answer is what a cut loses."""
        prompt, answer = len(prompt_ids(example, task, codec)), len(answer_ids(example, codec))
        if codec.family == "encoder-decoder":
            return max(prompt, answer), max(0, answer - codec.max_length)
        return prompt + answer - 1, min(answer, max(0, prompt + answer - 1 - codec.max_length))

    def read(self, text: str, task: Task, example: Example) -> Any:
        """The text itself, less white space around it."""
        return text.strip()

    def target_text(self, example: Example) -> str:
        """The expected answer."""
        return str(example.expected)

    def shot(self, example: Example, task: Task) -> str:
        """Prompt and answer as the default template lays them out."""
        return f"{prompt_text(example, task.template)}{example.expected}\n\n"

    def prompts(self, task: Task) -> Mapping[str, str]:
        """Bare; the instruction template; with a definition of the job; step by step."""
        return PROMPTS


KIND = Write()
