"""Tokenizers of five kinds, trained on raw text and saved so that AutoTokenizer opens them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from accordeur.errors import RecipeError

Kind = Literal["bpe", "wordpiece", "unigram", "char", "word"]
END, PAD, UNKNOWN, MASK, CLASS, SEPARATOR = "<|end|>", "<|pad|>", "[UNK]", "[MASK]", "[CLS]", "[SEP]"
FAMILIES = ("gpt", "bert", "t5")
SENTINELS = 100
BYTES = 256  # that every byte-level BPE starts from
LONGEST_WORD = 100  # characters; longer ones are unknown to wordpiece and word
INSIDE = re.compile(r"(?<=\S)\S")  # what may continue a word
# French elisions and English contractions stay whole, digits go in threes, one space belongs to what follows it.
SPLIT = (
    r"['’](?:s|t|re|ve|m|ll|d)\b| ?(?i:[cdjlmnst]|qu|jusqu|lorsqu|puisqu)['’](?=\p{L})"
    r"| ?\p{L}+| ?\p{N}{1,3}| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
)


@dataclass(frozen=True, kw_only=True)
class TokenizerRequest:
    """Which tokenizer: kind, entries of the vocabulary, and the special tokens its models need."""

    kind: Kind = "bpe"
    size: int = 8192
    family: Literal["gpt", "bert", "t5"] = "gpt"
    exact: bool = True  # a text that allows fewer entries is refused; else they may be fewer

    @property
    def specials(self) -> list[str]:
        """Special tokens in the order of their ids."""
        if self.family == "bert":
            return [PAD, UNKNOWN, CLASS, SEPARATOR, MASK]
        base = [PAD, END, UNKNOWN]
        return [*base, *(f"<extra_id_{place}>" for place in range(SENTINELS))] if self.family == "t5" else base


def train_tokenizer(texts: Iterable[str], request: TokenizerRequest) -> Any:
    """A transformers tokenizer trained on some texts. RecipeError where the text doesn't allow that vocabulary."""
    check_size(request)
    core = BUILDERS[request.kind](pieces_of(texts), request)
    found = core.get_vocab_size()
    if request.exact and found < request.size:
        raise RecipeError(
            f"a {request.kind} vocabulary of {request.size:,} was asked for, but the corpus allows only {found:,} entries",
            hint=f"give more text, or choose at most {found} (tokenizer train --size, pretrain --vocabulary)",
        )
    return finished(core, request)


def check_size(request: TokenizerRequest) -> None:
    """RecipeError where a vocabulary is too small for what every one of its kind holds."""
    specials, letters = len(request.specials), BYTES if request.kind == "bpe" else 1
    if request.size < specials + letters:
        held = f"{BYTES} bytes and {specials}" if request.kind == "bpe" else str(specials)
        raise RecipeError(
            f"a {request.kind} vocabulary of {request.size} is too small for {held} special tokens",
            hint=f"choose {specials + letters} or more",
        )


def pieces_of(texts: Iterable[str]) -> Iterator[str]:
    """Texts that aren't empty, a few thousand characters at a time: the library counts in parallel over these."""
    for text in texts:
        start = 0
        while start < len(text):
            end = text.find("\n", start + 4000) + 1 or len(text)
            yield text[start:end]
            start = end


def finished(core: Any, request: TokenizerRequest) -> Any:
    """The trained core with its special tokens named, as transformers wants it."""
    from transformers import PreTrainedTokenizerFast

    if request.family == "bert":
        add_pair_template(core)
        names = {"pad_token": PAD, "unk_token": UNKNOWN, "cls_token": CLASS, "sep_token": SEPARATOR, "mask_token": MASK}
    else:
        names = {"pad_token": PAD, "eos_token": END, "bos_token": END, "unk_token": UNKNOWN}
        if request.family == "t5":
            names.pop("bos_token")
            add_end_template(core)
    extra: dict[str, Any] = {"extra_special_tokens": request.specials[3:]} if request.family == "t5" else {}
    if request.family == "bert":
        extra["model_input_names"] = ["input_ids", "token_type_ids", "attention_mask"]
    return PreTrainedTokenizerFast(tokenizer_object=core, clean_up_tokenization_spaces=False, **names, **extra)


def add_pair_template(core: Any) -> None:
    """[CLS] a [SEP] b [SEP] with segment ids 0 and 1 (Devlin et al. 2019)."""
    from tokenizers.processors import TemplateProcessing

    ids = [(name, core.token_to_id(name)) for name in (CLASS, SEPARATOR)]
    core.post_processor = TemplateProcessing(
        single=f"{CLASS} $A {SEPARATOR}", pair=f"{CLASS} $A {SEPARATOR} $B:1 {SEPARATOR}:1", special_tokens=ids
    )


def add_end_template(core: Any) -> None:
    """A text, then the end token, as T5 wants it."""
    from tokenizers.processors import TemplateProcessing

    core.post_processor = TemplateProcessing(
        single=f"$A {END}", pair=f"$A {END} $B {END}", special_tokens=[(END, core.token_to_id(END))]
    )


def bpe(texts: Iterable[str], request: TokenizerRequest) -> Any:
    """Byte-level BPE (Sennrich et al. 2016; Radford et al. 2019): nothing is ever unknown, every text comes back whole."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    core.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=request.size,
        special_tokens=request.specials,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    core.train_from_iterator(texts, trainer)
    return core


def wordpiece(texts: Iterable[str], request: TokenizerRequest) -> Any:
    """WordPiece's form (## inside words, greedy longest match). The library's trainer merges by frequency, as BPE does.

    The trainer numbers the letters inside words in the order of a hash table, and breaks ties by number. So that the same
    text always gives the same vocabulary, these letters are handed to it as if they were special, and the model is then
    built anew from the vocabulary alone.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    cutter = pre_tokenizers.BertPreTokenizer()
    given = list(texts)
    found = {letter for text in given for letter in INSIDE.findall(text)}
    inside = [f"##{letter}" for letter in sorted(found) if len(cutter.pre_tokenize_str(f"a{letter}")) == 1]
    trained = Tokenizer(models.WordPiece(unk_token=UNKNOWN))
    trained.pre_tokenizer = cutter
    trainer = trainers.WordPieceTrainer(vocab_size=request.size, special_tokens=[*request.specials, *inside], show_progress=False)
    trained.train_from_iterator(given, trainer)
    core = Tokenizer(models.WordPiece(trained.get_vocab(), unk_token=UNKNOWN, max_input_chars_per_word=LONGEST_WORD))
    core.pre_tokenizer = cutter
    core.decoder = decoders.WordPiece()
    core.add_special_tokens(request.specials)
    return core


def unigram(texts: Iterable[str], request: TokenizerRequest) -> Any:
    """The unigram language model (Kudo 2018), spaces as ▁.

    The library's trainer breaks ties in the order of a hash table: on small texts two trainings may keep other entries.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    core = Tokenizer(models.Unigram())
    core.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never")
    core.decoder = decoders.Metaspace(prepend_scheme="never")
    core.train_from_iterator(
        texts,
        trainers.UnigramTrainer(vocab_size=request.size, special_tokens=request.specials, unk_token=UNKNOWN, show_progress=False),
    )
    return core


def char(texts: Iterable[str], request: TokenizerRequest) -> Any:
    """One token a character, the most frequent ones; the rest is unknown."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

    core = Tokenizer(models.WordLevel(unk_token=UNKNOWN))
    core.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), behavior="isolated")
    core.decoder = decoders.Fuse()
    core.train_from_iterator(
        texts, trainers.WordLevelTrainer(vocab_size=request.size, special_tokens=request.specials, show_progress=False)
    )
    return core


def word(texts: Iterable[str], request: TokenizerRequest) -> Any:
    """One token a word or mark, the most frequent ones; the rest is unknown."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    core = Tokenizer(models.WordLevel(unk_token=UNKNOWN))
    core.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    core.train_from_iterator(
        texts, trainers.WordLevelTrainer(vocab_size=request.size, special_tokens=request.specials, show_progress=False)
    )
    return core


BUILDERS: dict[str, Callable[[Iterable[str], TokenizerRequest], Any]] = {
    "bpe": bpe,
    "wordpiece": wordpiece,
    "unigram": unigram,
    "char": char,
    "word": word,
}


def open_tokenizer(folder: Path) -> Any:
    """A tokenizer from a folder."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
