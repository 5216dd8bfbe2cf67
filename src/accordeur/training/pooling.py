"""One vector per row out of one vector per token."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

Pooling = Literal["cls", "mean", "last", "max"]
POOLINGS: tuple[str, ...] = get_args(Pooling)


def pool(hidden_BTH: Tensor, lengths_B: Tensor, pooling: str) -> Tensor:
    """(B, H) of rows padded on the right: first token, mean or maximum over real tokens, or last real token."""
    match pooling:
        case "cls":
            return hidden_BTH[:, 0]
        case "last":
            return hidden_BTH[torch.arange(len(hidden_BTH), device=hidden_BTH.device), lengths_B - 1]
        case "mean":
            real_BT1 = real(hidden_BTH, lengths_B)
            return (hidden_BTH * real_BT1).sum(1) / lengths_B[:, None].to(hidden_BTH.dtype)
        case "max":
            return hidden_BTH.masked_fill(~real(hidden_BTH, lengths_B).bool(), float("-inf")).amax(1)
        case _:
            raise ValueError(f"pooling {pooling!r}: expected one of {', '.join(POOLINGS)}")


def real(hidden_BTH: Tensor, lengths_B: Tensor) -> Tensor:
    """(B, T, 1), 1 at real tokens, in the dtype of the hidden states."""
    places = torch.arange(hidden_BTH.shape[1], device=hidden_BTH.device)
    return (places[None] < lengths_B[:, None]).to(hidden_BTH.dtype)[..., None]
