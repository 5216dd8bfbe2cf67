"""Runs the worked recipes one after another and keeps what they end in.

`results.py run FOLDER` makes what is missing: a recipe whose report is whole is not run again, an unfinished one goes on.
`results.py plan FOLDER` says how many minutes the budgets of the trained runs add up to, answering and measuring aside.
`results.py store FOLDER` copies the reports, without any row of the data, to docs/results for `make docs`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accordeur.compare.planned import planned_runs
from accordeur.errors import AccordeurError
from accordeur.recipe import load_recipe
from accordeur.store import locked

RECIPES, RESULTS = Path("recipes"), Path("docs/results")
KEPT = (
    "schema",
    "language",
    "task",
    "base",
    "metrics",
    "tolerance",
    "test_rows",
    "runs",
    "methods",
    "verdict",
    "notes",
    "lengths",
)
DROPPED = ("confusion", "curve", "plan", "facts", "provenance", "fingerprint")
GPT2_TOKENIZER = "gpt2_tokenizer"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One piece of the whole: a recipe to compare, or something that later ones start from."""

    name: str
    options: tuple[str, ...] = ()  # beside the recipe's own settings; {} stands for the folder of the results
    make: Callable[[Path, Path], list[str] | None] | None = None  # not a comparison: (folder, product) -> command, None: done
    needs: tuple[str, ...] = ()


def merged(folder: Path, out: Path) -> list[str]:
    """The translator as a base for others."""
    return ["merge", str(folder / "translation" / "runs" / "full-s0"), "--out", str(out)]


def gpt2_shaped(folder: Path, out: Path) -> None:
    """GPT-2 in its exact shape with its own tokenizer and random weights: what its costs can be seen on without the hub."""
    import torch
    import transformers

    data = os.environ.get("ACCORDEUR_DATA")
    if not data:
        raise SystemExit("ACCORDEUR_DATA is not set: it names the folder with the data and GPT-2's tokenizer")
    torch.manual_seed(0)
    transformers.GPT2LMHeadModel(transformers.GPT2Config()).save_pretrained(out)
    transformers.AutoTokenizer.from_pretrained(Path(data) / GPT2_TOKENIZER).save_pretrained(out)


STEPS = (
    Step(name="topic"),
    Step(name="ner"),
    Step(name="spam"),
    Step(name="sentiment"),
    Step(name="sentiment-french"),
    Step(name="summary"),
    Step(name="translation"),
    Step(name="translation-base", make=merged, needs=("translation",)),
    Step(name="medical-translation", options=("--base", "{}/translation-base"), needs=("translation-base",)),
    Step(name="qa"),
    Step(name="ner-tweets"),
    Step(name="intent"),
    Step(name="intent-full-budget"),
    Step(name="legal-ner"),
    Step(name="qa-french"),
    Step(name="pairs"),
    Step(name="gpt2-shape", make=gpt2_shaped),
    Step(
        name="gpt2-alpaca-lora",
        options=("--base", "{}/gpt2-shape", "--rows", "400", "--budget", "2"),
        needs=("gpt2-shape",),
    ),
    Step(name="methods"),
    Step(name="methods-sample"),
    Step(name="methods-banking77"),
    Step(name="domain"),
    Step(name="domain-task"),
    Step(name="methods-sick"),
    Step(name="methods-wikigold"),
    Step(name="methods-alpaca"),
    Step(name="domain-public"),
    Step(name="domain-public-task"),
    Step(name="history"),
)


def run(folder: Path, only: Sequence[str]) -> int:
    """Every step that is not done, in order; one that fails is named, and what needs it is left out."""
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        return run_steps(folder, only)


def run_steps(folder: Path, only: Sequence[str]) -> int:
    """The same by whoever holds the folder."""
    failed: list[str] = []
    for step in STEPS:
        if only and step.name not in only:
            continue
        if set(step.needs) & set(failed) or (step.make is None and not recipe_of(step).is_file()):
            failed += [step.name] if step.needs else []
            say(f"{step.name}: left out")
        elif done(step, folder):
            say(f"{step.name}: done before")
        elif not worked(step, folder):
            failed.append(step.name)
            say(f"{step.name}: failed, see {log_of(step, folder)}")
    return int(bool(failed))


def recipe_of(step: Step) -> Path:
    """The recipe of a step."""
    return RECIPES / f"{step.name}.yaml"


def log_of(step: Step, folder: Path) -> Path:
    """What a step said."""
    return folder / "logs" / f"{step.name}.log"


def done(step: Step, folder: Path) -> bool:
    """Whether a step has all that it should have made."""
    out = folder / step.name
    if step.make is not None:
        return (out / "config.json").is_file()
    if not (out / "report.json").is_file():
        return False
    report, planned = (json.loads((out / name).read_text("utf-8")) for name in ("report.json", "task.json"))
    return {run["name"] for run in report["runs"] if run["status"] in ("done", "skipped")} == set(planned["planned"])


def worked(step: Step, folder: Path) -> bool:
    """Runs a step in a process of its own; whether it ended well."""
    out = folder / step.name
    begun = time.monotonic()
    say(f"{step.name}: started")
    words = step.make(folder, out) if step.make else comparison(step, folder)
    if words is not None:
        log = log_of(step, folder)
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as stream:
            code = subprocess.run(
                [sys.executable, "-m", "accordeur", *words], stdout=stream, stderr=stream, check=False
            ).returncode
        if code:
            return False
    say(f"{step.name}: {(time.monotonic() - begun) / 60:.1f} minutes")
    return True


def comparison(step: Step, folder: Path) -> list[str]:
    """The command of a comparison."""
    options = [option.format(folder) for option in step.options]
    return ["compare", str(recipe_of(step)), "--out", str(folder / step.name), *options]


def plan(folder: Path) -> int:
    """The minutes of every comparison that is not done yet: its budget for each run that trains, most of which need less."""
    total = 0.0
    for step in STEPS:
        if step.make is None and recipe_of(step).is_file() and not done(step, folder):
            recipe = load_recipe(recipe_of(step))
            budget = float(step.options[step.options.index("--budget") + 1]) if "--budget" in step.options else recipe.budget
            runs = sum(type(run.work).trained for run in planned_runs(recipe.methods or {}, recipe.seeds))
            total += budget * runs
            print(f"{step.name}: {runs} trained runs of {budget:g} minutes, {total:.0f} minutes so far")
    return 0


def say(line: str) -> None:
    """A line with the time of day."""
    print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)


def store(folder: Path) -> int:
    """Copies every whole report; what was run in another way than the recipe says is told by its command."""
    for step in STEPS:
        if step.make is None and recipe_of(step).is_file() and done(step, folder):
            text = json.dumps(slim(step, folder), ensure_ascii=False, indent=1)
            (RESULTS / f"{step.name}.json").write_text(text + "\n", "utf-8")
            print(f"stored {step.name}")
    return 0


def slim(step: Step, folder: Path) -> dict[str, Any]:
    """A report without rows of the data, curves and places on this machine."""
    report = json.loads((folder / step.name / "report.json").read_text("utf-8"))
    kept = {key: report[key] for key in KEPT if key in report}
    for part in ("runs", "methods"):
        kept[part] = [{key: value for key, value in one.items() if key not in DROPPED} for one in report[part]]
    kept["notes"] = [note for note in report["notes"] if ".jsonl:" not in note]
    options = " ".join(option.format("runs") for option in step.options)
    kept["command"] = f"accordeur compare {recipe_of(step)} {options}".strip()
    text = json.dumps(kept)
    for place, shown in ((str(folder), "runs"), (os.environ.get("ACCORDEUR_DATA", "/nowhere"), "data"), (str(Path.cwd()), ".")):
        text = text.replace(place, shown)
    found: dict[str, Any] = json.loads(text)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("verb", choices=("run", "plan", "store"))
    parser.add_argument("folder", type=Path, help="where the comparisons are")
    parser.add_argument("--only", default="", help="names with commas between")
    given = parser.parse_args(arguments)
    if given.verb != "run":
        return {"store": store, "plan": plan}[given.verb](given.folder)
    try:
        return run(given.folder, [name for name in given.only.split(",") if name])
    except AccordeurError as fault:  # somebody else is at it
        print(fault, file=sys.stderr)
        return fault.exit_code


if __name__ == "__main__":
    sys.exit(main())
