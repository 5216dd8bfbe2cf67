"""Cheaper elementwise work with the same result."""

from __future__ import annotations

from torch import nn


def fuse_gelu(trunk: nn.Module) -> int:
    """Puts one fused tanh-GELU in place of the library's eight-pass one; returns how many were replaced.

    Both compute 0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³))) (Hendrycks & Gimpel 2016); in float32 they differ by at most 1e-6.
    """
    from transformers.activations import FastGELUActivation, NewGELUActivation

    found = [
        (module, name)
        for module in trunk.modules()
        for name, child in module.named_children()
        if type(child) in (NewGELUActivation, FastGELUActivation)
    ]
    for module, name in found:
        setattr(module, name, nn.GELU(approximate="tanh"))
    return len(found)
