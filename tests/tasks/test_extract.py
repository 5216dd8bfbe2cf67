"""Kind `extract`: spans in tokens and characters, windows, no answer, SQuAD's scores in English and French."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accordeur.example import Example
from accordeur.run import Answered
from accordeur.task import Task
from accordeur.tasks import Codec
from accordeur.tasks._answers import english, french, tongues
from accordeur.tasks.extract import KIND, MAX_ANSWER, NO_ANSWER, best_span
from tests.tasks.conftest import data_rows, example, make_codec, make_task

CONTEXT = "Le général de Gaulle est né à Lille, le 22 novembre 1890 🙂 ; l'été, il allait à Noël-les-Bains chez Élise."


def asked(answers: tuple[str, ...], context: str = CONTEXT, question: str = "Où est-il né ?") -> Example:
    return example(
        {"question": question, "context": context}, tuple({"text": each, "start": context.index(each)} for each in answers)
    )


def task(*labels: str) -> Task:
    return make_task("extract", labels=labels)


def perfect(items: list) -> list[np.ndarray]:
    answers = []
    for item in items:
        logits = np.random.default_rng(1).normal(size=(len(item.tokens), 2)).astype(np.float32)
        for side in (0, 1):
            logits[item.target[side], side] = 20
        answers.append(logits)
    return answers


def round_trip(row: Example, given_task: Task, codec: Codec) -> str:
    items = KIND.encode(row, 0, given_task, codec)
    assert all(len(item.tokens) <= codec.max_length for item in items)
    return KIND.decode(row, perfect(items), given_task, codec).output


@pytest.mark.parametrize("answer", ["Lille", "général de Gaulle", "22 novembre 1890 🙂", "Noël-les-Bains", "Élise.", "Le", "été"])
def test_perfect_logits_give_the_answer(codec: Codec, answer: str) -> None:
    assert round_trip(asked((answer,)), task(), codec) == answer
    assert round_trip(asked((answer,)), task(NO_ANSWER), codec) == answer


@pytest.mark.parametrize("limit", [48, 64])
def test_long_contexts_go_through_overlapping_windows(family: str, limit: int) -> None:
    codec = make_codec(family, limit)
    row = asked(("Noël-les-Bains",), context=CONTEXT.replace("né", "né " * 60))
    items = KIND.encode(row, 5, task(), codec)
    assert len(items) > 1
    assert all(item.row == 5 for item in items)
    assert any(item.target.any() for item in items)
    assert any(not item.target.any() for item in items)
    assert round_trip(row, task(NO_ANSWER), codec) == "Noël-les-Bains"
    assert KIND.length(row, task(), codec) == (max(len(item.tokens) for item in items), 0)


def test_windows_hold_the_whole_context(codec: Codec) -> None:
    row = asked((), context=CONTEXT * 5)
    whole = codec.pieces(row.given["context"]).ids.tolist()
    question = codec.plain(row.given["question"])
    frame = codec.pair_frame
    size = len(frame.before) + len(question) + len(frame.between)
    parts = [item.tokens[size : len(item.tokens) - len(frame.after)].tolist() for item in KIND.encode(row, 0, task(), codec)]
    place, covered = 0, 0
    for part in parts:
        place = next(start for start in range(place, len(whole)) if whole[start : start + len(part)] == part)
        assert place <= covered
        covered = place + len(part)
    assert covered == len(whole)
    assert all(
        item.tokens[: len(frame.before) + len(question)].tolist() == [*frame.before, *question]
        for item in KIND.encode(row, 0, task(), codec)
    )


WORDS = st.text(alphabet=st.sampled_from("aéÀ🙂x19"), min_size=1, max_size=5)


@given(
    words=st.lists(WORDS, min_size=1, max_size=40),
    span=st.tuples(st.integers(0, 39), st.integers(1, 4)),
    family=st.sampled_from(["encoder", "decoder", "encoder-decoder"]),
)
@settings(max_examples=150, deadline=None)
def test_any_run_of_words_comes_back(words: list[str], span: tuple[int, int], family: str) -> None:
    first = min(span[0], len(words) - 1)
    answer = " ".join(words[first : first + span[1]])
    start = len(" ".join([*words[:first], ""]))
    row = example({"question": "qui ?", "context": " ".join(words)}, ({"text": answer, "start": start},))
    codec = make_codec(family, 120)
    assert round_trip(row, task(NO_ANSWER), codec) == answer


def test_an_unanswerable_question_is_answered_with_nothing(codec: Codec) -> None:
    row = asked(())
    (prediction,) = [KIND.decode(row, perfect(KIND.encode(row, 0, task(NO_ANSWER), codec)), task(NO_ANSWER), codec)]
    assert prediction.output == ""
    assert prediction.scores is not None
    assert prediction.scores[NO_ANSWER] > 0.99
    assert sum(prediction.scores.values()) == pytest.approx(1)


def test_a_task_without_unanswerable_rows_is_always_answered(codec: Codec) -> None:
    row = asked(())
    assert round_trip(row, task(), codec) != ""
    assert KIND.labels([row, asked(("Lille",))]) == (NO_ANSWER,)
    assert KIND.labels([asked(("Lille",))]) == ()


def test_a_context_without_tokens_has_no_answer() -> None:
    codec = make_codec("encoder")
    row = example({"question": "où ?", "context": "\u200d"}, ())
    items = KIND.encode(row, 0, task(), codec)
    assert KIND.decode(row, perfect(items), task(), codec).output == ""


def test_the_best_span_neither_runs_backward_nor_too_far() -> None:
    logits = np.zeros((300, 2))
    logits[200, 0], logits[100, 1] = 9.0, 8.0  # an end before its beginning
    logits[120, 1] = 5.0
    span = best_span(logits, 10, 290)
    assert span is not None
    assert (span.first + 10, span.margin) == (200, 9.0)
    logits[:] = 0
    logits[50, 0], logits[49, 1] = 9.0, 8.0  # an end one token too early
    span = best_span(logits, 10, 290)
    assert span is not None
    assert span.margin == 9.0
    assert span.last >= span.first
    logits[:] = 0
    logits[20, 0] = logits[20 + MAX_ANSWER, 1] = 9.0
    span = best_span(logits, 10, 290)
    assert span is not None
    assert span.last - span.first < MAX_ANSWER
    assert span.margin == 9.0
    logits[20 + MAX_ANSWER - 1, 1] = 8.0
    span = best_span(logits, 10, 290)
    assert span is not None
    assert (span.first + 10, span.last + 10, span.margin) == (20, 20 + MAX_ANSWER - 1, 17.0)


def test_the_question_and_special_tokens_are_never_the_answer(codec: Codec) -> None:
    row = asked(("Lille",))
    (item,) = KIND.encode(row, 0, task(), make_codec(codec.family, 400))
    logits = np.zeros((len(item.tokens), 2), np.float32)
    logits[1] = 50
    logits[-1] = 50 if codec.family != "decoder" else 0
    assert KIND.decode(row, [logits], task(), make_codec(codec.family, 400)).output in CONTEXT


def test_an_answer_too_long_for_any_window_is_asked_where_most_of_it_lies() -> None:
    codec = make_codec("encoder", 24)
    answer = CONTEXT[: CONTEXT.index(" ; l'été")]
    items = KIND.encode(asked((answer,)), 0, task(), codec)
    asked_spans = [item.target for item in items if item.target.any()]
    assert asked_spans
    assert all(first <= last for first, last in asked_spans)
    assert round_trip(asked((answer,)), task(), codec) in answer


def test_a_long_question_leaves_half_the_room_and_is_counted() -> None:
    codec = make_codec("encoder", 32)
    row = asked(("Lille",), question="où " * 40)
    assert all(len(item.tokens) <= 32 for item in KIND.encode(row, 0, task(), codec))
    assert KIND.length(row, task(), codec)[0] > 32
    assert round_trip(row, task(), codec) == "Lille"


def score(name: str, expected: list[str], output: str, given_text: str = "") -> float:
    metric = KIND.metric(name)
    answers = [{"text": text, "start": 0} for text in expected]
    return float(
        metric.finish(metric.statistics([Answered(id="1", expected=answers, output=output, given=given_text)], ()).sum(0))
    )


ENGLISH = "What is the name of the town in which he was born?"
FRENCH = "Quel est le nom de la ville dans laquelle il est né ?"


@pytest.mark.parametrize(
    ("expected", "output", "given_text", "f1", "exact"),
    [
        (["the Eiffel Tower"], "Eiffel tower.", ENGLISH, 1.0, 1.0),
        (["Denver Broncos"], "The Denver", ENGLISH, 2 / 3, 0.0),
        (["1890"], "22 November 1890", ENGLISH, 0.5, 0.0),
        (["Lille", "the city of Lille"], "city of Lille", ENGLISH, 1.0, 1.0),
        ([], "", ENGLISH, 1.0, 1.0),
        ([], "Lille", ENGLISH, 0.0, 0.0),
        (["Lille"], "", ENGLISH, 0.0, 0.0),
        (["l'Université de Paris"], "Université Paris", FRENCH, 1.0, 1.0),
        (["L’été"], "« été »", FRENCH, 1.0, 1.0),
        (["du général de Gaulle"], "Le général de Gaulle", FRENCH, 1.0, 1.0),
        (["à la mer"], "a la mer", FRENCH, 0.5, 0.0),
        (["l'été"], "été", ENGLISH, 0.0, 0.0),
        (["l'eau"], "eau", "", 1.0, 1.0),
    ],
)
def test_squad_scores(expected: list[str], output: str, given_text: str, f1: float, exact: float) -> None:
    assert score("squad_f1", expected, output, given_text) == pytest.approx(f1)
    assert score("exact_match", expected, output, given_text) == exact


def test_normal_forms() -> None:
    assert english("  An  apple, the a-priori U.S. answer! ") == "apple apriori us answer"
    assert french("« L'école d’Été des Beaux-Arts »") == "école été beauxarts"
    assert tongues(ENGLISH) == ("en",)
    assert tongues(FRENCH) == ("fr",)
    assert tongues("Lille 1890") == ("en", "fr")


def test_answering_at_the_right_rows() -> None:
    assert score("answered_right", [], "x") == 0
    assert score("answered_right", ["y"], "x") == 1
    assert score("answered_right", [], " ") == 1


def test_an_output_with_its_place_is_scored_by_its_text() -> None:
    metric = KIND.metric("exact_match")
    answered = [Answered(id="1", expected=[{"text": "Lille", "start": 3}], output={"text": "Lille", "start": 9})]
    assert metric.statistics(answered, ()).tolist() == [[1, 1]]


def test_written_answers_are_read() -> None:
    row = asked(("Lille",))
    assert KIND.read("« Lille »\nbecause", task(), row) == "Lille"
    assert KIND.read("No answer.", task(), row) == ""
    assert KIND.read("", task(), row) == ""
    assert KIND.target_text(row) == "Lille"
    assert KIND.target_text(asked(())) == NO_ANSWER


@pytest.mark.parametrize(
    ("given_row", "answers", "words"),
    [
        (
            {"question": "q", "context": "abc"},
            ({"text": "bc", "start": 2},),
            "'bc' doesn't stand at character 2 of a context of 3",
        ),
        ({"question": "q", "context": "abc"}, ({"text": "a", "start": -1},), "doesn't stand at character -1"),
        ({"question": "q", "context": "abc"}, ({"text": "abcd", "start": 0},), "doesn't stand"),
        ({"question": " ", "context": "abc"}, (), "question is empty"),
        ({"question": "q", "context": ""}, (), "context is empty"),
    ],
)
def test_bad_rows_are_named(given_row: dict, answers: tuple, words: str) -> None:
    (problem,) = KIND.check([example(given_row, answers, "7")])
    assert words in problem.message
    assert problem.line == 7


@pytest.mark.data
@pytest.mark.short_data
@pytest.mark.parametrize(("name", "least_exact"), [("xquad_en", 0.97), ("piaf_fr", 0.97)])
def test_real_rows_come_back_from_perfect_logits(name: str, least_exact: float, family: str) -> None:
    rows = [
        example(
            {"question": row["question"], "context": row["context"]},
            tuple(
                {"text": text, "start": start}
                for text, start in zip(row["answers"]["text"], row["answers"]["answer_start"], strict=True)
            ),
        )
        for row in data_rows(name)
    ]
    assert KIND.check(rows) == []
    codec = make_codec(family, 400)
    answered = [
        Answered(id=row.id, expected=list(row.expected), output=round_trip(row, task(), codec), given=row.text()) for row in rows
    ]
    exact, f1 = (KIND.metric(each).statistics(answered, ()).sum(0) for each in ("exact_match", "squad_f1"))
    assert exact[0] / exact[1] >= least_exact
    assert f1[0] / f1[1] >= 0.99
