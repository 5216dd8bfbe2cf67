"""Kind `text`: every token scored once, bits per character."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accordeur.errors import NotApplicable
from accordeur.example import IGNORED
from accordeur.run import Answered
from accordeur.tasks.text import KIND
from tests.tasks.conftest import example, make_codec, make_task

TASK = make_task("text")


@given(text=st.text(alphabet=st.sampled_from("abé 🙂.\nthe"), min_size=1, max_size=120), limit=st.sampled_from([8, 17, 64]))
@settings(max_examples=100, deadline=None)
def test_every_token_is_scored_once_with_what_stands_before_it(text: str, limit: int) -> None:
    codec = make_codec("decoder", limit)
    ids = codec.plain(text)
    items = KIND.encode(example({}, text), 2, TASK, codec)
    scored = [int(token) for item in items for token in item.target[item.target != IGNORED]]
    assert scored == ids
    assert items[0].tokens[0] == codec.end
    whole, place = [codec.end, *ids], 0
    for item in items:
        assert len(item.tokens) <= limit
        assert item.row == 2
        asked = np.flatnonzero(item.target != IGNORED)
        place += len(asked)
        assert item.tokens.tolist() == whole[place - len(item.tokens) : place]
        assert item.target[asked].tolist() == whole[place + 1 - len(asked) : place + 1]
        assert item is items[0] or asked[0] >= limit // 4 - 1
    assert KIND.length(example({}, text), TASK, codec)[1] == 0
    assert KIND.length(example({}, text), TASK, codec)[0] <= limit


def test_bits_per_character_do_not_depend_on_the_tokens() -> None:
    text = "l'été 🙂"
    fine, coarse = (Answered(id="1", expected=text, output=None, nll=7.0, units=units) for units in (20, 3))
    metric = KIND.metric("bits_per_character")
    assert metric is KIND.metrics[0]
    for row in (fine, coarse):
        assert metric.finish(metric.statistics([row], ()).sum(0)) == pytest.approx(7 / math.log(2) / 7)
    nll = KIND.metric("nll")
    assert nll.finish(nll.statistics([fine, coarse], ()).sum(0)) == pytest.approx(14 / 23)


def test_a_uniform_model_over_bytes_spends_its_entropy() -> None:
    codec = make_codec("decoder", 16)
    text = "abcdefgh" * 9
    items = KIND.encode(example({}, text), 0, TASK, codec)
    units = sum(item.units for item in items)
    row = Answered(id="1", expected=text, output=None, nll=units * math.log(330), units=units)
    metric = KIND.metric("bits_per_character")
    assert metric.finish(metric.statistics([row], ()).sum(0)) == pytest.approx(units * math.log2(330) / len(text))


@pytest.mark.parametrize("family", ["encoder", "encoder-decoder"])
def test_only_decoders_model_text(family: str) -> None:
    with pytest.raises(NotApplicable, match="take a decoder"):
        KIND.form(family, TASK)  # type: ignore[arg-type]
    assert KIND.form("decoder", TASK) == "causal"


def test_empty_texts_are_named() -> None:
    (problem,) = KIND.check([example({}, "a"), example({}, " \n", "2")])
    assert (problem.line, problem.message) == (2, "the text is empty")
    (item,) = KIND.encode(example({}, ""), 0, TASK, make_codec("decoder"))
    assert item.units == 0
    assert len(item.tokens) == 1
