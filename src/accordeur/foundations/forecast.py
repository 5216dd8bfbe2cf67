"""What a pretraining will take, told before it starts: tokens, FLOPs and minutes, the scoring included."""

from __future__ import annotations

from dataclasses import dataclass

from accordeur.foundations.shapes import Family, Shape
from accordeur.foundations.stored import Stored
from accordeur.plan import TrainingPlan

FORWARD = 3  # a forward pass is one part in so many of a training step


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """Everything that it follows from."""

    plan: TrainingPlan
    shape: Shape
    family: Family
    judged: int  # rows of every validation
    scored: int  # rows of the whole held-out text, at the end
    row_seconds: float  # of scoring one of them
    processes: int = 1  # that share the training; the first one scores

    @property
    def tokens(self) -> int:
        """Of the text, read in training."""
        return self.plan.steps * self.plan.batch_rows * self.shape.context

    @property
    def scorings(self) -> int:
        """Rows that are scored over the whole run."""
        return -(-self.plan.steps // self.plan.evaluate_every) * self.judged + self.scored

    @property
    def flops(self) -> float:
        """Of training and scoring."""
        return (self.plan.steps * self.plan.batch_rows + self.scorings / FORWARD) * self.shape.row_flops(self.family)

    @property
    def scoring_seconds(self) -> float:
        """Of all validations and the last scoring."""
        return self.scorings * self.row_seconds

    @property
    def seconds(self) -> float:
        """Of the whole run, as far as a trial can tell."""
        return self.plan.steps * self.plan.seconds_per_step / self.processes + self.scoring_seconds

    def told(self, weights: int, text: Stored) -> str:
        """In one line: weights, tokens, passes over the text, FLOPs and minutes."""
        shared = f" where {self.processes} processes share the work evenly" if self.processes > 1 else ""
        return (
            f"{weights:,} weights; {self.plan.steps:,} steps of {self.plan.batch_rows} rows: {self.tokens:,} tokens, "
            f"{self.tokens / text.tokens:.2g} passes over {text.tokens:,}; {self.flops:.2g} FLOPs, "
            f"about {self.seconds / 60:.0f} minutes, {self.scoring_seconds / 60:.0f} of them for scoring{shared}"
        )
