"""The examples in docstrings do what they say."""

from __future__ import annotations

import doctest
import importlib

import pytest


@pytest.mark.parametrize("name", ["ngram", "plain_bpe"])
def test_the_examples_of_a_module_hold(name: str) -> None:
    outcome = doctest.testmod(importlib.import_module(f"accordeur.foundations.{name}"))
    assert outcome.attempted
    assert not outcome.failed
