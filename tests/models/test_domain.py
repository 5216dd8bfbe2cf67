"""Reading raw text: what is learned, what is saved, and who can start from it."""

from __future__ import annotations

import gzip
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from accordeur.adapted import reopen
from accordeur.base import find_base
from accordeur.errors import DataError, NotApplicable
from accordeur.foundations.passages import passages
from accordeur.models.domain import DomainRequest, hidden, learn_domain, parted
from accordeur.tasks import Codec
from accordeur.training.masking import load_masked
from accordeur.training.settings import TrainingSettings
from tests.bases import tiny
from tests.methods import cells
from tests.tasks.conftest import make_codec

TEXT = [f"The quick brown fox jumps over {place} lazy dogs in Paris." for place in range(40)]
SETTINGS = TrainingSettings(rate=3e-3, batch_rows=4, patience=None)


def lent(folder: Path, steps: int) -> Any:
    context = cells.context(folder)
    plan = json.loads((context.folder / "plan.json").read_text())
    plan["training"] = {**plan["training"], "steps": steps, "evaluate_every": steps}
    (context.folder / "plan.json").write_text(json.dumps(plan))
    return replace(context, budget_seconds=600.0)


@pytest.mark.parametrize("family", ["encoder", "decoder"])
def test_reading_makes_the_text_more_probable_and_leaves_the_base(family: str, tmp_path: Path) -> None:
    before = cells.weights_digest(tiny(family))
    request = DomainRequest(passages=TEXT, settings=SETTINGS, length=32)
    grown, record = learn_domain(request, tiny(family), lent(tmp_path, 30))
    assert record["after"] < 0.8 * record["before"]
    assert record["steps"] == 30
    assert cells.weights_digest(tiny(family)) == before
    assert grown.fingerprint != tiny(family).fingerprint
    again, second = learn_domain(request, tiny(family), lent(tmp_path, 30))
    assert (again.fingerprint, second) == (grown.fingerprint, record)


def test_an_encoder_decoder_does_not_read(tmp_path: Path) -> None:
    with pytest.raises(NotApplicable):
        learn_domain(DomainRequest(passages=TEXT, settings=SETTINGS), tiny("encoder-decoder"), lent(tmp_path, 1))


def test_the_result_is_a_base_for_every_other_method(tmp_path: Path) -> None:
    model = cells.fitted("domain", "classify", "encoder", tmp_path / "fit")
    run = tmp_path / "comparison" / "runs" / "domain-s0"
    cells.saved(model, run / "model")
    for name in (run, run / "model", tmp_path / "comparison" / "domain-s0"):
        base = find_base(str(name))
        assert (base.family, base.pooling) == ("encoder", tiny("encoder").pooling)
    (tmp_path / "lora").mkdir()
    lora = cells.built("lora", tmp_path).fit(cells.task_of("classify"), base, cells.context(tmp_path / "lora"))
    assert len(lora.predict(cells.task_of("classify").test)) == len(cells.task_of("classify").test)


def test_a_saved_one_opens_without_the_base_it_came_from(tmp_path: Path) -> None:
    model = cells.fitted("domain+lora", "write", "decoder", tmp_path / "fit")
    saved = cells.saved(model, tmp_path / "saved")
    inner = json.loads((saved / "inner" / "model.json").read_text())
    assert inner["base"]["folder"] == "../base"
    assert (saved / "inner" / "adapter_model.safetensors").is_file()
    assert cells.answers(reopen(saved), "write") == cells.answers(model, "write")
    facts = dict(reopen(saved).facts())
    assert facts["trainable_parameters"] == tiny("decoder").parameters
    assert facts["domain"]["measure"] == "bits per character"


def test_without_text_only_raw_text_tasks_are_read(tmp_path: Path) -> None:
    with pytest.raises(NotApplicable, match="--text"):
        cells.fitted("domain", "classify", "encoder", tmp_path, text=None)
    task = cells.task_of("text")
    assert passages(None, task) == [row.expected for row in task.train]


@pytest.mark.parametrize("ending", [".txt", ".txt.gz", ".jsonl"])
def test_passages_of_files(ending: str, tmp_path: Path) -> None:
    wanted = ["one line\nand a second", "été", "three"]
    path = tmp_path / f"corpus{ending}"
    text = "\n\n".join(wanted) + "\n" if ".txt" in ending else "".join(json.dumps({"text": part}) + "\n" for part in wanted)
    path.write_bytes(gzip.compress(text.encode()) if ending.endswith("gz") else text.encode())
    assert passages(str(path), cells.task_of("classify")) == wanted


def test_lines_are_passages_where_no_empty_line_is(tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_text("a b\nc d\n", encoding="utf-8")
    assert passages(str(tmp_path / "lines.txt"), cells.task_of("classify")) == ["a b", "c d"]


def test_too_little_text_is_refused() -> None:
    with pytest.raises(DataError, match="1 passages"):
        parted(["alone"], 0)
    learned, held_out = parted([str(place) for place in range(100)], 0)
    assert len(held_out) == 5 and set(learned).isdisjoint(held_out) and len(learned) == 95


def test_masks_follow_their_shares_and_never_hide_special_tokens() -> None:
    codec = make_codec("encoder", 64)
    rows = hidden([" ".join(TEXT)] * 20, codec, seed=0, copies=3)
    special, mask = codec.special_ids, codec.tokenizer.mask_token_id
    asked = kept = masked = plain = 0
    for row in rows:
        original = rows.blocks[row.row % len(rows.blocks)]
        places = row.target != -100
        assert np.array_equal(row.target[places], original[places])
        assert not special.intersection(original[places].tolist())
        assert np.array_equal(row.tokens[~places], original[~places])
        plain += sum(token not in special for token in original)
        asked += int(places.sum())
        masked += int((row.tokens[places] == mask).sum())
        kept += int((row.tokens[places] == original[places]).sum())
    assert asked / plain == pytest.approx(0.15, abs=0.01)
    assert masked / asked == pytest.approx(0.8, abs=0.04)
    assert kept / asked == pytest.approx(0.1, abs=0.04)
    assert rows[3].tokens.tolist() == rows[3].tokens.tolist()
    assert rows[0].target.tolist() != rows[len(rows.blocks)].target.tolist()  # the same block, masked anew


def test_a_new_head_is_the_same_for_every_run_and_ties_to_the_embeddings() -> None:
    one, new = load_masked(tiny("encoder").path)
    two, _ = load_masked(tiny("encoder").path)
    assert new
    assert all(torch.equal(value, two.state_dict()[name]) for name, value in one.state_dict().items())
    assert one.get_output_embeddings().weight is one.get_input_embeddings().weight


def test_an_epoch_of_an_encoder_is_once_through_the_text(tmp_path: Path) -> None:
    settings = TrainingSettings(rate=3e-3, batch_rows=4, patience=None, epochs=2.0)
    context = replace(cells.context(tmp_path), budget_seconds=600.0)
    (context.folder / "plan.json").unlink()
    record = learn_domain(DomainRequest(passages=TEXT, settings=settings, length=32), tiny("encoder"), context)[1]
    codec = Codec(tokenizer=tiny("encoder").tokenizer(), family="encoder", max_length=32)
    blocks = len(hidden(parted(TEXT, 0)[0], codec, 0, 1))
    assert record["steps"] == math.ceil(2 * blocks / 4)


def test_an_encoder_is_told_how_to_read_where_rows_are_raw_text(tmp_path: Path) -> None:
    with pytest.raises(NotApplicable, match=r"encoder.*domain\+lora"):
        cells.fitted("domain", "text", "encoder", tmp_path)
