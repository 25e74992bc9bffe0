"""What every recipe of an evaluation says, and the sets of pictures that it names. No torch here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

from pydantic import Field, model_validator

from earthloom.core.settings import Settings
from earthloom.store.selection import Selection, is_uri

_OF_RELEASES = ("split", "effects", "severity", "labels", "source", "gsd_m")
"""Filters that a folder of pictures cannot pass or fail."""


class PictureSet(Selection):
    """Pictures to measure: a folder, pairs of a release, or what a generator draws."""

    generator: dict[str, Any] | None = None
    """Instead of a folder or release: settings of `earthloom generate`, such as `{model: tiny, release: eurosat, split:
    test}`; pictures are drawn into the evaluation's folder, those that lie there already are not drawn again."""

    @model_validator(mode="after")
    def _check_place(self) -> Self:
        n = sum(place is not None for place in (self.folder, self.release, self.generator))
        if n != 1:
            raise ValueError(f"wants one of `folder`, `release` and `generator`, got {n or 'none'} of them.")
        idle = [] if self.release is not None else [name for name in _OF_RELEASES if getattr(self, name)]
        if idle:
            raise ValueError(
                f"wants no `{'`, `'.join(idle)}` without a `release`, which alone has it on record. Leave it out, or "
                "name a folder that holds just those pictures."
            )
        return self


class EvaluationSettings(Settings):
    """What every evaluation has, whatever is measured."""

    name: str = Field(min_length=1, max_length=100, pattern=r"^[\w.\- ]+$")
    """Name of what is measured; the folder is `NAME-evaluation` where none is given."""
    seed: int = 0
    """Of every draw: subsets, resamples, folds, shuffles."""
    resamples: int = Field(1000, ge=100, le=100_000)
    """Bootstrap samples behind an interval."""
    level: float = Field(0.95, gt=0.5, lt=1)
    """Share of the resamples that an interval covers."""
    cache: str | None = Field(None, min_length=1)
    """Folder in which features are kept by content; `~/.cache/earthloom/features` where none is given."""


def list_sets(recipe: Settings) -> Iterator[tuple[str, PictureSet]]:
    """The sets of a recipe by their places in it."""
    for name, field in type(recipe).model_fields.items():
        value = getattr(recipe, name)
        if isinstance(value, PictureSet):
            yield field.alias or name, value


def list_paths(recipe: object) -> Iterator[tuple[str, str]]:
    """Give place and path of all folders and files that a recipe names, from plain values that need not be right.

    Of generators only releases and files of prompts are named: a model may be a name of the Hub's.
    """
    yield from _walk("", recipe, _PATHS)


def _walk(place: str, value: object, names: frozenset[str]) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        for number, each in enumerate(value):
            yield from _walk(f"{place}[{number}]", each, names)
    for name, each in value.items() if isinstance(value, dict) else ():
        below = f"{place}.{name}" if place else str(name)
        if name in names and isinstance(each, str) and each and not is_uri(each):
            yield below, each
        else:
            yield from _walk(below, each, _GENERATOR_PATHS if name == "generator" else names)


_PATHS = frozenset(
    {"folder", "release", "clear", "real_clear", "weights", "candidates", "references", "path"}
)
"""Fields of recipes that name folders or files which have to be there."""
_GENERATOR_PATHS = frozenset({"release", "prompts"})
