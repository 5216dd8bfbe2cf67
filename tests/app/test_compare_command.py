from __future__ import annotations

from accordeur.app.compare_command import effort
from accordeur.compare.planned import planned_runs


def test_the_effort_counts_only_what_moves_weights():
    cheap = planned_runs({"majority": {}, "tfidf": {}, "head": {}, "prompt": {}}, seeds=3)
    assert effort(cheap, 5.0) == "4, none of which moves weights"


def test_the_effort_says_what_all_seeds_may_take_and_how_to_shorten_it():
    few = planned_runs({"tfidf": {}, "lora": {}}, seeds=3)
    assert effort(few, 0.5) == "4, of which 3 train for up to 0.5 minutes each: 1.5 minutes at most"
    many = planned_runs({"lora": {}, "full": {}}, seeds=2)
    assert effort(many, 5.0).endswith("20 minutes at most, shorter with --methods or --budget")
