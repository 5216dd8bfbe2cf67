"""Writing text from token ids, in batches or token by token, with the library's own decoding."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from accordeur.plan import DevicePlan, Sampling
from accordeur.training.device import scoring_precision, threads
from accordeur.training.network import is_encoder_decoder
from accordeur.training.prefix import families, read_prefix, sees_everything
from accordeur.training.scoring import evaluating

Ids = Sequence[int] | npt.NDArray[np.int32]
SMALLEST, LARGEST = 8, 128  # rows that are written together
GPT2_CACHE = 12 * 768  # layers times width: what the cache of a token grows with


def generate(trunk: Any, prompts: Sequence[Ids], sampling: Sampling, device: DevicePlan, pad: int) -> list[list[int]]:
    """The new tokens after every prompt, up to and without the stop token, in the order of the prompts.

    trunk: a model with a language-model head. Prompts of like length go together, padded on the left (encoders: on the
    right). Sampled text depends on `sampling.seed` and the prompts alone; the caller's random state isn't touched.
    """
    from accordeur.training.roomy import roomy_cache  # the library's own caches take long to import

    if not prompts:
        return []
    results: list[list[int]] = [[] for _ in prompts]
    stops = stop_ids(trunk, sampling)
    generation = config(sampling, stops, pad, start_token(trunk))
    trunk.to(device.device)
    with torch.random.fork_rng(), evaluating(trunk), bare(trunk), threads(device), scoring_precision(device):
        torch.manual_seed(sampling.seed)
        plain = sampling.beams == 1 and sees_everything(trunk)
        for family, shared in families(prompts) if plain else [(list(range(len(prompts))), 0)]:
            past = read_prefix(trunk, prompts[family[0]][:shared], device)
            rests = [prompts[row][shared:] for row in family]
            for part in groups([len(prompts[row]) for row in family], sampling.max_new_tokens, cached_tokens(trunk, device)):
                inputs = padded_prompts([rests[place] for place in part], pad, left=not is_encoder_decoder(trunk))
                inputs = behind(prompts[family[0]][:shared], inputs, device)
                cache = past.cache(len(part)) if shared else roomy_cache() if plain else None
                written = trunk.generate(**inputs, past_key_values=cache, generation_config=generation)
                skip = 1 if is_encoder_decoder(trunk) else inputs["input_ids"].shape[1]
                for place, ids in zip(part, written[:, skip:].tolist(), strict=True):
                    results[family[place]] = until_stop(ids, stops)
    return results


def behind(prefix: Ids, inputs: dict[str, Tensor], device: DevicePlan) -> dict[str, Tensor]:
    """The rows behind what they all begin with, (B, P + T): the padding stands between the two and is never seen."""
    inputs = {name: tensor.to(device.device) for name, tensor in inputs.items()}
    if len(prefix) == 0:
        return inputs
    tokens = torch.tensor([int(token) for token in prefix], device=device.device).expand(len(inputs["input_ids"]), -1)
    return {
        "input_ids": torch.cat([tokens, inputs["input_ids"]], 1),
        "attention_mask": torch.cat([torch.ones_like(tokens), inputs["attention_mask"]], 1),
    }


@contextlib.contextmanager
def bare(trunk: Any) -> Iterator[None]:
    """The trunk without settings of its own for writing, then with them again.

    The library takes from them whatever a call leaves open: penalties, least lengths, forced and forbidden tokens.
    """
    from transformers import GenerationConfig

    own = trunk.generation_config
    trunk.generation_config = GenerationConfig()
    try:
        yield
    finally:
        trunk.generation_config = own


def start_token(trunk: Any) -> int | None:
    """What the answer of an encoder-decoder starts after, in training as in writing; None for decoders."""
    if not is_encoder_decoder(trunk):
        return None
    known = (trunk.config.decoder_start_token_id, trunk.generation_config.decoder_start_token_id, trunk.config.pad_token_id)
    return next(int(token) for token in known if token is not None)


def config(sampling: Sampling, stops: Sequence[int], pad: int, start: int | None) -> Any:
    """The library's own settings for one call, with everything said."""
    from transformers import GenerationConfig

    sampled = {"temperature": sampling.temperature, "top_k": sampling.top_k, "top_p": sampling.top_p}
    return GenerationConfig(
        max_new_tokens=sampling.max_new_tokens,
        do_sample=sampling.temperature > 0,
        num_beams=sampling.beams,
        eos_token_id=list(stops) or None,
        pad_token_id=pad,
        decoder_start_token_id=start,
        use_cache=True,
        **(sampled if sampling.temperature > 0 else {}),
    )


def cached_tokens(trunk: Any, device: DevicePlan) -> int:
    """How many tokens may have their keys and values kept at once: 8 a token of a pass for GPT-2, more for smaller bases."""
    own = trunk.config.get_text_config()
    size: int = own.num_hidden_layers * own.hidden_size
    return 8 * device.micro_tokens * GPT2_CACHE // max(1, size)


def groups(lengths: Sequence[int], new_tokens: int, most_tokens: int) -> list[list[int]]:
    """Prompts of like length, 8 to 128 a batch: a step reads all weights, so more rows cost little until their caches fill."""
    order = np.argsort(-np.asarray(lengths), kind="stable")
    parts: list[list[int]] = []
    for row in order:
        room = min(LARGEST, max(SMALLEST, most_tokens // (lengths[parts[-1][0]] + new_tokens))) if parts else 0
        if parts and len(parts[-1]) < room:
            parts[-1].append(int(row))
        else:
            parts.append([int(row)])
    return parts


def padded_prompts(prompts: Sequence[Ids], pad: int, *, left: bool) -> dict[str, Tensor]:
    """Token ids and mask, (B, T): the pad token never counts as read, whatever its id."""
    width = max(1, *(len(prompt) for prompt in prompts), 1)
    tokens = np.full((len(prompts), width), pad, dtype=np.int64)
    mask = np.zeros_like(tokens)
    for place, prompt in enumerate(prompts):
        if len(prompt) == 0:
            raise ValueError("a prompt needs at least one token")
        part = slice(width - len(prompt), width) if left else slice(0, len(prompt))
        tokens[place, part] = prompt
        mask[place, part] = 1
    return {"input_ids": torch.from_numpy(tokens), "attention_mask": torch.from_numpy(mask)}


def stop_ids(trunk: Any, sampling: Sampling) -> tuple[int, ...]:
    """The stop tokens asked for, or the base's own."""
    return sampling.stop_ids or own_stops(trunk)


def own_stops(trunk: Any) -> tuple[int, ...]:
    """Every token that ends a text of the base, or a turn of it, as its configuration and its settings for writing say."""
    known = (trunk.generation_config.eos_token_id, getattr(trunk.config.get_text_config(), "eos_token_id", None))
    lists = [found if isinstance(found, list | tuple) else [found] for found in known if found is not None]
    return tuple(dict.fromkeys(int(token) for found in lists for token in found))


def until_stop(ids: Sequence[int], stops: Sequence[int]) -> list[int]:
    """What stands before the first stop token."""
    end = next((place for place, token in enumerate(ids) if token in stops), len(ids))
    return list(ids[:end])


def stream(trunk: Any, prompt_ids: Ids, sampling: Sampling, device: DevicePlan | None = None) -> Iterator[tuple[int, float]]:
    """Token by token with the key-value cache: (token id, its natural-log probability under the untempered model).

    Ends before the stop token. Beams can't be streamed (ValueError).
    """
    if sampling.beams > 1:
        raise ValueError(f"beams = {sampling.beams}: text can only be streamed with one beam")
    plan = device or DevicePlan(device=str(trunk.device), threads=torch.get_num_threads())
    random = torch.Generator(device=trunk.device).manual_seed(sampling.seed)
    stops = stop_ids(trunk, sampling)
    feed = first_inputs(trunk, prompt_ids)
    for _ in range(sampling.max_new_tokens):
        with evaluating(trunk), threads(plan), scoring_precision(plan):
            output = trunk(**feed, use_cache=True)
            log_probs_V = output.logits[0, -1].float().log_softmax(-1)
            token = int(choose(log_probs_V, sampling, random))
        if token in stops:
            return
        yield token, float(log_probs_V[token])
        feed = next_inputs(feed, token, output, trunk)


def first_inputs(trunk: Any, prompt_ids: Ids) -> dict[str, Any]:
    """The whole prompt; an encoder-decoder reads it once and starts with its start token."""
    prompt = torch.tensor([[int(token) for token in prompt_ids]], device=trunk.device)
    if not is_encoder_decoder(trunk):
        return {"input_ids": prompt, "logits_to_keep": 1}
    with evaluating(trunk):
        encoded = trunk.get_encoder()(input_ids=prompt)
    start = torch.tensor([[start_token(trunk)]], device=trunk.device)
    return {"encoder_outputs": encoded, "decoder_input_ids": start}


def next_inputs(feed: dict[str, Any], token: int, output: Any, trunk: Any) -> dict[str, Any]:
    """Only the new token: everything before it is in the cache."""
    one = torch.tensor([[token]], device=trunk.device)
    name = "decoder_input_ids" if "decoder_input_ids" in feed else "input_ids"
    return {**feed, name: one, "past_key_values": output.past_key_values}


def choose(log_probs_V: Tensor, sampling: Sampling, random: torch.Generator) -> Tensor:
    """The most probable token, or one drawn after temperature, top-k and top-p (Holtzman et al. 2020), in this order."""
    if sampling.temperature <= 0:
        return log_probs_V.argmax()
    scores_V, order_V = (log_probs_V / sampling.temperature).sort(descending=True, stable=True)
    if sampling.top_k:
        scores_V = scores_V[: sampling.top_k]
    probs = scores_V.softmax(-1)
    before = probs.cumsum(-1) - probs
    probs = probs.where(before < sampling.top_p, torch.zeros_like(probs))
    return order_V[torch.multinomial(probs, 1, generator=random)[0]]
