"""The reasons of a verdict in plain words, English and French, made from the stored verdict alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from accordeur.evidence.power import MIN_ROWS

if TYPE_CHECKING:
    from accordeur.evidence.metric import Unit
    from accordeur.evidence.verdict import Comparison, Verdict

Language = Literal["en", "fr"]

# One sentence a key; both languages take the same names.
TEXTS: dict[str, dict[Language, str]] = {
    "best": {
        "en": "On these {rows} test rows {best} has the best {metric}: {score}.",
        "fr": "Sur ces {rows} lignes de test, {best} a la meilleure valeur de {metric} : {score}.",
    },
    "only": {
        "en": "Only {best} was scored, so there is nothing to compare it with.",
        "fr": "Seule la méthode {best} a été évaluée : il n’y a rien à quoi la comparer.",
    },
    "crowned_best": {
        "en": "{method} is shown to be at most {tolerance} behind any other method.",
        "fr": "Il est établi que {method} n’est dépassée de plus de {tolerance} par aucune autre méthode.",
    },
    "crowned_cheaper": {
        "en": "{method} takes less to train and is shown to be within {tolerance} of the best: {gap} ({low} to {high}).",
        "fr": "{method} coûte moins à entraîner et reste, c’est établi, à {tolerance} au plus de la meilleure : {gap} "
        "(de {low} à {high}).",
    },
    "no_training": {
        "en": "{method} needs no training, so do not fine-tune.",
        "fr": "{method} ne demande aucun entraînement : ne pas affiner de modèle.",
    },
    "cheaper_out": {
        "en": "{method} is cheaper but shown to be more than {tolerance} worse than {best}: {gap} ({low} to {high}).",
        "fr": "{method} coûte moins mais est, c’est établi, moins bonne que {best} de plus de {tolerance} : {gap} "
        "(de {low} à {high}).",
    },
    "open": {
        "en": "{method} against {against} is open: {gap}, but anything from {low} to {high} fits these rows; the tolerance is "
        "{tolerance}.",
        "fr": "Entre {method} et {against} rien n’est établi : {gap}, mais tout écart de {low} à {high} est compatible avec ces "
        "lignes ; la tolérance est de {tolerance}.",
    },
    "rows_needed": {
        "en": "About {needed} test rows in all ({more} more) would settle it in 4 cases of 5.",
        "fr": "Environ {needed} lignes de test au total ({more} de plus) trancheraient dans 4 cas sur 5.",
    },
    "too_few_rows": {
        "en": "{rows} test rows are too few to say how many would settle it.",
        "fr": "{rows} lignes de test ne suffisent pas pour dire combien il en faudrait.",
    },
    "too_many_rows": {
        "en": "Even {max_rows} test rows would probably not settle it: the difference is too close to the tolerance. Allow a "
        "larger tolerance, or choose by cost.",
        "fr": "Même {max_rows} lignes de test ne trancheraient sans doute pas : l’écart est trop proche de la tolérance. "
        "Accepter une tolérance plus large, ou choisir selon le coût.",
    },
    "leans": {
        "en": "If you must choose now: {method}, the cheapest whose score here is within {tolerance} of the best. This is not "
        "shown.",
        "fr": "S’il faut choisir maintenant : {method}, la moins chère dont le score est ici à {tolerance} au plus de la "
        "meilleure. Ce n’est pas établi.",
    },
    "confidence": {
        "en": "All bounds hold together with {confidence} % confidence, for other test rows of the same kind.",
        "fr": "Toutes ces bornes valent ensemble avec une confiance de {confidence} %, pour d’autres lignes de même nature.",
    },
    "seeds": {
        "en": "They do not cover how much training again with another seed would change the scores.",
        "fr": "Elles ne couvrent pas ce qu’un nouvel entraînement avec une autre graine changerait aux scores.",
    },
}


def explain(verdict: Verdict, language: Language) -> tuple[str, ...]:
    """The reasons, one sentence or two each, most important first."""
    say = _Speaker(verdict=verdict, language=language)
    lines = [say("best", score=say.amount(dict(verdict.scores)[verdict.best]))]
    lines += _crown(verdict, say) if verdict.method else _doubt(verdict, say)
    if verdict.comparisons:
        lines.append(say("confidence"))
        if verdict.fewest_seeds is not None:
            lines[-1] += " " + say("seeds")
    return tuple(lines)


def format_amount(value: float, unit: Unit, language: Language, *, signed: bool = False) -> str:
    """A score or difference as people read it: 0.0213 is "2.1 points", all else keeps three digits; French has the comma."""
    shown, digits = (100.0 * value, 1) if unit == "points" else (value, 3)
    text = f"{shown:+.{digits}f}" if signed else f"{shown:.{digits}f}"
    text = text.replace("-", "−")
    if float(text.replace("−", "-")) == 0.0:
        text = text.lstrip("+−")
    if language == "fr":
        text = text.replace(".", ",")
    return text if unit == "score" else f"{text} {unit}"


def format_count(count: int, language: Language) -> str:
    """1,200 in English, 1 200 (narrow no-break space) in French."""
    return f"{count:,}" if language == "en" else f"{count:,}".replace(",", "\u202f")


@dataclass(frozen=True, kw_only=True)
class _Speaker:
    """Fills the texts of one language with the numbers of one verdict."""

    verdict: Verdict
    language: Language

    def __call__(self, key: str, **values: str) -> str:
        verdict = self.verdict
        common = {
            "best": verdict.best,
            "metric": verdict.metric,
            "tolerance": self.amount(verdict.tolerance),
            "rows": format_count(verdict.rows, self.language),
            "max_rows": format_count(verdict.max_rows, self.language),
            "confidence": f"{100 * verdict.confidence:g}".replace(".", "," if self.language == "fr" else "."),
        }
        return TEXTS[key][self.language].format(**{**common, **values})

    def amount(self, value: float, signed: bool = False) -> str:
        return format_amount(value, self.verdict.unit, self.language, signed=signed)

    def about(self, key: str, found: Comparison) -> str:
        gap, low, high = (self.amount(value, signed=True) for value in (found.difference, found.low, found.high))
        return self(key, method=found.method, against=found.against, gap=gap, low=low, high=high)


def _crown(verdict: Verdict, say: _Speaker) -> list[str]:
    method = verdict.method or ""
    against_best = {found.method: found for found in verdict.comparisons}
    if method == verdict.best:
        lines = [say("crowned_best", method=method)]
    else:
        lines = [say.about("crowned_cheaper", against_best[method])]
    if verdict.decision == "do-not-fine-tune":
        lines.append(say("no_training", method=method))
    order = [name for name, _ in verdict.scores]
    return lines + [say.about("cheaper_out", against_best[name]) for name in order[: order.index(method)]]


def _doubt(verdict: Verdict, say: _Speaker) -> list[str]:
    if not verdict.comparisons:
        return [say("only")]
    lines = [
        say.about("open", found) for found in verdict.comparisons if {found.method, found.against} == set(verdict.undecided or ())
    ]
    if verdict.rows_needed:
        more = format_count(max(0, verdict.rows_needed - verdict.rows), say.language)
        lines.append(say("rows_needed", needed=format_count(verdict.rows_needed, say.language), more=more))
    else:
        lines.append(say("too_few_rows" if verdict.rows < MIN_ROWS else "too_many_rows"))
    return [*lines, say("leans", method=verdict.leans_to or "")]
