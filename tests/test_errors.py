from __future__ import annotations

from accordeur.errors import DataError, Problem, RecipeError


def test_a_message_has_place_and_hint():
    text = str(RecipeError("unknown key 'x'", where="a.yaml:3", hint="did you mean 'y'?"))
    assert text == "error[recipe] a.yaml:3: unknown key 'x'\n  hint: did you mean 'y'?"


def test_at_most_fifty_problems_are_listed():
    problems = [Problem(file="a.csv", line=line, message="bad") for line in range(1, 71)]
    text = str(DataError("70 bad rows", problems=problems, hint="mend them"))
    assert text.count("a.csv:") == 50
    assert "and 20 more" in text
    assert text.endswith("hint: mend them")
