from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accordeur.data import SplitRule, Splits, split
from accordeur.data.normal import given_key, plain
from accordeur.errors import DataError
from accordeur.example import Example
from tests.data.files import says


def row(text: str, label: Any, line: int = 0, **extra: Any) -> Example:
    return Example(id=text, given={"text": text}, expected=label, extra=extra, file="rows.jsonl", line=line)


def rows(count: int, labels: int = 2, prefix: str = "text") -> list[Example]:
    return [row(f"{prefix} {number}", f"class {number % labels}", number + 1) for number in range(count)]


def ids(splits: Splits) -> dict[str, set[str]]:
    return {part: {example.id for example in found} for part, found in splits.parts().items()}


def refusal(examples: list[Example], **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        split(examples, **{"kind": "classify", **options})
    return str(caught.value)


def test_shares_and_classes_are_even() -> None:
    splits = split(rows(1000, labels=4), kind="classify")
    assert {part: len(found) for part, found in splits.parts().items()} == {"train": 648, "validation": 152, "test": 200}
    for found in splits.parts().values():
        counts = Counter(example.expected for example in found)
        assert len(counts) == 4 and max(counts.values()) == min(counts.values())


def test_every_row_is_in_one_part() -> None:
    parts = ids(split(rows(100), kind="classify"))
    assert sum(map(len, parts.values())) == 100
    assert set().union(*parts.values()) == {f"text {number}" for number in range(100)}


def test_caps_hold() -> None:
    rule = SplitRule(most_test=30, most_validation=10)
    splits = split(rows(1000), kind="classify", rule=rule)
    assert (len(splits.test), len(splits.validation)) == (30, 10)


def test_seed_decides_and_order_does_not() -> None:
    examples = rows(200, labels=3)
    shuffled = random.Random(1).sample(examples, len(examples))
    assert ids(split(examples, kind="classify")) == ids(split(shuffled, kind="classify"))
    assert ids(split(examples, kind="classify")) != ids(split(examples, kind="classify", rule=SplitRule(seed=1)))


def test_a_new_row_moves_few_others() -> None:
    before = ids(split(rows(300), kind="classify"))
    after = ids(split([*rows(300), row("one more", "class 0", 301)], kind="classify"))
    assert len(before["test"] - after["test"]) <= 2


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 25), st.integers(0, 1), st.integers(0, 9)), min_size=30, max_size=120), st.integers(0, 99)
)
def test_texts_and_groups_never_straddle(cells: list[tuple[int, int, int]], seed: int) -> None:
    examples = [
        row(f"Text  {text}".upper() if case else f"text {text}", "x", line, group=str(group))
        for line, (text, case, group) in enumerate(cells)
    ]
    for group in (None, "group"):
        try:
            parts = split(examples, kind="write", rule=SplitRule(seed=seed, group=group)).parts()
        except DataError as fault:
            says(str(fault), "can't be divided")
            continue
        for one, other in (("train", "test"), ("train", "validation"), ("validation", "test")):
            assert not {given_key(row) for row in parts[one]} & {given_key(row) for row in parts[other]}
            if group:
                assert not {row.extra["group"] for row in parts[one]} & {row.extra["group"] for row in parts[other]}
        assert all(parts.values())


def test_same_means_case_space_and_composition_aside() -> None:
    assert plain("  Café\tNOIR\n") == plain("cafe\u0301 noir")
    assert plain("Straße") == plain("STRASSE")
    assert plain("a b") != plain("ab")


def test_questions_on_one_context_stay_together() -> None:
    examples = [
        Example(id=str(n), given={"question": f"q{n}", "context": f"context {n // 5}"}, expected=(), line=n) for n in range(100)
    ]
    splits = split(examples, kind="extract")
    contexts = {part: {example.given["context"] for example in found} for part, found in splits.parts().items()}
    assert not contexts["train"] & contexts["test"] and not contexts["train"] & contexts["validation"]
    assert (len(splits.test), len(splits.validation)) == (20, 15)
    says(" ".join(splits.notes), "100 rows have the same context")


def test_given_test_rows_are_left_out_of_train() -> None:
    examples = rows(60)
    test = [row("TEXT  3", "class 1", 1), row("another", "class 0", 2)]
    splits = split(examples, kind="classify", test=test)
    assert list(splits.test) == test
    assert "text 3" not in ids(splits)["train"] | ids(splits)["validation"]
    assert len(splits.train) + len(splits.validation) == 59
    assert [(left.id, twin.id) for left, twin in splits.dropped] == [("text 3", "TEXT  3")]
    says(" ".join(splits.notes), "1 train rows left out", "rows.jsonl:4 = rows.jsonl:1")


def test_given_groups_of_the_test_are_left_out_of_train() -> None:
    examples = [row(f"text {n}", f"class {n % 2}", n, author=str(n // 10)) for n in range(60)]
    test = [row("new", "class 0", 1, author="3")]
    splits = split(examples, kind="classify", test=test, rule=SplitRule(group="author"))
    assert len(list(splits.dropped)) == 10
    assert all(example.extra["author"] != "3" for example in (*splits.train, *splits.validation))


def test_both_parts_given_leave_train_as_it_is() -> None:
    examples = rows(12)
    splits = split(examples, kind="classify", test=rows(4, prefix="test"), validation=rows(4, prefix="valid"))
    assert list(splits.train) == examples
    assert (len(splits.validation), len(splits.test)) == (4, 4)


def test_validation_that_repeats_the_test_is_left_out() -> None:
    splits = split(
        rows(20), kind="classify", test=rows(4, prefix="test"), validation=[*rows(4, prefix="valid"), *rows(2, prefix="test")]
    )
    assert len(splits.validation) == 4
    says(" ".join(splits.notes), "2 validation rows left out")


def test_one_class_only_is_refused() -> None:
    says(refusal(rows(20, labels=1)), "every row has the label 'class 0'", "at least two")


def test_rare_class_is_refused_by_name_and_line() -> None:
    says(refusal([*rows(40), row("odd one", "rare", 41)]), "rows.jsonl:41: class 'rare' has 1 different row", "fewer than 3")
    twins = [row(text, "rare", 41) for text in ("same", "SAME ", " same")]
    says(refusal([*rows(40), *twins]), "class 'rare' has 1 different row")
    assert split([*rows(40), row("a", "rare"), row("b", "rare")], kind="classify", test=rows(4, prefix="test"))


def test_too_few_rows_are_refused() -> None:
    says(refusal(rows(3)), "3 rows can't be split", "at least 10")
    says(refusal([]), "0 rows")


def test_all_rows_leaked_is_refused() -> None:
    says(refusal(rows(20), test=rows(20)), "no train rows are left")


def test_unseen_labels_are_refused_with_lines() -> None:
    test = [row("a", "class 0", 1), row("b", "strange", 2), row("c", "other", 3)]
    says(
        refusal(rows(40), test=test),
        "rows.jsonl:2:",
        "'strange'",
        "rows.jsonl:3:",
        "'other'",
        "'class 0'" if False else "class 0",
    )


def test_missing_group_column_is_refused() -> None:
    examples = [row(f"text {n}", f"class {n % 2}", n, author=str(n)) for n in range(20)]
    says(refusal(examples, rule=SplitRule(group="autor")), "group column 'autor'", "did you mean 'author'")


def test_two_groups_are_too_few() -> None:
    examples = [row(f"text {n}", f"class {n % 2}", n, author=str(n % 2)) for n in range(20)]
    says(refusal(examples, rule=SplitRule(group="author")), "2 groups of 'author'", "3 parts")


def test_grades_are_not_classes() -> None:
    examples = [row(f"text {n}", n / 10, n) for n in range(40)]
    assert len(split(examples, kind="classify").test) == 8
