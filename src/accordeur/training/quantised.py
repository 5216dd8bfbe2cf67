"""A frozen trunk in 4 or 8 bits: the matrices inside its blocks as bitsandbytes stores them, everything else as it was."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn

from accordeur.errors import NotApplicable
from accordeur.training import inserted
from accordeur.training.libraries import bitsandbytes
from accordeur.training.trainable import stack

Bits = Literal["nf4", "int8"]


def check_installed() -> None:
    """NotApplicable with what to install where bitsandbytes is missing."""
    if bitsandbytes() is None:
        raise NotApplicable("qlora needs bitsandbytes, which isn't installed: pip install 'accordeur[quant]'")


def low_rank_on_quantised(network: Any, bits: Bits = "nf4", **settings: Any) -> Any:
    """QLoRA (Dettmers et al. 2023): the blocks' matrices quantised, low-rank adapters in float32 beside them."""
    check_installed()
    quantise(network.trunk, stack(network), bits)
    return inserted.low_rank(network, **settings)


def quantise(trunk: Any, block_names: Sequence[str], bits: Bits) -> int:
    """Replaces every matrix inside the blocks, in place, unless it was before. Returns how many there are.

    The same weights always give the same numbers.
    """
    whole = tuple(trunk._keep_in_fp32_modules or ())  # T5 casts what it feeds to `wo` to the dtype of its weight
    count = 0
    for block_name in block_names:
        block = trunk.get_submodule(block_name)
        for name, layer in list(block.named_modules()):
            if inserted.is_matrix(layer) and not name.endswith(whole):
                count += 1
                if not is_quantised(layer):
                    parent, _, own = name.rpartition(".")
                    setattr(block.get_submodule(parent), own, quantised(layer, bits))
    if not count:
        raise NotApplicable(f"a {trunk.config.model_type} has no matrices to quantise")
    trunk.is_loaded_in_4bit, trunk.is_loaded_in_8bit = bits == "nf4", bits == "int8"  # what peft looks at
    return count


def is_quantised(layer: nn.Module) -> bool:
    """Whether a layer is stored in few bits."""
    return type(layer).__module__.startswith("bitsandbytes.")


def quantised(layer: Any, bits: Bits) -> Any:
    """One layer: nf4 in blocks of 64 numbers with their scales quantised again, or int8 with a scale per row."""
    library = bitsandbytes()
    weight: Tensor = layer.weight.detach()
    if not isinstance(layer, nn.Linear):
        weight = weight.T.contiguous()  # GPT-2 keeps its matrices the other way round
    outputs, inputs = weight.shape
    kind, options = (
        (library.nn.Linear4bit, {"quant_type": "nf4", "compress_statistics": True})
        if bits == "nf4"
        else (library.nn.Linear8bitLt, {"has_fp16_weights": False, "threshold": 6.0})
    )
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore")
        made = kind(inputs, outputs, bias=layer.bias is not None, **options)
        made.load_state_dict({"weight": weight, **({} if layer.bias is None else {"bias": layer.bias.detach()})})
        placed = made.to(weight.device)
    if bits == "nf4":  # after any scoring it would keep its weights in a form without gradients, and train past them in silence
        placed.support_avx512bf16_for_cpu = False
    return placed.requires_grad_(False).train(layer.training)
