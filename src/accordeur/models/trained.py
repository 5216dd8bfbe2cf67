"""What every method that moves weights by the one loop lets its user set."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Annotated, Any

from pydantic import Field

from accordeur.method import Method
from accordeur.training.settings import Optimizer, Schedule, TrainingSettings

Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Rates = Annotated[tuple[Rate, ...], Field(min_length=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, lt=1)]


@dataclass(frozen=True, kw_only=True)
class TrainedMethod(Method):
    """A method adds its rates and what is its own; another default stands in the method."""

    batch_rows: Annotated[int, Field(ge=1)] = 16  # rows per optimizer step
    epochs: Positive | None = None  # at most; none: as many as the budget allows, up to 20
    optimizer: Optimizer = "adamw"
    momentum: Share = 0.9  # of sgd and rmsprop
    schedule: Schedule = "linear"
    warmup: NotNegative = 0.06  # share of the steps over which the rate rises, or a number of steps when 1 or more
    floor: Annotated[float, Field(ge=0, le=1)] = 0.0  # cosine and exponential end at this share of the rate
    weight_decay: NotNegative = 0.01  # of matrices; never of biases and norms
    clip: Positive | None = 1.0  # norm of the whole gradient; none: as it comes
    smoothing: Share = 0.0  # of labels, in training only
    noise: NotNegative = 0.0  # NEFTune: alpha of the noise on the embeddings, in training only
    patience: Annotated[int, Field(ge=1)] | None = 3  # validations without a better score before stopping; none: never

    def loop(self, **own: Any) -> TrainingSettings:
        """The loop's settings: the shared ones, and those of the method's own."""
        return TrainingSettings(**{field.name: getattr(self, field.name) for field in fields(TrainedMethod)}, **own)


@dataclass(frozen=True, kw_only=True)
class TunedMethod(TrainedMethod):
    """One whose rate is chosen on validation, among those that the method names, where none is given."""

    rate: Rate | None = None  # none: chosen on validation among `rates` where the budget allows
    rates: Rates

    @property
    def tried(self) -> tuple[float, ...]:
        """The rates among which to choose."""
        return (self.rate,) if self.rate else self.rates
