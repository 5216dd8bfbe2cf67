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
    also: tuple[str, ...] = ()  # other ways of ours, run in the same turns and set against the same peer
    options: dict[str, Any] = field(default_factory=dict)


LORA = "GPT-2-124M, LoRA r 8, alpha 32, dropout 0.1, c_attn, batch 8, length 512, trunk dropout off"
BENCHMARKS = {
    "lora-trl-default": Benchmark(
        module="finetune",
        setting=f"{LORA}; planned precision",
        peer="TRL 1.16 SFTTrainer, its defaults",
        must_reach=5.0,
        options={"how": "lora", "peer": "default"},
    ),
    "lora-trl-fp32": Benchmark(
        module="finetune",
        setting=f"{LORA}; float32",
        peer="TRL 1.16, bf16 and checkpointing off",
        must_reach=3.5,
        also=("planned", "keep"),
        options={"how": "lora", "peer": "fp32", "dtype": "float32"},
    ),
    "lora-trl-expert": Benchmark(
        module="finetune",
        setting=f"{LORA}; float32",
        peer="TRL 1.16, fp32, no checkpointing, grouped by length, dropouts 0",
        must_reach=1.4,
        also=("planned",),
        options={"how": "lora", "peer": "expert", "dtype": "float32"},
    ),
    "full": Benchmark(
        module="finetune",
        setting="GPT-2-124M, all weights, AdamW, batch 8, length 512, trunk dropout kept; float32",
        peer="TRL 1.16, bf16 and checkpointing off",
        must_reach=3.0,
        options={"how": "full", "peer": "fp32", "dtype": "float32"},
    ),
    "top-layers": Benchmark(
        module="top_layers",
        setting="GPT-2-124M, its top 2 blocks and final norm, 5 epochs, AdamW, batch 8, length 512, trunk dropout off; float32",
        peer="HF Trainer with the lower layers frozen, bf16 and checkpointing off",
        must_reach=2.4,
        also=("plain",),
        options={"dtype": "float32"},
    ),
    "head": Benchmark(
        module="head",
        setting="frozen MiniLM and a head, messages, 10 epochs' worth: vectors once, then logistic regression; float32",
        peer="HF Trainer that encodes every batch of every epoch, batch 16, rate 1e-2, float32",
        must_reach=20.0,
        unit="rows",
    ),
    "sweep": Benchmark(
        module="sweep",
        setting="8 LoRA candidates (2 ranks x 4 rates), small decoder, 3 epochs, batch 8, to the end (halving: >= 12x); float32",
        peer="8 TRL 1.16 runs in one process, bf16 and checkpointing off, one evaluation each",
        must_reach=4.5,
        unit="candidates",
        also=("halving",),
        options={"dtype": "float32"},
    ),
    "fewshot": Benchmark(
        module="fewshot",
        setting="small decoder, news of 4 topics, the same worked examples of about 400 tokens before every row; float32",
        peer="each label scored in a pass of its own",
        must_reach=10.0,
        unit="rows",
        options={"fixed": True},
    ),
    "fewshot-nearest": Benchmark(
        module="fewshot",
        setting="the same with the nearest examples of each row; float32",
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
