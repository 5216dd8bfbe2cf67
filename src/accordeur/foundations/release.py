"""From a pretrained folder to one that can be shipped: weights in half precision, and a card that says what it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from accordeur.errors import ModelError
from accordeur.foundations.pretrain_recipe import PretrainRecipe, read_pretrain_recipe
from accordeur.foundations.tokenizers import open_tokenizer
from accordeur.store import read_json, sealed_folder, write_text

LARGEST = 12_000_000  # bytes of weights that the package carries along
RECORD = "pretraining.json"
NAMES = {"gpt": "decoder, GPT-2 architecture", "bert": "encoder, BERT architecture", "t5": "encoder-decoder, T5 architecture"}


def release(base: Path, recipe: Path, out: Path) -> Path:
    """Writes `out`: float16 safetensors, configuration, tokenizer, README.md. ModelError where `base` isn't ours or too large."""
    import torch
    import transformers

    if not (base / RECORD).is_file():
        raise ModelError(f"{base} holds no {RECORD}", hint="expected the folder that `accordeur pretrain` wrote")
    record = read_json(base / RECORD)
    kinds: dict[str, Any] = {
        "gpt": transformers.AutoModelForCausalLM,
        "bert": transformers.AutoModelForMaskedLM,
        "t5": transformers.AutoModelForSeq2SeqLM,
    }
    transformers.utils.logging.set_verbosity_error()
    model = kinds[record["family"]].from_pretrained(base, local_files_only=True, trust_remote_code=False, dtype=torch.float32)
    model = model.half()  # all of it: asked for float16, the library would keep a part of T5 in float32
    with sealed_folder(out) as staging:
        model.save_pretrained(staging)
        open_tokenizer(base).save_pretrained(staging)
        write_text(staging / "README.md", card(out.name, record, read_pretrain_recipe(recipe), recipe.name))
        (staging / "model.safetensors").chmod(0o644)  # the library leaves it to its owner alone
        size = (staging / "model.safetensors").stat().st_size
        if size > LARGEST:
            raise ModelError(f"the weights take {size / 1e6:.1f} MB, at most {LARGEST / 1e6:.0f} MB are shipped")
    return out


def card(name: str, record: dict[str, Any], recipe: PretrainRecipe, recipe_name: str) -> str:
    """The model card, from the record of the training and what the recipe says about its data."""
    shape, settings = record["shape"], record["settings"]
    bits = record.get("bits_per_character")
    scored = f"{record['held_out_loss']:.4f} nats per token" + (f", {bits:.4f} bits per character" if bits is not None else "")
    held_out = ", ".join(Path(file[0]).name.split(".")[0] for file in record["held_out"])
    passes = record["tokens_seen"] / record["tokens"]
    rate = f"peak rate {settings['rate']:g}, {settings['schedule']} schedule, {settings['batch_rows']} rows a step"
    return f"""# {name}

A small {NAMES[record["family"]]}, trained from nothing with `accordeur pretrain`: the base that works without any download.

| | |
|---|---|
| weights | {record["weights"]:,} (float16) |
| shape | {shape["layers"]} layers, width {shape["width"]}, {shape["heads"]} heads, context {shape["context"]} tokens |
| vocabulary | {shape["vocabulary"]:,}, byte-level BPE of its own |
| optimizer | {settings["optimizer"]}, {rate} |
| steps | {record["steps"]:,}: {record["tokens_seen"]:,} tokens seen, {passes:.2g} passes over {record["tokens"]:,} |
| made on | {record["made_on"]}, in {record["seconds"] / 60:.0f} minutes |
| held out | {scored} |
| held-out texts | {held_out}: whole novels, never trained on |

## Data

{recipe.about.strip()}

## Limits

{recipe.limits.strip()}

## Licence and how it was made

Apache-2.0, as the project. `recipes/pretrain/{recipe_name}` makes it again: `accordeur pretrain recipes/pretrain/{recipe_name}`.
"""
