"""`python -m benchmarks.embedded --base FOLDER --out FOLDER`: what the embedded decoder can and can't do; repeat it to go on.

floor    bits per character of a 5-gram modified Kneser-Ney model over the decoder's tokens, on the held-out novels
bits     those of the decoder
samples  2,000 words that it writes: are they words, are they copied, do they repeat themselves
tuning   what lora and full gain over the untouched base on the embedded instruction sample

Every part is kept in the folder once it is done; the numbers go to docs/results/foundations/embedded.json.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from transformers import AutoModelForCausalLM, AutoTokenizer

from accordeur.compare import compare
from accordeur.context import Context
from accordeur.foundations import corpus
from accordeur.foundations.default import EMBEDDED
from accordeur.foundations.pretrain import Prepared, PretrainRequest, in_bits, prepare
from accordeur.foundations.pretrain_recipe import read_pretrain_recipe
from accordeur.foundations.samples import WORD, distinct_share, known_share, longest_copy, sample
from accordeur.foundations.stored import Blocks
from accordeur.recipe import load_recipe, parse_recipe
from accordeur.store import read_json, write_json
from accordeur.training.counts import count
from accordeur.training.device import plan_device
from accordeur.training.network import Network
from accordeur.training.scoring import log_probs
from benchmarks._pairs import between

ROOT = Path(__file__).parents[1]
ORDER = 5
WORDS = 2000
OPENING, LONGEST = 12, 200  # tokens of a held-out text, and of what goes on from there
TOP_K = 40


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The base in question and the text it was made of."""

    base: Path
    out: Path
    request: PretrainRequest

    def prepared(self) -> Prepared:
        """The ids of both texts under the base's own tokenizer, on disk."""
        work = self.out / "ids"
        work.mkdir(parents=True, exist_ok=True)
        return prepare(replace(self.request, tokenizer=self.base), Context(seed=0, folder=work, cache=work))

    def model(self) -> Any:
        """The base in float32."""
        return AutoModelForCausalLM.from_pretrained(self.base, local_files_only=True, dtype="float32").eval()


def floor(asked: Asked) -> dict[str, Any]:
    """The n-gram model, counted on the train tokens, on every held-out token but the first."""
    ids = asked.prepared()
    counted = count(np.asarray(ids.train.ids), len(ids.tokenizer), ORDER)
    nats = -float(counted.log_probs(np.asarray(ids.held_out.ids, np.int64))[1:].mean())
    facts = {"train_tokens": ids.train.tokens, "held_out_tokens": ids.held_out.tokens, "order": ORDER}
    return {**facts, "held_out_characters": ids.held_out.characters, "bits_per_character": in_bits(nats, ids.held_out)}


def bits(asked: Asked) -> dict[str, Any]:
    """The decoder on the same tokens, in rows of its context, as in pretraining: the first of a row has nothing before it."""
    ids, model = asked.prepared(), asked.model()
    blocks = Blocks(ids.held_out, int(model.config.n_positions))
    device, pad = plan_device("cpu"), int(ids.tokenizer.pad_token_id)
    scored = np.concatenate(log_probs(Network(model, "causal"), blocks, device, pad))
    return {"bits_per_character": in_bits(-float(scored.mean()), ids.held_out)}


def samples(asked: Asked) -> dict[str, Any]:
    """Continuations of places spread over the held-out novels, until 2,000 whole words are written."""
    tokenizer, model = AutoTokenizer.from_pretrained(asked.base, local_files_only=True), asked.model()
    ids = np.asarray(asked.prepared().held_out.ids)
    written: list[str] = []
    words, seed = 0, 0
    while words < WORDS:
        start = (seed * 7919 * 97) % (len(ids) - OPENING)
        text = sample(model, tokenizer, tokenizer.decode(ids[start : start + OPENING]), tokens=LONGEST, top_k=TOP_K, seed=seed)
        written.append(text)
        words += max(0, len(WORD.findall(text)) - 1)
        seed += 1
    everything = [*asked.request.texts, *asked.request.held_out]
    known = {word.casefold() for text in corpus.texts(everything) for word in WORD.findall(text)}
    own = tokenizer("\n".join(written), add_special_tokens=False)["input_ids"]
    real = [distinct_share(part.tolist()) for part in np.split(ids[: len(ids) // len(own) * len(own)], len(ids) // len(own))]
    return {
        "words": words,
        "texts": len(written),
        "top_k": TOP_K,
        "known": known_share(written, known),
        "longest_copy": longest_copy("\n".join(written), corpus.texts(asked.request.texts)),
        "distinct_4_grams": distinct_share(own),
        "distinct_4_grams_held_out": float(np.mean(real)),
        "first": written[0],
    }


def tuning(asked: Asked) -> dict[str, Any]:
    """The demo's recipe on this base: how many nats per token the untouched base (method prompt) is behind, pairwise."""
    recipe = load_recipe(ROOT / "recipes" / "demo-write.yaml").plain()
    out = asked.out / "tuning"
    compare(parse_recipe({**recipe, "base": str(asked.base), "out": str(out)}, "benchmark"), lambda **_: None)
    return {method: between(out, "prompt", method) for method in ("lora", "full")}


def measure(name: str, embedded: Path, parts: Mapping[str, Callable[[Asked], dict[str, Any]]], about: str | None) -> None:
    """Every part that is asked and not kept yet; the result is written once all parts of the embedded base are there."""
    command = f"python -m benchmarks.{name}"
    parser = argparse.ArgumentParser(prog=command, description=about)
    parser.add_argument("--base", type=Path, default=embedded)
    parser.add_argument("--out", type=Path, default=Path("runs") / name.replace("_", "-"))
    parser.add_argument("--only", default=",".join(parts))
    given = parser.parse_args()
    recipe = read_pretrain_recipe(ROOT / "recipes" / "pretrain" / f"{embedded.name}.yaml")
    asked = Asked(base=given.base, out=given.out, request=recipe.request())
    files = {part: given.out / f"{part}.json" for part in parts}
    for part in given.only.split(","):
        if not files[part].is_file():
            write_json(files[part], parts[part](asked))
        print(part, read_json(files[part]), flush=True)
    if given.base == embedded and all(file.is_file() for file in files.values()):
        found = {part: read_json(file) for part, file in files.items()}
        write_json(ROOT / "docs" / "results" / "foundations" / f"{name}.json", {"command": command, **found})


if __name__ == "__main__":
    measure("embedded", EMBEDDED, {"floor": floor, "bits": bits, "samples": samples, "tuning": tuning}, __doc__)
