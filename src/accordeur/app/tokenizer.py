"""`accordeur tokenizer train | compare | explain`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

tokenizer = typer.Typer(no_args_is_help=True, help="Train, compare and explain tokenizers.")
ENTRIES = 8192
LINES, CHARACTERS = 2000, 2_000_000  # of a text, measured at most
LONGEST = 20_000  # characters of a line, which is else measured in parts
TRAIN_FLOPS = 1e12  # per kind: half a minute of a laptop


@tokenizer.command()
def train(
    text: Annotated[list[Path], typer.Argument(help="Text files or folders (.txt, .jsonl, .gz).")],
    kind: Annotated[str, typer.Option(help="bpe, wordpiece, unigram, char or word.")] = "bpe",
    size: Annotated[int | None, typer.Option(help="Entries of the vocabulary. Default: 8192, or what the text allows.")] = None,
    family: Annotated[str, typer.Option(help="Whose special tokens: gpt, bert or t5.")] = "gpt",
    characters: Annotated[int, typer.Option(min=1, help="Of the text at most, an equal share of every file.")] = 100_000_000,
    out: Annotated[Path, typer.Option(help="Folder of the tokenizer.")] = Path("tokenizer"),
) -> None:
    """Train a tokenizer and save it in the form that AutoTokenizer opens."""
    from accordeur.foundations import corpus
    from accordeur.foundations.tokenizers import BUILDERS, FAMILIES, TokenizerRequest, train_tokenizer
    from accordeur.store import sealed_folder

    request = TokenizerRequest(
        kind=chosen(kind, BUILDERS, "kind"),
        size=ENTRIES if size is None else size,
        family=chosen(family, FAMILIES, "family"),
        exact=size is not None,
    )
    made = train_tokenizer(corpus.beginnings(corpus.sources(text), characters), request)
    with sealed_folder(out) as staging:
        made.save_pretrained(staging)
    typer.echo(f"{out}: {kind}, {len(made):,} entries")


@tokenizer.command()
def compare(
    text: Annotated[list[Path], typer.Argument(help="Text files or folders to train on.")],
    size: Annotated[int, typer.Option(help="Entries of each vocabulary, at most.")] = 4000,
    unseen: Annotated[list[Path] | None, typer.Option(help="Text to measure on as well; may be repeated.")] = None,
    train: Annotated[bool, typer.Option("--train", help="Also pretrain a tiny decoder per kind, for the same FLOPs.")] = False,
) -> None:
    """Tokens per word and byte, unknown, coverage, losses and speed of all kinds, on trained and unseen text."""
    from accordeur.errors import RecipeError
    from accordeur.foundations.tokenizer_comparison import compare_tokenizers

    console = wide()
    others = unseen or []
    measured = compare_tokenizers(first_lines(text), {path.stem: first_lines([path]) for path in others}, size)
    columns = ("kind", "text", "entries", "tokens/word", "tokens/byte", "unknown", "coverage", "lines lost", "char/s")
    cells = [
        (
            row.kind,
            row.text,
            f"{row.vocabulary:,}",
            f"{row.tokens_per_word:.3f}",
            f"{row.tokens_per_byte:.4f}",
            f"{row.unknown:.2%}",
            f"{row.coverage:.1%}",
            f"{row.lost:.1%}",
            f"{row.characters_per_second:,.0f}",
        )
        for row in measured
    ]
    console.print(table(columns, cells))
    if train and not others:
        raise RecipeError("--train needs a text to score on", hint="name one with --unseen FILE")
    if train:
        console.print(table(("kind", "entries", "steps", "bits/char"), trained(text, others, size)))


@tokenizer.command()
def explain(
    text: Annotated[str, typer.Argument(help="Some words.")],
    merges: Annotated[int, typer.Option(help="Merges to show.")] = 10,
    picture: Annotated[Path | None, typer.Option(help="Also draw it into this file (.svg, .png).")] = None,
) -> None:
    """BPE's merges (most frequent pair) beside WordPiece's (largest gain in likelihood), step by step."""
    from accordeur.foundations.explain import explain as explained

    console = wide()
    found = explained(text, merges)
    steps = [
        (str(step.number), step.bpe, f"{step.count or ''}", step.wordpiece, f"{step.gain:.3f}" if step.gain else "")
        for step in found.steps
    ]
    console.print(table(("merge", "BPE", "times", "WordPiece", "gain (nats)"), steps))
    console.print(table(("word", "BPE", "WordPiece"), found.rows()))
    if picture is not None:
        from accordeur.foundations.pictures import merges as drawn

        picture.parent.mkdir(parents=True, exist_ok=True)
        drawn(found).savefig(picture)


def trained(text: list[Path], unseen: list[Path], size: int) -> list[tuple[str, ...]]:
    """One row per kind: the bits per character of its tiny decoder."""
    import tempfile

    from accordeur.context import Context
    from accordeur.foundations.corpus import sources
    from accordeur.foundations.shapes import Shape
    from accordeur.foundations.tokenizer_models import train_per_kind
    from accordeur.training.device import plan_device

    shape = Shape(layers=2, width=128, heads=4, context=128, vocabulary=size)
    with tempfile.TemporaryDirectory() as folder:
        context = Context(seed=0, folder=Path(folder), cache=Path(folder), device=plan_device())
        rows = train_per_kind(tuple(sources(text)), tuple(sources(unseen)), shape, TRAIN_FLOPS, context)
        return [(row.kind, f"{row.vocabulary:,}", str(row.steps), f"{row.bits_per_character:.3f}") for row in rows]


def first_lines(paths: list[Path]) -> list[str]:
    """The first lines of every file, at most LINES and CHARACTERS each. DataError where no file holds any."""
    from accordeur.foundations import corpus

    given = corpus.sources(paths)
    found = [line for source in given for line in opening(source)]
    if not found:
        raise corpus.no_text(given)
    return found


def opening(source: Any) -> Iterator[str]:
    """The first lines of a file, of which no more is read."""
    from itertools import islice

    from accordeur.foundations.corpus import pieces_of

    left = CHARACTERS
    lines = (line for piece in pieces_of(source) for line in piece.text.splitlines())
    parts = (line[start : start + LONGEST] for line in lines for start in range(0, len(line), LONGEST))
    for part in islice((part for part in parts if part.strip()), LINES):
        yield part
        left -= len(part)
        if left <= 0:
            return


def chosen(name: str, known: Any, what: str) -> Any:
    """The name, if it is known; RecipeError otherwise."""
    from accordeur.errors import RecipeError

    if name not in known:
        raise RecipeError(f"{what} {name!r} is unknown", hint=f"expected {', '.join(known)}")
    return name


def wide() -> Any:
    """A console; where the output is no terminal, wide enough for every column."""
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=120)


def table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Any:
    """A plain table: words to the left, numbers to the right."""
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, padding=(0, 2, 0, 0))
    for number, column in enumerate(columns):
        numeric = all(row[number][:1].isdigit() or not row[number] for row in rows)
        made.add_column(column, justify="right" if numeric else "left", no_wrap=True)
    for row in rows:
        made.add_row(*(Text(cell) for cell in row))
    return made
