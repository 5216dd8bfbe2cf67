"""How probable each of a few given continuations is, the shared prompt computed once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from accordeur.example import IGNORED, Encoded
from accordeur.plan import DevicePlan
from accordeur.training.batches import padded
from accordeur.training.device import scoring_precision, threads
from accordeur.training.network import Network, is_decoder
from accordeur.training.prefix import Past, branched, sees_everything
from accordeur.training.scoring import evaluating, log_probs
from accordeur.training.vocabulary import VocabularyHead, find_head, logit_tiles

Ids = Sequence[int] | npt.NDArray[np.int32]
Array = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Tree:
    """The continuations as a tree: node 0 is the end of the prompt, every other node one token to be read.

    parents[i] and tokens[i] describe node i + 1; asked[label] lists the (node, next token) pairs of a label.
    """

    parents: tuple[int, ...]
    tokens: tuple[int, ...]
    asked: tuple[tuple[tuple[int, int], ...], ...]

    def depths(self) -> list[int]:
        """Distance from the end of the prompt, of nodes 1 and up."""
        depths = [0]
        for parent in self.parents:
            depths.append(depths[parent] + 1)
        return depths[1:]

    def ancestors(self) -> Tensor:
        """(M, M) bool: node i + 1 sees node j + 1."""
        sees = torch.zeros(len(self.tokens), len(self.tokens), dtype=torch.bool)
        for node, parent in enumerate(self.parents):
            if parent:
                sees[node] = sees[parent - 1]
            sees[node, node] = True
        return sees


def grow(continuations: Sequence[Ids]) -> Tree:
    """The tree of the continuations; what they begin with in common is read once."""
    places: dict[tuple[int, ...], int] = {(): 0}
    parents: list[int] = []
    tokens: list[int] = []
    asked = []
    for continuation in continuations:
        ids = tuple(int(token) for token in continuation)
        if not ids:
            raise ValueError("a continuation needs at least one token")
        for end in range(1, len(ids)):
            if ids[:end] not in places:
                places[ids[:end]] = len(places)
                parents.append(places[ids[: end - 1]])
                tokens.append(ids[end - 1])
        asked.append(tuple((places[ids[:end]], ids[end]) for end in range(len(ids))))
    return Tree(parents=tuple(parents), tokens=tuple(tokens), asked=tuple(asked))


def choice_log_probs(trunk: Any, prompts: Sequence[Ids], continuations: Sequence[Ids], device: DevicePlan, pad: int) -> Array:
    """(rows, labels): the sum of the log-probabilities of every continuation's tokens after every prompt.

    Decoders with full attention read what prompts begin with in common once, each prompt once for all labels, and what
    labels begin with in common once. Other models score every pair; the result is the same.
    """
    trunk.to(device.device)
    if not prompts or not continuations:
        return np.zeros((len(prompts), len(continuations)), dtype=np.float32)
    head = find_head(trunk) if branches(trunk) else None
    if head is None:
        return pair_by_pair(trunk, prompts, continuations, device, pad)
    tree = grow(continuations)
    table = np.empty((len(prompts), len(continuations)), dtype=np.float32)
    with evaluating(trunk), threads(device), scoring_precision(device):
        for rows, past in branched(trunk, prompts, [len(prompt) + len(tree.tokens) for prompt in prompts], device):
            table[rows] = score(trunk, head, [prompts[row][past.length :] for row in rows], tree, past, pad)
    return table


def branches(trunk: Any) -> bool:
    """Whether one pass can hold several branches: a decoder whose every layer sees every earlier token."""
    return sees_everything(trunk) and bool(Network(trunk, "causal").tiled)


def score(trunk: Any, head: VocabularyHead, suffixes: Sequence[Ids], tree: Tree, past: Past, pad: int) -> Array:
    """(B, labels) for rows that share the prefix: one pass over what is left of the prompts and the tree."""
    prefix = past.length
    place = trunk.device
    suffix_BS = padded(suffixes, pad, place)
    rows, width = suffix_BS.shape
    lengths_B = torch.tensor([len(suffix) for suffix in suffixes], device=place)
    nodes_BM = torch.tensor(tree.tokens, dtype=torch.int64, device=place).expand(rows, -1)
    hidden_BTH = trunk.base_model(
        input_ids=torch.cat([suffix_BS, nodes_BM], 1),
        position_ids=positions(lengths_B, width, tree, prefix),
        attention_mask=visibility(lengths_B, width, tree, prefix, next(trunk.parameters()).dtype),
        past_key_values=past.cache(rows),
        use_cache=bool(prefix),
    ).last_hidden_state
    ends_B1H = hidden_BTH[torch.arange(rows, device=place), lengths_B - 1][:, None]
    states_BNH = torch.cat([ends_B1H, hidden_BTH[:, width:]], 1)
    return gather(head, states_BNH, tree)


def positions(lengths_B: Tensor, width: int, tree: Tree, prefix: int) -> Tensor:
    """(B, S + M): nodes stand after the real end of their prompt, wherever the padding ends."""
    inside = torch.arange(width, device=lengths_B.device).expand(len(lengths_B), -1)
    depths = torch.tensor(tree.depths(), dtype=torch.int64, device=lengths_B.device)
    return prefix + torch.cat([inside, lengths_B[:, None] - 1 + depths[None]], 1)


def visibility(lengths_B: Tensor, width: int, tree: Tree, prefix: int, dtype: torch.dtype) -> Tensor | None:
    """(B, 1, S + M, P + S + M): 0 where a token is seen, the lowest number where not; None where causal order is enough."""
    if not tree.tokens and not prefix:
        return None
    rows, nodes = len(lengths_B), len(tree.tokens)
    sees = torch.zeros(rows, width + nodes, prefix + width + nodes, dtype=torch.bool, device=lengths_B.device)
    sees[:, :, :prefix] = True
    sees[:, :width, prefix : prefix + width] = torch.ones(width, width, dtype=torch.bool, device=lengths_B.device).tril()
    real_BS = torch.arange(width, device=lengths_B.device)[None] < lengths_B[:, None]
    sees[:, width:, prefix : prefix + width] = real_BS[:, None]
    sees[:, width:, prefix + width :] = tree.ancestors().to(lengths_B.device)
    mask = torch.zeros(sees.shape, dtype=dtype, device=lengths_B.device)
    return mask.masked_fill_(~sees, torch.finfo(dtype).min)[:, None]


def gather(head: VocabularyHead, states_BNH: Tensor, tree: Tree) -> Array:
    """(B, labels) from the states of the prompt's end and of the nodes."""
    pairs = sorted({pair for asked in tree.asked for pair in asked})
    wanted: dict[int, list[int]] = {}
    for node, token in pairs:
        wanted.setdefault(node, []).append(token)
    found = np.empty((len(states_BNH), len(pairs)), dtype=np.float32)
    column = 0
    for node in sorted(wanted):
        ids = torch.tensor(wanted[node], device=states_BNH.device)
        for logits_nV, part in logit_tiles(head, head.prepared(states_BNH[:, node])):
            probs = logits_nV[:, ids] - logits_nV.logsumexp(1, keepdim=True)
            found[part, column : column + len(ids)] = probs.float().cpu().numpy()
        column += len(ids)
    places = {pair: place for place, pair in enumerate(pairs)}
    return np.stack([found[:, [places[pair] for pair in asked]].sum(1) for asked in tree.asked], axis=1)


def pair_by_pair(trunk: Any, prompts: Sequence[Ids], continuations: Sequence[Ids], device: DevicePlan, pad: int) -> Array:
    """The plain way: every label after every prompt."""
    network = Network(trunk, "causal" if is_decoder(trunk) else "seq2seq")
    items = [pair(prompt, continuation, network.form) for prompt in prompts for continuation in continuations]
    sums = [float(values.sum()) for values in log_probs(network, items, device, pad)]
    return np.array(sums, dtype=np.float32).reshape(len(prompts), len(continuations))


def pair(prompt: Ids, continuation: Ids, form: str) -> Encoded:
    """A prompt and a continuation as one row."""
    before, after = np.asarray(prompt, dtype=np.int32), np.asarray(continuation, dtype=np.int32)
    if form == "seq2seq":
        return Encoded(tokens=before, target=after)
    ignored = np.full(len(before) - 1, IGNORED, dtype=np.int32)
    return Encoded(tokens=np.concatenate([before, after[:-1]]), target=np.concatenate([ignored, after]))
