"""Numbers and foreign text as people read them, in English or French."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

MINUS = "−"
MISSING = "–"
DECIMALS = {"points": 1, "nats": 3, "bits": 3, "score": 3}
HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn"}  # control, format (direction overrides), surrogate, private, unassigned
ZEROS_POINT = re.compile(r"(?:\.0+|(\.\d*[1-9])0+)(?!\d)")
ZEROS_COMMA = re.compile(r"(?:,0+|(,\d*[1-9])0+)(?!\d)")
JOINERS = "\u200c\u200d"  # format characters that scripts and emoji need


def clean(text: Any) -> str:
    """Text that can't act on what shows it: control and direction characters are spelled out (`\\x1b`, `\\u202e`)."""
    return "".join(shown(letter) for letter in str(text))


def shown(letter: str) -> str:
    """A letter as it is, or spelled out where it would be invisible and could mislead."""
    if letter in "\n\t" or letter in JOINERS or unicodedata.category(letter) not in HIDDEN:
        return letter
    return f"\\x{ord(letter):02x}" if ord(letter) < 256 else f"\\u{ord(letter):04x}"


def cut(text: Any, length: int) -> str:
    """At most `length` letters, with an ellipsis where some are missing."""
    whole = str(text)
    return whole if len(whole) <= length else whole[: length - 1].rstrip() + "…"


@dataclass(frozen=True, kw_only=True)
class Formatter:
    """Writes numbers for one language. None is shown as a dash."""

    language: str = "en"

    def number(self, value: float | None, decimals: int = 0) -> str:
        """A number with a fixed count of decimals, a true minus sign and grouped thousands; never "−0"."""
        if value is None:
            return MISSING
        text = f"{abs(value):,.{decimals}f}"
        negative = value < 0 and any(digit in "123456789" for digit in text)
        if self.language == "fr":
            text = text.replace(",", "\u202f").replace(".", ",")
        return (MINUS if negative else "") + text

    def score(self, value: float | None, unit: str) -> str:
        """A score: shares as points (times 100, one decimal), nats and bits with three decimals."""
        return self.number(None if value is None else value * scale(unit), DECIMALS.get(unit, 3))

    def signed(self, value: float | None, unit: str) -> str:
        """A difference of scores, with its sign."""
        text = self.score(value, unit)
        bare = text.replace(MINUS, "")
        return "+" + text if value is not None and text == bare and any(digit in "123456789" for digit in text) else text

    def span(self, low: float | None, high: float | None, unit: str) -> str:
        """An interval of scores."""
        if low is None or high is None:
            return MISSING
        if low < 0 or high < 0:
            joiner = " à " if self.language == "fr" else " to "
            return self.score(low, unit) + joiner + self.score(high, unit)
        return f"{self.score(low, unit)}–{self.score(high, unit)}"

    def tolerance(self, value: float, unit: str) -> str:
        """A tolerance without decimals that say nothing: "3", "2.5", "0.02"."""
        text = f"{value * scale(unit):.4f}".rstrip("0").rstrip(".")
        return text.replace(".", ",") if self.language == "fr" else text

    def seconds(self, value: float | None) -> str:
        """A time span in the unit that suits its size."""
        if value is None:
            return MISSING
        if value == 0:
            return "0\u00a0s"
        if value < 0.01:
            return self.number(value * 1000, 1) + "\u00a0ms"
        if value < 9.95:
            return self.number(value, 2 if value < 0.1 else 1) + "\u00a0s"
        if value < 59.5:
            return self.number(value) + "\u00a0s"
        minutes, rest = divmod(round(value), 60)
        if minutes < 60:
            return f"{minutes}\u00a0min" + (f"\u00a0{rest:02d}\u00a0s" if rest else "")
        hours, minutes = divmod(round(value / 60), 60)
        return f"{hours}\u00a0h" + (f"\u00a0{minutes:02d}\u00a0min" if minutes else "")

    def short_seconds(self, value: float | None) -> str:
        """A time span in one unit, for narrow columns."""
        if value is None or value < 59.5:
            return self.seconds(value)
        amount, unit = (value / 60, "min") if value < 3570 else (value / 3600, "h")
        return self.number(amount, 1 if amount < 9.95 else 0) + "\u00a0" + unit

    def milliseconds(self, value: float | None) -> str:
        """A latency with about two significant digits."""
        if value is None:
            return MISSING
        if value >= 10_000:
            return self.seconds(value / 1000)
        if 0 < value < 0.095:
            return "<\u00a0" + self.number(0.1, 1) + "\u00a0ms"
        return self.number(value, 0 if value == 0 or value >= 9.95 else 1 if value >= 0.995 else 2) + "\u00a0ms"

    def round_mark(self, text: str) -> str:
        """A figure without zeros at its end, as ticks are written: "1 GB" and not "1.0 GB"."""
        return (ZEROS_COMMA if self.language == "fr" else ZEROS_POINT).sub(r"\1", text)

    def size(self, value: float | None) -> str:
        """Bytes in decimal units, as disks are sold."""
        if value is None:
            return MISSING
        byte = "o" if self.language == "fr" else "B"
        for power, prefix in ((3, "G"), (2, "M"), (1, "k")):
            if value >= 0.9995 * 1000**power:
                amount = value / 1000**power
                return self.number(amount, 1 if amount < 9.95 else 0) + f"\u00a0{prefix}{byte}"
        return self.number(value) + f"\u00a0{byte}"

    def count(self, value: float | None) -> str:
        """A count: whole below ten thousand, then with k, M (millions) or, in English, B (billions)."""
        if value is None:
            return MISSING
        billions = "Md" if self.language == "fr" else "B"
        for size, letter in ((1e9, billions), (1e6, "M"), (1e4, "k")):
            if value >= size:
                amount = value / (1e3 if letter == "k" else size)
                return self.number(amount, 1 if amount < 99.95 else 0) + "\u00a0" + letter
        return self.number(value)

    def money(self, value: float | None) -> str:
        """An amount in the currency of the price that was given, with at least two significant digits."""
        if value is None:
            return MISSING
        if 0 < value < 1e-4:
            return "<\u00a0" + self.number(1e-4, 4)
        decimals = 2
        while decimals < 5 and 0 < value < 10 ** (1 - decimals):
            decimals += 1
        return self.number(value, decimals)

    def p_value(self, value: float | None) -> str:
        """A p value; tiny ones as a bound."""
        if value is None:
            return MISSING
        return "< " + self.number(0.001, 3) if value < 0.001 else self.number(value, 3)

    def plain(self, value: Any) -> str:
        """Any plain value of a setting or a fact."""
        if value is None:
            return MISSING
        if isinstance(value, bool):
            return {"fr": ("non", "oui")}.get(self.language, ("no", "yes"))[value]
        if isinstance(value, int):
            return self.number(value)
        if isinstance(value, float):
            return self.real(value)
        if isinstance(value, list | tuple):
            return ", ".join(self.plain(item) for item in value) or MISSING
        if isinstance(value, dict):
            return ", ".join(f"{key}: {self.plain(item)}" for key, item in value.items()) or MISSING
        return str(value)

    def real(self, value: float) -> str:
        """A real number with four significant digits."""
        if value == int(value) and abs(value) < 1e15:
            return self.number(value)
        text = f"{value:.4g}".replace("-", MINUS)
        return text.replace(".", ",") if self.language == "fr" else text


def scale(unit: str) -> float:
    """What a score is multiplied by when it is shown."""
    return 100.0 if unit == "points" else 1.0
