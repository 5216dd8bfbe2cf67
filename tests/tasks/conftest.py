"""Small tokenizers of the three families, trained here on a few lines, and rows to try them on."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from accordeur.example import Example
from accordeur.task import Task
from accordeur.tasks import Codec

LINES = [
    "Le général de Gaulle est né à Lille en 1890, l'été comme à Noël.",
    "The quick brown fox, Paul O'Brien, jumps over 2013 lazy dogs in Paris.",
    "Ada Lovelace wrote to the University of London about the engine 🙂.",
    "Qui a écrit la lettre d'amour ? Une femme d'Orléans, où il pleut.",
    "a b c d e f g h i j k l m n o p q r s t u v w x y z 0 1 2 3 4 5 6 7 8 9 A B C D E F < / > [ ] | ! ? : ; - _",
]


def bert_like():
    from transformers import PreTrainedTokenizerFast

    inner = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    inner.normalizer = normalizers.BertNormalizer(lowercase=True)
    inner.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    inner.train_from_iterator(LINES, trainers.WordPieceTrainer(vocab_size=160, special_tokens=special, show_progress=False))
    inner.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), special, strict=True))
    inputs = ["input_ids", "token_type_ids", "attention_mask"]
    return PreTrainedTokenizerFast(tokenizer_object=inner, model_input_names=inputs, **names)


def gpt2_like():
    from transformers import PreTrainedTokenizerFast

    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    inner.post_processor = processors.ByteLevel(trim_offsets=False)
    trainer = trainers.BpeTrainer(
        vocab_size=330,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    inner.train_from_iterator(LINES, trainer)
    end = "<|endoftext|>"
    return PreTrainedTokenizerFast(tokenizer_object=inner, bos_token=end, eos_token=end, unk_token=end)


def t5_like():
    from transformers import PreTrainedTokenizerFast

    inner = Tokenizer(models.Unigram())
    inner.normalizer = normalizers.NFKC()
    inner.pre_tokenizer = pre_tokenizers.Metaspace()
    inner.decoder = decoders.Metaspace()
    special = ["<pad>", "</s>", "<unk>"]
    inner.train_from_iterator(
        LINES, trainers.UnigramTrainer(vocab_size=140, special_tokens=special, unk_token="<unk>", show_progress=False)
    )
    inner.post_processor = processors.TemplateProcessing(single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)])
    return PreTrainedTokenizerFast(tokenizer_object=inner, pad_token="<pad>", eos_token="</s>", unk_token="<unk>")


FAMILIES = {"encoder": bert_like, "decoder": gpt2_like, "encoder-decoder": t5_like}
_MADE: dict[str, object] = {}


def make_codec(family: str, max_length: int = 64) -> Codec:
    if family not in _MADE:
        _MADE[family] = FAMILIES[family]()
    return Codec(tokenizer=_MADE[family], family=family, max_length=max_length)  # type: ignore[arg-type]


@pytest.fixture(params=list(FAMILIES))
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def codec(family: str) -> Codec:
    return make_codec(family)


def make_task(kind: str, rows: tuple[Example, ...] = (), **settings: object) -> Task:
    values = {"metrics": ("any",), "train": rows, "validation": (), "test": (), **settings}
    return Task(name="t", kind=kind, **values)  # type: ignore[arg-type]


def example(given: dict, expected: object, identity: str = "1") -> Example:
    return Example(id=identity, given=given, expected=expected, file="rows.jsonl", line=int(identity))


def data_rows(name: str, count: int = 200) -> list[dict]:
    folder = os.environ.get("ACCORDEUR_DATA")
    if not folder:
        pytest.skip("ACCORDEUR_DATA is not set: no real data here")
    path = Path(folder) / name / "train.jsonl"
    if not path.exists():
        pytest.skip(f"ACCORDEUR_DATA holds no {name}")
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for _, line in zip(range(count), lines, strict=False)]
