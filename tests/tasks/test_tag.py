"""Kind `tag`: alignment, windows, repair, metrics as seqeval's, written answers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accordeur.example import IGNORED, Example
from accordeur.run import Answered
from accordeur.task import Task
from accordeur.tasks import Codec, kind_of
from accordeur.tasks._entities import entity_texts, entity_types
from accordeur.tasks._schemes import from_entities
from accordeur.tasks.tag import KIND, entity_table
from tests.tasks.conftest import data_rows, example, make_codec, make_task
from tests.tasks.test_schemes import tagged

ROW = example(
    {"tokens": ("Ada", "Lovelace", "écrit", "à", "l'Université", "de", "Londres", "🙂", "\u200d", "2013", "!")},
    ("B-PER", "I-PER", "O", "O", "B-ORG", "I-ORG", "I-ORG", "O", "B-ORG", "O", "O"),
)
LABELS = KIND.labels([ROW])


def task(rows: list[Example] | None = None, **settings: object) -> Task:
    return make_task("tag", labels=KIND.labels(rows) if rows else LABELS, **settings)


def perfect(items: list, labels: int) -> list[np.ndarray]:
    """Logits that say every target, and nonsense where nothing is asked."""
    answers = []
    for item in items:
        logits = np.random.default_rng(0).normal(size=(len(item.tokens), labels)).astype(np.float32)
        asked = item.target != IGNORED
        logits[asked] = -5
        logits[np.flatnonzero(asked), item.target[asked]] = 5
        answers.append(logits)
    return answers


def round_trip(row: Example, given_task: Task, codec: Codec) -> tuple[str, ...]:
    items = KIND.encode(row, 0, given_task, codec)
    assert all(len(item.tokens) <= codec.max_length for item in items)
    assert sum(item.units for item in items) == len(row.expected)
    return KIND.decode(row, perfect(items, len(given_task.labels)), given_task, codec).output


def test_labels_have_both_tags_of_every_type() -> None:
    assert LABELS == ("O", "B-ORG", "I-ORG", "B-PER", "I-PER")
    assert kind_of("tag").outputs(task()) == 5


def test_perfect_logits_give_the_tags(codec: Codec) -> None:
    assert round_trip(ROW, task(), codec) == ROW.expected


@pytest.mark.parametrize("limit", [8, 13, 20])
def test_long_rows_go_through_windows(family: str, limit: int) -> None:
    codec = make_codec(family, limit)
    assert len(KIND.encode(ROW, 0, task(), codec)) > 1
    assert round_trip(ROW, task(), codec) == ROW.expected
    assert KIND.length(ROW, task(), codec) == (max(len(item.tokens) for item in KIND.encode(ROW, 0, task(), codec)), 0)


def test_the_first_piece_of_a_token_carries_its_tag(codec: Codec) -> None:
    tokens = ("Ada", "Lovelace", "écrit", "l'Université", "de", "Londres", "!")
    row = example({"tokens": tokens}, ("B-PER", "I-PER", "O", "B-ORG", "I-ORG", "I-ORG", "O"))
    (item,) = KIND.encode(row, 3, task(), codec)
    asked = np.flatnonzero(item.target != IGNORED)
    assert item.row == 3
    assert [LABELS[tag] for tag in item.target[asked]] == list(row.expected)
    pieces = codec.pieces(" ".join(tokens))
    starts = np.cumsum([0, *(len(token) + 1 for token in tokens[:-1])])
    for start, piece in zip(starts, asked - len(codec.frame.before), strict=True):
        assert pieces.starts[piece] <= start < pieces.stops[piece]
        assert start - pieces.starts[piece] <= 1  # at most the space before the token


def test_a_token_that_leaves_no_piece_stands_as_unknown() -> None:
    codec = make_codec("encoder")
    row = example({"tokens": ("\u200d", "a", "\u200d", "\u200d")}, ("B-PER", "O", "B-ORG", "I-ORG"))
    (item,) = KIND.encode(row, 0, task(), codec)
    unknown, letter = codec.tokenizer.unk_token_id, codec.plain("a")[0]
    assert item.tokens[1:-1].tolist() == [unknown, letter, unknown, unknown]
    assert round_trip(row, task(), codec) == row.expected


WORDS = st.text(alphabet=st.sampled_from("aéÀ🙂x1'-.</s>[SEP]\u200d"), min_size=1, max_size=6)


@given(
    data=st.data(),
    found=tagged(),
    family=st.sampled_from(["encoder", "decoder", "encoder-decoder"]),
    limit=st.sampled_from([9, 16, 64]),
)
@settings(max_examples=150, deadline=None)
def test_any_tags_come_back_from_perfect_logits(data: st.DataObject, found: list, family: str, limit: int) -> None:
    length = max((entity.stop for entity in found), default=0) + 1
    tokens = tuple(data.draw(st.lists(WORDS, min_size=length, max_size=length)))
    row = example({"tokens": tokens}, from_entities(found, length))
    assert round_trip(row, task([row]), make_codec(family, limit)) == row.expected


def test_impossible_sequences_are_repaired_and_counted() -> None:
    codec = make_codec("encoder")
    row = example({"tokens": ("a", "b", "c")}, ("O", "O", "O"))
    (item,) = KIND.encode(row, 0, task(), codec)
    logits = np.zeros((len(item.tokens), 5), np.float32)
    for place, label in zip(np.flatnonzero(item.target != IGNORED), ("I-PER", "I-PER", "I-ORG"), strict=True):
        logits[place, LABELS.index(label)] = 1
    prediction = KIND.decode(row, [logits], task(), codec)
    assert prediction.output == ("B-PER", "I-PER", "B-ORG")
    assert prediction.scores == {"repaired": 2.0}
    answered = [Answered(id="1", expected=["O"] * 3, output=list(prediction.output), scores=prediction.scores)]
    metric = KIND.metric("repairs")
    assert metric.finish(metric.statistics(answered, ()).sum(0)) == pytest.approx(2 / 3)


TAGS = st.lists(st.tuples(*[st.sampled_from(["O", "O", "B-A", "I-A", "B-B", "I-B"])] * 2), min_size=1, max_size=9)


@given(rows=st.lists(TAGS, min_size=1, max_size=6))
@settings(max_examples=150, deadline=None)
@pytest.mark.filterwarnings("ignore")
def test_the_metrics_are_seqevals(rows: list[list[tuple[str, str]]]) -> None:
    from seqeval import metrics as seqeval

    expected, given_tags = ([[pair[side] for pair in row] for row in rows] for side in (0, 1))
    answered = [Answered(id="1", expected=one, output=other) for one, other in zip(expected, given_tags, strict=True)]
    for name, reference in (
        ("entity_f1", seqeval.f1_score),
        ("entity_precision", seqeval.precision_score),
        ("entity_recall", seqeval.recall_score),
        ("token_accuracy", seqeval.accuracy_score),
    ):
        metric = KIND.metric(name)
        found = float(metric.finish(metric.statistics(answered, LABELS).sum(axis=0)))
        assert found == pytest.approx(float(reference(expected, given_tags)), abs=1e-12), name
    report = seqeval.classification_report(expected, given_tags, output_dict=True, zero_division=0)
    for row in entity_table(answered):
        assert row.f1 == pytest.approx(report[row.kind]["f1-score"]) if row.kind in report else row.expected == 0
        assert row.expected == (report[row.kind]["support"] if row.kind in report else 0)


def test_an_answer_of_the_wrong_length_counts_as_outside() -> None:
    answered = [Answered(id="1", expected=["B-A", "O"], output=["B-A"]), Answered(id="2", expected=["B-A"], output="")]
    assert KIND.metric("entity_f1").statistics(answered, ()).tolist() == [[1, 1, 1], [0, 0, 1]]


def test_entities_are_shown_in_the_words_of_their_row() -> None:
    answer = Answered(id="1", expected=["B-PER", "I-PER", "O", "B-LOC"], output=["O"] * 4, given="Ada Lovelace à Londres")
    assert entity_texts(answer) == ("Ada Lovelace: PER; Londres: LOC", "")
    spaced = Answered(id="1", expected=["B-PER", "O"], output=["B-PER"], given="Ada Lovelace à")  # a token with a space in it
    assert entity_texts(spaced) == ("B-PER O", "B-PER O")
    assert entity_types(LABELS) == ["ORG", "PER"]


def test_written_answers_are_read_back() -> None:
    assert KIND.target_text(ROW) == "Ada Lovelace: PER; l'Université de Londres: ORG; \u200d: ORG"
    given_task = task()
    row = example({"tokens": ("Ada", "Lovelace", "et", "Ada", "à", "Londres")}, ("B-PER", "I-PER", "O", "B-PER", "O", "B-ORG"))
    assert KIND.target_text(row) == "Ada Lovelace: PER; Ada: PER; Londres: ORG"
    assert KIND.read(KIND.target_text(row), given_task, row) == row.expected
    assert KIND.read("londres : org\nADA lovelace: per.", given_task, row) == ("B-PER", "I-PER", "O", "O", "O", "B-ORG")
    assert KIND.read("none", given_task, row) == ("O",) * 6
    assert KIND.read("Paris: ORG; Londres: COUNTRY; nonsense", given_task, row) == ("O",) * 6
    after_unknown = KIND.read("Ada: COUNTRY; Londres: ORG", given_task, row)  # an unknown type takes nothing with it
    assert after_unknown == ("O", "O", "O", "O", "O", "B-ORG")
    assert KIND.target_text(example({"tokens": ("a",)}, ("O",))) == "none"
    assert KIND.read("", make_task("tag"), row) == ("O",) * 6


@given(found=tagged())
def test_written_entities_of_distinct_tokens_come_back(found: list) -> None:
    length = max((entity.stop for entity in found), default=0) + 1
    row = example({"tokens": tuple(f"w{place}x" for place in range(length))}, from_entities(found, length))
    assert KIND.read(KIND.target_text(row), task([row]), row) == row.expected


def test_rows_are_brought_to_iob2_together() -> None:
    rows = [example({"tokens": ("a", "b")}, ("I-X", "I-X")), example({"tokens": ("c", "d")}, ("I-X", "B-X"), "2")]
    assert [row.expected for row in KIND.prepared(rows)] == [("B-X", "I-X"), ("B-X", "B-X")]
    assert KIND.check(rows) == []


@pytest.mark.parametrize(
    ("tokens", "tags", "words"),
    [
        (("a", "b"), ("O",), "2 tokens, but 1 tags"),
        ((), ("O",), "tags without tokens"),
        ((), (), "no tokens"),
        (("a",), ("PER",), "'PER' is no tag of a known scheme"),
        (("a",), ("7",), "'7' is no tag of a known scheme"),
    ],
)
def test_bad_rows_are_named(tokens: tuple[str, ...], tags: tuple[str, ...], words: str) -> None:
    (problem,) = KIND.check([example({"tokens": tokens}, tags, "4"), example({"tokens": ("x",)}, ("O",))])
    assert words in problem.message
    assert (problem.file, problem.line) == ("rows.jsonl", 4)


def test_a_row_that_breaks_the_scheme_of_the_others_is_named() -> None:
    rows = [example({"tokens": ("a", "b")}, ("B-X", "I-X")), example({"tokens": ("c", "d")}, ("O", "I-X"), "2")]
    (problem,) = KIND.check(rows)
    assert problem.line == 2
    assert "in IOB2 an entity begins with B-X" in problem.message


def test_prompts_name_the_types() -> None:
    from accordeur.data.template import render

    labels = list(LABELS)
    for name, template in KIND.prompts(task()).items():
        text = render(
            template, {**ROW.given, "labels": labels, "definitions": dict(zip(labels, labels, strict=True)), "shots": ""}
        )
        assert "Ada Lovelace écrit" in text
        assert name == "bare" or ("ORG" in text and "PER" in text and "B-" not in text)


@pytest.mark.data
@pytest.mark.short_data
@pytest.mark.parametrize("name", ["wnut17", "wikigold", "ener_legal"])
def test_real_rows_come_back_from_perfect_logits(name: str, family: str) -> None:
    rows = [example({"tokens": tuple(row["tokens"])}, tuple(row["tags"])) for row in data_rows(name)]
    assert KIND.check(rows) == []
    assert tuple(row.expected for row in KIND.prepared(rows)) == tuple(row.expected for row in rows)
    given_task = task(rows)
    codec = make_codec(family, 48)
    for row in rows:
        assert round_trip(row, given_task, codec) == row.expected
