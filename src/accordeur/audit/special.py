"""Text that spells special tokens: counted, and always read as plain text."""

from __future__ import annotations

from collections import Counter

from accordeur.audit.finding import Finding, Seen, first
from accordeur.audit.subject import Subject
from accordeur.data.normal import SPECIAL_TOKEN


def look(subject: Subject) -> Seen:
    """Rows with such text, and how many rows have each token; of a given base, its own special tokens too."""
    own = set(subject.ruler[1].tokenizer.all_special_tokens) if subject.ruler else set()
    own = {token for token in own if token and not token.isalnum()}
    found: Counter[str] = Counter()
    places = []
    for row, text in zip(subject.rows, subject.texts, strict=True):
        tokens = set(SPECIAL_TOKEN.findall(text)) if "<" in text or "[" in text else set()
        tokens |= {token for token in own if token in text}
        if tokens:
            found.update(tokens)
            places.append(row.place)
    if not places:
        return Seen()
    named = ", ".join(f"{token} ({count})" for token, count in found.most_common(6))
    return Seen(
        findings=(
            Finding(code="special-tokens", severity="warning", count=len(places), rows=first(places), values={"tokens": named}),
        )
    )
