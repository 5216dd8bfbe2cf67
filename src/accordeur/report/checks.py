"""The data checks of a report as tables; what they don't know is shown as it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from accordeur.report.figures import Reading
from accordeur.report.views import Cell, Column, Table

KNOWN = ("kind", "rows", "classes", "within", "across", "dropped", "conflicts", "conflict_count", "notes")
LENGTHS = ("longest", "limit", "cut_rows", "lost_answer_tokens")
SHOWN_PLACES = 3


def found(reading: Reading) -> Table | None:
    """Rows by part, repeats, leaks, conflicts and cuts, each with its count and its first places."""
    words, summary = reading.words, reading.report["summary"]
    lines: list[tuple[str, int, Sequence[str]]] = [
        (words("check_rows", part=part_name(reading, part)), count, ()) for part, count in mapping(summary, "rows").items()
    ]
    lines += [
        (words("check_within", part=part_name(reading, part)), pairs["count"], joined(pairs["shown"]))
        for part, pairs in mapping(summary, "within").items()
    ]
    lines += [
        (words("check_across", sides=sides_name(reading, sides)), pairs["count"], joined(pairs["shown"]))
        for sides, pairs in mapping(summary, "across").items()
    ]
    if dropped := mapping(summary, "dropped"):
        lines.append((words("check_dropped"), dropped["count"], joined(dropped["shown"])))
    if "conflict_count" in summary:
        places = [" = ".join(conflict["places"]) for conflict in summary.get("conflicts", ())]
        lines.append((words("check_conflicts"), summary["conflict_count"], places))
    lengths = reading.report["lengths"]
    lines += [(words(f"check_{key}"), lengths[key], ()) for key in LENGTHS if key in lengths]
    rows = [
        [
            Cell(text=name, sort=name, class_="words"),
            Cell(text=reading.numbers.number(count), sort=count),
            Cell(text=", ".join(places[:SHOWN_PLACES]) + (" …" if len(places) > SHOWN_PLACES else ""), class_="words"),
        ]
        for name, count, places in lines
    ]
    titles = [Column(title=words(key), numeric=key == "found") for key in ("check", "found", "first_places")]
    return Table(caption=words("data_table"), columns=titles, rows=rows) if rows else None


def labels(reading: Reading) -> Table | None:
    """Rows of each label in each part."""
    classes = mapping(reading.report["summary"], "classes")
    parts = list(dict.fromkeys(part for counts in classes.values() for part in counts))
    rows = [
        [
            Cell(text=label, sort=label),
            *(Cell(text=reading.numbers.number(counts.get(part, 0)), sort=counts.get(part, 0)) for part in parts),
        ]
        for label, counts in classes.items()
    ]
    titles = [Column(title=reading.words("label"), numeric=False), *(Column(title=part_name(reading, part)) for part in parts)]
    return Table(caption=reading.words("labels_table"), columns=titles, rows=rows) if rows else None


def rest(reading: Reading) -> dict[str, Any]:
    """What the tables don't show."""
    return {key: value for key, value in reading.report["summary"].items() if key not in KNOWN}


def mapping(values: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """A nested mapping, empty where there is none."""
    inner = values.get(key)
    return inner if isinstance(inner, Mapping) else {}


def joined(pairs: Sequence[Sequence[str]]) -> list[str]:
    """Pairs of places as "a:3 = a:9"."""
    return [" = ".join(map(str, pair)) for pair in pairs]


def part_name(reading: Reading, part: str) -> str:
    """A part of the data in the language of the report."""
    return reading.words.maybe(f"part_{part}") or part


def sides_name(reading: Reading, sides: str) -> str:
    """Two parts of the data: "train in test"."""
    first, _, second = sides.partition(" in ")
    return f"{part_name(reading, first)} {reading.words('in')} {part_name(reading, second)}" if second else sides
