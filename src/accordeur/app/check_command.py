"""`accordeur check`: what is wrong with some data, before anything is trained; and a cleaned copy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from accordeur.errors import DataError, RecipeError

LANGUAGES = ("en", "fr")


def check(
    file: Annotated[Path, typer.Argument(help="A data file, as for compare.")],
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
    from accordeur.app.check_run import Request, run, show
    from accordeur.app.options import parse_mapping
    from accordeur.data import Reading
    from accordeur.store import write_json, write_text

    if language not in LANGUAGES:
        raise RecipeError(f"language {language!r} is unknown", hint=f"expected {' or '.join(LANGUAGES)}")
    request = Request(
        file=file,
        test=test,
        reading=Reading(mapping=parse_mapping(mapping), separator=sep),
        group=group,
        base=base,
        max_length=max_length,
        fix=fix,
    )
    found = run(request, force=force)
    folder = out or Path("checks") / (file.name.split(".")[0] or "data")
    write_json(folder / "check.json", found.as_dict())
    write_text(folder / "check.html", render(found, language))
    show(found, folder, language)
    if found.audit.errors and not force:
        raise SystemExit(DataError.exit_code)
