"""The experiments that come with earthloom, and those of files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from earthloom.core.errors import UsageError
from earthloom.experiments.config import ExperimentSettings
from earthloom.experiments.loading import Experiment, Request, parse_experiment
from earthloom.recipes.load import read_text

ORDER = ("finetune", "prompt_richness", "rgb_to_sar", "sar_checks", "scenes", "prompt_alignment")
"""The shipped ones, in the order in which one would do them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """What comes with earthloom."""

    experiments: tuple[ExperimentSettings, ...]

    def to_json(self) -> list[dict[str, Any]]:
        """Plain values."""
        return [
            {
                "experiment": each.experiment,
                "title": each.title,
                "question": each.question,
                "sizes": list(each.sizes),
            }
            for each in self.experiments
        ]

    def to_text(self) -> str:
        """A paragraph each."""
        return "\n".join(
            f"{each.experiment:<17} {each.title} ({', '.join(each.sizes)})\n{'':<17} {each.question}"
            for each in self.experiments
        )


def list_experiments() -> Listing:
    """The experiments that come with earthloom."""
    found = [yaml.safe_load(_read_shipped(name)) for name in ORDER]
    return Listing(experiments=tuple(ExperimentSettings.model_validate(each) for each in found))


def read_experiment(name: str) -> str:
    """The text of an experiment: one that comes with earthloom by its name, another by its file.

    Raises:
        RecipeError: the file cannot be read.
        UsageError: there is neither.

    """
    if name in ORDER:
        return _read_shipped(name)
    if not _is_file(name):
        raise UsageError(
            f"There is no experiment {name!r}: wants the path of a .yaml or one of {', '.join(ORDER)}."
        )
    return read_text(Path(name))


def load_experiment(
    name: str,
    *,
    size: str | None = None,
    given: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Experiment:
    """Read an experiment and check it whole.

    Args:
        name: of one that comes with earthloom, or path of a file. Paths in the first are relative to the current
            folder, in the second to the file's.
        size: one of its sizes; its own where there is none.
        given: values by name, as YAML, in place of those of the size. What names something in the current folder is
            that.
        folder: where it is done.

    Raises:
        RecipeError: with every fault, its line and its remedy.
        UsageError: there is no such experiment, or a value is no YAML.

    """
    text = read_experiment(name)
    request = Request(
        size=size,
        given={each: _parse_value(each, told) for each, told in (given or {}).items()},
        base=Path.cwd() if name in ORDER else Path(name).resolve().parent,
        folder=None if folder is None else folder.resolve(),
    )
    return parse_experiment(text, request, name)


def parse_given(told: list[str]) -> dict[str, str]:
    """Split `NAME=VALUE` as typed. Raises `UsageError`."""
    given: dict[str, str] = {}
    for text in told:
        name, sign, value = text.partition("=")
        if not (name and sign and value):
            raise UsageError(f"--set wants NAME=VALUE, such as data=../eurosat_rgb.tar, got {text!r}.")
        if name in given:
            raise UsageError(f"--set {name} stands twice, as {given[name]!r} and {value!r}; keep one.")
        given[name] = value
    return given


def _parse_value(name: str, told: str) -> Any:
    try:
        value = yaml.safe_load(told)
    except yaml.YAMLError as error:
        raise UsageError(f"--set {name} wants a value in YAML, got {told!r}: {error}.") from error
    if isinstance(value, str) and Path(value).exists():
        return str(Path(value).resolve())
    return value


def _is_file(name: str) -> bool:
    return name.endswith((".yaml", ".yml")) or Path(name).is_file()


def _read_shipped(name: str) -> str:
    return (files("earthloom.experiments") / "recipes" / f"{name}.yaml").read_text(encoding="utf-8")
