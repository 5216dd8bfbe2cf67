"""What was found while data was read: the problems, how many bad rows may be left out, and the notes worth showing."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from accordeur.errors import MAX_PROBLEMS, DataError, Problem

SHOWN = 5


class Journal:
    """Collects problems in flat memory: the first MAX_PROBLEMS are kept, all are counted.

    A problem makes its row bad; `skip_bad` bad rows are left out and noted, one more is an error.
    A fault concerns the file or a whole column and is always an error.
    """

    def __init__(self, *, skip_bad: int = 0) -> None:
        self.skip_bad = skip_bad
        self.problems: list[Problem] = []
        self.notes: list[str] = []
        self.count = 0
        self.bad_rows = 0
        self.faults = 0
        self._last = ("", 0)

    def problem(self, file: str, line: int, message: str) -> None:
        """Reports one bad row; several problems of the same row count as one bad row."""
        if (file, line) != self._last:
            self._last = (file, line)
            self.bad_rows += 1
        self._keep(Problem(file=file, line=line, message=message))

    def fault(self, file: str, line: int, message: str) -> None:
        """Reports what no budget may forgive, such as labels of two types."""
        self.faults += 1
        self._keep(Problem(file=file, line=line, message=message))

    def _keep(self, problem: Problem) -> None:
        self.count += 1
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(problem)

    def note(self, text: str) -> None:
        """Keeps something worth showing, once."""
        if text not in self.notes:
            self.notes.append(text)

    def fatal(self, file: str, line: int, message: str, hint: str = "") -> DataError:
        """The error for something after which reading can't go on; it lists the problems met before."""
        where = f"{file}:{line}" if line else file
        return self._counted(DataError(message, where=where, hint=hint, problems=self.problems))

    def check(self) -> None:
        """Raises DataError with every problem at once, or notes the rows that the budget leaves out."""
        if self.faults or self.bad_rows > self.skip_bad:
            raise self._counted(DataError(self._headline(), hint=self._hint(), problems=self.problems))
        if self.bad_rows:
            places = shown([f"{found.file}:{found.line}" for found in self.problems])
            self.note(f"{self.bad_rows} bad rows left out, of {self.skip_bad} allowed: {places}")

    def _headline(self) -> str:
        rows = f"{self.bad_rows} bad row{'s' * (self.bad_rows != 1)}" if self.bad_rows else "the data can't be used as it is"
        return rows + (f", {self.skip_bad} allowed" if self.skip_bad and self.bad_rows else "")

    def _hint(self) -> str:
        if self.faults:
            return "mend the rows named above"
        return f"mend the rows named above, or leave them out with --skip-bad {self.bad_rows}"

    def _counted(self, error: DataError) -> DataError:
        error.more = max(0, self.count - len(error.problems))
        return error


def shown(names: Iterable[object], limit: int = SHOWN, total: int | None = None) -> str:
    """A list for a message: the first few, then how many more; of `total` where only the first are given."""
    all_names = [str(name) for name in dict.fromkeys(names)]
    more = (len(all_names) if total is None else total) - limit
    return ", ".join(all_names[:limit]) + (f", … {more} more" if more > 0 else "")


def nearest(name: str, known: Iterable[str]) -> str:
    """` (did you mean 'x'?)` for the known name that is closest to a misspelt one, or nothing."""
    by_fold = {each.casefold(): each for each in known}
    close = difflib.get_close_matches(name.casefold(), by_fold, n=1, cutoff=0.7)
    return f" (did you mean '{by_fold[close[0]]}'?)" if close else ""
