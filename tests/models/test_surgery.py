"""What a trained folder holds, who can open it, and what is refused."""

from __future__ import annotations

import json
import shutil
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from accordeur.adapted import reopen
from accordeur.base import Base, find_base
from accordeur.errors import ModelError, RecipeError
from accordeur.method import build_method
from accordeur.models import moved
from accordeur.models._surgery import network_name, peft_name
from accordeur.store import read_json, write_json
from accordeur.training.batches import collate
from accordeur.training.network import last_hidden
from tests.bases import tiny, write_base
from tests.methods import cells

FAST = {"rate": 1e-2, "epochs": 1.0}


def stirred(name: str, kind: str, family: str, folder: Path, **settings: Any) -> Any:
    """Fitted, then moved far enough from the base that a lost tensor shows."""
    model: Any = cells.fitted(name, kind, family, folder, **FAST, **settings)
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in model.network.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn_like(parameter) * 0.05)
    return model


@pytest.fixture(scope="module")
def lora_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lora")
    return cells.saved(stirred("lora", "classify", "encoder", folder), folder / "model")


CELLS = {"encoder": "classify", "decoder": "write", "encoder-decoder": "write"}
WAYS: list[tuple[str, dict[str, Any], str]] = [
    ("lora", {"rslora": True, "rank": 4}, "encoder"),
    ("lora", {}, "decoder"),
    ("lora", {"targets": "all-linear"}, "encoder-decoder"),
    ("lora", {"dora": True}, "encoder"),
    ("lora", {"dora": True, "targets": "all-linear"}, "decoder"),
    ("ia3", {}, "encoder"),
    ("ia3", {}, "decoder"),
]


@pytest.mark.parametrize(("method", "settings", "family"), WAYS)
def test_peft_opens_our_folder_and_computes_the_same(method: str, settings: dict[str, Any], family: str, tmp_path: Path) -> None:
    from peft import PeftModel

    kind = CELLS[family]
    model = stirred(method, kind, family, tmp_path, **settings)
    saved = cells.saved(model, tmp_path / "saved")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        theirs = PeftModel.from_pretrained(tiny(family).load(language_head=kind == "write")[0], str(saved)).eval()
    assert not [warning for warning in said if "keys" in str(warning.message)]  # missing or unexpected ones
    network = model.network.eval()
    inputs = network.inputs(collate(model.items(cells.task_of(kind).test), model.codec.pad))
    with torch.no_grad():
        ours, peers = last_hidden(network.trunk, inputs), last_hidden(theirs.base_model.model, inputs)
        untouched = last_hidden(tiny(family).load(language_head=kind == "write")[0], inputs)
    torch.testing.assert_close(peers, ours, rtol=1e-5, atol=1e-6)
    assert float((untouched - ours).abs().max()) > 1e-3
    described = json.loads((saved / "adapter_config.json").read_text())
    assert described["peft_type"] == {"lora": "LORA", "ia3": "IA3"}[method]


@pytest.mark.parametrize("method", ["soft-prompt", "prefix"])
def test_peft_opens_virtual_tokens_and_computes_the_same(method: str, tmp_path: Path) -> None:
    from peft import PeftModel

    model = stirred(method, "write", "decoder", tmp_path, tokens=4)
    saved = cells.saved(model, tmp_path / "saved")
    theirs = PeftModel.from_pretrained(tiny("decoder").load()[0], str(saved)).eval()
    tokens = torch.from_numpy(model.items(cells.task_of("write").test)[0].tokens.astype("int64"))[None]
    with torch.no_grad():
        ours = model.network.eval().trunk(input_ids=tokens).logits
        peers = theirs(input_ids=tokens, attention_mask=torch.ones_like(tokens)).logits[:, -tokens.shape[1] :]
        untouched = tiny("decoder").load()[0](input_ids=tokens).logits
    torch.testing.assert_close(peers, ours, rtol=1e-5, atol=1e-6)
    assert float((untouched - ours).abs().max()) > 1e-4


def test_names_go_to_peft_and_back() -> None:
    for name in (
        "trunk.encoder.layer.0.attention.self.query.lora_A.default.weight",
        "trunk.h.0.attn.c_attn.lora_magnitude_vector.default.weight",
        "trunk.h.0.attn.c_attn.ia3_l.default",
    ):
        assert network_name(peft_name(name)) == name
    assert peft_name("trunk.h.0.lora_magnitude_vector.default.weight").endswith("h.0.lora_magnitude_vector")


def test_only_what_moved_is_kept(lora_folder: Path) -> None:
    names = set(load_file(lora_folder / "moved.safetensors"))
    assert names == {"head.weight", "head.bias"}
    assert all("lora_" in name for name in load_file(lora_folder / "adapter_model.safetensors"))
    assert sum(path.stat().st_size for path in lora_folder.iterdir()) < tiny("encoder").parameters * 4


OTHERS = {"same shapes": {"seed": 5}, "shallower": {"layers": 1}, "deeper": {"layers": 3}, "wider": {"width": 96}}


@pytest.mark.parametrize("other", OTHERS)
def test_another_base_is_refused_naming_both(other: str, lora_folder: Path, tmp_path: Path) -> None:
    refuse(lora_folder, write_base(tmp_path, "encoder", **OTHERS[other]))


def test_another_vocabulary_is_refused(lora_folder: Path, tmp_path: Path) -> None:
    """The same weights behind a tokenizer that numbers its words otherwise."""
    base = write_base(tmp_path, "encoder")
    tokenizer = json.loads((tmp_path / "tokenizer.json").read_text("utf-8"))
    vocabulary = tokenizer["model"]["vocab"]
    first, second = list(vocabulary)[-2:]
    vocabulary[first], vocabulary[second] = vocabulary[second], vocabulary[first]
    (tmp_path / "tokenizer.json").write_text(json.dumps(tokenizer), encoding="utf-8")
    refuse(lora_folder, replace(base))


def test_another_chat_template_is_refused(lora_folder: Path, tmp_path: Path) -> None:
    base = write_base(tmp_path, "encoder")
    (tmp_path / "chat_template.jinja").write_text("{{ messages[0].content }}", encoding="utf-8")
    refuse(lora_folder, replace(base))


@pytest.mark.parametrize("method", ["adapter", "bitfit", "full"])
@pytest.mark.parametrize("other", OTHERS)
def test_what_moved_in_one_base_is_refused_on_another(method: str, other: str, tmp_path: Path) -> None:
    folder = cells.saved(cells.fitted(method, "classify", "encoder", tmp_path / "fit", **FAST), tmp_path / "model")
    (tmp_path / "other").mkdir()
    refuse(folder, write_base(tmp_path / "other", "encoder", **OTHERS[other]))


def refuse(folder: Path, other: Base) -> None:
    with pytest.raises(ModelError) as fault:
        moved.open_model(folder, read_json(folder / "model.json"), base=other)
    assert tiny("encoder").name in fault.value.message and other.name in fault.value.message
    assert tiny("encoder").fingerprint in fault.value.message and other.fingerprint in fault.value.message


@pytest.mark.parametrize("damage", ["truncated", "one bit", "missing"])
def test_a_damaged_bottleneck_is_refused(damage: str, tmp_path: Path) -> None:
    folder = cells.saved(cells.fitted("adapter", "classify", "encoder", tmp_path / "fit", **FAST), tmp_path / "model")
    check_refused("moved.safetensors", damage, folder, tmp_path)


@pytest.mark.parametrize("file", ["adapter_model.safetensors", "moved.safetensors", "adapter_config.json", "model.json"])
@pytest.mark.parametrize("damage", ["truncated", "one bit", "missing"])
def test_damaged_files_are_refused(file: str, damage: str, lora_folder: Path, tmp_path: Path) -> None:
    check_refused(file, damage, lora_folder, tmp_path)


def check_refused(file: str, damage: str, lora_folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in lora_folder.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    content = bytearray((copy / file).read_bytes())
    if damage == "missing":
        (copy / file).unlink()
    elif damage == "truncated":
        (copy / file).write_bytes(content[:-7])
    else:
        content[-9] ^= 1
        (copy / file).write_bytes(content)
    with pytest.raises(ModelError) as fault:
        reopen(copy)
    assert file in fault.value.message
    assert damage != "one bit" or "sha256" in fault.value.message


def test_a_missing_tensor_is_named_even_where_the_manifest_agrees(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    model = cells.fitted("bitfit", "classify", "encoder", tmp_path, **FAST)
    saved = cells.saved(model, tmp_path / "saved")
    tensors = load_file(saved / "moved.safetensors")
    lost = sorted(tensors)[3]
    save_file({name: tensor for name, tensor in tensors.items() if name != lost}, saved / "moved.safetensors")
    from accordeur.store import seal

    seal(saved, {})
    with pytest.raises(ModelError, match=lost.replace(".", r"\.")):
        reopen(saved)


def test_a_preparation_of_a_later_version_is_refused(lora_folder: Path, tmp_path: Path) -> None:
    described = read_json(lora_folder / "model.json")
    write_json(tmp_path / "model.json", described)
    with pytest.raises(ModelError, match="another version"):
        moved.open_model(lora_folder, {**described, "surgery": {"name": "telepathy", "settings": {}}})


@pytest.mark.parametrize("method", ["lora", "ia3"])
def test_targets_that_match_nothing_are_refused_naming_what_there_is(method: str, tmp_path: Path) -> None:
    with pytest.raises(RecipeError) as fault:
        cells.fitted(method, "classify", "encoder", tmp_path, targets=["no_such_layer"])
    assert "no_such_layer" in fault.value.message
    assert "query" in fault.value.hint and "dense" in fault.value.hint


def test_a_rank_above_the_width_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"rank 65 is above 64.*query"):
        cells.fitted("lora", "classify", "encoder", tmp_path / "a", rank=65)
    cells.fitted("lora", "classify", "encoder", tmp_path / "b", rank=64)


def test_more_layers_than_there_are_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="expected 1 to 2"):
        cells.fitted("freeze", "classify", "encoder", tmp_path, layers=3)


@pytest.mark.parametrize(
    ("method", "settings"),
    [
        ("lora", {"rank": 0}),
        ("lora", {"b_factor": 0.0}),
        ("lora", {"targets": "query"}),
        ("adapter", {"placement": "nowhere"}),
        ("adapter", {"reduction": 0}),
        ("freeze", {"layers": 0}),
        ("freeze", {"gradual": 1.0}),
        ("full", {"layer_decay": 1.5}),
    ],
)
def test_settings_out_of_range_are_refused(method: str, settings: dict[str, Any]) -> None:
    with pytest.raises(RecipeError, match=next(iter(settings))):
        build_method(method, settings)


@pytest.mark.parametrize("name", ["special_tokens_map.json", "added_tokens.json", "additional_chat_templates/tools.jinja"])
def test_every_file_that_makes_a_tokenizer_names_the_base(name: str, tmp_path: Path) -> None:
    shutil.copytree(tiny("encoder").path, tmp_path / "base")
    before = find_base(str(tmp_path / "base")).fingerprint
    (tmp_path / "base" / name).parent.mkdir(exist_ok=True)
    (tmp_path / "base" / name).write_text("{}", encoding="utf-8")
    assert find_base(str(tmp_path / "base")).fingerprint != before
