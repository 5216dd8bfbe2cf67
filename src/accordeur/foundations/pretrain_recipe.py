"""A pretraining recipe: a YAML file that says which texts, which shape and how long."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from accordeur.errors import RecipeError
from accordeur.foundations.corpus import Source, without
from accordeur.foundations.families import Objective, settings_of
from accordeur.foundations.pretrain import PretrainRequest
from accordeur.foundations.shapes import Family, Shape
from accordeur.training.settings import Optimizer, Schedule

MAX_BYTES = 256 * 1024


class Texts(BaseModel):
    """Files by a pattern; ${NAME} stands for an environment variable. Of JSON lines, which columns are read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    files: str
    columns: list[str] = Field(default=["text"], min_length=1)


class PretrainRecipe(BaseModel):
    """Everything that a pretraining needs to know. Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    about: str = ""  # the data and their licences, for the model card
    limits: str = ""  # for the model card as well
    family: Family = "gpt"
    objective: Objective | None = None
    layers: int = Field(ge=1, le=200)
    width: int = Field(ge=8, le=16384)
    heads: int = Field(ge=1, le=256)
    context: int = Field(default=512, ge=8, le=65536)
    vocabulary: int = Field(default=8192, ge=300, le=2**20)
    tokenizer: str | None = None
    tokenizer_characters: int = Field(default=30_000_000, ge=1000)
    texts: list[Texts] = Field(min_length=1)
    held_out: list[Texts] = Field(min_length=1)
    optimizer: Optimizer = "adamw"
    schedule: Schedule = "linear"
    rate: float | None = Field(default=None, gt=0)
    weight_decay: float = Field(default=0.1, ge=0)
    warmup: float = Field(default=0.03, ge=0)
    batch_rows: int = Field(default=4, ge=1)
    steps: int | None = Field(default=None, ge=1)
    held_out_rows: int = Field(default=64, ge=1)
    seed: int = 0
    minutes: float | None = Field(default=None, gt=0)

    def request(self) -> PretrainRequest:
        """The request that this describes; RecipeError where a pattern finds nothing."""
        shape = Shape(layers=self.layers, width=self.width, heads=self.heads, context=self.context, vocabulary=self.vocabulary)
        settings = settings_of(
            self.family,
            rate=self.rate or shape.rate,
            optimizer=self.optimizer,
            weight_decay=self.weight_decay,
            schedule=self.schedule,
            warmup=self.warmup,
            batch_rows=self.batch_rows,
        )
        held_out = found(self.held_out)
        return PretrainRequest(
            texts=without(found(self.texts), held_out),
            held_out=held_out,
            shape=shape,
            family=self.family,
            objective=self.objective,
            tokenizer=Path(self.tokenizer) if self.tokenizer else None,
            tokenizer_characters=self.tokenizer_characters,
            settings=settings,
            steps=self.steps,
            held_out_rows=self.held_out_rows,
        )


def found(given: list[Texts]) -> tuple[Source, ...]:
    """The files behind the patterns, in a fixed order; what is held out is left out of the texts afterwards."""
    everything = []
    for entry in given:
        pattern = Path(os.path.expandvars(entry.files)).expanduser()
        if "$" in str(pattern):
            raise RecipeError(
                f"{entry.files} names an environment variable that isn't set", hint="set it to the folder of the data"
            )
        files = sorted(path for path in pattern.parent.glob(pattern.name) if path.is_file())
        if not files:
            raise RecipeError(f"no file matches {pattern}")
        everything += [Source(path=path, columns=tuple(entry.columns)) for path in files]
    return tuple(everything)


def read_pretrain_recipe(path: Path, instead: Mapping[str, Any] | None = None) -> PretrainRecipe:
    """A recipe from a YAML file, some of its values replaced. RecipeError names every wrong key at once."""
    if not path.is_file() or path.stat().st_size > MAX_BYTES:
        raise RecipeError(f"{path} is no file of at most {MAX_BYTES // 1024} kB", hint="expected a YAML recipe")
    try:
        values = YAML(typ="safe").load(path.read_text("utf-8"))
        return PretrainRecipe.model_validate({**values, **(instead or {})} if isinstance(values, dict) else values)
    except (YAMLError, UnicodeDecodeError) as fault:
        raise RecipeError(f"{path} is not valid YAML: {fault}") from fault
    except ValidationError as fault:
        lines = "; ".join(f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in fault.errors())
        raise RecipeError(f"{path}: {lines}") from fault
