"""Which pictures are to be drawn: their names, seeds and sizes, decided before anything is drawn."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from earthloom.core.errors import UsageError
from earthloom.core.ids import make_id
from earthloom.core.seeds import stable_hash
from earthloom.generate.config import MAX_SEED, GenerateSettings, Wish
from earthloom.models.generators.briefs import FACTS, Brief, Picture

_MAX_NAME = 150
"""Letters of a key in a name; file systems take 255 bytes."""
_SHEET = re.compile(r"grid(-\d+)?", re.IGNORECASE)
"""Names of sheets, which no picture may have."""
_SLUG = 48
"""Letters of the prompt in a name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """One prompt that is asked for, wherever it came from."""

    wish: Wish
    place: str
    """Where it stands, for messages: `line 3 of prompts.csv`, `--prompt`."""
    key: str | None = None
    """Of the record of a release that it describes."""
    control_key: str | None = None
    """Key of the record of a release that is drawn from."""
    control_position: int | None = None
    """Where that stands in its stream."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """One picture to draw."""

    key: str
    """Name of its file, without the ending."""
    prompt_key: str
    """Equal for all pictures of one prompt; the record's id for prompts of a release."""
    asked: Asked
    seed: int
    width: int
    height: int

    def to_brief(self, control: Picture | None = None) -> Brief:
        """Make what a generator is asked for."""
        wish = self.asked.wish
        return Brief(
            key=self.key,
            prompt=wish.prompt,
            negative=wish.negative,
            seed=self.seed,
            width=self.width,
            height=self.height,
            control=control,
            **{name: getattr(wish, name) for name in FACTS},
        )

    @property
    def has_control(self) -> bool:
        """Whether it is drawn from another picture."""
        return self.asked.wish.control is not None or self.asked.control_position is not None

    def to_recipe(self) -> dict[str, Any]:
        """What was asked for, as JSON values."""
        wish = self.asked.wish
        facts = wish.model_dump(mode="json", include=set(FACTS))
        return {
            "key": self.key,
            "prompt_key": self.prompt_key,
            "prompt": wish.prompt,
            "negative": wish.negative,
            **facts,
            "seed": self.seed,
            "width": self.width,
            "height": self.height,
        }


def plan_tasks(asked: Sequence[Asked], settings: GenerateSettings, size: tuple[int, int]) -> list[Task]:
    """Plan all pictures, in the order of the prompts; none depends on which others there are.

    A prompt of the command line has the run's seed, the one after it for its second picture, and so on, so that
    prompts can be compared; other prompts have seeds of their own, drawn from the run's seed and their keys.
    """
    tasks: list[Task] = []
    seen: dict[str, int] = {}
    for entry in asked:
        key = entry.key or entry.wish.key or name_wish(entry.wish)
        before = seen.get(key, 0)
        seen[key] = before + settings.n
        tasks += _plan_one(entry, key, range(before, before + settings.n), settings, size)
    _check_names(tasks)
    return tasks


def name_wish(wish: Wish) -> str:
    """Make a name of what a prompt says, and of all that goes with it: equal wishes have equal names."""
    slug = re.sub(r"[^a-z0-9]+", "-", wish.prompt.lower()).strip("-")[:_SLUG].rstrip("-")
    digest = make_id(wish.model_dump_json(exclude={"seed"}, exclude_defaults=True))[:8]
    return f"{slug}-{digest}" if slug else digest


def name_file(key: str) -> str:
    """Make a file's name of a key; where something had to go, or a sheet is called so, a hash of it stands behind."""
    plain = re.sub(r"[^A-Za-z0-9_.\-]+", "-", key).strip("-.")[:_MAX_NAME]
    is_free = plain == key and not _SHEET.fullmatch(plain)
    return plain if is_free else f"{plain}-{make_id(key)[:8]}".lstrip("-")


def _check_names(tasks: Sequence[Task]) -> None:
    """No picture overwrites another, not even where file systems ignore case."""
    first: dict[str, Task] = {}
    for task in tasks:
        before = first.setdefault(task.key.casefold(), task)
        if before is not task:
            raise UsageError(
                f"{before.asked.place} and {task.asked.place} both ask for a picture {task.key}: give them other keys."
            )


def _plan_one(
    asked: Asked, key: str, numbers: range, settings: GenerateSettings, size: tuple[int, int]
) -> Iterator[Task]:
    name = name_file(key)
    for number in numbers:
        own = asked.wish.seed
        seed = _draw_seed(settings.seed, key, number) if own is None else (own + number) % (MAX_SEED + 1)
        yield Task(
            key=name + _end_name(asked.wish, number, seed, is_alone=settings.n == 1 and not number),
            prompt_key=key,
            asked=asked,
            seed=seed,
            width=size[0],
            height=size[1],
        )


def _end_name(wish: Wish, number: int, seed: int, *, is_alone: bool) -> str:
    """What tells pictures of one prompt apart: the seed, where it is the prompt's own, else a number from 1."""
    if wish.seed is not None and wish.key is None:
        return f"-s{seed}"
    return "" if is_alone else f"-{number + 1}"


def _draw_seed(seed: int, key: str, number: int) -> int:
    """32 bits: web interfaces take no more."""
    return stable_hash(seed, "picture", key, str(number)) % 2**32
