"""Kind `prefer`: two answers, one prompt, the better one by its probability."""

from __future__ import annotations

import numpy as np
import pytest

from accordeur.errors import NotApplicable
from accordeur.example import IGNORED
from accordeur.run import Answered
from accordeur.tasks.prefer import KIND
from tests.tasks.conftest import data_rows, example, make_codec, make_task

TASK = make_task("prefer")
ROW = example({"prompt": "Où est-il né ?"}, {"chosen": "à Lille, je crois", "rejected": "quelle question"})


@pytest.mark.parametrize("family", ["decoder", "encoder-decoder"])
def test_both_answers_follow_the_same_prompt(family: str) -> None:
    codec = make_codec(family, 256)
    chosen, rejected = KIND.pair(ROW, 3, TASK, codec)
    (alone,) = KIND.encode(ROW, 3, TASK, codec)
    assert alone.tokens.tolist() == chosen.tokens.tolist()
    for item, side in ((chosen, "chosen"), (rejected, "rejected")):
        asked = item.target[item.target != IGNORED]
        assert asked[-1] == codec.end
        assert codec.tokenizer.decode(asked[:-1].tolist()) == ROW.expected[side]
        assert item.row == 3
    if family == "encoder-decoder":
        assert chosen.tokens.tolist() == rejected.tokens.tolist()
    else:
        size = int((chosen.target == IGNORED).sum()) + 1
        assert (
            chosen.tokens[:size].tolist() == rejected.tokens[:size].tolist() == KIND.prompt(ROW, 3, TASK, codec).tokens.tolist()
        )


def test_an_encoder_takes_no_preferences() -> None:
    with pytest.raises(NotApplicable, match="can't write"):
        KIND.form("encoder", TASK)


def test_a_dialogue_stands_as_it_is() -> None:
    codec = make_codec("decoder", 256)
    text = "Human: où ?\n\nAssistant:"
    row = example({"prompt": text}, {"chosen": " Lille", "rejected": " Paris"})
    assert codec.tokenizer.decode(KIND.prompt(row, 0, TASK, codec).tokens.tolist()) == text
    asked = codec.tokenizer.decode(KIND.prompt(ROW, 0, TASK, codec).tokens.tolist())
    assert asked == "### Instruction:\nOù est-il né ?\n\n### Response:\n"
    turns = example({"prompt": ({"role": "user", "content": "où ?"},)}, row.expected)
    assert "où ?" in codec.tokenizer.decode(KIND.prompt(turns, 0, TASK, codec).tokens.tolist())


def test_the_more_probable_answer_is_taken() -> None:
    codec = make_codec("decoder")
    prediction = KIND.decode(ROW, [np.asarray([-1.0, -2.0], np.float32), np.asarray([-4.0], np.float32)], TASK, codec)
    assert prediction.output == "chosen"
    assert prediction.scores == {"chosen": -3.0, "rejected": -4.0}
    assert KIND.decode(ROW, [np.asarray([-5.0]), np.asarray([-4.0])], TASK, codec).output == "rejected"


def test_pair_accuracy_and_margin() -> None:
    pairs = [(-1.0, -2.0), (-2.0, -1.0), (-1.0, -1.0), (-1.0, -4.0)]
    answered = [Answered(id="1", expected=ROW.expected, output="", scores={"chosen": a, "rejected": b}) for a, b in pairs]
    for name, value in (("pair_accuracy", 2.5 / 4), ("pair_margin", 3 / 4)):
        metric = KIND.metric(name)
        assert metric.finish(metric.statistics(answered, ()).sum(0)) == pytest.approx(value)
    with pytest.raises(NotApplicable, match="no probabilities"):
        KIND.metric("pair_accuracy").statistics([Answered(id="1", expected=ROW.expected, output="x")], ())


@pytest.mark.parametrize(
    ("given_row", "expected", "words"),
    [
        ({"prompt": ""}, {"chosen": "a", "rejected": "b"}, "no prompt"),
        ({"prompt": "q"}, {"chosen": "a", "rejected": " "}, "no rejected answer"),
        ({"prompt": "q"}, {"rejected": "b"}, "no chosen answer"),
        ({"prompt": "q"}, {"chosen": "a ", "rejected": "a"}, "same text"),
    ],
)
def test_bad_rows_are_named(given_row: dict, expected: dict, words: str) -> None:
    (problem,) = KIND.check([ROW, example(given_row, expected, "9")])
    assert words in problem.message
    assert problem.line == 9


def test_the_length_is_that_of_the_longer_side() -> None:
    codec = make_codec("decoder", 24)
    length, lost = KIND.length(ROW, TASK, codec)
    sides = [len(item.tokens) for item in KIND.pair(ROW, 0, TASK, make_codec("decoder", 1000))]
    assert length == max(sides)
    assert lost > 0


@pytest.mark.data
@pytest.mark.short_data
def test_real_pairs_are_encoded_whole() -> None:
    codec = make_codec("decoder", 4096)
    for row in data_rows("instruct_pref_small"):
        made = example(
            {"prompt": f"{row['instruction']}\n\n{row['input']}"}, {"chosen": row["chosen"], "rejected": row["rejected"]}
        )
        assert KIND.check([made]) == []
        for item, side in zip(KIND.pair(made, 0, TASK, codec), ("chosen", "rejected"), strict=True):
            assert codec.tokenizer.decode(item.target[item.target != IGNORED][:-1].tolist()) == row[side]
