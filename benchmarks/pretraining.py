"""`python -m benchmarks.pretraining --out FOLDER`: what pretraining is worth, by objective; repeat the command to go on.

Five bases of one shape read the same text, as many tokens each: gpt, bert with masks, bert with masks and the next sentence,
t5, and one that reads nothing. Each is then fine-tuned in full on three tasks, on the same rows, for as many passes.
The last lines printed are the table; the numbers go to docs/results/foundations/pretraining.json.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from accordeur.compare import compare
from accordeur.compare.execute import Spent
from accordeur.context import Context
from accordeur.foundations.corpus import sources
from accordeur.foundations.families import Objective, new_pupil, settings_of
from accordeur.foundations.pretrain import PretrainRequest, pretrain
from accordeur.foundations.shapes import Family, Shape
from accordeur.foundations.tokenizers import TokenizerRequest, open_tokenizer
from accordeur.recipe import parse_recipe
from accordeur.store import is_sealed, read_json, sealed_folder, write_json
from accordeur.training.device import plan_device
from benchmarks._data import data_folder
from benchmarks._pairs import gains

RESULT = Path(__file__).parents[1] / "docs" / "results" / "foundations" / "pretraining.json"
ENTRIES = 4096  # of the vocabulary, besides the special tokens of each family: so all cut the text alike
SHAPE = Shape(layers=3, width=128, heads=4, context=256, vocabulary=ENTRIES)
BATCH = 16
FULL = {"rates": [1e-4, 3e-4, 1e-3], "epochs": 3}
TASKS = {"trec_qc": 128, "rte": 256, "xquad_en": 256}  # the longest row in tokens
NO_LIMIT = 600.0  # minutes: the passes bind, not the clock


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One base: its architecture, what it is asked, and whether it is trained at all."""

    family: Family
    objective: Objective
    trained: bool = True


KINDS = {
    "gpt": Kind(family="gpt", objective="causal"),
    "bert (masked)": Kind(family="bert", objective="masked"),
    "bert (masked + next sentence)": Kind(family="bert", objective="masked-and-next"),
    "t5": Kind(family="t5", objective="spans"),
    "random (gpt)": Kind(family="gpt", objective="causal", trained=False),
    "random (bert)": Kind(family="bert", objective="masked", trained=False),
    "random (t5)": Kind(family="t5", objective="spans", trained=False),
}
UNTRAINED: Mapping[Family, str] = {kind.family: name for name, kind in KINDS.items() if not kind.trained}


def request(kind: Kind, steps: int) -> PretrainRequest:
    """The same English novels for all; three that nobody reads are held out."""
    novels = sources(sorted((data_folder() / "eltec_eng").glob("*.txt")))
    shape = replace(SHAPE, vocabulary=ENTRIES + len(TokenizerRequest(family=kind.family).specials))
    return PretrainRequest(
        texts=tuple(novels[:-3]),
        held_out=tuple(novels[-3:]),
        shape=shape,
        family=kind.family,
        objective=kind.objective,
        tokenizer_kind="bpe",
        settings=settings_of(
            kind.family, rate=4e-3, optimizer="muon", weight_decay=0.1, warmup=30, schedule="trapezoid", batch_rows=BATCH
        ),
        steps=steps,
        held_out_rows=16,
    )


def base(name: str, steps: int, out: Path) -> dict[str, Any]:
    """The base of a kind in out/bases, made where it isn't there yet; what it cost and reached."""
    kind, folder, work = KINDS[name], out / "bases" / slug(name), out / "work" / slug(name)
    record = out / "bases" / f"{slug(name)}.json"
    if record.is_file() and is_sealed(folder):
        found: dict[str, Any] = read_json(record)
        return found
    spent = Spent.read(work / "spent.json")
    spent.meter.start()

    def note(**values: Any) -> None:
        spent.note()
        if "text" in values or values.get("score") is not None:
            print(name, values.get("text") or f"step {values['step']}: {values['score']:.4f}", flush=True)

    work.mkdir(parents=True, exist_ok=True)
    context = Context(seed=0, folder=work, cache=work, device=plan_device(), on_note=note)
    facts: dict[str, Any] = {"family": kind.family, "objective": kind.objective, "trained": kind.trained}
    if kind.trained:
        done = pretrain(request(kind, steps), folder, context)
        read = steps * BATCH * SHAPE.context  # of the text; up to three of a row of bert are marks
        facts |= {"tokens_read": read, "held_out_nats": done.loss, "bits": done.bits_per_character}
        facts |= {"steps": steps, "weights": done.weights, **spent.total()}
    else:
        untrained(kind, out / "work" / slug(trained_twin(kind)) / "tokenizer", folder)
    write_json(record, facts)
    return facts


def untrained(kind: Kind, tokenizer_folder: Path, folder: Path) -> None:
    """A base of random weights, with the tokenizer of its pretrained twin."""
    tokenizer = open_tokenizer(tokenizer_folder)
    pupil = new_pupil(kind.family, kind.objective, SHAPE, tokenizer, 0)
    with sealed_folder(folder) as staging:
        pupil.trunk.save_pretrained(staging)
        tokenizer.save_pretrained(staging)


def trained_twin(kind: Kind) -> str:
    """The pretrained base of the same architecture and objective."""
    return next(name for name, other in KINDS.items() if other == replace(kind, trained=True))


def tuned(name: str, task: str, out: Path, rows: int | None) -> Path:
    """The folder of one comparison: `full` from one base on one task. What is there is not made again."""
    folder = out / "runs" / f"{task}-{slug(name)}"
    if (folder / "report.json").is_file():
        return folder
    recipe = parse_recipe(
        {
            "data": str(data_folder() / task / "train.jsonl"),
            "base": str(out / "bases" / slug(name)),
            "methods": {"full": FULL},
            "budget": NO_LIMIT,
            "max_length": TASKS[task],
            "force": True,  # the audit's findings on these public sets are not the matter here
            "out": str(folder),
            **({"rows": rows} if rows else {}),
        },
        "benchmark",
    )

    def tell(**values: Any) -> None:
        if values.get("status") or values.get("score") is not None:
            print(task, name, {key: values.get(key) for key in ("status", "reason", "step", "score")}, flush=True)

    compare(recipe, tell)
    return folder


def slug(name: str) -> str:
    """A folder's name."""
    return "-".join("".join(letter if letter.isalnum() else " " for letter in name).split())


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pretraining", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("runs/pretraining"))
    parser.add_argument("--steps", type=int, default=600, help="of pretraining, 16 rows of 256 tokens each")
    parser.add_argument("--rows", type=int, help="of each task, to try the command out")
    parser.add_argument("--tasks", default=",".join(TASKS))
    given = parser.parse_args()
    bases = {name: base(name, given.steps, given.out) for name in KINDS}
    tasks = given.tasks.split(",")
    folders = {task: {name: tuned(name, task, given.out, given.rows) for name in KINDS} for task in tasks}
    rivals = {name: UNTRAINED[kind.family] for name, kind in KINDS.items()}
    result = {
        "command": f"python -m benchmarks.pretraining --steps {given.steps}",
        "shape": asdict(SHAPE),
        "full": FULL,
        "bases": bases,
        "tasks": {task: gains(folders[task], rivals) for task in tasks},
    }
    target = given.out / "pretraining.json" if given.rows else RESULT
    write_json(target, result)
    print(f"wrote {target}; `make docs` puts the table into docs/results.md")


if __name__ == "__main__":
    main()
