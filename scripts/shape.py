"""Checks sizes: a file has at most 400 lines, a function at most 60 lines, and every module says in a sentence what it is."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

FILE_LINES = 400
FUNCTION_LINES = 60


def faults(path: Path) -> Iterator[str]:
    """What is too long in a file, or unsaid."""
    text = path.read_text("utf-8")
    tree = ast.parse(text)
    lines = text.count("\n")
    if lines > FILE_LINES:
        yield f"{path}: {lines} lines, at most {FILE_LINES}: which two things is it?"
    if not ast.get_docstring(tree):
        yield f"{path}: does not open with a sentence that says what it is"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES:
                yield f"{path}:{node.lineno}: {node.name} has {length} lines, at most {FUNCTION_LINES}"


def main() -> int:
    """Prints the faults; 1 where there are any."""
    found = [
        fault
        for folder in ("src", "benchmarks", "scripts")
        for path in sorted(Path(folder).rglob("*.py"))
        for fault in faults(path)
    ]
    print("\n".join(found) or "sizes: all files and functions within their limits")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
