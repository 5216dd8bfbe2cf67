"""Kind `tag`: a label per token, for entities. Rows are kept in IOB2, whatever scheme the file was written in.

`Prediction.scores` of a tagged row holds one number, `repaired`: how many tags I-X stood where no X had begun. They are
read as B-X, as conlleval reads them, so that repairing changes no entity score.

A written answer lists the entities in the order of the text, `Ada Lovelace: PER; London: LOC`, or says `none`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from accordeur.adapted import FloatArray, Prediction
from accordeur.base import Family
from accordeur.data.stored import kept
from accordeur.errors import Problem
from accordeur.example import IGNORED, Encoded, Example, Form, IntArray
from accordeur.task import Task
from accordeur.tasks._codec import Codec, Pieces
from accordeur.tasks._entities import ENTITY_METRICS, EntityRow, entity_table, spelled
from accordeur.tasks._kind import Kind
from accordeur.tasks._schemes import OUTSIDE, Entity, faults, from_entities, parts, scheme_of, to_iob2
from accordeur.tasks._windows import Window, windows

__all__ = ["KIND", "EntityRow", "Tag", "entity_table"]

OVERLAP = 4  # windows share a quarter of their room, so that every tag is given with context on both sides
NONE = "none"
KINDS = "{% for label in labels if label[:2] == 'B-' %}{{ ', ' if not loop.first }}{{ label[2:] }}{% endfor %}"
ASK = "Text: {{ tokens | join(' ') }}\nEntities:"
FORMAT = "Answer as `entity: type; entity: type`, in the order of the text, or `none`.\n\n"
PROMPTS = {
    "bare": "{{ tokens | join(' ') }}\nEntities:",
    "role-task-format": (
        f"You are a careful annotator. Copy every entity out of the text and give its type, one of: {KINDS}. {FORMAT}"
        "{{ shots }}" + ASK
    ),
    "definitions": (
        "The types of entities and what they mean:\n{% for label in labels if label[:2] == 'B-' %}"
        "- {{ label[2:] }}: {{ definitions[label] | replace('B-', '') }}\n{% endfor %}" + FORMAT + "{{ shots }}" + ASK
    ),
    "step-by-step": (
        f"Find the entities of these types: {KINDS}. First go through the text word by word and think of which words name "
        f"something, then of its type, then write the list. {FORMAT}" + "{{ shots }}" + ASK
    ),
}


class Tag(Kind):
    """A tag for every token."""

    name = "tag"
    metrics = ENTITY_METRICS

    def form(self, family: Family, task: Task) -> Form:
        """A label per token by a head on the base."""
        return "tokens"

    def outputs(self, task: Task) -> int:
        """One logit per tag."""
        return len(task.labels)

    def check(self, examples: Sequence[Example]) -> list[Problem]:
        """Rows whose tags and tokens don't match, tags of no scheme, and rows that break the scheme of the others."""
        found = [problem for example in examples for problem in row_faults(example)]
        if found:
            return found
        scheme = scheme_of(example.expected for example in examples)
        return [problem(example, fault) for example in examples for fault in faults(example.expected, scheme)]

    def prepared(self, examples: Sequence[Example]) -> Sequence[Example]:
        """The rows with their tags in IOB2; the scheme is recognised over all rows."""
        scheme = scheme_of(example.expected for example in examples)
        return kept((replace(example, expected=to_iob2(example.expected, scheme)) for example in examples), self.name)

    def labels(self, examples: Sequence[Example]) -> tuple[str, ...]:
        """O, then B-X and I-X of every type of entity, whether or not all occur."""
        kinds = sorted({parts(tag)[1] for example in examples for tag in example.expected} - {""})
        return (OUTSIDE, *(f"{prefix}-{kind}" for kind in kinds for prefix in "BI"))

    def encode(self, example: Example, row: int, task: Task, codec: Codec) -> list[Encoded]:
        """The tokens joined by spaces, in windows; the first piece of each token carries its tag, in one window only.

        A tag that is not among the task's labels is asked of nobody.
        """
        ids, words = pieces_of(example.given["tokens"], codec)
        index = {label: position for position, label in enumerate(task.labels)}
        tags = [index.get(tag, IGNORED) for tag in example.expected or ("",) * len(example.given["tokens"])]
        targets = np.asarray([tags[word] if word >= 0 else IGNORED for word in words], np.int32)
        return [windowed(ids, targets, window, row, codec) for window in row_windows(len(ids), codec)]

    def decode(self, example: Example, answers: Sequence[FloatArray], task: Task, codec: Codec) -> Prediction:
        """The best tag of each token, from the window where it has most context, with impossible sequences repaired."""
        ids, words = pieces_of(example.given["tokens"], codec)
        chosen = np.zeros(len(example.given["tokens"]), np.int64)
        offset = len(codec.frame.before)
        for window, answer in zip(row_windows(len(ids), codec), answers, strict=True):
            owned = slice(window.own_start, window.own_stop)
            best = answer[offset + window.own_start - window.start : offset + window.own_stop - window.start].argmax(axis=-1)
            first = words[owned] >= 0
            chosen[words[owned][first]] = best[first]
        return repaired([task.labels[place] for place in chosen])

    def length(self, example: Example, task: Task, codec: Codec) -> tuple[int, int]:
        """Of the longest window: none is cut."""
        return max(len(item.tokens) for item in self.encode(example, 0, task, codec)), 0

    def read(self, text: str, task: Task, example: Example) -> Any:
        """The tags of the tokens that an answer `entity: type; …` names, each at its first place that is still free.

        What the text doesn't hold, and types that the task doesn't have, count as nothing.
        """
        tokens = example.given["tokens"]
        kinds = {label[2:].casefold(): label[2:] for label in task.labels if label != OUTSIDE}
        found: list[Entity] = []
        for name, kind in named(text, kinds):
            place = first_place(name, tokens, found) or first_place(re.split(r"[;\n]", name)[-1], tokens, found)
            if place is not None:
                found.append(Entity(kind, *place))
        return from_entities(found, len(tokens))

    def target_text(self, example: Example) -> str:
        """The entities in order, as `entity: type; …`, or `none`."""
        return spelled(example.expected, example.given["tokens"]) or NONE

    def shot(self, example: Example, task: Task) -> str:
        """Text and entities as the built-in prompts lay them out."""
        return f"Text: {' '.join(example.given['tokens'])}\nEntities: {self.target_text(example)}\n\n"

    def prompts(self, task: Task) -> Mapping[str, str]:
        """Bare; role, task and format; definitions of the types; step by step."""
        return PROMPTS


def repaired(tags: Sequence[str]) -> Prediction:
    """Tags given one by one as a row in IOB2, and how many had to be changed for that."""
    possible = to_iob2(tags, "IOB2")
    changed = sum(before != after for before, after in zip(tags, possible, strict=True))
    return Prediction(output=possible, scores={"repaired": float(changed)})


def pieces_of(tokens: Sequence[str], codec: Codec) -> tuple[IntArray, npt.NDArray[np.int64]]:
    """The ids of a row (T,), and for each the token whose first piece it is, else -1.

    The tokens are joined by spaces, as the base saw text. A token that leaves no piece stands as the unknown one.
    """
    stops = np.cumsum([len(token) + 1 for token in tokens]) - 1
    starts = stops - [len(token) for token in tokens]
    pieces = codec.pieces(" ".join(tokens))
    words = words_of(pieces, starts, stops)
    present = np.zeros(len(tokens), bool)
    present[words[words >= 0]] = True
    missing = np.flatnonzero(~present)
    if not len(missing):
        return pieces.ids, words
    before = np.searchsorted(np.maximum.accumulate(words), missing) if len(words) else np.zeros(len(missing), np.int64)
    return np.insert(pieces.ids, before, codec.unknown), np.insert(words, before, missing)


def words_of(pieces: Pieces, starts: npt.NDArray[Any], stops: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """For each piece the token whose first one it is, else -1. The last character decides: a piece may begin with a space."""
    last = pieces.stops.astype(np.int64) - 1
    word = np.minimum(np.searchsorted(stops, last, side="right"), len(stops) - 1)
    inside = (pieces.stops > pieces.starts) & (last >= starts[word]) & (last < stops[word])
    word = np.where(inside, word, -1)
    before = np.maximum.accumulate(np.concatenate([[-1], word[:-1]]))
    return np.where(word > before, word, -1)


def row_windows(length: int, codec: Codec) -> list[Window]:
    """The windows of a row of so many pieces."""
    room = codec.room(codec.frame)
    return windows(length, room, room // OVERLAP)


def windowed(ids: IntArray, targets: IntArray, window: Window, row: int, codec: Codec) -> Encoded:
    """One window with its special tokens; only the pieces it owns are asked."""
    owned = np.full(window.stop - window.start, IGNORED, np.int32)
    owned[window.own_start - window.start : window.own_stop - window.start] = targets[window.own_start : window.own_stop]
    frame = codec.frame
    target = np.concatenate([np.full(len(frame.before), IGNORED), owned, np.full(len(frame.after), IGNORED)]).astype(np.int32)
    return Encoded(tokens=frame.around(ids[window.start : window.stop])[0], target=target, row=row)


def named(text: str, kinds: Mapping[str, str]) -> list[tuple[str, str]]:
    """(entity, type) of each item of a written answer."""
    if not kinds:
        return []
    known = "|".join(re.escape(kind) for kind in sorted(kinds, key=len, reverse=True))
    items = re.findall(rf"\s*(.+?)\s*:\s*({known})\s*(?:[;\n]|\.?\s*$)", text, re.IGNORECASE)
    return [(name, kinds[kind.casefold()]) for name, kind in items if kind.casefold() in kinds]


def first_place(name: str, tokens: Sequence[str], taken: Sequence[Entity]) -> tuple[int, int] | None:
    """The first run of free tokens that spells a name, spaces and case aside."""
    wanted = "".join(name.split()).casefold()
    busy = {place for entity in taken for place in range(entity.start, entity.stop)}
    for start in range(len(tokens)):
        spelled = ""
        for stop in range(start, len(tokens)):
            if stop in busy or len(spelled) >= len(wanted):
                break
            spelled += "".join(tokens[stop].split()).casefold()
            if spelled == wanted:
                return start, stop + 1
    return None


def row_faults(example: Example) -> list[Problem]:
    """What is wrong with one row by itself."""
    tokens, tags = example.given.get("tokens", ()), example.expected
    if not tokens:
        return [problem(example, "tags without tokens" if tags else "no tokens")]
    if len(tokens) != len(tags):
        return [problem(example, f"{len(tokens)} tokens, but {len(tags)} tags; expected one tag a token")]
    unknown = [tag for tag in tags if not known_tag(tag)]
    hint = "expected O and B-TYPE, I-TYPE (IOB1, IOB2; or E-, S- beside them: BIOES)"
    return [problem(example, f"{unknown[0]!r} is no tag of a known scheme; {hint}")] if unknown else []


def known_tag(tag: str) -> bool:
    """Whether a tag belongs to any scheme."""
    try:
        parts(tag)
    except ValueError:
        return False
    return True


def problem(example: Example, message: str) -> Problem:
    """A fault of one row."""
    return Problem(file=example.file or example.id, line=example.line, message=message)


KIND = Tag()
