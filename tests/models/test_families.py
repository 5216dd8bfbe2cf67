"""Every architecture that people bring: built from its own configuration at tiny size, offline, then adapted and reopened."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as hf
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from accordeur.adapted import reopen
from accordeur.base import Base, find_base
from accordeur.methods.head import Head
from accordeur.methods.lora import Lora
from accordeur.store import seal
from accordeur.tasks import kind_of
from tests.methods import cells
from tests.tasks.conftest import FAMILIES, LINES, bert_like, gpt2_like, t5_like

HIDDEN = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 48}
GROUPED = {**HIDDEN, "num_key_value_heads": 1, "max_position_embeddings": 128, "head_dim": 16}
T5_LIKE = {"d_model": 32, "d_kv": 16, "d_ff": 48, "num_heads": 2}
BART_LIKE = {
    "d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 2, "decoder_attention_heads": 2,
    "encoder_ffn_dim": 48, "decoder_ffn_dim": 48, "max_position_embeddings": 128,
}  # fmt: skip
DISTIL = {"dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 48}
GPT2 = {"n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 128}
MODERN = {**HIDDEN, "global_attn_every_n_layers": 2, "local_attention": 32, "max_position_embeddings": 128}

# name: (family, configuration, model, its sizes, tokenizer)
ARCHITECTURES: dict[str, tuple[str, str, str, dict[str, Any], Any]] = {
    "bert": ("encoder", "BertConfig", "BertModel", HIDDEN, bert_like),
    "minilm": ("encoder", "BertConfig", "BertModel", HIDDEN, bert_like),
    "roberta": ("encoder", "RobertaConfig", "RobertaModel", {**HIDDEN, "max_position_embeddings": 130}, None),
    "camembert": ("encoder", "CamembertConfig", "CamembertModel", {**HIDDEN, "max_position_embeddings": 130}, None),
    "distilbert": ("encoder", "DistilBertConfig", "DistilBertModel", DISTIL, bert_like),
    "modernbert": ("encoder", "ModernBertConfig", "ModernBertModel", MODERN, bert_like),
    "gpt2": ("decoder", "GPT2Config", "GPT2LMHeadModel", GPT2, gpt2_like),
    "llama": ("decoder", "LlamaConfig", "LlamaForCausalLM", GROUPED, gpt2_like),
    "smollm": ("decoder", "LlamaConfig", "LlamaForCausalLM", {**GROUPED, "tie_word_embeddings": True}, gpt2_like),
    "smollm3": ("decoder", "SmolLM3Config", "SmolLM3ForCausalLM", {**GROUPED, "pad_token_id": 0}, gpt2_like),
    "qwen2": ("decoder", "Qwen2Config", "Qwen2ForCausalLM", GROUPED, gpt2_like),
    "qwen3": ("decoder", "Qwen3Config", "Qwen3ForCausalLM", GROUPED, gpt2_like),
    "mistral": ("decoder", "MistralConfig", "MistralForCausalLM", GROUPED, gpt2_like),
    "gemma": ("decoder", "GemmaConfig", "GemmaForCausalLM", GROUPED, gpt2_like),
    "gemma2": ("decoder", "Gemma2Config", "Gemma2ForCausalLM", GROUPED, gpt2_like),
    "t5": ("encoder-decoder", "T5Config", "T5ForConditionalGeneration", {**T5_LIKE, "num_layers": 2}, t5_like),
    "bart": ("encoder-decoder", "BartConfig", "BartForConditionalGeneration", BART_LIKE, None),
}
WRITES = {name: found for name, found in ARCHITECTURES.items() if found[0] != "encoder"}


def roberta_like() -> Any:
    """Byte-level pieces between <s> and </s>, special ids first, as RoBERTa, CamemBERT and BART have them."""
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    inner.train_from_iterator(
        LINES, trainers.BpeTrainer(vocab_size=330, special_tokens=special, initial_alphabet=alphabet, show_progress=False)
    )
    inner.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    names = dict(zip(("bos_token", "pad_token", "eos_token", "unk_token", "mask_token"), special, strict=True))
    return hf.PreTrainedTokenizerFast(tokenizer_object=inner, cls_token="<s>", sep_token="</s>", **names)


def build(name: str, folder: Path) -> Base:
    """The architecture with random weights in a folder; MiniLM is BERT that says it pools by the mean."""
    _, config, model, sizes, make = ARCHITECTURES[name]
    tokenizer = (make or roberta_like)()
    special = {
        key: getattr(tokenizer, key) for key in ("pad_token_id", "bos_token_id", "eos_token_id", "cls_token_id", "sep_token_id")
    }
    ids = {key: value for key, value in special.items() if value is not None}
    start = {"decoder_start_token_id": ids.get("eos_token_id" if name == "bart" else "pad_token_id", 0)}
    torch.manual_seed(0)
    settings = {"vocab_size": len(tokenizer), **sizes, **ids, **(start if name in ("t5", "bart") else {})}
    getattr(hf, model)(getattr(hf, config)(**settings)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    if name == "minilm":
        modules = [{"path": "", "type": "sentence_transformers.models.Transformer"}]
        modules.append({"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"})
        (folder / "modules.json").write_text(json.dumps(modules))
        (folder / "1_Pooling").mkdir()
        (folder / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_mean_tokens": True}))
    return find_base(str(folder))


def same_after_reopening(model: Any, kind: str, folder: Path) -> None:
    folder.mkdir()
    model.save(folder)
    seal(folder, {})
    assert cells.answers(reopen(folder), kind) == cells.answers(model, kind)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_an_architecture_is_recognised_and_classifies(name: str, tmp_path: Path) -> None:
    """Its family and pooling are told from its files; a frozen head and a LoRA on the default targets both train."""
    base = build(name, tmp_path / "base")
    family = ARCHITECTURES[name][0]
    assert base.family == family
    pooling = "mean" if name == "minilm" else {"encoder": "cls", "decoder": "last"}.get(family, "mean")
    assert base.pooling == pooling
    task = cells.task_of("classify")
    head = Head().fit(task, base, cells.context(tmp_path / "head"))
    assert head.facts()["pooling"] == pooling
    same_after_reopening(head, "classify", tmp_path / "saved-head")
    moved = Lora(rank=2).fit(task, base, cells.context(tmp_path / "lora"))
    assert moved.facts()["steps"] == cells.STEPS
    assert 0 < moved.facts()["trainable_parameters"] < base.parameters
    same_after_reopening(moved, "classify", tmp_path / "saved")


@pytest.mark.parametrize("name", WRITES)
def test_an_architecture_that_writes_learns_to(name: str, tmp_path: Path) -> None:
    base = build(name, tmp_path / "base")
    model = Lora(rank=2).fit(cells.task_of("write"), base, cells.context(tmp_path / "work"))
    rows = cells.task_of("write").test
    assert all(found.log_probs.size and (found.log_probs <= 0).all() for found in model.log_probs(rows))
    same_after_reopening(model, "write", tmp_path / "saved")


@pytest.mark.parametrize("name", [name for name, found in ARCHITECTURES.items() if found[0] == "encoder"])
def test_an_encoder_tags_and_extracts(name: str, tmp_path: Path) -> None:
    base = build(name, tmp_path / "base")
    for kind in ("tag", "extract"):
        model = Lora(rank=2).fit(cells.task_of(kind), base, cells.context(tmp_path / kind))
        outputs = [prediction.output for prediction in model.predict(cells.task_of(kind).test)]
        metric = kind_of(kind).metrics[0]
        assert outputs and metric.name in ("entity_f1", "squad_f1")


def test_the_table_covers_all_three_families() -> None:
    assert {found[0] for found in ARCHITECTURES.values()} == set(FAMILIES)
