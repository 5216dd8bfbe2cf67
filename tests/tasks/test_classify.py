"""Kind `classify`: pairs, long texts in windows, grades."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import pearsonr, spearmanr

from accordeur.data.template import render
from accordeur.run import Answered
from accordeur.tasks import Codec
from accordeur.tasks.classify import KIND
from tests.tasks.conftest import data_rows, example, make_codec, make_task

LABELS = ("négatif", "positif")
TASK = make_task("classify", labels=LABELS)
GRADED = make_task("classify")


def content(item, codec: Codec) -> list[int]:
    """The ids of a window without its special tokens."""
    frame = codec.frame
    return item.tokens[len(frame.before) : len(item.tokens) - len(frame.after)].tolist()


def test_a_pair_has_separators_and_segments() -> None:
    codec = make_codec("encoder")
    row = example({"text": "Où est-il ?", "text_pair": "Il est [SEP] à Lille."}, "positif")
    (item,) = KIND.encode(row, 0, TASK, codec)
    separator = codec.tokenizer.sep_token_id
    assert item.tokens.tolist().count(separator) == 2
    assert item.tokens[-1] == separator
    assert item.segments is not None
    first = item.tokens.tolist().index(separator)
    assert item.segments.tolist() == [0] * (first + 1) + [1] * (len(item.tokens) - first - 1)
    assert item.target == 1


def test_families_without_segments_have_none() -> None:
    row = example({"text": "a", "text_pair": "b"}, "positif")
    for family in ("decoder", "encoder-decoder"):
        (item,) = KIND.encode(row, 0, TASK, make_codec(family))
        assert item.segments is None
    (item,) = KIND.encode(example({"text": "a", "text_pair": ""}, "positif"), 0, TASK, make_codec("encoder"))
    assert item.segments is None


@given(
    words=st.integers(0, 90),
    family=st.sampled_from(["encoder", "decoder", "encoder-decoder"]),
    limit=st.sampled_from([8, 20, 64]),
)
@settings(max_examples=60, deadline=None)
def test_windows_of_a_long_text_lose_nothing(words: int, family: str, limit: int) -> None:
    codec = make_codec(family, limit)
    row = example({"text": " ".join(f"né{place}" for place in range(words))}, "négatif")
    items = KIND.encode(row, 4, TASK, codec)
    assert all(len(item.tokens) <= limit and item.row == 4 and item.target == 0 for item in items)
    whole = codec.plain(row.given["text"])
    parts = [content(item, codec) for item in items]
    room = limit - codec.frame.size
    assert len(items) == max(1, -(-len(whole) // room))
    shared = sum(map(len, parts)) - len(whole)
    assert 0 <= shared < len(parts)
    if not shared:
        assert [token for part in parts for token in part] == whole
    assert KIND.length(row, TASK, codec) == (max(len(item.tokens) for item in items), 0)


@pytest.mark.parametrize(("first", "second"), [(200, 3), (3, 200), (200, 150), (10, 10)])
def test_windows_of_a_pair_show_all_of_both(first: int, second: int) -> None:
    codec = make_codec("encoder", 32)
    row = example({"text": "a " * first, "text_pair": "z " * second}, "positif")
    items = KIND.encode(row, 0, TASK, codec)
    letters = [codec.plain("a")[0], codec.plain("z")[0]]
    counts = [[item.tokens.tolist().count(letter) for letter in letters] for item in items]
    assert all(len(item.tokens) <= 32 and all(count) for item, count in zip(items, counts, strict=True))
    assert sum(count[0] for count in counts) >= first
    assert sum(count[1] for count in counts) >= second
    room = 32 - 3
    assert len(items) == max(
        1, -(-max(first, second) // (room // 2 if min(first, second) > room // 2 else room - min(first, second)))
    )
    if first == 3:
        assert all(count[0] == 3 for count in counts)
    assert all(item.segments is not None and len(item.segments) == len(item.tokens) for item in items)


def test_the_answers_of_windows_are_averaged() -> None:
    codec = make_codec("encoder")
    logits = [np.asarray([0.0, np.log(3)], np.float32), np.asarray([0.0, 0.0], np.float32)]
    prediction = KIND.decode(example({"text": "a"}, "positif"), logits, TASK, codec)
    assert prediction.scores == pytest.approx({"négatif": 0.375, "positif": 0.625})
    assert prediction.output == "positif"
    grade = KIND.decode(example({"text": "a"}, 2.0), [np.float32(1), np.asarray([2.0], np.float32)], GRADED, codec)
    assert grade.output == 1.5


def test_grades_make_another_problem() -> None:
    rows = [example({"text": "a"}, 2.5), example({"text": "b"}, 3.0, "2")]
    assert KIND.labels(rows) == ()
    assert KIND.metric_names(rows) == ("pearson", "spearman", "mae")
    assert KIND.form("encoder", GRADED) == "score"
    assert KIND.outputs(GRADED) == 1
    (item,) = KIND.encode(rows[0], 0, GRADED, make_codec("encoder"))
    assert item.target == 2.5
    words = [example({"text": "a"}, "x"), example({"text": "b"}, "é", "2")]
    assert KIND.labels(words) == ("x", "é")
    assert KIND.metric_names(words)[0] == "macro_f1"
    assert "pearson" not in KIND.metric_names(words)
    assert KIND.form("encoder", TASK) == "label"


NUMBERS = st.floats(-5, 5).map(lambda value: round(value, 2))


@given(pairs=st.lists(st.tuples(NUMBERS, NUMBERS), min_size=3, max_size=30))
@settings(max_examples=150, deadline=None)
@pytest.mark.filterwarnings("ignore")
def test_correlations_are_scipys(pairs: list[tuple[float, float]]) -> None:
    answered = [Answered(id="1", expected=1e3 + x, output=y) for x, y in pairs]
    columns = np.asarray(pairs).T
    for name, reference in (("pearson", pearsonr), ("spearman", spearmanr)):
        metric = KIND.metric(name)
        found = float(metric.finish(metric.statistics(answered, ()).sum(axis=0)))
        wanted = 0.0 if (columns == columns[:, :1]).all(axis=1).any() else float(reference(*columns).statistic)
        assert found == pytest.approx(wanted, abs=1e-6), name


def test_pearson_of_a_resampling_is_pearson_of_its_rows() -> None:
    random = np.random.default_rng(0)
    x, y = random.normal(size=(2, 40))
    answered = [Answered(id="1", expected=float(a), output=float(b)) for a, b in zip(x, y, strict=True)]
    metric = KIND.metric("pearson")
    table = metric.statistics(answered, ())
    draws = random.integers(0, 40, size=(5, 40))
    found = metric.finish(np.stack([table[draw].sum(0) for draw in draws]))
    assert found == pytest.approx([pearsonr(x[draw], y[draw]).statistic for draw in draws])


def test_an_answer_without_a_number_tells_nothing() -> None:
    answered = [Answered(id="1", expected=grade, output=output) for grade, output in ((1.0, 1.0), (2.0, None), (3.0, 3.0))]
    metric = KIND.metric("mae")
    assert metric.statistics(answered, ()).tolist() == [[0, 1], [0, 1], [0, 1]]
    empty = [Answered(id="1", expected=grade, output=None) for grade in (1.0, 2.0)]
    pearson = KIND.metric("pearson")
    assert pearson.finish(pearson.statistics(empty, ()).sum(0)) == 0


@pytest.mark.parametrize(
    ("text", "grade"), [("3.5", 3.5), ("About 4, I think", 4.0), ("2,75 sur 5", 2.75), ("-1", -1.0), ("none", None)]
)
def test_written_grades_are_read(text: str, grade: float | None) -> None:
    assert KIND.read(text, GRADED, example({"text": "a"}, 1.0)) == grade
    assert KIND.target_text(example({"text": "a"}, 3.0)) == "3"
    assert KIND.read(KIND.target_text(example({"text": "a"}, 3.25)), GRADED, example({"text": "a"}, 1.0)) == 3.25


def test_prompts_ask_for_what_is_expected() -> None:
    values = {"text": "A", "text_pair": "B", "shots": ""}
    for template in KIND.prompts(GRADED).values():
        assert render(template, {**values, "labels": []}).endswith("Number:")
    labels = list(LABELS)
    for template in KIND.prompts(TASK).values():
        text = render(template, {**values, "labels": labels, "definitions": dict(zip(labels, labels, strict=True))})
        assert "A" in text
        assert "B" in text
    assert KIND.shot(example({"text": "a"}, 2.0), GRADED).endswith("Number: 2\n\n")


@pytest.mark.data
@pytest.mark.short_data
def test_real_pairs_with_labels(family: str) -> None:
    rows = [example({"text": row["sentence1"], "text_pair": row["sentence2"]}, row["label"]) for row in data_rows("sick")]
    task = make_task("classify", labels=KIND.labels(rows))
    assert task.labels == ("CONTRADICTION", "ENTAILMENT", "NEUTRAL")
    codec = make_codec(family, 48)
    for row in rows:
        items = KIND.encode(row, 0, task, codec)
        assert all(len(item.tokens) <= 48 for item in items)
        answers = [np.eye(3, dtype=np.float32)[item.target] * 9 for item in items]
        assert KIND.decode(row, answers, task, codec).output == row.expected


@pytest.mark.data
@pytest.mark.short_data
def test_real_pairs_with_grades(family: str) -> None:
    rows = [
        example({"text": row["sentence1"], "text_pair": row["sentence2"]}, float(row["score"])) for row in data_rows("stsb_en")
    ]
    codec = make_codec(family, 64)
    answered = []
    for row in rows:
        items = KIND.encode(row, 0, GRADED, codec)
        prediction = KIND.decode(row, [np.asarray(item.target, np.float32) for item in items], GRADED, codec)
        answered.append(Answered(id=row.id, expected=row.expected, output=prediction.output))
    for name, best in (("pearson", 1.0), ("spearman", 1.0), ("mae", 0.0)):
        metric = KIND.metric(name)
        assert float(metric.finish(metric.statistics(answered, ()).sum(0))) == pytest.approx(best, abs=1e-6)


@pytest.mark.data
@pytest.mark.short_data
def test_real_long_texts_are_cut_nowhere() -> None:
    codec = make_codec("encoder", 256)
    for row in data_rows("movie_reviews", 20):
        text = row["text"]
        items = KIND.encode(example({"text": text}, "positif"), 0, TASK, codec)
        assert len(items) > 1
        assert sum(len(item.tokens) - 2 for item in items) >= len(codec.plain(text))


@pytest.mark.parametrize(
    ("labels", "text", "label"),
    [
        (("no", "yes", "maybe"), "Not sure, maybe", "maybe"),
        (("no", "yes", "maybe"), "No.", "no"),
        (("no", "yes", "maybe"), "nothing of the kind", ""),
        (("no", "yes", "maybe"), "yes or no", "yes"),
        (("entailment", "not_entailment"), "It is not entailment.", "not_entailment"),
        (("entailment", "not_entailment"), "The answer: Entailment!", "entailment"),
        (("positif", "négatif"), "Plutôt négatif, je crois", "négatif"),
        (("体育", "经济"), "这是体育新闻", "体育"),
        (("spam", "ham"), "between spam and ham", ""),
    ],
)
def test_a_label_is_read_as_whole_words(labels: tuple[str, ...], text: str, label: str) -> None:
    given_task = make_task("classify", labels=labels)
    assert KIND.read(text, given_task, example({"text": "a"}, labels[0])) == label


def test_a_row_without_an_expected_grade_can_be_asked() -> None:
    assert KIND.target(example({"text": "a"}, None), GRADED) is None
