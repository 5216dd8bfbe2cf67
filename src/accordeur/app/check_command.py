"""`accordeur check`: what is wrong with some data, before anything is trained; and a cleaned copy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from accordeur.errors import DataError, RecipeError

LANGUAGES = ("en", "fr")


def check(
    data: Annotated[str, typer.Argument(metavar="FILE", help="A data file or the id of a hub dataset, as for compare.")],
    test: Annotated[Path | None, typer.Option(help="File with the test rows: leaks and shift are looked for.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of check.json and check.html. Default: checks/NAME.")] = None,
    fix: Annotated[Path | None, typer.Option(help="Write a cleaned copy of FILE to this new file.")] = None,
    mapping: Annotated[str | None, typer.Option("--map", help="Which column is what: label=stars,text=body.")] = None,
    group: Annotated[str | None, typer.Option(help="Column whose equal values must not be on two sides.")] = None,
    sep: Annotated[str | None, typer.Option(help="Delimiter of a CSV file. Default: detected.")] = None,
    base: Annotated[str | None, typer.Option(help="Measure lengths in the tokens of this base. Default: in words.")] = None,
    max_length: Annotated[int, typer.Option(help="Tokens a row may have, where a base is given.", min=8)] = 512,
    force: Annotated[bool, typer.Option("--force", help="End well in spite of errors.")] = False,
    language: Annotated[str, typer.Option(help="Language: en or fr.")] = "en",
) -> None:
    """Look for everything that is wrong with a data file. Exit code 3 where an error was found."""
    from accordeur.app.check_page import render
    from accordeur.app.check_run import Request, located, run, show
    from accordeur.app.options import parse_mapping
    from accordeur.data import Reading
    from accordeur.store import write_json, write_text

    if language not in LANGUAGES:
        raise RecipeError(f"language {language!r} is unknown", hint=f"expected {' or '.join(LANGUAGES)}")
    file, found_test, notes = located(data)
    request = Request(
        name=data,
        file=file,
        test=test or found_test,
        reading=Reading(mapping=parse_mapping(mapping), separator=sep),
        group=group,
        base=base,
        max_length=max_length,
        fix=fix,
    )
    found = run(request, force=force)
    folder = out or Path("checks") / folder_name(data)
    write_json(folder / "check.json", found.as_dict())
    write_text(folder / "check.html", render(found, language))
    show(found, folder, language, notes)
    if found.audit.errors and not force:
        raise SystemExit(DataError.exit_code)


def folder_name(data: str) -> str:
    """A folder's name for what is checked: the name of the file, or of the hub dataset."""
    return Path(data).name.split(".")[0].split(":")[0] or "data"
