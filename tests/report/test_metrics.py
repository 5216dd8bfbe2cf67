from __future__ import annotations

import pytest

from accordeur.report._metrics import HELP, NAMES
from accordeur.report.words import LANGUAGES, Words
from accordeur.tasks import kind_of

KINDS = ("classify", "tag", "extract", "write", "text", "prefer")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_metric_has_a_name_and_says_what_it_says(language: str) -> None:
    words = Words(language=language)  # type: ignore[arg-type]
    for kind in KINDS:
        for metric in kind_of(kind).metrics:
            assert words.metric(metric.name)
            assert 20 < len(words.maybe(f"help_{metric.name}")) < 140, metric.name
    assert set(HELP) <= set(NAMES)
