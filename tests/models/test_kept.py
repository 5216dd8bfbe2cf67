"""A base read once for many fits, and rows encoded once."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from accordeur.example import Example
from accordeur.models import encoded as encoding
from accordeur.models._surgery import Surgery
from accordeur.models.encoded import train_items
from accordeur.models.kept import kept, own_what_moves
from accordeur.models.moved import build_network
from accordeur.plan import DevicePlan
from accordeur.task import Task
from tests.bases import tiny


def task(count: int = 6) -> Task:
    rows = tuple(
        Example(id=str(place), given={"text": f"the fox {place} jumps"}, expected="ab"[place % 2]) for place in range(count)
    )
    return Task(
        name="t", kind="classify", train=rows, validation=rows, test=rows, metrics=("accuracy",), labels=("a", "b"), max_length=64
    )


def weights(network) -> dict[str, int]:
    return {name: parameter.untyped_storage().data_ptr() for name, parameter in network.named_parameters()}


def test_a_kept_base_is_the_same_base_read_once(monkeypatch):
    base = tiny("decoder")
    held = kept(base, DevicePlan())
    assert held == base
    assert held.fingerprint == base.fingerprint
    one, coder = held.load()
    assert held.tokenizer() is coder
    monkeypatch.setattr("accordeur.base.load_model", lambda *_: pytest.fail("read again"))
    other, _ = held.load()
    assert one is not other
    tokens = torch.tensor([[1, 2, 3, 4]])
    assert torch.equal(one(tokens).logits, other(tokens).logits)


@pytest.mark.parametrize("surgery", [Surgery(name="lora", settings={"rank": 2}), Surgery(name="all"), Surgery(name="biases")])
def test_what_moves_in_one_fit_does_not_move_in_the_next(surgery):
    held = kept(tiny("encoder"), DevicePlan())
    pristine = {name: value.clone() for name, value in held.load(language_head=False)[0].state_dict().items()}
    first, second = (build_network(task(), held, surgery) for _ in range(2))
    for network in (first, second):
        own_what_moves(network)
    with torch.no_grad():
        for parameter in first.parameters():
            if parameter.requires_grad:
                parameter.add_(1.0)
    after = held.load(language_head=False)[0].state_dict()
    assert all(torch.equal(after[name], value) for name, value in pristine.items())
    shared = {name for name, place in weights(first).items() if weights(second)[name] == place}
    assert shared == {name for name, parameter in first.named_parameters() if not parameter.requires_grad}


def test_rows_are_encoded_once_for_one_base_and_again_for_other_rows(tmp_path, monkeypatch):
    base, made = tiny("encoder"), []
    whole = encoding.encoded
    monkeypatch.setattr(encoding, "encoded", lambda *given: made.append(1) or whole(*given))
    first = train_items(task(), base, tmp_path)
    again = train_items(task(), base, tmp_path)
    assert len(made) == 1
    assert [list(item.tokens) for item in first] == [list(item.tokens) for item in again]
    assert [item.target for item in first] == [0, 1, 0, 1, 0, 1]
    train_items(task(8), base, tmp_path)
    train_items(replace(task(), max_length=32), base, tmp_path)
    train_items(task(), tiny("encoder", seed=1), tmp_path)
    assert len(made) == 4


def test_another_version_of_the_encoding_encodes_anew(tmp_path, monkeypatch):
    train_items(task(), tiny("encoder"), tmp_path)
    monkeypatch.setattr(encoding, "encoding_version", lambda: "other")
    train_items(task(), tiny("encoder"), tmp_path)
    assert len(list((tmp_path / "tokens").iterdir())) == 2
