"""The pictures that are measured, each with what its release or its generator says of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from earthloom.core.errors import UsageError
from earthloom.evaluate.config import PictureSet
from earthloom.store.selection import CLEAR, list_pairs, lot_of, select
from earthloom.store.shown import Shown
from earthloom.store.stream.sample import Words

Picture = npt.NDArray[np.uint8]
"""H x W x 3, sRGB."""
METADATA = "metadata.jsonl"
"""Beside generated pictures: a line each, with prompt and recipe."""
_TEXTS = ("file_name", "prompt", "text", "modality", "scene")
"""Of such a line, what has to be text where it is not null."""
_NAMES = ("prompt_key", "label")
"""What may also be a whole number."""
_COLUMNS = ("captions", "pair_id", "effect", "country", "stretch", "polarisation", "valid_share")
"""Of a release, beyond what a selection goes by."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One picture of a set. What is not known is None or empty."""

    shown: Shown
    captions: tuple[Words, ...] = ()
    """Of a release."""
    prompt: str | None = None
    """What it was drawn from."""
    prompt_key: str | None = None
    """Id of the pair whose caption that was."""
    label: str | None = None
    """Class of the whole picture: the first label of a pair, the folder of a picture file, or what was asked for."""
    modality: str | None = None
    gsd_m: float | None = None
    scene: str | None = None
    """Weather or light: `clear` for none."""
    is_generated: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)
    """All that its release or its generator has on record."""

    @property
    def key(self) -> str:
        """Id of a pair; path below its folder for a file."""
        return self.shown.key

    @property
    def group(self) -> str:
        """What must stay together when pictures are drawn or dealt: all of one ground."""
        return self.shown.group

    def caption(self, style: str | None = None) -> str | None:
        """The first caption of a style, of any where none is named; else None."""
        return next((words.text for words in self.captions if style in {None, words.style}), None)

    def read(self) -> Picture:
        """Decode the picture as it is displayed. Raises `RecordError`."""
        return self.shown.show()


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenSet:
    """A set whose pictures are listed; none is read yet."""

    name: str
    """Its place in the recipe."""
    place: str
    entries: tuple[Entry, ...]
    is_generated: bool
    details: Mapping[str, Any]


def open_set(name: str, chosen: PictureSet, base: Path) -> OpenSet:
    """List the pictures of a set. A generator's have to be drawn before, and its set to name their folder.

    Args:
        name: the set's place in the recipe.
        chosen: with `folder` or `release`.
        base: folder that paths are relative to.

    Raises:
        UsageError: there is no such place, or no picture in it that was asked for.

    """
    if chosen.release is not None:
        entries = [_describe_pair(facts, shown) for facts, shown in _list_limited(chosen, base)]
    else:
        entries = _list_files(chosen, base)
    return OpenSet(
        name=name,
        place=chosen.place,
        entries=tuple(entries),
        is_generated=any(entry.is_generated for entry in entries),
        details={"split": list(chosen.split), "limit": chosen.limit},
    )


def _list_limited(chosen: PictureSet, base: Path) -> list[tuple[Mapping[str, Any], Shown]]:
    found = list(list_pairs(chosen, base, _COLUMNS))
    if chosen.limit is None or len(found) <= chosen.limit:
        return found
    found.sort(key=lambda pair: lot_of(pair[1].key, chosen))
    return sorted(found[: chosen.limit], key=lambda pair: pair[1].key)


def _describe_pair(facts: Mapping[str, Any], shown: Shown) -> Entry:
    labels = facts.get("labels") or ()
    return Entry(
        shown=shown,
        captions=tuple(_parse_words(words) for words in facts.get("captions") or ()),
        label=next((label["name"] for label in labels if label.get("kind") in {"class", None}), None),
        modality=facts.get("modality"),
        gsd_m=shown.gsd_m,
        scene=CLEAR if shown.effect is None else shown.effect.name,
        facts=facts,
    )


def _parse_words(plain: Mapping[str, Any]) -> Words:
    return Words(
        text=plain["text"], style=plain.get("style"), role=plain.get("role"), author=plain.get("author")
    )


def _list_files(chosen: PictureSet, base: Path) -> list[Entry]:
    root = base / chosen.place
    pictures = select(chosen.model_copy(update={"limit": None}), base)
    told = _read_metadata(root / METADATA)
    if not told:
        return [Entry(shown=shown, label=_name_folder(shown.key)) for shown in _limit(pictures, chosen)]
    listed = [shown for shown in pictures if shown.key in told]
    if not listed:
        raise UsageError(f"{root} holds {METADATA}, but none of the pictures that it lists.")
    return [_describe_drawn(told[shown.key], shown) for shown in _limit(listed, chosen)]


def _limit(pictures: Sequence[Shown], chosen: PictureSet) -> Sequence[Shown]:
    """At most as many as are wanted, in order of their keys: grids beside generated pictures must not count."""
    if chosen.limit is None or len(pictures) <= chosen.limit:
        return pictures
    drawn = sorted(pictures, key=lambda shown: lot_of(shown.key, chosen))
    return sorted(drawn[: chosen.limit], key=lambda shown: shown.key)


def _name_folder(key: str) -> str | None:
    """`river/river_1.jpg` is a picture of the class `river`."""
    folder, slash, _ = key.rpartition("/")
    return folder.rpartition("/")[2] if slash else None


def _read_metadata(path: Path) -> dict[str, Mapping[str, Any]]:
    """Lines by the files that they are about; grids and sheets have none and are no pictures of the set."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")  # a prompt may hold what `splitlines` splits at
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: {error}.") from error
    try:
        rows = [json.loads(line) for line in lines if line.strip()]
        for number, row in enumerate(rows, start=1):
            _check_line(row, number)
        return {row["file_name"]: row for row in rows}
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} wants a JSON object with `file_name` a line: {error}.") from error


def _check_line(row: Mapping[str, Any], number: int) -> None:
    """Raises ValueError where what is known of a picture is of another type than what is reckoned with."""
    if row["file_name"] is None:
        raise ValueError(f"picture {number}: `file_name` wants text, got None")
    wanted: list[tuple[str, Any, str]] = [(name, str, "text") for name in _TEXTS]
    wanted += [(name, str | int, "text or a whole number") for name in _NAMES]
    wanted.append(("gsd_m", int | float, "a number of metres"))
    for name, kind, words in wanted:
        value = row.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, kind)):
            raise ValueError(f"picture {number}: `{name}` wants {words}, got {value!r}")


def _describe_drawn(facts: Mapping[str, Any], shown: Shown) -> Entry:
    is_generated = bool(facts.get("generated"))
    return Entry(
        shown=shown,
        prompt=facts.get("prompt") or facts.get("text"),
        prompt_key=_spell(facts.get("prompt_key")),
        label=_spell(facts.get("label")),
        modality=facts.get("modality"),
        gsd_m=facts.get("gsd_m"),
        scene=facts.get("scene"),
        is_generated=is_generated,
        facts=facts,
    )


def _spell(name: str | int | None) -> str | None:
    return None if name is None else str(name)
