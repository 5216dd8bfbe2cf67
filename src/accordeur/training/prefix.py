"""What many prompts begin with, read once: its keys and values are kept, and every prompt branches off from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from accordeur.example import IGNORED, Encoded
from accordeur.plan import DevicePlan
from accordeur.training import scoring
from accordeur.training.batches import micro_batches, padded
from accordeur.training.device import scoring_precision, threads
from accordeur.training.network import is_decoder
from accordeur.training.scoring import evaluating
from accordeur.training.virtual import NAME as VIRTUAL_TOKENS
from accordeur.training.vocabulary import find_head, label_log_probs

Ids = Sequence[int] | npt.NDArray[np.int32]
Array = npt.NDArray[np.float32]
LEAST = 16  # tokens; to read fewer once saves nothing worth the trouble

# positions that don't come as an argument, or windows of their own
UNSUITED = ("mamba", "mamba2", "rwkv", "xlstm", "bloom", "mpt", "falcon", "gpt_neo")


@dataclass(frozen=True, kw_only=True, eq=False)
class Past:
    """The keys and values of a beginning, one pair per layer, each (1, heads, P, size); none for no beginning."""

    layers: tuple[tuple[Tensor, Tensor], ...] = ()

    @property
    def length(self) -> int:
        """P, how many tokens were read."""
        return int(self.layers[0][0].shape[2]) if self.layers else 0

    def cache(self, rows: int) -> Any:
        """A cache for so many rows that all begin so; what they add to it is their own. None for no beginning."""
        from accordeur.training.roomy import roomy_cache  # the library's own caches take long to import

        if not self.layers:
            return None
        return roomy_cache((keys.expand(rows, -1, -1, -1), values.expand(rows, -1, -1, -1)) for keys, values in self.layers)


def sees_everything(trunk: Any) -> bool:
    """Whether every layer of a decoder sees every earlier token, at positions that can be given, and nothing before them."""
    settings = trunk.config.get_text_config().to_dict()
    layers = set(settings.get("layer_types") or ["full_attention"])
    window = settings.get("sliding_window") if settings.get("use_sliding_window", True) else None
    if VIRTUAL_TOKENS in dict(trunk.named_children()):
        return False
    plain = layers == {"full_attention"} and not window and settings.get("model_type") not in UNSUITED
    return bool(is_decoder(trunk) and plain)


def common_prefix(prompts: Sequence[Ids]) -> int:
    """How many first tokens all prompts share; every prompt keeps at least one token after it."""
    first, shortest = prompts[0], min(len(prompt) for prompt in prompts)
    if shortest < 1:
        raise ValueError("a prompt needs at least one token")
    if len(prompts) == 1:
        return 0
    shared = np.ones(shortest - 1, dtype=bool)
    for prompt in prompts[1:]:
        shared &= np.asarray(prompt[: shortest - 1]) == np.asarray(first[: shortest - 1])
    return int(shared.argmin()) if not shared.all() else shortest - 1


def families(prompts: Sequence[Ids]) -> list[tuple[list[int], int]]:
    """(rows, how many first tokens they share) of prompts that begin alike, then of all others together.

    One prompt that begins otherwise, because it was too long and lost its beginning, costs the others nothing.
    """
    alike: dict[tuple[int, ...], list[int]] = {}
    for row, prompt in enumerate(prompts):
        alike.setdefault(tuple(int(token) for token in prompt[:LEAST]), []).append(row)
    found = [(rows, common_prefix([prompts[row] for row in rows])) for rows in alike.values() if len(rows) > 1]
    found = [(rows, shared) for rows, shared in found if shared >= LEAST]
    taken = {row for rows, _ in found for row in rows}
    rest = [row for row in range(len(prompts)) if row not in taken]
    return [*found, *([(rest, 0)] if rest else [])]


def read_prefix(trunk: Any, prefix: Ids, device: DevicePlan) -> Past:
    """Reads a beginning once. The caller has set evaluation mode, threads and precision."""
    if len(prefix) == 0:
        return Past()
    tokens = torch.tensor([[int(token) for token in prefix]], device=device.device)
    cache = trunk.base_model(input_ids=tokens, use_cache=True).past_key_values
    return Past(layers=tuple((layer.keys, layer.values) for layer in cache.layers))


def branched(trunk: Any, prompts: Sequence[Ids], lengths: Sequence[int], device: DevicePlan) -> Iterator[tuple[list[int], Past]]:
    """(rows of one pass, what all of them begin with, read once); `lengths`: the tokens of each row, its beginning included.

    The caller has set evaluation mode, threads and precision.
    """
    for rows, shared in families(prompts):
        past = read_prefix(trunk, prompts[rows[0]][:shared], device)
        widths = np.array([lengths[row] - shared for row in rows])
        for part in micro_batches(np.argsort(-widths, kind="stable"), widths, device.micro_tokens):
            yield [rows[place] for place in part], past


def answer_log_probs(network: Any, items: Sequence[Encoded], device: DevicePlan, pad: int) -> list[Array]:
    """As `scoring.log_probs` for rows of a causal network, the beginning of rows that begin alike read once.

    Only what stands before everything that is asked is shared.
    """
    if network.form != "causal" or not network.tiled or not sees_everything(network.trunk):
        return scoring.log_probs(network, items, device, pad)
    results: list[Array] = [np.zeros(0, np.float32)] * len(items)
    given = [item.tokens[: max(1, int((np.asarray(item.target) != IGNORED).argmax()))] for item in items]
    with evaluating(network), threads(device), scoring_precision(device):
        network.to(device.device)
        for rows, past in branched(network.trunk, given, [len(item.tokens) for item in items], device):
            for row, found in zip(rows, after(network, [items[row] for row in rows], past, pad), strict=True):
                results[row] = found
    return results


def after(network: Any, items: Sequence[Encoded], past: Past, pad: int) -> Iterator[Array]:
    """The log-probabilities of what is asked in rows that all begin with what was read."""
    place, shared = network.device, past.length
    tokens_BT = padded([item.tokens[shared:] for item in items], pad, place)
    targets_BT = padded([np.asarray(item.target)[shared:] for item in items], IGNORED, place)
    hidden_BTH = network.trunk.base_model(
        input_ids=tokens_BT,
        position_ids=(shared + torch.arange(tokens_BT.shape[1], device=place)).expand(len(items), -1),
        past_key_values=past.cache(len(items)),
        use_cache=bool(shared),
    ).last_hidden_state
    asked_BT = targets_BT != IGNORED
    head = find_head(network.trunk)
    assert head is not None
    flat = label_log_probs(head, hidden_BTH[asked_BT], targets_BT[asked_BT])
    for part in torch.split(flat, asked_BT.sum(1).tolist()):
        yield part.float().cpu().numpy()
