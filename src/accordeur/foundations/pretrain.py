"""From raw text to a base model: tokenizer, token ids, model, the one training loop, a folder that every verb takes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from accordeur.context import Context
from accordeur.errors import ModelError, RecipeError
from accordeur.foundations import corpus, stored
from accordeur.foundations.corpus import Source
from accordeur.foundations.shapes import Family, Shape, new_model
from accordeur.foundations.stored import Blocks, Stored
from accordeur.foundations.tokenizers import TokenizerRequest, open_tokenizer, train_tokenizer
from accordeur.plan import TrainingPlan
from accordeur.store import fingerprint, is_sealed, sealed_folder
from accordeur.training.loop import Lent, Training, train
from accordeur.training.network import Network
from accordeur.training.scoring import log_probs
from accordeur.training.settings import TrainingSettings
from accordeur.training.trial import plan_steps

EVALUATIONS = 40  # over a run


@dataclass(frozen=True, kw_only=True)
class PretrainRequest:
    """What to pretrain on what. Without `steps` they follow from the context's budget by a trial."""

    texts: tuple[Source, ...]
    held_out: tuple[Source, ...]
    shape: Shape
    family: Family = "gpt"
    tokenizer: Path | None = None  # of another base; None: a new one, trained on the same texts
    tokenizer_characters: int = 30_000_000  # of the texts, at most, for a new tokenizer
    settings: TrainingSettings
    steps: int | None = None
    held_out_rows: int = 64  # scored as it goes; all of them at the end


@dataclass(frozen=True, kw_only=True)
class Pretrained:
    """A finished base and what is known of it."""

    folder: Path
    training: Training
    tokens: int  # of the text, once
    bits_per_character: float  # on the whole held-out text
    loss: float  # nats per token there
    weights: int


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Tokenizer and token ids, on disk in the context's folder."""

    tokenizer: Any
    train: Stored
    held_out: Stored


def prepare(request: PretrainRequest, context: Context) -> Prepared:
    """Trains or opens the tokenizer and writes the ids; what an earlier call finished for the same request is taken."""
    own = [request.shape.vocabulary, request.family, request.tokenizer_characters, described(request.texts)]
    name = fingerprint(own if request.tokenizer is None else str(request.tokenizer))
    folder = context.folder / "tokenizer"
    if not sealed_as(folder, name):
        context.note(text="tokenizer: training")
        tokenizer = chosen_tokenizer(request)
        with sealed_folder(folder, identity=name) as staging:
            tokenizer.save_pretrained(staging)
    tokenizer = open_tokenizer(folder)
    parts = {}
    for part, given in (("train", request.texts), ("held_out", request.held_out)):
        place = context.folder / part
        identity = fingerprint([name, described(given)])
        if not sealed_as(place, identity):
            context.note(text=f"{part}: tokenizing {len(given)} files")
            with sealed_folder(place, identity=identity) as staging:
                stored.write_ids(corpus.pieces(given), tokenizer, staging, end_id=tokenizer.eos_token_id)
        parts[part] = stored.open_ids(place)
    return Prepared(tokenizer=tokenizer, train=parts["train"], held_out=parts["held_out"])


def chosen_tokenizer(request: PretrainRequest) -> Any:
    """The given tokenizer, or a new one from an equal share of every file."""
    if request.tokenizer is not None:
        return checked(open_tokenizer(request.tokenizer), request)
    kinds = TokenizerRequest(kind="bpe", size=request.shape.vocabulary, family=request.family)
    share = max(1, request.tokenizer_characters // len(request.texts))
    return train_tokenizer((text for source in request.texts for text in beginning(source, share)), kinds)


def checked(tokenizer: Any, request: PretrainRequest) -> Any:
    """The tokenizer, if it fits what is asked of it."""
    if len(tokenizer) > request.shape.vocabulary:
        raise ModelError(
            f"the tokenizer has {len(tokenizer):,} entries, the model is to have {request.shape.vocabulary:,}",
            hint="give the model the tokenizer's vocabulary, or train a new tokenizer",
        )
    if tokenizer.eos_token_id is None and request.family != "bert":
        raise ModelError("the tokenizer has no end token, without which a model never stops", hint="choose another tokenizer")
    return tokenizer


def beginning(source: Source, characters: int) -> Iterator[str]:
    """The first characters of a file, at most so many."""
    left = characters
    for piece in corpus.pieces([source]):
        yield piece.text[:left]
        left -= len(piece.text)
        if left <= 0:
            return


def described(given: Sequence[Source]) -> list[list[Any]]:
    """Files by name, size and columns: enough to see that another text was meant."""
    return [[source.path.name, source.path.stat().st_size, list(source.columns)] for source in given]


def sealed_as(folder: Path, name: str) -> bool:
    """Whether a folder was finished for this very request."""
    from accordeur.store import verify

    return is_sealed(folder) and verify(folder).get("identity") == name


def bits_per_character(network: Network, rows: Sequence[Any], text: Stored, context: Context, pad: int) -> float:
    """Bits per character of a held-out text: nats per token / ln 2 × tokens per character of the whole text."""
    return nats_per_token(network, rows, context, pad) / math.log(2) * text.tokens / text.characters


def nats_per_token(network: Network, rows: Sequence[Any], context: Context, pad: int) -> float:
    """Mean negative log-likelihood."""
    scored = log_probs(network, rows, context.device, pad)
    return -float(sum(row.sum(dtype="float64") for row in scored)) / sum(len(row) for row in scored)


def pretrain(request: PretrainRequest, out: Path, context: Context) -> Pretrained:
    """Pretrains and saves a transformers folder at `out`. Repeating the call after a stop goes on from the last checkpoint.

    Raises DataError for text that is none, RecipeError for what can't be, Interrupted (state saved), Diverged.
    """
    prepared = prepare(request, context)
    tokenizer = prepared.tokenizer
    trunk = new_model(request.family, request.shape, tokenizer, context.seed)
    network = Network(trunk, "causal")
    rows = Blocks(prepared.train, request.shape.context)
    held_out = Blocks(prepared.held_out, request.shape.context)
    judged = held_out.sample(request.held_out_rows)
    pad = tokenizer.pad_token_id
    plan = planned(request, network, rows, context, pad)
    context.note(text=f"{sum(p.numel() for p in trunk.parameters()):,} weights; {prepared.train.tokens:,} tokens; {plan.reason}")

    def validate() -> float:
        return -bits_per_character(network, judged, prepared.held_out, context, pad)

    training = train(network, rows, request.settings, plan, lent(context, pad, validate))
    loss = nats_per_token(network, held_out, context, pad)
    bits = loss / math.log(2) * prepared.held_out.tokens / prepared.held_out.characters
    pretrained = Pretrained(
        folder=out,
        training=training,
        tokens=prepared.train.tokens,
        bits_per_character=bits,
        loss=loss,
        weights=sum(parameter.numel() for parameter in trunk.parameters()),
    )
    save(trunk, tokenizer, pretrained, request)
    return pretrained


def planned(request: PretrainRequest, network: Network, rows: Blocks, context: Context, pad: int) -> TrainingPlan:
    """The number of steps: as asked, or as the budget allows by a trial; decided once."""

    def decide() -> dict[str, Any]:
        settings = request.settings
        if request.steps is not None:
            asked = TrainingPlan(
                steps=request.steps,
                batch_rows=settings.batch_rows,
                evaluate_every=max(1, request.steps // EVALUATIONS),
                seconds_per_step=0.0,
                budget_seconds=0.0,
                reason=f"{request.steps} steps of {settings.batch_rows} rows, as asked",
            )
            return asked.plain()
        return plan_steps(
            network,
            rows,
            settings,
            context.device,
            pad=pad,
            budget_seconds=context.budget_seconds,
            validation_rows=request.held_out_rows,
            seed=context.seed,
        ).plain()

    return TrainingPlan(**context.planned("pretrain", decide))


def lent(context: Context, pad: int, validate: Callable[[], float]) -> Lent:
    """What the loop is lent."""
    return Lent(
        device=context.device,
        pad=pad,
        seed=context.seed,
        folder=context.folder,
        validate=validate,
        note=context.note,
        stop=context.stop,
        save_every_seconds=120.0,
    )


def save(trunk: Any, tokenizer: Any, pretrained: Pretrained, request: PretrainRequest) -> None:
    """A plain transformers folder, with the record of the training beside the weights."""
    from accordeur.store import write_json

    training = pretrained.training
    record = {
        "family": request.family,
        "shape": asdict(request.shape),
        "settings": asdict(request.settings),
        "files": described(request.texts),
        "held_out": described(request.held_out),
        "steps": training.steps,
        "tokens_seen": training.tokens,
        "tokens": pretrained.tokens,
        "weights": pretrained.weights,
        "held_out_loss": pretrained.loss,
        "bits_per_character": pretrained.bits_per_character,
        "curve": list(training.curve),
    }
    with sealed_folder(pretrained.folder) as staging:
        trunk.save_pretrained(staging)
        tokenizer.save_pretrained(staging)
        write_json(staging / "pretraining.json", record)


def check(request: PretrainRequest) -> None:
    """RecipeError where the same file is trained on and held out."""
    twice = {source.path.resolve() for source in request.texts} & {source.path.resolve() for source in request.held_out}
    if twice:
        raise RecipeError(f"{sorted(twice)[0]} is both trained on and held out", hint="hold out a file that is not trained on")
