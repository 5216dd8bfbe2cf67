"""Conversations turn by turn: who speaks, in which order, and that each says something."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from accordeur.data.journal import nearest
from accordeur.data.json_value import kind_of
from accordeur.data.normal import is_blank

Turn = dict[str, str]
Complain = Callable[[str], None]
ROLES = {"system": "system", "user": "user", "assistant": "assistant", "human": "user", "gpt": "assistant"}


def turns_of(value: Any, name: str, complain: Complain) -> tuple[Turn, ...]:
    """A list of {"role", "content"} or {"from", "value"} as turns, in OpenAI's words; complains of each turn that is wrong."""
    if not isinstance(value, list) or not value:
        complain(f"'{name}' is {'an empty list' if value == [] else kind_of(value)}; expected a list of turns")
        return ()
    faults: list[str] = []
    turns = tuple(turn_of(turn, number, faults) for number, turn in enumerate(value, start=1))
    if not faults:
        faults = misplaced(turns)
    for fault in faults:
        complain(f"'{name}' {fault}")
    return () if faults else turns


def turn_of(value: Any, number: int, faults: list[str]) -> Turn:
    """One turn, checked by itself."""
    if not isinstance(value, Mapping):
        faults.append(f"turn {number} is {kind_of(value)}; expected an object with role and content")
        return {"role": "", "content": ""}
    role_key, content_key = ("role", "content") if "role" in value else ("from", "value")
    role, content = value.get(role_key), value.get(content_key)
    if not isinstance(role, str) or role not in ROLES:
        expected = "expected system, user or assistant"
        faults.append(f"turn {number} has the unknown role {role!r}{nearest(str(role), ROLES)}; {expected}")
    if not isinstance(content, str):
        faults.append(f"turn {number}: {content_key} is {kind_of(content)}; expected text")
    elif is_blank(content):
        faults.append(f"turn {number} is empty")
    return {"role": ROLES.get(str(role), ""), "content": content if isinstance(content, str) else ""}


def misplaced(turns: tuple[Turn, ...]) -> list[str]:
    """What is wrong with the order: system only first, then user and assistant by turns."""
    for number, turn in enumerate(turns, start=1):
        role, before = turn["role"], turns[number - 2]["role"] if number > 1 else ""
        if role == "system" and number > 1:
            return [f"turn {number} is by system; system may only be first"]
        if role == "assistant" and before in ("", "system"):
            return [f"turn {number} is by assistant, but nothing was asked"]
        if role == before:
            return [f"turns {number - 1} and {number} are both by {role}; expected user and assistant by turns"]
    return []


def split_last(turns: tuple[Turn, ...], name: str, complain: Complain) -> tuple[tuple[Turn, ...], str]:
    """(all turns but the last, the last one's content); the last must be the assistant's."""
    if turns and turns[-1]["role"] != "assistant":
        complain(f"'{name}' ends with turn {len(turns)} by {turns[-1]['role']}; the last must be the assistant's answer")
        return (), ""
    return (turns[:-1], turns[-1]["content"]) if turns else ((), "")
