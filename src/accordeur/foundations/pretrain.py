"""From raw text to a base model: tokenizer, token ids, model, the one training loop, a folder that every verb takes."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from accordeur.base import tokenizer_files
from accordeur.context import Context
from accordeur.errors import ModelError, RecipeError
from accordeur.example import Encoded
from accordeur.foundations import corpus, stored
from accordeur.foundations.corpus import Source
from accordeur.foundations.families import Objective, Pupil, evenly, held_out_rows, new_pupil, rows_of
from accordeur.foundations.forecast import Forecast
from accordeur.foundations.rows import Rows, corruption_of, in_passes, masking_of
from accordeur.foundations.samples import sample
from accordeur.foundations.shapes import Family, Shape
from accordeur.foundations.stored import Stored
from accordeur.foundations.tokenizers import Kind, TokenizerRequest, open_tokenizer, train_tokenizer
from accordeur.plan import TrainingPlan
from accordeur.store import digest_file, fingerprint, is_sealed, sealed_folder, verify, write_json
from accordeur.training.device import machine, threads
from accordeur.training.loop import Lent, Training, train
from accordeur.training.processes import ALONE, Processes
from accordeur.training.scoring import log_probs
from accordeur.training.settings import TrainingSettings
from accordeur.training.trial import evaluation_seconds, measured_step, plan_steps

RUN = "run-"  # begins the name of a folder with plan and checkpoint, which the request's own fingerprint ends
LAYOUT = 3  # of the ids on disk; those of another layout are written anew
EVALUATIONS = 40  # over a run
TOLD_UNREAD = 0.01  # share of the text
OPENING = 12  # tokens of a held-out text that samples go on from


@dataclass(frozen=True, kw_only=True)
class PretrainRequest:
    """What to pretrain on what. Without `steps` they follow from the context's budget by a trial."""

    texts: tuple[Source, ...]
    held_out: tuple[Source, ...]
    shape: Shape
    family: Family = "gpt"
    objective: Objective | None = None  # None: the family's first
    tokenizer: Path | None = None  # of another base; None: a new one, trained on the same texts
    tokenizer_kind: Kind | None = None  # of a new tokenizer; None: wordpiece for bert, bpe for the others
    exact_vocabulary: bool = True  # a text that allows fewer entries than the shape says is refused
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
    loss: float  # nats per token asked, on the whole held-out text
    bits_per_character: float | None  # there; None for objectives that don't read every token
    weights: int


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Tokenizer and token ids, on disk in the context's folder."""

    tokenizer: Any
    train: Stored
    held_out: Stored


def prepare(request: PretrainRequest, context: Context) -> Prepared:
    """Trains or opens the tokenizer and writes the ids; what an earlier call finished for the same request is taken."""
    own: list[Any] = [request.shape.vocabulary, request.family, request.tokenizer_characters, seen(request.texts)]
    own += [request.tokenizer_kind] if request.tokenizer_kind else []
    name = fingerprint(own if request.tokenizer is None else [digest_file(path) for path in files_of(request.tokenizer)])
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
        identity = fingerprint([name, seen(given), LAYOUT])
        if not sealed_as(place, identity):
            context.note(text=f"{part}: tokenizing {len(given)} files")
            with sealed_folder(place, identity=identity) as staging:
                stored.write_ids(corpus.pieces(given), tokenizer, staging, end_id=end_of_document(tokenizer))
        parts[part] = stored.open_ids(place)
    return Prepared(tokenizer=tokenizer, train=parts["train"], held_out=parts["held_out"])


def chosen_tokenizer(request: PretrainRequest) -> Any:
    """The given tokenizer, or a new one from an equal share of every file; refused before anything is tokenised."""
    if request.tokenizer is not None:
        tokenizer = checked(open_tokenizer(request.tokenizer), request)
    else:
        kind = request.tokenizer_kind or ("wordpiece" if request.family == "bert" else "bpe")
        size, exact = request.shape.vocabulary, request.exact_vocabulary
        kinds = TokenizerRequest(kind=kind, size=size, family=request.family, exact=exact)
        tokenizer = train_tokenizer(corpus.beginnings(request.texts, request.tokenizer_characters), kinds)
    if request.family == "t5":
        corruption_of(tokenizer, request.shape.context)
    return tokenizer


def checked(tokenizer: Any, request: PretrainRequest) -> Any:
    """The tokenizer, if it fits what is asked of it."""
    if len(tokenizer) > request.shape.vocabulary:
        raise ModelError(
            f"the tokenizer has {len(tokenizer):,} entries, the model is to have {request.shape.vocabulary:,}",
            hint=f"choose --vocabulary {len(tokenizer)} (vocabulary: in a recipe), or train a new tokenizer",
        )
    if request.family == "bert":
        masking_of(tokenizer, whole_words=False)
    if tokenizer.eos_token_id is None and request.family != "bert":
        raise ModelError("the tokenizer has no end token, without which a model never stops", hint="choose another tokenizer")
    return tokenizer


def files_of(tokenizer: Path) -> list[Path]:
    """The files that say how a tokenizer cuts. ModelError where there is none."""
    files = list(tokenizer_files(tokenizer))
    if not files:
        raise ModelError(f"no tokenizer in {tokenizer}", hint="expected the folder of a base or of `accordeur tokenizer train`")
    return files


def end_of_document(tokenizer: Any) -> int:
    """What stands after every document: the end token, a separator where there is none."""
    return int(tokenizer.eos_token_id if tokenizer.eos_token_id is not None else tokenizer.sep_token_id)


def described(given: Sequence[Source]) -> list[list[Any]]:
    """Files by name, size and columns, for the record."""
    return [
        [
            source.path.name,
            source.path.stat().st_size,
            list(source.columns),
            *([source.first, source.last] if partial(source) else []),
        ]
        for source in given
    ]


def seen(given: Sequence[Source]) -> list[list[Any]]:
    """The same with when each was last written: enough to see that another text is meant, or that one was changed."""
    return [[*one, source.path.stat().st_mtime_ns] for one, source in zip(described(given), given, strict=True)]


def run_name(request: PretrainRequest, prepared: Prepared, context: Context) -> str:
    """A name for this very run: texts as they were cut, shape, objective, settings, seed, steps or else the budget."""
    asked = asdict(replace(request, texts=(), held_out=(), tokenizer=None))
    texts = [prepared.train.digest, prepared.held_out.digest, len(prepared.tokenizer)]
    return fingerprint([asked, texts, context.seed, context.budget_seconds if request.steps is None else None])


def partial(source: Source) -> bool:
    """Whether a part of a file is meant."""
    return source.first > 0 or source.last is not None


def sealed_as(folder: Path, name: str) -> bool:
    """Whether a folder was finished for this very request."""
    return is_sealed(folder) and verify(folder).get("identity") == name


def nats_per_token(network: Any, rows: Sequence[Encoded], context: Context, pad: int) -> float:
    """Mean negative log-likelihood of the tokens that are asked."""
    scored = log_probs(network, rows, context.device, pad)
    return -float(sum(row.sum(dtype="float64") for row in scored)) / max(1, sum(len(row) for row in scored))


def in_bits(nats: float, text: Stored) -> float:
    """Bits per character of a whole text: nats per token / ln 2 × tokens per character."""
    return nats / math.log(2) * text.tokens / text.characters


def pretrain(request: PretrainRequest, out: Path, context: Context, processes: Processes = ALONE) -> Pretrained:
    """Pretrains and saves a transformers folder at `out`. Repeating the call after a stop goes on from the last checkpoint.

    What is planned and where it stands is kept for this very request and forgotten once it is done; tokenizer and ids stay.
    Of several processes the first alone judges and saves.

    Raises DataError for text that is none, RecipeError for what can't be, Interrupted (state saved), Diverged.
    """
    check(request)
    with processes.in_turn():
        prepared = prepare(request, context)
    tokenizer, shape = prepared.tokenizer, request.shape
    pupil = new_pupil(request.family, request.objective, shape, tokenizer, context.seed)
    rows = training_rows(pupil, prepared.train, request, tokenizer, context)
    held_out = held_out_rows(pupil, prepared.held_out, shape, tokenizer)
    judged = evenly(held_out, request.held_out_rows)
    pad, weights = int(tokenizer.pad_token_id), sum(parameter.numel() for parameter in pupil.trunk.parameters())
    with processes.in_turn():
        kept = context.part(RUN + run_name(request, prepared, context))
        plan, row_seconds = planned(request, pupil.network, rows, kept, pad)
    forecast = Forecast(
        plan=plan,
        shape=replace(shape, vocabulary=len(tokenizer)),
        family=request.family,
        judged=len(judged),
        scored=len(held_out),
        row_seconds=row_seconds,
        processes=processes.count,
    )
    context.note(text=forecast.told(weights, prepared.train))

    def validate() -> float:
        nats = nats_per_token(pupil.network, judged, context, pad)
        if pupil.objective == "causal":
            opening = tokenizer.decode(judged[0].tokens[:OPENING])
            context.note(text=f"sample: {opening} ▸{sample(pupil.trunk, tokenizer, opening)}")
        return -in_bits(nats, prepared.held_out) if pupil.objective == "causal" else -nats

    training = train(pupil.network, rows, request.settings, plan, lent(kept, pad, validate, processes))
    loss = processes.agreed(nats_per_token(pupil.network, held_out, context, pad) if processes.first else 0.0)
    pretrained = Pretrained(
        folder=out,
        training=training,
        tokens=prepared.train.tokens,
        loss=loss,
        bits_per_character=in_bits(loss, prepared.held_out) if pupil.objective == "causal" else None,
        weights=weights,
    )
    with processes.in_turn():
        if processes.first:
            save(pupil, tokenizer, pretrained, request, machine(context.device, processes.count))
            forget(context, RUN)
    return pretrained


def forget(context: Context, sort: str) -> None:
    """Removes what was kept for the request that is done, and for others that were stopped before it."""
    for part in context.folder.glob(f"{sort}*"):
        shutil.rmtree(part, ignore_errors=True)


def training_rows(pupil: Pupil, text: Stored, request: PretrainRequest, tokenizer: Any, context: Context) -> Sequence[Encoded]:
    """The rows to learn from, each part of the text once in every pass; says where a good part of it is in none."""
    rows = rows_of(pupil, text, request.shape, tokenizer, context.seed)
    if not isinstance(rows, Rows):
        return rows
    if rows.unread > TOLD_UNREAD:
        context.note(warning=f"{rows.unread:.0%} of the text is not read: it doesn't fill a row of its document")
    return in_passes(rows, request.settings.batch_rows)


def planned(
    request: PretrainRequest, network: Any, rows: Sequence[Encoded], context: Context, pad: int
) -> tuple[TrainingPlan, float]:
    """The number of steps: as asked, or as the budget allows by a trial; and the seconds of scoring a row. Decided once."""

    def decide() -> dict[str, Any]:
        if request.steps is not None:
            training = as_asked(request, network, rows, context, pad)
        else:
            training = plan_steps(
                network,
                rows,
                request.settings,
                context.device,
                pad=pad,
                budget_seconds=context.budget_seconds,
                validation_rows=request.held_out_rows,
                seed=context.seed,
            )
        with threads(context.device):
            seconds = evaluation_seconds(network, rows, context.device, pad=pad, seed=context.seed)
        return {"training": training.plain(), "row_seconds": seconds}

    decided = context.planned("pretrain", decide)
    return TrainingPlan(**decided["training"]), float(decided["row_seconds"])


def as_asked(request: PretrainRequest, network: Any, rows: Sequence[Encoded], context: Context, pad: int) -> TrainingPlan:
    """The plan of a request that names its steps; a short trial tells only how long they will take."""
    assert request.steps is not None
    settings = request.settings
    seconds = measured_step(network, rows, settings, context.device, pad=pad, seed=context.seed)
    return TrainingPlan(
        steps=request.steps,
        batch_rows=settings.batch_rows,
        evaluate_every=max(1, request.steps // EVALUATIONS),
        seconds_per_step=seconds,
        budget_seconds=0.0,
        reason=f"{request.steps} steps of {settings.batch_rows} rows, as asked; {seconds:.3g} s a step",
    )


def lent(context: Context, pad: int, validate: Callable[[], float], processes: Processes) -> Lent:
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
        processes=processes,
    )


def save(pupil: Pupil, tokenizer: Any, pretrained: Pretrained, request: PretrainRequest, made_on: str) -> None:
    """A plain transformers folder, with the record of the training beside the weights."""
    training = pretrained.training
    record = {
        "family": request.family,
        "objective": pupil.objective,
        "shape": asdict(request.shape),
        "settings": asdict(request.settings),
        "files": described(request.texts),
        "held_out": described(request.held_out),
        "steps": training.steps,
        "tokens_seen": training.tokens,
        "tokens": pretrained.tokens,
        "weights": pretrained.weights,
        "seconds": training.curve[-1]["seconds"] if training.curve else None,
        "made_on": made_on,
        "held_out_loss": pretrained.loss,
        "bits_per_character": pretrained.bits_per_character,
        "curve": list(training.curve),
    }
    with sealed_folder(pretrained.folder) as staging:
        pupil.trunk.save_pretrained(staging)
        tokenizer.save_pretrained(staging)
        write_json(staging / "pretraining.json", record)


def check(request: PretrainRequest) -> None:
    """RecipeError for no step, and where the same file, or the same part of it, is trained on and held out."""
    if request.steps is not None and request.steps < 1:
        raise RecipeError(f"steps {request.steps}: expected at least 1")
    if request.held_out and not request.texts:
        both = request.held_out[0].path
        raise RecipeError(f"{both} is both trained on and held out, and there is no other text", hint="hold out another file")
    ends = {source.path.resolve(): source.last for source in request.texts}
    held_out = {source.path.resolve(): source.first for source in request.held_out if source.path.resolve() in ends}
    twice = [path for path, first in held_out.items() if (end := ends[path]) is None or end > first]
    if twice:
        raise RecipeError(f"{twice[0]} is both trained on and held out", hint="hold out a file that is not trained on")
