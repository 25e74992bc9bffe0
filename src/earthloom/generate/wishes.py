"""From settings to prompts, and to what is wrong with them in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from earthloom.core.errors import Fault, RecipeError
from earthloom.generate.config import GenerateSettings, Wanted, Wish
from earthloom.generate.plan import Asked
from earthloom.generate.prompts import read_prompts

_PLACES = 3
"""Places of a fault that are named."""


def read_asked(settings: GenerateSettings, base: Path) -> list[Asked] | None:
    """Prompts of the command line or of a file; None where they are to come from a release.

    What a row of a file says goes before what the command line says for all; files that it names are relative to it.

    Raises:
        UsageError: there is no such file.
        RecipeError: with every fault of the file.

    """
    common = settings.model_dump(include=set(Wanted.model_fields), exclude_defaults=True)
    if settings.prompt:
        wishes = [
            Wish.model_validate({**common, "prompt": text, "seed": settings.seed}) for text in settings.prompt
        ]
        return [Asked(wish=wish, place=f"prompt {number}") for number, wish in enumerate(wishes, 1)]
    if settings.prompts is None:
        return None
    path = base / settings.prompts
    read = read_prompts(path)[: settings.limit]
    asked, faults = [], []
    for wish, row in read:
        own = wish.model_dump(exclude_unset=True)
        if wish.control is not None:
            own["control"] = str(path.resolve().parent / wish.control)
        try:
            together = Wish.model_validate({**common, **own})
        except ValidationError as error:
            problem = error.errors()[0]["msg"].removeprefix("Value error, ")
            faults.append(Fault(place="row", problem=problem, remedy="", line=row.line))
            continue
        asked.append(Asked(wish=together, place=f"line {row.line} of {path.name}"))
    if faults:
        raise RecipeError(faults, recipe=str(path))
    return asked


def explain_places(problems: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Every problem once, with the places where it stands."""
    for problem, places in problems.items():
        distinct = list(dict.fromkeys(places))
        named = ", ".join(distinct[:_PLACES])
        more = f" and {len(distinct) - _PLACES:,} more" if len(distinct) > _PLACES else ""
        yield f"{problem} ({named}{more})"
