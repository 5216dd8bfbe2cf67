"""The benchmarks by name: which script, against whom, and what must be reached."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """`sides` are ours and the peer's names in the script's SIDES."""

    module: str
    setting: str
    peer: str
    must_reach: float  # ratio of units per wall second
    unit: str = "real tokens"
    sides: tuple[str, str] = ("ours", "peer")
    options: dict[str, Any] = field(default_factory=dict)


LORA = "GPT-2-124M, LoRA r 8, alpha 32, dropout 0.1, c_attn, batch 8, length 512, trunk dropout off"
BENCHMARKS = {
    "lora-trl-default": Benchmark(
        module="finetune",
        setting=LORA,
        peer="TRL 1.16 SFTTrainer, its defaults",
        must_reach=5.0,
        options={"how": "lora", "peer": "default"},
    ),
    "lora-trl-fp32": Benchmark(
        module="finetune",
        setting=LORA,
        peer="TRL 1.16, bf16 and checkpointing off",
        must_reach=3.5,
        options={"how": "lora", "peer": "fp32"},
    ),
    "lora-trl-expert": Benchmark(
        module="finetune",
        setting=LORA,
        peer="TRL 1.16, fp32, no checkpointing, grouped by length, dropouts 0",
        must_reach=1.4,
        options={"how": "lora", "peer": "expert"},
    ),
    "full": Benchmark(
        module="finetune",
        setting="GPT-2-124M, all weights, AdamW, batch 8, length 512, trunk dropout kept",
        peer="TRL 1.16, bf16 and checkpointing off",
        must_reach=3.0,
        options={"how": "full", "peer": "fp32"},
    ),
    "fewshot": Benchmark(
        module="fewshot",
        setting="small decoder, 400-token fixed prefix, 4 labels",
        peer="each label scored in a pass of its own",
        must_reach=10.0,
        unit="rows",
        options={"fixed": True},
    ),
    "fewshot-nearest": Benchmark(
        module="fewshot",
        setting="small decoder, 400-token prefix of each row's own, 4 labels",
        peer="each label scored in a pass of its own",
        must_reach=3.0,
        unit="rows",
        options={"fixed": False},
    ),
    "encode": Benchmark(
        module="encode",
        setting="MiniLM sentence vectors of real messages, tokenizing included",
        peer="sentence-transformers' encode",
        must_reach=1.0,
        unit="rows",
    ),
}
