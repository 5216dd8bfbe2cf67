from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from accordeur.base import default_encoder, find_base, open_base, read_header
from accordeur.errors import ModelError

MINILM_SHA = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def folder_of(tmp_path: Path, config: object | str | None = None, weights: bool = True) -> Path:
    folder = tmp_path / "base"
    folder.mkdir(exist_ok=True)
    if config is not None:
        (folder / "config.json").write_text(config if isinstance(config, str) else json.dumps(config))
    if weights:
        save_file({"a": np.ones((3, 4), np.float32)}, folder / "model.safetensors")
    return folder


BERT = {"model_type": "bert", "architectures": ["BertModel"], "hidden_size": 32, "max_position_embeddings": 64}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (None, "no config.json"),
        ("{", "not valid JSON"),
        ({}, "names no model_type"),
        ([], "names no model_type"),
        ({**BERT, "model_type": "nothing"}, "unknown to this version"),
        ({**BERT, "auto_map": {"AutoModel": "evil.Model"}}, "code of its own"),
        ({**BERT, "trust_remote_code": True}, "code of its own"),
    ],
)
def test_a_bad_configuration_is_refused(tmp_path, config, expected):
    with pytest.raises(ModelError, match=expected):
        open_base(folder_of(tmp_path, config), "base")


def test_missing_weights(tmp_path):
    with pytest.raises(ModelError, match="holds no weights"):
        open_base(folder_of(tmp_path, BERT, weights=False), "base")


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "model.pkl", "model.ckpt"])
def test_pickled_weights_are_refused_unopened(tmp_path, name):
    folder = folder_of(tmp_path, BERT, weights=False)
    (folder / name).write_bytes(b"cos\nsystem\n(S'touch canary'\ntR.")
    with pytest.raises(ModelError, match="pickled weights"):
        open_base(folder, "base")


@pytest.mark.parametrize("cut", [0, 4, 20, -1])
def test_truncated_weights(tmp_path, cut):
    folder = folder_of(tmp_path, BERT)
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(ModelError, match="safetensors"):
        open_base(folder, "base")


@pytest.mark.parametrize(
    "header",
    [
        b"not json",
        b"[]",
        b'{"a": {"dtype": "F32", "shape": [1]}}',
        b'{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 400]}}',
    ],
)
def test_damaged_headers(tmp_path, header):
    path = tmp_path / "model.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header + b"\0" * 4)
    with pytest.raises(ModelError, match="safetensors|damaged"):
        read_header(path)


def test_a_header_that_claims_too_much_is_refused_unread(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(struct.pack("<Q", 1 << 40) + b"{}")
    with pytest.raises(ModelError, match="not a whole safetensors file"):
        read_header(path)


@pytest.mark.parametrize("name", ["../../x.safetensors", "/etc/passwd", "absent.safetensors"])
def test_an_index_may_not_point_elsewhere(tmp_path, name):
    folder = folder_of(tmp_path, BERT)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": name}}))
    with pytest.raises(ModelError, match="not in the folder"):
        open_base(folder, "base")


def test_a_path_that_is_not_there_is_no_hub_id():
    with pytest.raises(ModelError, match="no base at"):
        find_base("./nowhere/at-all")


def test_a_file_is_no_base(tmp_path):
    (tmp_path / "x").write_text("x")
    with pytest.raises(ModelError, match="is a file"):
        find_base(str(tmp_path / "x"))


def test_a_hub_that_cannot_be_reached_is_a_clear_error(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelError, match="can't be fetched") as caught:
        find_base("nobody/no-such-model")
    assert caught.value.hint


@pytest.mark.parametrize(
    ("config", "family"),
    [
        ({"model_type": "bert", "architectures": ["BertForMaskedLM"]}, "encoder"),
        ({"model_type": "bert", "architectures": ["BertLMHeadModel"]}, "decoder"),
        ({"model_type": "distilbert"}, "encoder"),
        ({"model_type": "camembert"}, "encoder"),
        ({"model_type": "modernbert"}, "encoder"),
        ({"model_type": "gpt2"}, "decoder"),
        ({"model_type": "llama"}, "decoder"),
        ({"model_type": "qwen2"}, "decoder"),
        ({"model_type": "t5", "is_encoder_decoder": True}, "encoder-decoder"),
        ({"model_type": "bart", "is_encoder_decoder": True}, "encoder-decoder"),
    ],
)
def test_families(tmp_path, config, family):
    assert open_base(folder_of(tmp_path, config), "base").family == family


def test_the_default_encoder_is_the_minilm_we_know():
    base = default_encoder()
    assert (base.family, base.pooling, base.normalised, base.hidden_size, base.positions) == ("encoder", "mean", True, 384, 512)
    assert base.parameters == 22_713_728
    from accordeur.store import digest_file

    assert digest_file(base.path / "model.safetensors") == MINILM_SHA


def test_an_embedded_base_is_found_by_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    base = find_base("accordeur-mini")
    assert (base.name, base.family) == ("accordeur-mini", "decoder")
    assert find_base("accordeur-mini-t5").family == "encoder-decoder"
    (tmp_path / "accordeur-mini").mkdir()
    with pytest.raises(ModelError):  # a folder of that name comes first, and this one holds nothing
        find_base("accordeur-mini")
