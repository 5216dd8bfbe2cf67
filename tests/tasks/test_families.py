"""Every kind on every family: what it encodes is what a network of its form trains on, and what that answers is decoded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf

from accordeur.errors import NotApplicable
from accordeur.example import Example
from accordeur.plan import DevicePlan
from accordeur.tasks import kind_of
from accordeur.training import scoring
from accordeur.training.batches import collate
from accordeur.training.network import Network
from tests.tasks.conftest import example, make_codec, make_task

SIZE = {"num_hidden_layers": 1, "hidden_size": 32, "num_attention_heads": 2, "intermediate_size": 32}
LONG = "Le général de Gaulle est né à Lille en 1890 " * 3
ROWS: dict[str, tuple[Example, ...]] = {
    "classify": (example({"text": LONG}, "a"), example({"text": "x", "text_pair": LONG}, "b", "2")),
    "graded": (example({"text": LONG}, 1.5), example({"text": "x", "text_pair": LONG}, 2.0, "2")),
    "tag": (
        example({"tokens": tuple(LONG.split())}, ("O", "B-X", *["I-X"] * (len(LONG.split()) - 2))),
        example({"tokens": ("x",)}, ("O",), "2"),
    ),
    "extract": (
        example({"question": "où ?", "context": LONG}, ({"text": "Lille", "start": LONG.index("Lille")},)),
        example({"question": "qui ?", "context": "x"}, (), "2"),
    ),
    "write": (example({"instruction": "où ?", "input": ""}, "Lille"), example({"instruction": "a", "input": "b"}, "c", "2")),
    "prefer": (example({"prompt": "où ?"}, {"chosen": "Lille", "rejected": "Paris !"}),),
    "text": (example({}, LONG), example({}, "x", "2")),
}
SKIPPED = {("text", "encoder"), ("text", "encoder-decoder"), ("write", "encoder"), ("prefer", "encoder")}


def trunk(family: str, vocabulary: int, head: bool) -> Any:
    torch.manual_seed(0)
    if family == "encoder":
        return hf.BertModel(hf.BertConfig(vocab_size=vocabulary, max_position_embeddings=128, **SIZE)).eval()
    if family == "decoder":
        config = hf.GPT2Config(
            vocab_size=vocabulary, n_embd=32, n_layer=1, n_head=2, n_positions=128, bos_token_id=0, eos_token_id=0
        )
        return (hf.GPT2LMHeadModel(config) if head else hf.GPT2Model(config)).eval()
    config = hf.T5Config(vocab_size=vocabulary, d_model=32, d_kv=16, d_ff=32, num_layers=1, num_heads=2, decoder_start_token_id=0)
    return (hf.T5ForConditionalGeneration(config) if head else hf.T5Model(config)).eval()


@pytest.mark.parametrize("case", list(ROWS))
def test_every_kind_trains_and_answers_on_every_family(case: str, family: str) -> None:
    rows, kind = ROWS[case], kind_of("classify" if case == "graded" else case)
    task = make_task(kind.name, rows, labels=kind.labels(rows))
    codec = make_codec(family, 96)
    if (case, family) in SKIPPED:
        with pytest.raises(NotApplicable):
            kind.form(family, task)  # type: ignore[arg-type]
        return
    assert kind.check(rows) == []
    form, outputs = kind.form(family, task), kind.outputs(task)  # type: ignore[arg-type]
    written = form in ("causal", "seq2seq")
    assert (outputs == 0) == written
    network = Network(trunk(family, len(codec.tokenizer), written), form, outputs=outputs).eval()
    items = [item for row, each in enumerate(rows) for item in kind.encode(each, row, task, codec)]
    loss, units = network.loss(collate(items, codec.pad))
    assert torch.isfinite(loss)
    assert units > 0
    if written:
        return
    device = DevicePlan(threads=1, micro_tokens=256)
    answers = scoring.answers(network, items, device, codec.pad)
    for row, each in enumerate(rows):
        own = [answer for item, answer in zip(items, answers, strict=True) if item.row == row]
        output = kind.decode(each, own, task, codec).output
        if case == "tag":
            assert len(output) == len(each.expected)
        elif case == "extract":
            assert output in each.given["context"]
        else:
            assert output in task.labels or np.isfinite(output)


def test_kinds_load_no_torch() -> None:
    import subprocess
    import sys

    code = (
        "import sys\nfrom accordeur.tasks import kind_of\n"
        "[kind_of(name) for name in ('classify', 'tag', 'extract', 'write', 'prefer', 'text')]\n"
        "sys.exit(bool({'torch', 'transformers', 'seqeval'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
