"""Written answers: prompts whole as long as they can be, stops of the base's own, the stream as the batch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from accordeur.adapted import Message
from accordeur.compare.prepare import prepare
from accordeur.example import Encoded
from accordeur.models import _writing
from accordeur.models._saved import plain_task, read_task
from accordeur.models._writing import conversation, ends, fitted, new_tokens, stream_text, write_texts, written_ids
from accordeur.plan import DevicePlan, Sampling
from accordeur.tasks import Codec, kind_of
from tests.bases import tiny
from tests.compare.shop import recipe_for
from tests.methods import cells
from tests.models.test_families import build
from tests.tasks.conftest import make_codec, make_task

CPU = DevicePlan(threads=1)
TASK = make_task("write")


def loaded(base: Any, max_length: int = 128) -> tuple[Any, Codec]:
    trunk, tokenizer = base.load()
    return trunk, Codec(tokenizer=tokenizer, family=base.family, max_length=max_length)


def prompt(length: int, first: int = 40) -> Encoded:
    return Encoded(tokens=np.asarray([first, *(40 + np.arange(1, length) % 200)], np.int32))


def recorded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[list[int]], int]]:
    calls: list[tuple[list[list[int]], int]] = []

    def generate(trunk: Any, prompts: Any, sampling: Sampling, device: Any, pad: int) -> list[list[int]]:
        calls.append(([list(ids) for ids in prompts], sampling.max_new_tokens))
        return [[len(ids)] for ids in prompts]

    monkeypatch.setattr(_writing, "generate", generate)
    return calls


def test_a_prompt_is_whole_and_its_answer_as_long_as_positions_allow(monkeypatch: pytest.MonkeyPatch) -> None:
    trunk, codec = loaded(tiny("decoder"))
    calls = recorded(monkeypatch)
    rows = [prompt(length) for length in (112, 3, 120, 60, 110, 125)]
    assert written_ids(trunk, rows, codec, CPU, 40) == [[112], [3], [120], [60], [110], [120]]
    whole = [row.tokens.tolist() for row in rows]
    assert calls == [
        ([whole[2], whole[5][5:]], 8),
        ([whole[0], whole[4]], 16),
        ([whole[1], whole[3]], 40),
    ]
    assert written_ids(trunk, [], codec, CPU, 40) == []


def test_rows_up_to_the_last_position_are_written_as_alone() -> None:
    trunk, codec = loaded(tiny("decoder"))
    rows = [prompt(length, first) for length, first in ((100, 41), (119, 42), (121, 43), (128, 44), (200, 45), (5, 46))]
    together = write_texts(trunk, rows, codec, CPU, 30)
    assert together == [write_texts(trunk, [row], codec, CPU, 30)[0] for row in rows]


def test_the_token_that_begins_a_sequence_is_never_cut() -> None:
    codec = make_codec("decoder")
    ids = [codec.tokenizer.bos_token_id, *range(40, 140)]
    assert fitted(ids, None, 8, codec) == fitted(ids, 200, 8, codec) == fitted(ids, 109, 8, codec) == ids
    assert fitted(ids, 58, 8, codec) == [ids[0], *ids[-49:]]
    assert fitted(ids[1:], 58, 8, codec) == ids[-50:]
    assert fitted(ids, 58, 50, codec) == [ids[0], *ids[-28:]], "an answer gets half the room at most"
    assert fitted(ids, 1, 8, codec) == ids[-1:]
    assert [new_tokens(ids, room, 30, codec) for room in (None, 131, 130, 109, 105)] == [30, 30, 24, 8, 4]


@pytest.mark.parametrize("name", ["t5", "bart"])
def test_an_encoder_decoder_reads_what_it_read_in_training(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trunk, codec = loaded(build(name, tmp_path / "base"), 100)
    row = conversation([Message(role="user", content="le lazy fox " * 40)])
    (item,) = kind_of("write").encode(replace(row, expected="a"), 0, TASK, codec)
    calls = recorded(monkeypatch)
    write_texts(trunk, [kind_of("write").prompt(row, 0, TASK, codec)], codec, CPU, 90)
    assert calls == [([item.tokens.tolist()], 90)], "the answer has positions of its own"
    assert len(item.tokens) == 100
    assert item.tokens[: len(codec.frame.before)].tolist() == codec.frame.before.tolist()
    calls.clear()
    written_ids(trunk, [Encoded(tokens=item.tokens)], codec, CPU, 300)
    assert calls[0][1] == (128 if name == "bart" else 300)


@pytest.mark.parametrize("family", ["decoder", "encoder-decoder"])
@pytest.mark.parametrize("words", [3, 80, 300])
def test_the_stream_writes_as_the_batch_does(family: str, words: int) -> None:
    trunk, codec = loaded(tiny(family))
    messages = [Message(role="user", content="e " * words)]
    asked = kind_of("write").prompt(conversation(messages), 0, TASK, codec)
    streamed = "".join(token.text for token in stream_text(trunk, messages, TASK, codec, Sampling(max_new_tokens=20)))
    whole = write_texts(trunk, [asked], codec, CPU, 20)[0]
    assert streamed.rstrip("\ufffd") == whole.rstrip("\ufffd")  # half a character at the end is not streamed


def test_answers_stop_at_the_bases_own_ends_too() -> None:
    trunk, codec = loaded(tiny("decoder"))
    row = prompt(10)
    free = written_ids(trunk, [row], codec, CPU, 12)[0]
    assert free
    trunk.generation_config.eos_token_id = [free[0]]
    assert ends(trunk, codec) == (codec.end, free[0])
    assert written_ids(trunk, [row], codec, CPU, 12) == [[]]
    trunk.generation_config.eos_token_id = codec.end
    messages = [Message(role="user", content="e")]
    asked = kind_of("write").prompt(conversation(messages), 0, TASK, codec)
    free = written_ids(trunk, [asked], codec, CPU, 12)[0]
    assert free
    trunk.generation_config.eos_token_id = [codec.end, free[0]]
    assert list(stream_text(trunk, messages, TASK, codec, Sampling(max_new_tokens=12))) == []


@pytest.mark.parametrize("method", ["lora", "prompt"])
def test_the_beams_that_are_asked_for_write_the_answers(method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model: Any = cells.fitted(method, "write", "decoder", tmp_path)
    model.task = replace(model.task, beams=3)
    seen: list[int] = []

    def generate(trunk: Any, prompts: Any, sampling: Sampling, device: Any, pad: int) -> list[list[int]]:
        seen.append(sampling.beams)
        return [[40] for _ in prompts]

    monkeypatch.setattr(_writing, "generate", generate)
    model.predict(cells.task_of("write").test)
    assert set(seen) == {3}


def test_beams_come_from_the_recipe_and_name_another_task(tmp_path: Path) -> None:
    settings: tuple[dict[str, Any], ...] = ({}, {"beams": 4})
    asked = [recipe_for(tmp_path, "decoder", "write", methods={"prompt": {}}, **more) for more in settings]
    plain, wide = (prepare(recipe).task for recipe in asked)
    assert (plain.beams, wide.beams) == (1, 4)
    assert read_task(plain_task(wide)).beams == 4
    assert plain.fingerprint != wide.fingerprint
