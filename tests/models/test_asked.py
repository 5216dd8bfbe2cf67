"""The methods that only ask: what all their prompts begin with is read once, and nothing is cut or written on in silence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from accordeur.base import find_base
from accordeur.context import Context
from accordeur.example import Example
from accordeur.methods.fewshot import Fewshot
from accordeur.methods.prompt import PromptMethod
from accordeur.models import asked
from accordeur.models._asking import NO_SHOTS, Prompt, Shots, beginning, until_next
from accordeur.models.asked import Asked, question_ids
from accordeur.models.served import Served
from accordeur.plan import DevicePlan
from accordeur.task import Task
from accordeur.tasks import Codec, kind_of
from accordeur.training import generate, prefix
from tests.bases import write_base
from tests.methods import cells
from tests.models.test_families import build
from tests.tasks.conftest import make_codec


def rows(count: int, start: int = 0) -> tuple[Example, ...]:
    return tuple(
        Example(id=str(place), given={"text": f"the fox {place} jumps over"}, expected="ab"[place % 2])
        for place in range(start, start + count)
    )


def asks(count: int, start: int = 0) -> tuple[Example, ...]:
    return tuple(
        Example(id=str(place), given={"instruction": f"Say Paris {place}", "input": ""}, expected="Paris!")
        for place in range(start, start + count)
    )


def task(kind: str) -> Task:
    make = rows if kind == "classify" else asks
    return Task(
        name="t", kind=kind, train=make(8), validation=make(4, 100), test=make(6, 200),
        metrics=("accuracy",) if kind == "classify" else ("nll",), labels=("a", "b") if kind == "classify" else (),
    )  # fmt: skip


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Any:
    import tests.bases as bases

    before, bases.POSITIONS = bases.POSITIONS, 1024
    try:
        return write_base(tmp_path_factory.mktemp("base"), "decoder")
    finally:
        bases.POSITIONS = before


def tokens_read(model: Asked, work: Any) -> list[int]:
    read: list[int] = []
    trunk = model.loaded[0]
    hook = trunk.base_model.register_forward_pre_hook(
        lambda _, given, named: read.append((given[0] if given else named["input_ids"]).numel()), with_kwargs=True
    )
    work()
    hook.remove()
    return [count for count in read if count > 3]  # less the probe of the head


def without_sharing(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (generate, prefix):
        monkeypatch.setattr(module, "families", lambda prompts: [(list(range(len(prompts))), 0)])


@pytest.mark.parametrize("kind", ["classify", "write"])
@pytest.mark.parametrize("method", [PromptMethod(), Fewshot(counts=(2,)), Fewshot(counts=(2,), examples="nearest")])
def test_answers_are_those_without_sharing(tmp_path, base, kind, method, monkeypatch):
    model = method.fit(task(kind), base, Context(seed=0, folder=tmp_path / "work", cache=tmp_path / "cache"))
    test = task(kind).test
    found, likely = model.predict(test), model.log_probs(test)
    without_sharing(monkeypatch)
    assert [one.output for one in found] == [one.output for one in model.predict(test)]
    plain = model.log_probs(test)
    np.testing.assert_allclose(
        np.concatenate([one.log_probs for one in likely]),
        np.concatenate([one.log_probs for one in plain]),
        rtol=1e-3,
        atol=1e-4,
    )


@pytest.mark.parametrize("kind", ["classify", "write"])
def test_fixed_examples_are_read_once_for_all_rows(tmp_path, base, kind):
    method = Fewshot(counts=(4,))
    model = method.fit(task(kind), base, Context(seed=0, folder=tmp_path / "work", cache=tmp_path / "cache"))
    assert isinstance(model, Asked)
    test = task(kind).test
    prompts = model.prompt_ids(test)
    shared = prefix.common_prefix(prompts)
    assert shared > 0.7 * min(map(len, prompts))
    works = [lambda: model.predict(test)] + ([lambda: model.log_probs(test)] if kind == "write" else [])
    for work in works:
        read = tokens_read(model, work)
        assert read[0] == shared
        longest = max(len(prompt) - shared for prompt in prompts) + 16
        assert read[1] <= len(test) * longest, "no row reads the examples again"
        assert read.count(shared) == 1


def test_nearest_examples_are_read_once_for_all_labels(tmp_path, base):
    method = Fewshot(counts=(4,), examples="nearest")
    model = method.fit(task("classify"), base, Context(seed=0, folder=tmp_path / "work", cache=tmp_path / "cache"))
    assert isinstance(model, Asked)
    test = task("classify").test
    total = sum(map(len, model.prompt_ids(test)))
    assert sum(tokens_read(model, lambda: model.predict(test))) < 1.5 * total


ROLE = Prompt(name="role", template="{{ shots }}Text: {{ text }}\nLabel:")


def asking(base: Any, kind: str = "classify", prompt: Prompt = ROLE, shots: Shots = NO_SHOTS, **facts: Any) -> Asked:
    return Asked(task(kind), base, prompt, shots, DevicePlan(threads=1), facts)


def long_row(words: int, identity: str = "long") -> Example:
    return Example(id=identity, given={"text": "e " * words}, expected="a")


def test_a_question_is_whole_as_long_as_its_answer_has_room(base):
    model = asking(base)
    whole = question_ids(f"Text: {'e ' * 900}\nLabel:", model.loaded[1])
    assert 1024 - 225 < len(whole) < 1024 - 8
    model = asking(base, answer_limit=225)
    (ids,) = model.prompt_ids([long_row(900)])
    assert ids.tolist() == whole
    assert "cut_rows" not in model.facts()


@pytest.mark.parametrize("opening", [True, False])
def test_what_is_cut_is_told_and_the_beginning_stays(base, opening, monkeypatch):
    model = asking(base)
    codec = model.loaded[1]
    if opening:
        monkeypatch.setattr(asked, "opening_ids", lambda codec: [codec.end])
    _, long = model.prompt_ids([long_row(3, "short"), long_row(2000)])
    assert len(long) == 1024 - 8
    assert bool(long[0] == codec.end) is opening
    assert codec.tokenizer.decode(long.tolist()).endswith("e \nLabel:")
    model.label_scores([long_row(2000)])  # a row counts once
    assert model.facts()["cut_rows"] == 1 / 2
    assert "cut_rows" not in model.asking(ROLE, NO_SHOTS).facts()


def test_the_likelihood_of_an_answer_covers_all_of_it(base):
    prompt = Prompt(name="bare", template="{{ instruction }}")
    model = asking(base, "write", prompt, answer_limit=8)
    rows = [
        Example(id=str(words), given={"instruction": "e " * words, "input": ""}, expected="a b c d " * 10) for words in (3, 1000)
    ]
    one, other = model.log_probs(rows)
    assert len(one.log_probs) == len(other.log_probs) > 40
    assert model.facts()["cut_rows"] == 1 / 2


@pytest.mark.parametrize("name", ["t5", "bart"])
def test_an_encoder_decoder_reads_as_much_as_it_has_positions_and_keeps_its_frame(name, tmp_path):
    model = asking(build(name, tmp_path / "base"), answer_limit=100)
    codec = model.loaded[1]
    (ids,) = model.prompt_ids([long_row(200)])
    whole = question_ids(f"Text: {'e ' * 200}\nLabel:", codec)
    if name == "t5":
        assert ids.tolist() == whole  # no positions that could end
        return
    assert ids.tolist() == [*whole[:127], codec.end]
    shown = Shots(choice="fixed", count=2, pool=rows(2))
    (ids,) = model.asking(ROLE, shown).prompt_ids([long_row(200)])
    assert len(ids) == 128
    assert ids[0] == codec.frame.before[0]
    assert codec.tokenizer.decode(ids.tolist(), skip_special_tokens=True).endswith("e \nLabel:")


def test_labels_follow_what_the_family_puts_before_every_answer(tmp_path):
    model = asking(build("bart", tmp_path / "base"))
    trunk, codec = model.loaded
    (ids,) = model.prompt_ids(rows(1))
    means = []
    for label in ("a", "b"):
        own = codec.plain(f" {label}")
        read = torch.tensor([[trunk.config.decoder_start_token_id, *codec.frame.before, *own]])
        assert codec.frame.before.tolist() == [codec.tokenizer.bos_token_id]
        with torch.no_grad():
            logits = trunk(input_ids=torch.tensor([ids.tolist()]), decoder_input_ids=read).logits[0].log_softmax(-1)
        means.append(float(np.mean([logits[1 + place, token] for place, token in enumerate(own)])))
    expected = np.exp(means) / np.exp(means).sum()
    np.testing.assert_allclose(model.label_scores(rows(1))[0], expected, rtol=1e-4)


def test_special_tokens_spelled_in_a_row_stay_text():
    codec = Codec(tokenizer=make_codec("decoder").tokenizer, family="decoder", max_length=512)
    codec.tokenizer.chat_template = (
        "{% for message in messages %}<|endoftext|>{{ message.role }}: {{ message.content }}\n{% endfor %}<|endoftext|>"
    )
    try:
        ids = question_ids("a <|endoftext|> b", codec)
        assert ids.count(codec.end) == 2
        assert codec.tokenizer.decode(ids) == "<|endoftext|>user: a <|endoftext|> b\n<|endoftext|>"
    finally:
        codec.tokenizer.chat_template = None


SIGNS = {"classify": "Text:", "tag": "Text:", "extract": "Context:", "write": "### Instruction:"}


@pytest.mark.parametrize("kind", SIGNS)
def test_what_every_example_begins_with_is_seen_in_the_examples(kind):
    shown = cells.task_of(kind).train
    assert beginning(shown[:1], cells.task_of(kind)) == SIGNS[kind]
    assert beginning(shown, cells.task_of(kind)) == SIGNS[kind]
    assert beginning((), cells.task_of(kind)) == ""
    assert kind_of(kind).shot(shown[0], cells.task_of(kind)).startswith(SIGNS[kind])


@pytest.mark.parametrize(
    ("template", "sign"),
    [("Q: {{ instruction }}\nA:", "Q:"), ("Réponds.\n\nQ: {{ instruction }}", "Réponds."), ("- {{ instruction }}\n", ""),
     ("{{ instruction }}\n", "")],
)  # fmt: skip
def test_a_users_template_has_a_beginning_of_its_own(template, sign):
    assert beginning(asks(2), replace(task("write"), template=template)) == sign


def test_a_conversation_begins_with_its_first_turn():
    said = ({"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Yes"}, {"role": "user", "content": "And?"})
    row = Example(id="1", given={"messages": said}, expected="No")
    told = Example(id="2", given={"messages": ({"role": "system", "content": "Be kind."}, *said)}, expected="No")
    assert beginning((row,), task("write")) == "### Instruction:"
    assert beginning((row, told), task("write")) == ""


def test_an_answer_ends_before_the_next_invented_example(base, monkeypatch):
    said = "Paris!\nIt is.\n\n### Instruction:\nSay Lille\n\n### Response:\nLille!"
    monkeypatch.setattr(asked, "write_texts", lambda trunk, prompts, *_, **__: [said] * len(prompts))
    monkeypatch.setattr(Served, "ask", lambda *_: said)
    prompt = Prompt(name="role", template="{{ shots }}### Instruction:\n{{ instruction }}\n\n### Response:\n")
    test = task("write").test
    for choice in ("fixed", "nearest"):
        shots = Shots(choice=choice, count=2, pool=asks(8))
        for shown in (
            asking(base, "write", prompt, shots),
            Served(task("write"), find_base("http://host/v1"), prompt, shots, {}),
        ):
            assert {one.output for one in shown.predict(test)} == {"Paris!\nIt is."}
    assert {one.output for one in asking(base, "write", prompt).predict(test)} == {said}, "no example was shown"
    assert until_next("See ### Instruction: there", "### Instruction:") == "See ### Instruction: there"


def test_only_the_row_itself_is_not_its_neighbour():
    """Ids without a column of ids are line numbers: those of a test file say nothing about the rows of a train file."""
    near, far = (Example(id=identity, given={"text": text}, expected="") for identity, text in (("7", "a red fox"), ("8", "42")))
    asked_row = Example(id="7", given={"text": "a red fox!"}, expected="")
    shots = Shots(choice="nearest", count=1, pool=(near, far))
    assert shots.nearest([asked_row]) == [[0]]
    assert shots.nearest([near]) == [[1]]


def test_rows_of_one_id_leave_a_neighbour():
    pool = tuple(Example(id="7", given={"text": text}, expected="") for text in ("a red fox", "a red fox", "a red fox", "42"))
    assert Shots(choice="nearest", count=1, pool=pool).nearest([pool[0]]) == [[3]]
    twins = tuple(Example(id="7", given={"text": text}, expected="") for text in ("a red fox", "a red dog"))
    assert Shots(choice="nearest", count=1, pool=twins).nearest(twins) == [[1], [0]]
