"""The shape of a model to pretrain: one dial from which width, depth, heads, batch and rate follow."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from accordeur.errors import RecipeError
from accordeur.foundations.objectives import ASKED_SHARE, lost

Family = Literal["gpt", "bert", "t5"]
HEAD_WIDTH = 32  # of small models; heads = width / 32
TOKENS_PER_WEIGHT = 20
LARGEST_VOCABULARY = 32_768
ASPECT = 48  # width per layer: small models do best near it (Levine et al. 2020 give 64 and more for large ones)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Width, depth and context of a model. An encoder-decoder has `layers` on either side."""

    layers: int
    width: int
    heads: int
    context: int = 512  # tokens of a row
    vocabulary: int = 8192

    def weights(self, family: Family = "gpt") -> int:
        """Matrices alone: 12 w² a layer (attention 4, feed-forward 8), and one for the vocabulary, tied.

        T5's decoder has 4 w² a layer more, by which it reads the encoder, and no places; BERT has w² before its vocabulary.
        """
        blocks = (28 if family == "t5" else 12) * self.layers * self.width**2
        places = 0 if family == "t5" else self.context
        return blocks + (self.width**2 if family == "bert" else 0) + (self.vocabulary + places) * self.width

    def row_flops(self, family: Family = "gpt") -> int:
        """Of training on one row of `context` tokens: 6 per weight and token that it multiplies, 12·w a layer and pair of tokens
        that attention looks at (Kaplan et al. 2020). BERT's vocabulary is scored where a token is asked, T5's on what was lost.
        """
        block, entries = 6 * self.layers * self.width**2, 6 * self.vocabulary * self.width
        pair = 12 * self.layers * self.width
        if family == "gpt":
            return self.context * (12 * block + entries) + pair * self.context**2
        if family == "bert":
            asked = round(ASKED_SHARE * self.context)
            return 12 * block * self.context + asked * (6 * self.width**2 + entries) + pair * self.context**2
        noise, spans = lost(self.context)
        read, written = self.context - noise + spans + 1, noise + spans + 2
        matrices = block * (14 * read + 14 * written) + entries * written  # 2 w² of the decoder's 16 are for what it reads
        return matrices + pair * (read**2 + written**2 + read * written)

    @property
    def rate(self) -> float:
        """Peak rate of AdamW: 3e-3 at width 192, falling with the width (Yang et al. 2022: proportional to 1 / width)."""
        return min(5e-3, 3e-3 * 192 / self.width)


SIZES = {
    "tiny": Shape(layers=2, width=128, heads=4, context=512, vocabulary=2000),
    "mini": Shape(layers=4, width=192, heads=6, context=512, vocabulary=8192),
    "small": Shape(layers=8, width=384, heads=12, context=512, vocabulary=8192),
}


def shape_of(size: str) -> Shape:
    """A named size. RecipeError for another name."""
    if size not in SIZES:
        raise RecipeError(f"size {size!r} is unknown", hint=f"expected {', '.join(SIZES)}, or --budget with minutes")
    return SIZES[size]


def shape_for(flops: float, family: Family = "gpt", context: int = 512) -> Shape:
    """The largest shape whose training on 20 tokens a weight (Hoffmann et al. 2022) costs no more than `flops`."""
    shapes = ladder(context)
    rows = [TOKENS_PER_WEIGHT * shape.weights(family) / context for shape in shapes]
    fitting = [shape for shape, count in zip(shapes, rows, strict=True) if shape.row_flops(family) * count <= flops]
    return fitting[-1] if fitting else shapes[0]


def ladder(context: int) -> list[Shape]:
    """Shapes from small to large: depth by the aspect, heads of 32 (64 from width 512), 32 entries a unit of width."""
    shapes = []
    for width in (64, 96, 128, 192, 256, 320, 384, 448, 512, 640, 768, 1024, 1280, 1536):
        heads = width // (HEAD_WIDTH if width < 512 else 64)
        layers = max(2, round(width / ASPECT)) if width < 512 else math.ceil(width / 64)
        vocabulary = min(32 * width, LARGEST_VOCABULARY)
        shapes.append(Shape(layers=layers, width=width, heads=heads, context=context, vocabulary=vocabulary))
    return shapes


def new_model(family: Family, shape: Shape, tokenizer: Any, seed: int) -> Any:
    """A model at random, from the library's own configuration class; the same for the same seed. No dropout.

    RecipeError where width and heads don't fit.
    """
    import torch
    import transformers

    if shape.width % shape.heads:
        raise RecipeError(f"width {shape.width} is not a multiple of {shape.heads} heads")
    transformers.utils.logging.set_verbosity_error()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return BUILDERS[family](shape, tokenizer).eval()


def gpt(shape: Shape, tokenizer: Any) -> Any:
    """GPT-2 (Radford et al. 2019). Its activation is the same function as the library's default, computed in one pass."""
    import transformers

    config = transformers.GPT2Config(
        vocab_size=len(tokenizer),
        n_positions=shape.context,
        n_embd=shape.width,
        n_layer=shape.layers,
        n_head=shape.heads,
        activation_function="gelu_pytorch_tanh",
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        bos_token_id=tokenizer.eos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return transformers.GPT2LMHeadModel(config)


def bert(shape: Shape, tokenizer: Any) -> Any:
    """BERT (Devlin et al. 2019) with its two heads; the second is left untrained, and unsaved, where only masks are asked."""
    import transformers

    config = transformers.BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=shape.width,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=4 * shape.width,
        max_position_embeddings=shape.context,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        pad_token_id=tokenizer.pad_token_id,
    )
    return transformers.BertForPreTraining(config)


def t5(shape: Shape, tokenizer: Any) -> Any:
    """T5 (Raffel et al. 2020): `layers` in the encoder and as many in the decoder, one embedding for all."""
    import transformers

    config = transformers.T5Config(
        vocab_size=len(tokenizer),
        d_model=shape.width,
        d_kv=shape.width // shape.heads,
        d_ff=4 * shape.width,
        num_layers=shape.layers,
        num_decoder_layers=shape.layers,
        num_heads=shape.heads,
        dropout_rate=0.0,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        decoder_start_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=True,
    )
    return transformers.T5ForConditionalGeneration(config)


BUILDERS = {"gpt": gpt, "bert": bert, "t5": t5}
