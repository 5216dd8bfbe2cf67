"""Method `embedded`: the decoder that comes with the package, as it is, on raw text: a yardstick beside any base."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from accordeur.adapted import AdaptedModel
from accordeur.base import Base, find_base
from accordeur.context import Context
from accordeur.errors import NotApplicable
from accordeur.foundations.default import default_decoder
from accordeur.method import Method
from accordeur.models.domain import untrained
from accordeur.task import Task


@dataclass(frozen=True, kw_only=True)
class EmbeddedMethod(Method):
    """Nothing is learned. Bits per character compare across tokenizers, so it stands beside a base with another one."""

    height: ClassVar[int] = 10
    trained: ClassVar[bool] = False
    seeded: ClassVar[bool] = False

    def fit(self, task: Task, base: Base, context: Context) -> AdaptedModel:
        """Opens it; texts longer than its own context go through it in windows."""
        if task.kind != "text":
            raise NotApplicable(f"the embedded decoder is a yardstick for raw text, not for kind {task.kind}")
        folder = default_decoder(context.cache, context.note)
        own = replace(find_base(str(folder)), name=folder.name)
        if own.fingerprint == base.fingerprint:
            raise NotApplicable("the base is the embedded decoder itself: `prompt` scores it as it is")
        return untrained(replace(task, max_length=min(task.max_length, own.positions or task.max_length)), own, context)
