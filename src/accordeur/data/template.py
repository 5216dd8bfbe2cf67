"""Templates of prompts: Jinja in a sandbox, over the given columns."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from jinja2 import Template, TemplateError, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from accordeur.errors import RecipeError

MAX_TEMPLATE = 64 * 1024
MAX_RENDERED = 1_000_000


@lru_cache(maxsize=256)
def compiled(template: str) -> Template:
    """A template ready to render. Loops over numbers are bounded by the sandbox; attributes of Python objects are closed."""
    if len(template) > MAX_TEMPLATE:
        raise RecipeError(f"a template of {len(template)} characters; at most {MAX_TEMPLATE} are accepted")
    environment = ImmutableSandboxedEnvironment(keep_trailing_newline=True, undefined=Undefined, autoescape=False)
    try:
        return environment.from_string(template)
    except TemplateError as fault:
        raise RecipeError(f"the template is not valid: {fault}", hint="columns are written {{ text }}") from fault


def render(template: str, values: Mapping[str, Any]) -> str:
    """The template filled with the given columns. What stands in the columns is never itself a template."""
    try:
        text = compiled(template).render(**values)
    except (TemplateError, TypeError, ValueError, OverflowError, MemoryError, ArithmeticError) as fault:
        raise RecipeError(f"the template can't be filled: {fault}", hint=f"columns at hand: {', '.join(values)}") from fault
    if len(text) > MAX_RENDERED:
        raise RecipeError(f"the template made a text of {len(text)} characters; at most {MAX_RENDERED} are accepted")
    return text
