"""What differs between the families while they are pretrained: the model, its rows, its network, what is saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from accordeur.errors import RecipeError
from accordeur.example import Encoded
from accordeur.foundations.pair_network import PairNetwork
from accordeur.foundations.rows import MaskedRows, PairRows, Rows, SpanRows, once
from accordeur.foundations.shapes import Family, Shape, new_model
from accordeur.foundations.stored import Blocks, Stored
from accordeur.training.network import Network
from accordeur.training.settings import TrainingSettings

Objective = Literal["causal", "masked", "masked-whole-words", "masked-and-next", "spans"]
OBJECTIVES: dict[Family, tuple[Objective, ...]] = {  # the first is the default
    "gpt": ("causal",),
    "bert": ("masked", "masked-whole-words", "masked-and-next"),
    "t5": ("spans",),
}
HELD_OUT_SEED = 20_000_003  # held-out rows are masked the same way whatever the run's seed


@dataclass(frozen=True, kw_only=True)
class Pupil:
    """A model to pretrain, as the training loop wants it."""

    trunk: Any  # the transformers model
    network: Any  # what has the loss
    objective: Objective


def settings_of(family: Family, **chosen: Any) -> TrainingSettings:
    """How a family is pretrained: what is the same for all, what follows from the family, and what is chosen."""
    return TrainingSettings(betas=(0.9, 0.95), patience=None, by_size=family == "t5", **chosen)


def new_pupil(family: Family, objective: Objective | None, shape: Shape, tokenizer: Any, seed: int) -> Pupil:
    """A model at random with the loss of its objective. RecipeError where family and objective don't fit."""
    chosen = objective or OBJECTIVES[family][0]
    if chosen not in OBJECTIVES[family]:
        raise RecipeError(f"objective {chosen!r} doesn't fit family {family}", hint=f"expected {' or '.join(OBJECTIVES[family])}")
    trunk = new_model(family, shape, tokenizer, seed)
    if chosen == "masked-and-next":
        return Pupil(trunk=trunk, network=PairNetwork(trunk), objective=chosen)
    if family == "bert":
        trunk = without_next_sentence(trunk)
    form: Literal["causal", "masked", "seq2seq"] = "causal" if family == "gpt" else "masked" if family == "bert" else "seq2seq"
    return Pupil(trunk=trunk, network=Network(trunk, form), objective=chosen)


def without_next_sentence(trunk: Any) -> Any:
    """The same weights as a masked language model alone: no pooler, no second head."""
    import torch
    import transformers

    with torch.random.fork_rng(devices=[]):
        model = transformers.BertForMaskedLM(trunk.config)
    model.load_state_dict(trunk.state_dict(), strict=False)
    return model.eval()


def rows_of(pupil: Pupil, stored: Stored, shape: Shape, tokenizer: Any, seed: int) -> Sequence[Encoded]:
    """The rows a model is trained on."""
    match pupil.objective:
        case "causal":
            return Blocks(stored, shape.context)
        case "masked" | "masked-whole-words":
            return MaskedRows(stored, shape.context, tokenizer, seed=seed, whole_words=pupil.objective == "masked-whole-words")
        case "masked-and-next":
            return PairRows(stored, shape.context, tokenizer, seed=seed)
        case "spans":
            return SpanRows(stored, shape.context, tokenizer, seed=seed)


def held_out_rows(pupil: Pupil, stored: Stored, shape: Shape, tokenizer: Any) -> Sequence[Encoded]:
    """The rows a model is scored on: each part of the text once, masked the same way every time."""
    if pupil.objective == "masked-and-next":  # scored on its masks alone, so one document will do
        return once(MaskedRows(stored, shape.context, tokenizer, seed=HELD_OUT_SEED))
    rows = rows_of(pupil, stored, shape, tokenizer, HELD_OUT_SEED)
    return once(rows) if isinstance(rows, Rows) else rows


def evenly(rows: Sequence[Encoded], count: int) -> list[Encoded]:
    """At most `count` rows, spread over all."""
    step = max(1, len(rows) // count)
    return [rows[place] for place in range(0, len(rows), step)][:count]
