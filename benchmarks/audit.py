"""How long is an audit, and its near duplicates against datasketch: `python -m benchmarks.audit [--rows 50000]`.

Rows are made of the embedded sample: ten runs of three words from ten messages, one row in fifty a near copy of an
earlier one. The audit of 50,000 rows must take less than 30 s of one processor. datasketch gets the same runs of letters
and the same threshold, on as many rows as `--peer` says.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from importlib.resources import files
from typing import Any

from accordeur.audit import Subject, audit
from accordeur.audit.near import near_twins
from accordeur.audit.shingles import letters
from accordeur.audit.subject import NEAR
from accordeur.example import Example

LIMIT = 30.0  # processor seconds for 50,000 rows


def rows_of(count: int, seed: int = 0) -> tuple[Example, ...]:
    """Rows with labels; one in fifty has a word more than a row before it."""
    chance = random.Random(seed)
    sample = files("accordeur").joinpath("assets/sample/messages.jsonl").read_text(encoding="utf-8").splitlines()
    messages = [json.loads(line) for line in sample]
    found: list[Example] = []
    for place in range(count):
        if place % 50 == 49:
            twin = chance.choice(found)
            text, label = f"{twin.given['text']} thanks", twin.expected
        else:
            parts = chance.choices(messages, k=10)
            text, label = " ".join(three_words(part["text"], chance) for part in parts), parts[0]["label"]
        found.append(Example(id=str(place), given={"text": text}, expected=label, file="rows", line=place + 1))
    return tuple(found)


def three_words(text: str, chance: random.Random) -> str:
    """Three words that follow one another."""
    words = text.split()
    start = chance.randrange(max(1, len(words) - 2))
    return " ".join(words[start : start + 3])


def timed_audit(rows: tuple[Example, ...]) -> dict[str, Any]:
    """Wall and processor seconds of the quick and of the full audit, train and test apart."""
    cut = len(rows) * 4 // 5
    measured: dict[str, Any] = {"rows": len(rows)}
    for name, quick in (("quick", True), ("full", False)):
        wall, processor = time.perf_counter(), time.process_time()
        found = audit(Subject(kind="classify", parts={"train": rows[:cut], "test": rows[cut:]}), quick=quick)
        measured[name] = {
            "seconds": round(time.perf_counter() - wall, 2),
            "processor_seconds": round(time.process_time() - processor, 2),
            "findings": len(found.findings),
        }
    return measured


def against_datasketch(texts: list[str]) -> dict[str, Any]:
    """Near pairs of both, judged by the exact similarity; seconds of each."""
    from datasketch import MinHash, MinHashLSH

    start = time.perf_counter()
    ours = {(one, other) for one, other, _ in near_twins(texts, NEAR).pairs}
    our_seconds = time.perf_counter() - start
    start = time.perf_counter()
    sets = [{known[at : at + 4].encode() for at in range(len(known) - 3)} for known in map(letters, texts)]
    index, marks = MinHashLSH(threshold=NEAR, num_perm=128), []
    for place, members in enumerate(sets):
        mark = MinHash(num_perm=128)
        mark.update_batch(list(members))
        index.insert(str(place), mark)
        marks.append(mark)
    pairs = {(min(place, int(other)), max(place, int(other))) for place, mark in enumerate(marks) for other in index.query(mark)}
    theirs = {(a, b) for a, b in pairs if a != b and len(sets[a] & sets[b]) >= NEAR * len(sets[a] | sets[b])}
    their_seconds = time.perf_counter() - start
    either = ours | theirs
    return {
        "rows": len(texts),
        "ours": {"seconds": round(our_seconds, 2), "found": len(ours), "share": len(ours) / max(1, len(either))},
        "datasketch": {"seconds": round(their_seconds, 2), "found": len(theirs), "share": len(theirs) / max(1, len(either))},
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.audit", description=__doc__)
    parser.add_argument("--rows", type=int, default=50_000, help="rows of the audit")
    parser.add_argument("--peer", type=int, default=5_000, help="rows on which datasketch is run too; 0 for none")
    given = parser.parse_args()
    measured = timed_audit(rows_of(given.rows))
    measured["gate"] = "passed" if measured["full"]["processor_seconds"] <= LIMIT * max(1.0, given.rows / 50_000) else "failed"
    if given.peer:
        measured["near"] = against_datasketch([row.text() for row in rows_of(given.peer, seed=1)])
    print(json.dumps(measured))


if __name__ == "__main__":
    main()
