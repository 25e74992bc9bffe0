"""The kinds of slots that sentence frames have: what each needs to be known, and how it is said."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, TypeVar

from earthloom.caption.rules.grammar import Draw
from earthloom.caption.rules.material import Material
from earthloom.core.records import Modality

S = TypeVar("S")

Slot: TypeAlias = tuple[Callable[[Material], bool], Callable[[Material, Draw], str]]
"""Whether it can be said, and the saying of it."""


def always(say: Callable[[Material, Draw], str]) -> Slot:
    """A slot that can always be said."""
    return (lambda _w: True), say


def when(find: Callable[[Material], S | None], say: Callable[[S, Draw], str]) -> Slot:
    """A slot that words one thing, where it is known."""

    def say_found(w: Material, draw: Draw) -> str:
        found = find(w)
        assert found is not None, "frames are used only where their slots are known"
        return say(found, draw)

    return (lambda w: find(w) is not None), say_found


def only_if(is_known: Callable[[Material], bool], say: Callable[[Material, Draw], str]) -> Slot:
    """A slot that is said where a test holds."""
    return is_known, say


def of_modality(modality: Modality, words: str) -> Slot:
    """Fixed words that are said of images of one modality."""
    return only_if(lambda w: w.said.signal.modality is modality, lambda _w, _draw: words)
