"""The command `accordeur`. Every fault ends in one block of text and an exit code; a traceback only with --debug."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from typing import Annotated, Any

import typer

from accordeur import __version__
from accordeur.app import check_command, foundations, merge, schedule, tokenizer
from accordeur.app.options import recipe_values
from accordeur.errors import AccordeurError

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Tries every way of adapting a language model on the same rows, and says which to use, or none.",
)
DATA_HELP = "A data file (.jsonl, .json, .csv, .tsv, .parquet, .txt, also .gz), a hub dataset (org/name), or a recipe (.yaml)."
RECIPE_SUFFIXES = (".yaml", ".yml")
OUR_BUG = 1
DEBUG = "--debug"
# typer carries a copy of click of its own, or uses the installed one: either way this is what its usage errors come from
USAGE_FAULT: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")


def version(wanted: bool) -> None:
    """Prints the version and ends."""
    if wanted:
        typer.echo(f"accordeur {__version__}")
        raise typer.Exit


@app.callback()
def options(
    show_version: Annotated[bool, typer.Option("--version", callback=version, is_eager=True, help="Show the version.")] = False,
    debug: Annotated[bool, typer.Option(DEBUG, help="Show a traceback where something fails.")] = False,
) -> None:
    """Options of all commands."""


@app.command()
def compare(
    data: Annotated[str, typer.Argument(help=DATA_HELP)],
    base: Annotated[str | None, typer.Option(help="Folder, hub id or http address of the base. Default: by kind.")] = None,
    methods: Annotated[str | None, typer.Option(help="Names with commas between. Default: every method that applies.")] = None,
    test: Annotated[str | None, typer.Option(help="File with the test rows. Default: a part of DATA.")] = None,
    validation: Annotated[str | None, typer.Option(help="File with the validation rows. Default: a part of DATA.")] = None,
    mapping: Annotated[str | None, typer.Option("--map", help="Which column is what: label=stars,text=body.")] = None,
    where: Annotated[str | None, typer.Option(help="Only the rows with this value: language=fr.")] = None,
    group: Annotated[str | None, typer.Option(help="Column whose equal values stay in one split.")] = None,
    sep: Annotated[str | None, typer.Option(help="Delimiter of a CSV file. Default: detected.")] = None,
    kind: Annotated[str | None, typer.Option(help="Expected kind; an error where the columns say otherwise.")] = None,
    seeds: Annotated[int | None, typer.Option(help="Seeds per method that a seed changes. Default: 1.")] = None,
    budget: Annotated[float | None, typer.Option(help="Minutes per run. Default: 5.")] = None,
    metric: Annotated[str | None, typer.Option(help="Primary metric. Default: by kind.")] = None,
    tolerance: Annotated[float | None, typer.Option(help="Difference that does not matter, as shown (points, nats).")] = None,
    max_length: Annotated[int | None, typer.Option(help="Tokens a row may have. Default: 512.")] = None,
    beams: Annotated[int | None, typer.Option(help="Beams by which answers are written. Default: 1, greedy.")] = None,
    prompt: Annotated[list[str] | None, typer.Option(help="File with a prompt of yours; may be repeated.")] = None,
    template: Annotated[
        str | None, typer.Option(help="Jinja template, or a file with one, that replaces the default of kind write.")
    ] = None,
    retain: Annotated[str | None, typer.Option(help="File with what must not be forgotten.")] = None,
    text: Annotated[
        str | None, typer.Option(help="Raw text (file or folder) that `domain` and `domain+lora` read first.")
    ] = None,
    rows: Annotated[int | None, typer.Option(help="Use at most so many rows.")] = None,
    train_sizes: Annotated[str | None, typer.Option(help="Train on fewer rows too: 50,200,all.")] = None,
    slices: Annotated[
        list[str] | None, typer.Option("--slice", help="Break the scores down by this column; may be repeated.")
    ] = None,
    also: Annotated[list[str] | None, typer.Option(help="NAME=FILE: score every run on other rows too; may be repeated.")] = None,
    sweep: Annotated[
        list[str] | None, typer.Option(help="METHOD.SETTING=V,V: try these values, choose on validation; may be repeated.")
    ] = None,
    full_sweep: Annotated[
        bool, typer.Option("--full-sweep", help="Train every candidate of a sweep to its end, none is dropped early.")
    ] = False,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1 or mps. Default: the fastest that is there.")] = None,
    dtype: Annotated[str | None, typer.Option(help="Of training: float32, bfloat16 or float16. Default: by trial.")] = None,
    threads: Annotated[int | None, typer.Option(help="Threads. Default: one per core.")] = None,
    micro_tokens: Annotated[int | None, typer.Option(help="Tokens of one pass. Default: by the free memory.")] = None,
    price_per_hour: Annotated[float | None, typer.Option(help="Price of an hour of this machine.")] = None,
    out: Annotated[str | None, typer.Option(help="Folder of the results. Default: runs/NAME.")] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Go on in spite of errors that the audit finds; the report says so.")
    ] = False,
    language: Annotated[str | None, typer.Option(help="Language of the report: en or fr.")] = None,
    save_recipe: Annotated[str | None, typer.Option(help="Write the recipe to this file.")] = None,
) -> None:
    """Try every method on the same rows, measure, and end in a verdict."""
    given = recipe_values(locals())
    from accordeur.app.compare_command import run

    run(read_recipe(data, given), save_recipe)


def read_recipe(data: str, given: dict[str, Any]) -> Any:
    """The recipe file with the options laid over it, or the options alone."""
    from accordeur.recipe import load_recipe, parse_recipe

    if data.lower().endswith(RECIPE_SUFFIXES):
        return parse_recipe({**load_recipe(Path(data)).plain(), **given}, data)
    return parse_recipe({"data": data, **given}, "command line")


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="The folder of a comparison.")],
    language: Annotated[str | None, typer.Option(help="Language of the report: en or fr.")] = None,
    metric: Annotated[str | None, typer.Option(help="Score again by another metric.")] = None,
    tolerance: Annotated[float | None, typer.Option(help="Another tolerance, as shown (points, nats).")] = None,
) -> None:
    """Rebuild report.json, report.html and the table from a folder, without the models."""
    from accordeur.app.report_command import show
    from accordeur.report import write_report

    show(write_report(folder, language=language, metric=metric, tolerance=tolerance), folder)


app.command()(foundations.pretrain)
app.add_typer(tokenizer.tokenizer, name="tokenizer")
app.command()(check_command.check)
app.command()(merge.merge)
app.command()(schedule.schedule)


def main() -> None:
    """Runs the command line and turns every fault into its exit code."""
    try:
        app(standalone_mode=False)
    except AccordeurError as fault:
        end(str(fault), fault.exit_code, fault)
    except typer.Exit as done:
        sys.exit(done.exit_code)
    except typer.Abort:
        sys.exit(130)
    except BrokenPipeError:
        os._exit(0)
    except Exception as fault:
        end(*usage_or_bug(fault), fault)


def usage_or_bug(fault: Exception) -> tuple[str, int]:
    """A wrong command line is the user's to mend (2); anything else is ours (1)."""
    if isinstance(fault, USAGE_FAULT):
        return f"error[recipe] {fault.format_message()}\n  hint: see `accordeur --help`", 2
    if isinstance(fault, MemoryError):
        return "error[environment] out of memory\n  hint: use a smaller base, a smaller --max-length or fewer rows", 5
    return (
        f"error[internal] {type(fault).__name__}: {fault}\n  hint: this is our bug; please report it with the output of --debug",
        OUR_BUG,
    )


def end(message: str, code: int, fault: Exception) -> None:
    """Prints one block of text and ends."""
    if DEBUG in sys.argv:
        traceback.print_exception(fault)
    sys.stderr.write(message + "\n")
    sys.exit(code)
