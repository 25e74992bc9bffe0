"""The phrases of one image, by the slots that sentence frames have."""

from __future__ import annotations

from functools import cached_property

from earthloom.caption.facts.statements import Adjacent, Cover, Statements
from earthloom.caption.rules import meaning
from earthloom.caption.rules.content import MIN_SHARE, find_borders
from earthloom.caption.rules.grammar import Draw
from earthloom.caption.rules.image_slots import IMAGE_SLOTS, SENSING_SLOTS
from earthloom.caption.rules.label_slots import LABEL_SLOTS
from earthloom.caption.rules.naming import ImageNames, name_images


class Wording:
    """The phrases of one image; what frames mean by the keys of `SLOTS`."""

    said: Statements
    covers: tuple[Cover, ...]
    """Those that are large enough to be said, largest first."""

    def __init__(self, said: Statements) -> None:
        self.said = said
        self.covers = tuple(cover for cover in said.covers if cover.share >= MIN_SHARE)

    @cached_property
    def images(self) -> ImageNames:
        """What the image may be called."""
        said = self.said
        polarisation = said.polarisation.name if said.polarisation is not None else None
        return name_images(said.signal.modality, said.platform, polarisation, said.synthetic is not None)

    @cached_property
    def known(self) -> int:
        """Bits of the slots that can be filled."""
        return sum(bit for bit, is_known in _TESTS if is_known(self))

    @cached_property
    def themes(self) -> list[str]:
        """Themes of the labels."""
        return meaning.list_themes(self.said)

    @property
    def real_themes(self) -> list[str]:
        """Themes of a place that exists."""
        return [] if self.said.synthetic is not None else self.themes

    def say(self, slot: int, draw: Draw) -> str:
        """Word the slot with this bit."""
        return _SAYERS[slot](self, draw)

    def cover_at(self, rank: int) -> Cover | None:
        """The cover with this rank by share, from 0."""
        return self.covers[rank] if rank < len(self.covers) else None

    @cached_property
    def borders(self) -> tuple[Adjacent, ...]:
        """Borders between covers that can be said, longest first."""
        return find_borders(self.said, self.covers)


_TABLE = IMAGE_SLOTS | SENSING_SLOTS | LABEL_SLOTS
SLOTS: dict[str, int] = {name: 1 << i for i, name in enumerate(_TABLE)}
"""Bit of each slot."""
_TESTS = tuple((SLOTS[name], is_known) for name, (is_known, _) in _TABLE.items())
_SAYERS = {SLOTS[name]: say for name, (_, say) in _TABLE.items()}
