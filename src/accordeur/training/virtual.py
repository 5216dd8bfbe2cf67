"""Virtual tokens that a frozen trunk reads before the text: learned inputs (soft prompt), or learned keys and values (prefix)."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn

from accordeur.errors import NotApplicable
from accordeur.training.libraries import before_peft
from accordeur.training.trainable import freeze_all, silence_dropout, unfreeze

NAME = "virtual_tokens"  # of the module inside the trunk
START = 0.02  # standard deviation of a prefix at the start
OFFSETS = ("roberta", "xlm-roberta", "camembert")  # families whose positions start behind their padding id


class VirtualTokens(nn.Module):
    """The learned numbers, (tokens, width): laid out as in peft's files."""

    def __init__(self, start: Tensor) -> None:
        nn.Module.__init__(self)
        self.weight = nn.Parameter(start.clone())


def soft_prompt(network: Any, tokens: int = 20, trunk_dropout: Literal["off", "keep"] = "off") -> nn.Module:
    """Learned vectors before the embedded text (Lester et al. 2021), in place: only they and the head move.

    They start as embeddings of tokens drawn by the network's seed. What the trunk puts out at their places is left out.
    """
    trunk = network.trunk
    reader = trunk.get_encoder() if trunk.config.is_encoder_decoder else trunk.base_model
    table = trunk.get_input_embeddings().weight
    generator = torch.Generator().manual_seed(network.seed)
    chosen = torch.randint(table.shape[0], (tokens,), generator=generator)
    added = put_in(network, table.detach()[chosen.to(table.device)], trunk_dropout)
    hook = ReadFirst(added, inspect.signature(reader.forward))
    reader.register_forward_pre_hook(hook.before, with_kwargs=True)
    reader.register_forward_hook(hook.after)
    return added


def prefix(network: Any, tokens: int = 20, trunk_dropout: Literal["off", "keep"] = "off") -> nn.Module:
    """Learned keys and values before the text's in every attention (Li & Liang 2021), in place: only they and the head move.

    Of an encoder-decoder the decoder gets them. They start at random by the network's seed. Raises NotApplicable where the
    trunk's attention takes no keys from outside.
    """
    trunk = network.trunk
    both = bool(trunk.config.is_encoder_decoder)
    if both and network.form != "seq2seq":
        raise NotApplicable("the encoder of an encoder-decoder takes no prefix")
    reader = trunk.get_decoder() if both else trunk.base_model
    signature = inspect.signature(reader.forward)
    if "past_key_values" not in signature.parameters:
        raise NotApplicable(f"the attention of a {trunk.config.model_type} takes no prefix")
    layers, heads, width = attention_shape(trunk.config)
    generator = torch.Generator().manual_seed(network.seed)
    start = torch.randn(tokens, layers * 2 * heads * width, generator=generator) * START
    weight = next(trunk.parameters())
    added = put_in(network, start.to(weight.device, weight.dtype), trunk_dropout)
    hook = AttendFirst(added, signature, (layers, heads, width), trunk.config)
    reader.register_forward_pre_hook(hook.before, with_kwargs=True)
    return added


def peft_config(trunk: Any, way: str) -> dict[str, Any]:
    """The configuration by which peft reads the same numbers for a decoder."""
    before_peft()
    from peft import PrefixTuningConfig, PromptTuningConfig

    tokens = int(trunk.get_submodule(NAME).weight.shape[0])
    layers, heads, width = attention_shape(trunk.config)
    shape = {"num_layers": layers, "num_attention_heads": heads, "num_transformer_submodules": 1, "num_virtual_tokens": tokens}
    if way == "prefix":
        config = PrefixTuningConfig(task_type="CAUSAL_LM", token_dim=heads * width, **shape)
    else:
        hidden = int(trunk.get_input_embeddings().weight.shape[1])
        config = PromptTuningConfig(task_type="CAUSAL_LM", token_dim=hidden, **shape)
    found: dict[str, Any] = config.to_dict()
    return found


def put_in(network: Any, start: Tensor, trunk_dropout: str) -> VirtualTokens:
    """The module inside the trunk; nothing but it and the head moves."""
    freeze_all(network)
    if trunk_dropout == "off":
        silence_dropout(network.trunk)
    added = VirtualTokens(start)
    network.trunk.add_module(NAME, added)
    unfreeze(network, lambda name: name.startswith("head.") or f".{NAME}." in name)
    return added


def attention_shape(config: Any) -> tuple[int, int, int]:
    """(layers, heads of keys, width of a head) of the attention that gets a prefix."""
    values = config.get_text_config().to_dict()
    layers = values.get("num_decoder_layers") or values.get("num_hidden_layers") or values.get("n_layer") or values["num_layers"]
    heads = values.get("num_attention_heads") or values.get("n_head") or values["num_heads"]
    width = values.get("d_kv") or values.get("head_dim") or (values.get("hidden_size") or values.get("n_embd")) // heads
    return int(layers), int(values.get("num_key_value_heads") or heads), int(width)


def named(signature: inspect.Signature, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """All arguments of a call by name."""
    return {**dict(zip(signature.parameters, args, strict=False)), **kwargs}


def seen(cache: Any) -> int:
    """How many places a cache of keys and values already holds."""
    return 0 if cache is None else int(cache.get_seq_length())


def widened(mask_BT: Tensor | None, tokens: int) -> Tensor | None:
    """A mask of real tokens with the virtual ones before it."""
    if mask_BT is None or mask_BT.ndim != 2:
        return mask_BT
    return torch.cat([mask_BT.new_ones(len(mask_BT), tokens), mask_BT], dim=1)


class ReadFirst:
    """A soft prompt's two hooks around the module that reads the text."""

    def __init__(self, added: VirtualTokens, signature: inspect.Signature) -> None:
        self.added = added
        self.signature = signature
        self.extra = 0  # places that the call at work puts out too many

    def before(self, reader: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Vectors for ids, the virtual ones first; a later step of writing only learns that they stand before."""
        call, weight = named(self.signature, args, kwargs), self.added.weight
        tokens = len(weight)
        call["attention_mask"] = widened(call.get("attention_mask"), tokens)
        places = call.get("position_ids")
        self.extra = 0 if seen(call.get("past_key_values")) else tokens
        if places is not None:
            first = torch.arange(self.extra, device=places.device).expand(len(places), -1)
            call["position_ids"] = torch.cat([first, places + tokens], dim=1)
        if self.extra:
            ids = call.pop("input_ids", None)
            text = reader.get_input_embeddings()(ids) if ids is not None else call["inputs_embeds"]
            call["inputs_embeds"] = torch.cat([weight.to(text.dtype).expand(len(text), -1, -1), text], dim=1)
            segments = call.get("token_type_ids")
            if segments is not None:
                call["token_type_ids"] = torch.cat([segments[:, :1].expand(-1, tokens), segments], dim=1)
        return (), {name: value for name, value in call.items() if value is not None}

    def after(self, reader: Any, args: tuple[Any, ...], output: Any) -> Any:
        """The text's own hidden states only."""
        if self.extra:
            output["last_hidden_state"] = output["last_hidden_state"][:, self.extra :]
        return output


class AttendFirst:
    """A prefix's hook before the module that attends: the cache of keys and values starts with the learned ones."""

    def __init__(self, added: VirtualTokens, signature: inspect.Signature, shape: tuple[int, int, int], config: Any) -> None:
        self.added = added
        self.signature = signature
        self.shape = shape
        self.both = bool(config.is_encoder_decoder)
        self.causal = self.both or not is_bidirectional(config)
        self.first_place = int(config.pad_token_id) + 1 if config.model_type in OFFSETS else 0

    def before(self, reader: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Fills the cache at the first step; afterwards only the mask and the positions must know."""
        call = named(self.signature, args, kwargs)
        ids = call.get("input_ids")
        text = ids if ids is not None else call["inputs_embeds"]
        tokens, cache = len(self.added.weight), call.get("past_key_values")
        if not seen(cache):
            call["past_key_values"] = self.filled(cache, len(text))
        mask = widened(call.get("attention_mask"), tokens)
        places = call.get("position_ids")
        if self.causal:
            call["attention_mask"] = mask
            call["position_ids"] = None if places is None else places + tokens
        else:
            call["attention_mask"] = None if mask is None else additive(mask, self.added.weight.dtype)
            own = torch.arange(text.shape[1], device=text.device)[None] + self.first_place
            call["position_ids"] = own if places is None else places
        return (), {name: value for name, value in call.items() if value is not None}

    def filled(self, cache: Any, rows: int) -> Any:
        """The given cache, or a new one, with the prefix as its first places."""
        from transformers import DynamicCache, EncoderDecoderCache

        if cache is None:
            cache = EncoderDecoderCache(DynamicCache(), DynamicCache()) if self.both else DynamicCache()
        layers, heads, width = self.shape
        tokens = len(self.added.weight)
        table = self.added.weight.view(tokens, layers * 2, heads, width).permute(1, 2, 0, 3)
        own = cache.self_attention_cache if self.both else cache
        for layer in range(layers):
            key, value = (table[2 * layer + part].expand(rows, -1, -1, -1) for part in (0, 1))
            own.update(key, value, layer)
        return cache


def is_bidirectional(config: Any) -> bool:
    """Whether every token sees those behind it: a family with a masked language model."""
    from transformers import MODEL_FOR_MASKED_LM_MAPPING

    return type(config) in MODEL_FOR_MASKED_LM_MAPPING and not config.is_decoder


def additive(mask_BK: Tensor, dtype: torch.dtype) -> Tensor:
    """(B, 1, 1, K), 0 where there is something to see, the lowest number elsewhere."""
    return torch.zeros_like(mask_BK, dtype=dtype).masked_fill(~mask_BK.bool(), torch.finfo(dtype).min)[:, None, None]
