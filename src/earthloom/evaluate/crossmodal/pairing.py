"""Which drawn picture shows the ground of which true one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from earthloom.evaluate.sets import Entry, OpenSet

NameOf = Callable[[Entry], str | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Pairing:
    """Partners of pictures, by the keys of the pictures."""

    rule: str
    """How partners were found, in words."""
    partners: dict[str, Entry]
    """Key of a picture to the picture of the other set that shows its ground."""


def pair_up(pictures: OpenSet, others: OpenSet) -> Pairing:
    """Find for pictures their partners among others: the first rule that gives any is taken for all."""
    for rule, of_picture, of_other in _RULES:
        places = _index(others.entries, of_other)
        partners = {
            entry.key: places[name]
            for entry in pictures.entries
            if (name := of_picture(entry)) is not None and name in places
        }
        if partners:
            return Pairing(rule=rule, partners=partners)
    return Pairing(rule="unpaired: set against set", partners={})


def _index(entries: Iterable[Entry], name_of: NameOf) -> dict[str, Entry]:
    """By names; one that several have is nobody's."""
    found: dict[str, Entry] = {}
    twice = set()
    for entry in entries:
        name = name_of(entry)
        if name is not None:
            twice |= {name} & found.keys()
            found[name] = entry
    return {name: entry for name, entry in found.items() if name not in twice}


def _key(entry: Entry) -> str | None:
    return entry.key


def _prompt_key(entry: Entry) -> str | None:
    return entry.prompt_key


def _pair_id(entry: Entry) -> str | None:
    name = entry.facts.get("pair_id")
    return name if isinstance(name, str) else None


def _stem(entry: Entry) -> str | None:
    """Path without the ending: `a/b.png` pairs with `a/b.tif`."""
    return str(PurePosixPath(entry.key).with_suffix("")) if entry.shown.row is None else None


_RULES: tuple[tuple[str, NameOf, NameOf], ...] = (
    ("by the record that was drawn", _prompt_key, _key),
    ("by the file that was drawn", _prompt_key, _stem),
    ("by pair_id", _pair_id, _pair_id),
    ("by file name", _stem, _stem),
)
"""In words, the name of a picture, the name of its partner that is equal to it."""
