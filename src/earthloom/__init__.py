"""earthloom: text-image datasets of satellite imagery, models trained on them, and measures of the results.

The public face: `build` a release from a `Recipe`, `load_recipe` to read one from YAML. Names are loaded when they
are first used, so that `import earthloom` and `earthloom --help` stay quick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from earthloom.core.errors import EarthloomError, RecipeError, RunError, UsageError
    from earthloom.recipes import load_recipe
    from earthloom.run.build import build
    from earthloom.run.recipe import Recipe
    from earthloom.run.summary import Summary

_HOMES = {
    "EarthloomError": "earthloom.core.errors",
    "Recipe": "earthloom.run.recipe",
    "RecipeError": "earthloom.core.errors",
    "RunError": "earthloom.core.errors",
    "Summary": "earthloom.run.summary",
    "UsageError": "earthloom.core.errors",
    "build": "earthloom.run.build",
    "load_recipe": "earthloom.recipes",
}

__all__ = [
    "EarthloomError",
    "Recipe",
    "RecipeError",
    "RunError",
    "Summary",
    "UsageError",
    "build",
    "load_recipe",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'earthloom' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
