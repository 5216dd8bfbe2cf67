"""Every error class: what was found, what was expected, and a hint that says what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MAX_PROBLEMS = 50


class AccordeurError(Exception):
    """A fault that is not our bug: one block of text for the user, and the exit code of the process."""

    exit_code = 1
    kind = "internal"

    def __init__(self, message: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        place = f" {self.where}:" if self.where else ""
        hint = f"\n  hint: {self.hint}" if self.hint else ""
        return f"error[{self.kind}]{place} {self.message}{hint}"


class RecipeError(AccordeurError):
    """A wrong recipe or command line."""

    exit_code = 2
    kind = "recipe"


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One fault of a data file. `line` counts from 1; 0 means the file as a whole."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}" if self.line else f"{self.file}: {self.message}"


class DataError(AccordeurError):
    """Bad data: lists every problem found, at most MAX_PROBLEMS of them."""

    exit_code = 3
    kind = "data"

    def __init__(self, message: str, *, where: str = "", hint: str = "", problems: Sequence[Problem] = ()) -> None:
        super().__init__(message, where=where, hint=hint)
        self.problems = tuple(problems[:MAX_PROBLEMS])
        self.more = max(0, len(problems) - MAX_PROBLEMS)

    def __str__(self) -> str:
        lines = [f"  {problem}" for problem in self.problems]
        if self.more:
            lines.append(f"  … and {self.more} more")
        head, separator, hint = super().__str__().partition("\n  hint: ")
        return "\n".join([head, *lines]) + separator + hint


class ModelError(AccordeurError):
    """A base, an adapter, a checkpoint or a hub that can't be used."""

    exit_code = 4
    kind = "model"


class EnvironmentFault(AccordeurError):  # noqa: N818  (named for what happened)
    """No space, no permission, no memory, or somebody else holds the lock."""

    exit_code = 5
    kind = "environment"


class Diverged(AccordeurError):  # noqa: N818
    """The loss or a gradient became NaN or infinite; the weights are those before the step."""

    exit_code = 6
    kind = "diverged"


class Interrupted(AccordeurError):  # noqa: N818
    """Stopped on request after a whole step, with the state saved: the same command goes on."""

    exit_code = 75
    kind = "interrupted"


class NotApplicable(Exception):  # noqa: N818  (not a fault: it is recorded as "skipped")
    """A method, a model or a measure that can't do what was asked of it: recorded with its reason, never a crash."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
