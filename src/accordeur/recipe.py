"""The request: task, base, methods, seeds and budget, from a YAML file or the command line's arguments."""

from __future__ import annotations

import difflib
import io
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError, SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent
from ruamel.yaml.nodes import MappingNode

from accordeur.errors import RecipeError

MAX_BYTES = 256 * 1024
MAX_DEPTH = 32
MAX_OPEN = 256  # brackets open at once in the text, strings included, before it is parsed: the parser slows down with each
MAX_NAME = 255  # bytes of a file name
DATA_FOLDER = "ACCORDEUR_DATA"  # the variable that names the folder in which a recipe's data is looked for last
WHOLE = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")  # the numbers of YAML 1.2; anything else is text
DECIMAL = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
Lines = Mapping[tuple[str, ...], int]
Language = Literal["en", "fr"]


class Recipe(BaseModel):
    """Everything that `accordeur compare` needs to know. Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    data: str
    test: str | None = None
    validation: str | None = None
    mapping: dict[str, str] = Field(default_factory=dict, alias="map", serialization_alias="map")
    where: dict[str, str] = Field(default_factory=dict)  # column -> value: only the rows that have it
    group: str | None = None
    separator: str | None = None
    kind: str | None = None
    base: str | None = None
    methods: dict[str, dict[str, Any]] | None = None  # None: every method that applies
    seeds: int = Field(default=1, ge=1, le=100)
    budget: float = Field(default=5.0, gt=0, le=100_000, allow_inf_nan=False)  # minutes per run
    metric: str | None = None
    tolerance: float | None = Field(default=None, ge=0, le=100, allow_inf_nan=False)
    max_length: int = Field(default=512, ge=8, le=1_000_000)
    beams: int = Field(default=1, ge=1, le=64)  # of the search by which answers are written; 1 is greedy
    template: str | None = None
    prompts: list[str] = Field(default_factory=list)  # files
    definitions: dict[str, str] = Field(default_factory=dict)  # label -> description
    retain: str | None = None
    text: str | None = None  # file or folder of raw text, for the methods that read before they learn
    price_per_hour: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    rows: int | None = Field(default=None, ge=10)  # use at most so many rows, chosen by the seed
    train_sizes: list[int | Literal["all"]] = Field(default_factory=list)  # numbers of train rows to try; all is always run
    slices: list[str] = Field(default_factory=list, alias="slice", serialization_alias="slice")  # columns of the test rows
    also: dict[str, str] = Field(default_factory=dict)  # name -> file on which every run is scored too
    sweep: dict[str, dict[str, list[Any]]] = Field(default_factory=dict)  # method -> setting -> values to try
    full_sweep: bool = False  # train every candidate of a sweep to its end
    device: str | None = Field(default=None, pattern="^(cpu|mps|cuda(:[0-9]+)?)$")  # none: what the machine offers
    dtype: Literal["float32", "bfloat16", "float16"] | None = None  # of training; none: what the machine does well
    threads: int | None = Field(default=None, ge=1, le=1024)
    micro_tokens: int | None = Field(default=None, ge=1, le=10_000_000)  # padded tokens of one pass
    out: str | None = None
    force: bool = False  # go on in spite of the errors that the audit finds
    language: Language = "en"

    @field_validator("data", "test", "validation", "base", "retain", "text", "out", "prompts")
    @classmethod
    def _possible(cls, value: str | list[str] | None) -> str | list[str] | None:
        """Names that a file system can hold."""
        for name in [value] if isinstance(value, str) else value or []:
            if "\0" in name:
                raise ValueError("a name with a NUL character")
            longest = max(len(part.encode("utf-8", "replace")) for part in name.split("/"))
            if longest > MAX_NAME:
                raise ValueError(f"a name of {longest} bytes; names of files have at most {MAX_NAME}")
        return value

    @field_validator("methods", mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        """A list of names, or of {name: settings}, is the same as one mapping from name to settings."""
        if not isinstance(value, list):
            return {name: settings or {} for name, settings in value.items()} if isinstance(value, dict) else value
        found: dict[str, Any] = {}
        for entry in value:
            pairs = entry.items() if isinstance(entry, dict) else [(entry, {})]
            for name, settings in pairs:
                if not isinstance(name, str):
                    raise ValueError(f"{name!r} is not the name of a method")
                if name in found:
                    raise ValueError(f"method {name!r} is listed twice")
                found[name] = settings or {}
        return found

    @field_validator("train_sizes")
    @classmethod
    def _sizes(cls, value: list[int | Literal["all"]]) -> list[int | Literal["all"]]:
        """Numbers of rows from which something can be learned."""
        if any(size != "all" and size < 2 for size in value):
            raise ValueError("a size is a number of train rows, 2 or more, or `all`")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Recipe:
        if self.methods is not None and not self.methods:
            raise ValueError("methods: an empty list; leave it out for every method that applies")
        return self

    def machine(self) -> dict[str, Any]:
        """What is asked of the device plan."""
        asked = {name: getattr(self, name) for name in ("device", "dtype", "threads", "micro_tokens")}
        return {name: value for name, value in asked.items() if value is not None}

    def plain(self) -> dict[str, Any]:
        """As JSON-ready data, without what is left at its default."""
        return self.model_dump(by_alias=True, exclude_defaults=True)


def parse_recipe(values: Mapping[str, Any], where: str = "recipe", lines: Lines | None = None) -> Recipe:
    """Checks a recipe; all its faults are reported at once, unknown keys with the nearest known one.

    `lines`: where in the file each key stands, by its path.
    """
    try:
        return Recipe.model_validate(dict(values))
    except ValidationError as fault:
        found = [(line_of(error["loc"], lines or {}), explain(error)) for error in fault.errors()]
        place = f":{found[0][0]}" if len(found) == 1 and found[0][0] else ""
        faults = [message if place or not line else f"line {line}: {message}" for line, message in found]
        hint = "see `accordeur compare --help` for the keys"
        raise RecipeError("; ".join(faults), where=where + place, hint=hint) from fault


def line_of(loc: tuple[int | str, ...], lines: Lines) -> int:
    """The line of the innermost key of a fault that stands in the file, or 0."""
    path = tuple(map(str, loc))
    return next((lines[path[:size]] for size in range(len(path), 0, -1) if path[:size] in lines), 0)


def explain(error: Any) -> str:
    """One fault in words: the key, what was expected, what was found."""
    key = ".".join(str(part) for part in error["loc"]) or "recipe"
    if error["type"] == "extra_forbidden":
        close = difflib.get_close_matches(key, known_keys(), n=1, cutoff=0.6)
        known = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known_keys())}"
        return f"unknown key {key[:80]!r} ({known})"
    if error["type"] == "missing":
        return f"key {key!r} is missing"
    message = str(error["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    return message if error["loc"] == () else f"{key[:80]}: {message}, found {str(error['input'])[:80]!r}"


def known_keys() -> list[str]:
    """The keys of a recipe as they are written."""
    return [field.alias or name for name, field in Recipe.model_fields.items()]


def load_recipe(path: Path) -> Recipe:
    """Reads a YAML 1.2 recipe. Nothing in it is ever expanded or run.

    Relative paths are looked for beside the recipe, then in the working directory, and those of data at last in the folder
    that the environment variable ACCORDEUR_DATA names.
    """
    recipe = parse_recipe(*read_yaml(path))
    return recipe.model_copy(update=resolved_paths(recipe, path.parent))


def resolved_paths(recipe: Recipe, folder: Path) -> dict[str, Any]:
    """The file-valued keys, each at the first place where such a file exists; as it stands where there is none."""
    shared = os.environ.get(DATA_FOLDER)

    def resolve(value: str, *, data: bool = True) -> str:
        places = [str(folder / value), value, *([str(Path(shared) / value)] if shared and data else [])]
        return next((place for place in places if os.path.lexists(place)), value)

    single = {key: resolve(value) for key in ("data", "test", "validation", "retain", "text") if (value := getattr(recipe, key))}
    base = {"base": resolve(recipe.base, data=False)} if recipe.base else {}
    prompts = [resolve(name, data=False) for name in recipe.prompts]
    return {**single, **base, "prompts": prompts, "also": {name: resolve(file) for name, file in recipe.also.items()}}


class Plain(SafeConstructor):
    """Scalars by the core schema of YAML 1.2, exactly: dates, times and 1_000 are text."""


def number_or_text(constructor: Plain, node: Any) -> Any:
    """A number only where YAML 1.2 has one."""
    if WHOLE.fullmatch(node.value):
        return int(node.value, 0) if node.value[:2] in ("0o", "0x") else int(node.value)
    return constructor.construct_yaml_float(node) if DECIMAL.fullmatch(node.value) else node.value


for tag in ("int", "float"):
    Plain.add_constructor(f"tag:yaml.org,2002:{tag}", number_or_text)
Plain.add_constructor("tag:yaml.org,2002:timestamp", lambda _, node: node.value)


def parser() -> YAML:
    """A reader of YAML 1.2 that builds nothing but plain data."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = Plain
    return yaml


def load_yaml(path: Path) -> dict[str, Any]:
    """One YAML 1.2 mapping from a file: no aliases, no tags, no duplicate keys, at most 256 KB and 32 levels."""
    return read_yaml(path)[0]


def read_yaml(path: Path) -> tuple[dict[str, Any], str, Lines]:
    """(the mapping, the name of the file, the line of each key by its path). Raises RecipeError."""
    text = read_small_text(path)
    try:
        check_events(text, path)
        value = parser().load(io.StringIO(text))
        lines = dict(key_lines(YAML(typ="safe", pure=True).compose(io.StringIO(text))))
    except DuplicateKeyError as fault:
        line = f":{fault.problem_mark.line + 1}" if fault.problem_mark else ""
        problem = str(fault.problem or "duplicate key").splitlines()[0].partition(" with value")[0]
        raise RecipeError(problem, where=f"{path}{line}", hint="keep one of the two") from fault
    except (YAMLError, ValueError, RecursionError) as fault:
        mark = fault.problem_mark if isinstance(fault, MarkedYAMLError) else None
        line = f":{mark.line + 1}" if mark else ""
        problem = fault.problem if isinstance(fault, MarkedYAMLError) else str(fault)
        raise RecipeError(f"not valid YAML: {str(problem).splitlines()[0]}", where=f"{path}{line}") from fault
    if not isinstance(value, dict):
        found = {"NoneType": "nothing", "list": "a list", "str": "one text"}.get(type(value).__name__, type(value).__name__)
        hint = "the smallest recipe is `data: FILE`"
        raise RecipeError(f"expected keys and values, found {found}", where=str(path), hint=hint)
    if not all(isinstance(key, str) for key in value):
        raise RecipeError("every key must be a word", where=str(path))
    return value, str(path), lines


def key_lines(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], int]]:
    """(path of a key, its line) of every key below a node."""
    if isinstance(node, MappingNode):
        for key, value in node.value:
            inner = (*path, str(key.value))
            yield inner, key.start_mark.line + 1
            yield from key_lines(value, inner)


def read_small_text(path: Path) -> str:
    """A UTF-8 file of at most 256 KB, with or without a byte-order mark."""
    if not os.path.isfile(path):  # noqa: PTH113  (a name that is too long is no file either)
        raise RecipeError("no such recipe file", where=str(path))
    if path.stat().st_size > MAX_BYTES:
        raise RecipeError(f"{path.stat().st_size} bytes; a recipe has at most {MAX_BYTES}", where=str(path))
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise RecipeError(f"not UTF-8 at byte {fault.start}", where=str(path), hint="save it as UTF-8") from fault


def check_events(text: str, path: Path) -> None:
    """Refuses what a recipe never needs: aliases (which can blow up), tags (which name types), deep nesting, two documents."""
    if max(text.count("[") - text.count("]"), text.count("{") - text.count("}")) > MAX_OPEN:
        raise RecipeError(f"nested deeper than {MAX_DEPTH} levels", where=str(path))
    depth = documents = 0
    for event in parser().parse(io.StringIO(text)):
        name = type(event).__name__
        where = f"{path}:{event.start_mark.line + 1}"
        depth += name.endswith("StartEvent") - name.endswith("EndEvent")
        documents += name == "DocumentStartEvent"
        if isinstance(event, AliasEvent):
            raise RecipeError("aliases (*name) are not accepted", where=where, hint="write the value out")
        if getattr(event, "tag", None) not in (None, "!"):
            raise RecipeError(f"tags are not accepted: {event.tag}", where=where, hint="remove the tag")
        if depth > MAX_DEPTH:
            raise RecipeError(f"nested deeper than {MAX_DEPTH} levels", where=where)
        if documents > 1:
            raise RecipeError("two documents in one file", where=where, hint="keep one, without `---`")


def dump_recipe(recipe: Recipe) -> str:
    """The recipe as YAML, as `--save-recipe` writes it."""
    stream = io.StringIO()
    writer: Any = YAML(typ="safe", pure=True)
    writer.default_flow_style = False
    writer.sort_base_mapping_type_on_output = False
    writer.dump(recipe.plain(), stream)
    return stream.getvalue()
