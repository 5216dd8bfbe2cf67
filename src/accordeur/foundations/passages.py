"""Raw text as passages, for the methods that read before they learn a task."""

from __future__ import annotations

from pathlib import Path

from accordeur.errors import NotApplicable
from accordeur.foundations.corpus import pieces, sources
from accordeur.task import Task


def passages(text: str | None, task: Task) -> list[str]:
    """The passages of a file or folder (.txt, .md, .jsonl, .gz), or where none is named the train rows of a raw-text task.

    Text files are cut at empty lines, or at every line where there is no empty one. Raises DataError for what is no text,
    and NotApplicable where there is nothing to read.
    """
    if text is None:
        if task.kind != "text":
            raise NotApplicable("there is no raw text to read: name a file with the setting `text` (--text FILE)")
        return [str(example.expected) for example in task.train]
    documents, growing = [], ""
    for piece in pieces(sources([Path(text)])):
        growing += piece.text
        if piece.last:
            documents.append(growing)
            growing = ""
    parts = [part.strip() for document in documents for part in document.replace("\r\n", "\n").split("\n\n")]
    if len(documents) == 1 and len(parts) == 1:
        parts = [line.strip() for line in documents[0].splitlines()]
    return [part for part in parts if part]
