"""Continued pretraining on raw text: a base that knows a domain, saved as a folder that every verb takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from accordeur.base import Base, open_base
from accordeur.context import Context
from accordeur.errors import DataError, NotApplicable
from accordeur.example import Encoded, Example
from accordeur.models._surgery import Surgery
from accordeur.models._writing import longest_answer
from accordeur.models.fit import SAFETY, Moving, fit_moved
from accordeur.models.merge import write_folder
from accordeur.models.moved import Moved, build_network
from accordeur.plan import TrainingPlan
from accordeur.store import is_sealed, read_json, sealed_folder, write_json
from accordeur.task import Task
from accordeur.tasks import Codec, kind_of
from accordeur.training import scoring
from accordeur.training.loop import Lent, train
from accordeur.training.masking import Masked, load_masked
from accordeur.training.network import Network
from accordeur.training.settings import TrainingSettings
from accordeur.training.trial import plan_steps

HELD_OUT = 0.05  # share of the passages that the text is scored on, before and after
MOST_HELD_OUT = 200
COPIES = 4  # maskings of every block before the first one comes again
RECORD = "domain.json"


@dataclass(frozen=True, kw_only=True)
class DomainRequest:
    """What to read on which base, and how."""

    passages: Sequence[str]
    settings: TrainingSettings
    length: int = 128  # tokens of a block


def learn_domain(request: DomainRequest, base: Base, context: Context) -> tuple[Base, dict[str, Any]]:
    """The base after reading the passages, in the context's folder, and what is known of that; done once per run.

    Decoders learn the next token, encoders masked ones. Raises NotApplicable for other families and DataError for too
    little text. The record holds the score on held-out passages before and after: bits per character, or for encoders
    nats per masked token.
    """
    folder = context.folder / "base"
    if not is_sealed(folder):
        if base.family not in ("encoder", "decoder"):
            raise NotApplicable("continued pretraining reads with encoders and decoders only")
        learned, held_out = parted(request.passages, context.seed)
        make = masked if base.family == "encoder" else causal
        trunk, record = make(learned, held_out, request, base, context)
        with sealed_folder(folder) as staging:
            write_folder(trunk, base.path, staging)
            write_json(staging / RECORD, record)
    return open_base(folder, f"{base.name}+domain"), dict(read_json(folder / RECORD))


def parted(passages: Sequence[str], seed: int) -> tuple[list[str], list[str]]:
    """(to learn from, to score on), drawn by the seed."""
    if len(passages) < 2:
        raise DataError(
            f"{len(passages)} passages of text: at least 2 are needed", hint="passages end at an empty line, or are rows"
        )
    order = np.random.default_rng([seed, 0xD0]).permutation(len(passages))
    count = max(1, min(MOST_HELD_OUT, round(HELD_OUT * len(passages))))
    kept = set(order[:count].tolist())
    return [text for place, text in enumerate(passages) if place not in kept], [passages[place] for place in sorted(kept)]


def causal(learned: Sequence[str], held_out: Sequence[str], request: DomainRequest, base: Base, context: Context) -> Any:
    """(the decoder after reading, its record): raw text is a task of its own kind."""
    rows = [Example(id=str(place), given={}, expected=text) for place, text in enumerate([*learned, *held_out])]
    task = Task(
        name="domain",
        kind="text",
        train=tuple(rows[: len(learned)]),
        validation=tuple(rows[len(learned) :]),
        test=(),
        metrics=("bits_per_character", "nll"),
        max_length=min(request.length, base.positions or request.length),
    )
    model = fit_moved(task, base, context, Moving(surgery=Surgery(name="all"), settings=request.settings))
    codec = Codec(tokenizer=base.tokenizer(), family=base.family, max_length=task.max_length)
    items = [item for row, example in enumerate(task.validation) for item in kind_of("text").encode(example, row, task, codec)]
    before = Network(base.load()[0], "causal")
    found = scoring.log_probs(before, items, context.device, codec.pad)
    nats = -float(sum(row.sum(dtype="float64") for row in found))
    bits = nats / np.log(2) / sum(len(text) for text in held_out)
    facts = dict(model.facts())
    record = {"measure": "bits per character", "before": bits, "after": -float(facts["validation"]), "rate": facts["rate"]}
    return model.network.trunk, {**record, "steps": facts["steps"], "tokens": facts["tokens_trained"]}


def masked(learned: Sequence[str], held_out: Sequence[str], request: DomainRequest, base: Base, context: Context) -> Any:
    """(the encoder after reading, its record): tokens hidden and guessed; what is scored is hidden once and for all."""
    trunk, new_head = load_masked(base.path)
    codec = Codec(
        tokenizer=base.tokenizer(), family=base.family, max_length=min(request.length, base.positions or request.length)
    )
    if codec.tokenizer.mask_token_id is None:
        raise NotApplicable("this tokenizer has no mask token")
    network = Network(trunk, "masked")
    rows, judged = hidden(learned, codec, context.seed, COPIES), hidden(held_out, codec, context.seed, 1)

    def validate() -> float:
        return -nats_per_token(network, judged, context, codec)

    before = -validate()
    lent = Lent(
        device=context.device,
        pad=codec.pad,
        seed=context.seed,
        folder=context.folder / "training",
        validate=validate,
        note=context.note,
        stop=context.stop,
        safety_seconds=SAFETY * context.budget_seconds,
    )
    plan = TrainingPlan(**context.planned("training", lambda: planned(network, rows, judged, request, context, codec.pad)))
    done = train(network, rows, request.settings, plan, lent)
    record = {"measure": "nats per masked token", "before": before, "after": -done.best_score, "rate": request.settings.rate}
    return trunk, {**record, "steps": done.steps, "tokens": done.tokens, "new_head": new_head}


def planned(network: Network, rows: Masked, judged: Masked, request: DomainRequest, context: Context, pad: int) -> dict[str, Any]:
    """The budget as steps. An epoch is once through the text, whose every block is among the rows COPIES times."""
    epochs = request.settings.epochs
    plan = plan_steps(
        network,
        rows,
        replace(request.settings, epochs=epochs and epochs / COPIES),
        context.device,
        pad=pad,
        budget_seconds=context.budget_seconds,
        validation_rows=len(judged),
        seed=context.seed,
    )
    return plan.plain()


def hidden(passages: Sequence[str], codec: Codec, seed: int, copies: int) -> Masked:
    """Passages end to end in blocks that fill the room, with the family's special tokens around each."""
    ids = np.concatenate([np.asarray(codec.plain(text), np.int32) for text in passages])
    room = codec.room(codec.frame)
    blocks = [codec.frame.around(ids[start : start + room])[0] for start in range(0, len(ids), room)]
    blocks = [block for block in blocks if len(block) > codec.frame.size]
    tokenizer = codec.tokenizer
    return Masked(
        blocks=blocks,
        mask=tokenizer.mask_token_id,
        vocabulary=len(tokenizer),
        special=codec.special_ids,
        seed=seed,
        copies=copies,
    )


def nats_per_token(network: Network, rows: Sequence[Encoded], context: Context, pad_of: Codec) -> float:
    """Mean negative log-likelihood of what is hidden."""
    found = scoring.log_probs(network, list(rows), context.device, pad_of.pad)
    return -float(sum(row.sum(dtype="float64") for row in found)) / max(1, sum(len(row) for row in found))


def untrained(task: Task, base: Base, context: Context) -> Moved:
    """The base as it is, answering with its own language head."""
    network = build_network(task, base, Surgery(name="head"), seed=context.seed)
    model = Moved(task, base, network, Surgery(name="head"), context.device)
    limit = longest_answer(task.train, task, model.codec)
    return model.with_facts(answer_limit=limit, trainable_parameters=0, moves_base=False)
