"""Draws the pictures of docs/foundations.md: `python scripts/pictures.py [--masked FOLDER]`, offline, the same on every call.

`--masked` names a masked language model (the base `bert-masked` that `python -m benchmarks.pretraining` leaves behind) for the
picture of a filled gap; without it that one picture is left as it is.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from accordeur.example import IGNORED
from accordeur.foundations import pictures
from accordeur.foundations.default import EMBEDDED, GENERAL
from accordeur.foundations.explain import explain
from accordeur.foundations.looks import attention_of, fill_mask, next_words
from accordeur.foundations.objectives import mask
from accordeur.foundations.rows import masking_of
from accordeur.foundations.tokenizers import BUILDERS, TokenizerRequest, train_tokenizer
from accordeur.training.schedules import SHAPES, factor

FOLDER = Path("docs/pictures")
COURSE = "low " * 5 + "lower " * 2 + "newest " * 6 + "widest " * 3
SENTENCE = "The old man looked at his wife and said nothing."
OPENING = "She opened the door and looked at"
GAP = "The old man looked at his [MASK] and said nothing."
UNSEEN = ("unhurriedness", "lighthouse-keepers", "désœuvrement")
ENTRIES = 1200
STEPS = 1000


def general() -> list[str]:
    """The lines of the embedded prose, English and French."""
    return [line for path in sorted(GENERAL.glob("*.txt")) for line in path.read_text("utf-8").splitlines() if line.strip()]


def merges() -> Figure:
    """The course's corpus, merge by merge."""
    return pictures.merges(explain(COURSE, merges=8))


def tokens() -> Figure:
    """Words that the embedded prose does not hold, as tokenizers trained on it cut them."""
    lines = general()
    known = set(re.findall(r"[\w-]+", "\n".join(lines).casefold()))
    assert not known & set(UNSEEN), "a word of the picture stands in the text"
    rows = []
    for kind in BUILDERS:
        tokenizer = train_tokenizer(iter(lines), TokenizerRequest(kind=kind, size=ENTRIES, exact=False))  # type: ignore[arg-type]
        for word in UNSEEN:
            ids = tokenizer(word, add_special_tokens=False)["input_ids"]
            rows.append((f"{word} · {kind}", [readable(tokenizer, number) for number in ids]))
    rows.sort(key=lambda row: UNSEEN.index(row[0].partition(" · ")[0]))
    return pictures.tokens([name for name, _ in rows], [cut for _, cut in rows])


def readable(tokenizer: Any, number: int) -> str:
    """A token as people read it: bytes as letters where they are letters, ## kept."""
    name = str(tokenizer.convert_ids_to_tokens(number))
    text = str(tokenizer.decode([number]))
    return name if name.startswith("##") or "�" in text or not text else text


def masking() -> Figure:
    """A sentence of the embedded prose under BERT's masking; the first seed under which all three fates occur."""
    lines = general()
    tokenizer = train_tokenizer(iter(lines), TokenizerRequest(kind="wordpiece", size=ENTRIES, family="bert", exact=False))
    sentence = next(part for part in re.split(r"(?<=[.!?]) ", lines[0]) if 16 <= len(part.split()) <= 24)
    ids = np.asarray(tokenizer(sentence)["input_ids"], np.int32)
    for seed in range(1000):
        shown, targets = mask(ids, masking_of(tokenizer, whole_words=False), np.random.default_rng(seed))
        asked = targets != IGNORED
        fates = {
            "masked" if new == tokenizer.mask_token_id else "kept" if new == old else "exchanged"
            for old, new in zip(ids[asked], shown[asked], strict=True)
        }
        if len(fates) == 3:
            break
    names = [tokenizer.convert_ids_to_tokens(part.tolist()) for part in (ids, shown)]
    return pictures.masking(names[0], names[1], asked.tolist())


def opened() -> tuple[Any, Any]:
    """The embedded decoder and its tokenizer."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(EMBEDDED, local_files_only=True, dtype="float32").eval()
    return model, AutoTokenizer.from_pretrained(EMBEDDED, local_files_only=True)


def attention() -> Figure:
    """The head of the embedded decoder that looks most at the token just before."""
    looks = attention_of(*opened(), SENTENCE)
    before_LH = looks.weights_LHTT.diagonal(-1, axis1=2, axis2=3).mean(-1)
    layer, head = np.unravel_index(int(before_LH.argmax()), before_LH.shape)
    title = f"accordeur-mini, layer {layer + 1}, head {head + 1}"
    return pictures.attention(looks.weights_LHTT[layer, head], looks.tokens, title)


def following() -> Figure:
    """What the embedded decoder expects next."""
    names, values = zip(*next_words(*opened(), OPENING, count=8), strict=True)
    return pictures.probabilities(names, values, f"{OPENING} …")


def schedules() -> Figure:
    """Every schedule of the training loop, from the same warm-up."""
    curves = {name: [factor(name, step, warmup=100, steps=STEPS) for step in range(1, STEPS + 1)] for name in SHAPES}  # type: ignore[arg-type]
    return pictures.lines(curves, "step", "share of the peak rate")


def filled(folder: Path) -> Figure:
    """What a masked model puts into a gap."""
    from transformers import AutoModelForMaskedLM, AutoTokenizer

    model = AutoModelForMaskedLM.from_pretrained(folder, local_files_only=True, dtype="float32").eval()
    names, values = zip(*fill_mask(model, AutoTokenizer.from_pretrained(folder, local_files_only=True), GAP), strict=True)
    return pictures.probabilities(names, values, GAP)


PICTURES: dict[str, Callable[[], Figure]] = {
    "merges": merges,
    "tokens": tokens,
    "causal-mask": lambda: pictures.masks([6, 4], causal=True),
    "padding-mask": lambda: pictures.masks([6, 4], causal=False),
    "masking": masking,
    "attention": attention,
    "next-words": following,
    "architectures": pictures.architectures,
    "schedules": schedules,
    "descents": pictures.descents,
}


def main() -> None:
    """Writes them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--masked", type=Path)
    masked = parser.parse_args().masked
    FOLDER.mkdir(parents=True, exist_ok=True)
    wanted = {**PICTURES, **({"fill-mask": lambda: filled(masked)} if masked else {})}
    for name, draw in wanted.items():
        draw().savefig(FOLDER / f"{name}.png", dpi=110, metadata={"Software": None})
        print(FOLDER / f"{name}.png")


if __name__ == "__main__":
    main()
