from __future__ import annotations

import pytest

from accordeur.method import method_names
from accordeur.report._methods import GLOSSES, gloss
from accordeur.report.words import LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_method_is_explained_in_a_few_words(language: str) -> None:
    assert set(GLOSSES) == set(method_names())
    assert all(10 < len(gloss(name, language)) < 100 for name in GLOSSES)


def test_one_method_after_another_is_explained_as_such() -> None:
    assert gloss("domain+lora", "fr") == f"{gloss('domain', 'fr')}, puis {gloss('lora', 'fr')}"
    assert gloss("domain+somebody-elses", "en") == gloss("somebody-elses", "en") == ""
