"""A key-value cache with room to grow: a new token is written in place, where concatenation copies all that came before it.

Decoding many rows on a CPU is bound by memory traffic. The library's dynamic cache reads and writes every key and value anew at
each step; here only the attention itself reads them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import Cache, DynamicLayer

ROOM = 64  # tokens of room at least, when a buffer is made


class RoomyLayer(DynamicLayer):  # type: ignore[misc]
    """One layer's keys and values, (B, heads, T, size): views of buffers that double when they are full."""

    keys: Tensor
    values: Tensor

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.key_room, self.value_room = torch.empty(0), torch.empty(0)

    def update(self, key_states: Tensor, value_states: Tensor, *_: Any, **__: Any) -> tuple[Tensor, Tensor]:
        """Takes the new tokens in, (B, heads, t, size), and gives all."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        self.key_room, self.keys = appended(self.key_room, self.keys, key_states)
        self.value_room, self.values = appended(self.value_room, self.values, value_states)
        return self.keys, self.values


def appended(room: Tensor, seen: Tensor, new: Tensor) -> tuple[Tensor, Tensor]:
    """(a buffer, the view of it that holds `seen` and `new`): `room` itself where `seen` is its beginning and there is place."""
    count = seen.shape[-2] if seen.numel() else 0
    total = count + new.shape[-2]
    fits = room.numel() and room.shape[:-2] == new.shape[:-2] and room.shape[-2] >= total
    if not fits or (count and seen.data_ptr() != room.data_ptr()):
        room = torch.empty(*new.shape[:-2], total + max(ROOM, count), new.shape[-1], dtype=new.dtype, device=new.device)
        room[..., :count, :] = seen if count else 0
    room[..., count:total, :] = new
    return room, room[..., :total, :]


def roomy_cache(layers: Iterable[tuple[Tensor, Tensor]] = ()) -> Cache:
    """An empty cache, or one that begins with the keys and values of every layer."""
    cache = Cache(layer_class_to_replicate=RoomyLayer)
    for place, (keys, values) in enumerate(layers):
        cache.update(keys, values, place)
    return cache
