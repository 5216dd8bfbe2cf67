"""Tag schemes: recognised, checked, converted, repaired."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accordeur.tasks._schemes import Entity, entities, faults, from_entities, parts, scheme_of, to_iob2

KINDS = st.sampled_from(["PER", "LOC", "LEGISLATION/ACT", "X-Y"])


@st.composite
def tagged(draw: st.DrawFn) -> list[Entity]:
    found, place = [], 0
    for kind, gap, size in draw(st.lists(st.tuples(KINDS, st.integers(0, 2), st.integers(1, 3)), max_size=6)):
        place += gap
        found.append(Entity(kind, place, place + size))
        place += size
    return found


def in_scheme(found: list[Entity], length: int, scheme: str) -> list[str]:
    tags = ["O"] * length
    for place, (kind, start, stop) in enumerate(found):
        before = found[place - 1] if place else None
        touching = before is not None and before.stop == start and before.kind == kind
        size = stop - start
        if scheme == "BIOES":
            marks = ["S"] if size == 1 else ["B", *["I"] * (size - 2), "E"]
        elif scheme == "IOB1":
            marks = ["B" if touching else "I", *["I"] * (size - 1)]
        else:
            marks = ["B", *["I"] * (size - 1)]
        tags[start:stop] = [f"{mark}-{kind}" for mark in marks]
    return tags


@given(found=tagged(), scheme=st.sampled_from(["IOB1", "IOB2", "BIOES"]))
def test_every_scheme_comes_to_the_same_iob2(found: list[Entity], scheme: str) -> None:
    length = max((entity.stop for entity in found), default=0) + 1
    tags = in_scheme(found, length, scheme)
    assert not found or scheme_of([tags]) == scheme
    assert to_iob2(tags, scheme) == tuple(in_scheme(found, length, "IOB2"))
    assert entities(tags, scheme) == found
    assert list(faults(tags, scheme)) == []


@given(found=tagged())
def test_entities_and_tags_are_each_others_inverse(found: list[Entity]) -> None:
    length = max((entity.stop for entity in found), default=0)
    assert entities(from_entities(found, length)) == found


@given(tags=st.lists(st.sampled_from(["O", "B-A", "I-A", "B-B", "I-B"]), max_size=12))
def test_a_repaired_row_has_no_fault_and_the_same_entities(tags: list[str]) -> None:
    repaired = to_iob2(tags, "IOB2")
    assert list(faults(repaired, "IOB2")) == []
    assert entities(repaired) == entities(tags)
    assert sum(before != after for before, after in zip(tags, repaired, strict=True)) == len(list(faults(tags, "IOB2")))


@pytest.mark.parametrize(
    ("rows", "scheme"),
    [
        ([["I-PER", "I-PER", "O", "I-LOC", "B-LOC"]], "IOB1"),
        ([["B-PER", "I-PER", "O", "B-LOC"]], "IOB2"),
        ([["O"], ["S-PER"]], "BIOES"),
        ([["B-PER", "L-PER", "U-LOC"]], "BIOES"),
        ([["O", "O"]], "IOB2"),
        ([], "IOB2"),
    ],
)
def test_schemes_are_recognised(rows: list[list[str]], scheme: str) -> None:
    assert scheme_of(rows) == scheme


@pytest.mark.parametrize("tag", ["PER", "X-PER", "B-", "-PER", "3", "", "o"])
def test_tags_of_no_scheme_are_refused(tag: str) -> None:
    with pytest.raises(ValueError, match="no tag of a known scheme"):
        parts(tag)


@pytest.mark.parametrize(
    ("tags", "scheme", "words"),
    [
        (["O", "I-PER"], "IOB2", "token 2: I-PER follows O"),
        (["B-LOC", "I-PER"], "IOB2", "I-PER follows B-LOC"),
        (["B-LOC", "O"], "BIOES", "has not ended"),
        (["E-LOC"], "BIOES", "must go on from"),
        (["B-LOC"], "BIOES", "ends inside an entity"),
        (["S-LOC", "I-LOC"], "BIOES", "must go on from"),
    ],
)
def test_faults_say_where(tags: list[str], scheme: str, words: str) -> None:
    assert any(words in fault for fault in faults(tags, scheme))
