"""The ways of writing entities as tags: recognised, checked, brought to IOB2, and read back as entities."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

Scheme = Literal["IOB1", "IOB2", "BIOES"]
OUTSIDE = "O"
ENDS = frozenset("ESLU")  # BIOES marks the end E and a single token S; BILOU writes L and U
SINGLE = frozenset("SU")
PREFIXES = frozenset("BI") | ENDS


class Entity(NamedTuple):
    """Tokens [start, stop) of one type."""

    kind: str
    start: int
    stop: int


def parts(tag: str) -> tuple[str, str]:
    """(prefix, type) of a tag; ("O", "") outside. ValueError where it is neither."""
    if tag == OUTSIDE:
        return OUTSIDE, ""
    prefix, dash, kind = tag.partition("-")
    if not dash or not kind or prefix not in PREFIXES:
        raise ValueError(f"{tag!r} is no tag of a known scheme")
    return prefix, kind


def scheme_of(rows: Iterable[Sequence[str]]) -> Scheme:
    """The scheme of a data set. ValueError, naming the tag, where a tag belongs to none.

    Any E, S, L or U: BIOES. Else IOB2 where some entity begins with B although nothing of its type stands before it;
    IOB1 (Ramshaw & Marcus 1995), where B only parts neighbours of one type, if entities begin with I and none so with B.
    """
    begun_by_b = begun_by_i = False
    for tags in rows:
        before = ""
        for prefix, kind in map(parts, tags):
            if prefix in ENDS:
                return "BIOES"
            begun_by_b |= prefix == "B" and kind != before
            begun_by_i |= prefix == "I" and kind != before
            before = kind
    return "IOB1" if begun_by_i and not begun_by_b else "IOB2"


def faults(tags: Sequence[str], scheme: Scheme) -> Iterator[str]:
    """What breaks the scheme in one row, in words; an entity without its beginning or without its end."""
    before, open_kind = (OUTSIDE, ""), ""
    for place, (prefix, kind) in enumerate(map(parts, tags), start=1):
        goes_on = prefix == "I" or (prefix in ENDS and prefix not in SINGLE)
        if scheme == "IOB2" and prefix == "I" and before[1] != kind:
            yield f"token {place}: I-{kind} follows {written(before)}; in IOB2 an entity begins with B-{kind}"
        if scheme == "BIOES" and goes_on and open_kind != kind:
            yield f"token {place}: {prefix}-{kind} follows {written(before)}; in BIOES it must go on from B-{kind} or I-{kind}"
        if scheme == "BIOES" and open_kind and not goes_on:
            yield f"token {place}: {written((prefix, kind))} follows {written(before)}, an entity that has not ended"
        open_kind = kind if prefix in ("B", "I") else ""
        before = (prefix, kind)
    if scheme == "BIOES" and open_kind:
        yield f"the row ends inside an entity ({written(before)})"


def written(tag: tuple[str, str]) -> str:
    """A tag as it is written."""
    return f"{tag[0]}-{tag[1]}" if tag[1] else OUTSIDE


def to_iob2(tags: Sequence[str], scheme: Scheme) -> tuple[str, ...]:
    """The same entities in IOB2. ValueError where a tag belongs to no scheme."""
    return from_entities(entities(tags, scheme), len(tags))


def entities(tags: Sequence[str], scheme: Scheme = "IOB2") -> list[Entity]:
    """The entities of a row, in order. A sequence that breaks its scheme is read as conlleval reads it.

    An entity begins at B, S or U, and wherever the type changes (for BIOES also after an end); the rest goes on.
    """
    found: list[Entity] = []
    ended = True
    for place, (prefix, kind) in enumerate(map(parts, tags)):
        if prefix == OUTSIDE:
            ended = True
            continue
        starts = ended or prefix == "B" or prefix in SINGLE or found[-1].kind != kind
        if starts:
            found.append(Entity(kind, place, place + 1))
        else:
            found[-1] = found[-1]._replace(stop=place + 1)
        ended = scheme == "BIOES" and prefix in ENDS
    return found


def from_entities(found: Sequence[Entity], length: int) -> tuple[str, ...]:
    """The IOB2 tags of a row of `length` tokens."""
    tags = [OUTSIDE] * length
    for kind, start, stop in found:
        tags[start:stop] = [f"B-{kind}", *[f"I-{kind}"] * (stop - start - 1)]
    return tuple(tags)
