"""The settings of the training loop, shared by every method that trains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Optimizer = Literal["adamw", "adam", "sgd", "rmsprop", "adafactor", "adamw8bit", "muon"]
Schedule = Literal["linear", "cosine", "inverse_sqrt", "exponential", "constant", "trapezoid"]


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """How weights are moved. Shares are of the planned steps."""

    rate: float = 5e-5  # peak learning rate
    head_rate: float | None = None  # of the head, where it differs
    optimizer: Optimizer = "adamw"
    betas: tuple[float, float] = (0.9, 0.999)
    epsilon: float = 1e-8
    momentum: float = 0.9  # sgd and rmsprop
    weight_decay: float = 0.01  # decoupled (added to the gradient for adam, sgd and rmsprop); never on biases and norms
    schedule: Schedule = "linear"
    warmup: float = 0.06  # share of the steps, or steps when >= 1
    floor: float = 0.0  # cosine and exponential end at this share of the rate
    clip: float | None = 1.0  # norm of the whole gradient
    smoothing: float = 0.0  # label smoothing, in training only
    z_loss: float = 0.0  # weight of log(Z)² on vocabulary heads (PaLM, section 5)
    noise: float = 0.0  # NEFTune alpha (Jain et al. 2023), in training only
    batch_rows: int = 16  # rows per optimizer step
    epochs: float | None = None  # at most; None: as the budget allows, up to MAX_EPOCHS
    layer_decay: float = 1.0  # factor of the rate per block downwards (Howard & Ruder 2018; ELECTRA)
    b_factor: float = 1.0  # rate of LoRA's B over that of its A (LoRA+, Hayou et al. 2024)
    by_size: bool = False  # T5's embeddings and queries move in proportion to the sizes that they begin with
    gradual: float = 0.0  # share of the steps over which the blocks start to move, one by one from the top
    patience: int | None = 3  # evaluations without a better score before stopping; None: never

    def __post_init__(self) -> None:
        wrong = [
            f"{name} = {getattr(self, name)}: expected {expected}"
            for name, expected, right in (
                ("rate", "> 0", self.rate > 0),
                ("warmup", ">= 0", self.warmup >= 0),
                ("smoothing", "0 to below 1", 0 <= self.smoothing < 1),
                ("batch_rows", ">= 1", self.batch_rows >= 1),
                ("epochs", "> 0 or none", self.epochs is None or self.epochs > 0),
                ("patience", ">= 1 or none", self.patience is None or self.patience >= 1),
                ("clip", "> 0 or none", self.clip is None or self.clip > 0),
                ("floor", "0 to 1", 0 <= self.floor <= 1),
                ("layer_decay", "above 0 to 1", 0 < self.layer_decay <= 1),
                ("b_factor", "> 0", self.b_factor > 0),
                ("gradual", "0 to below 1", 0 <= self.gradual < 1),
            )
            if not right
        ]
        if wrong:
            raise ValueError("; ".join(wrong))


MAX_EPOCHS = 20.0  # where neither the recipe nor the budget says less
