"""The phrases of one image, by the slots that sentence frames have."""

from __future__ import annotations

from functools import cached_property

from earthloom.caption.rules.grammar import Draw
from earthloom.caption.rules.image_slots import IMAGE_SLOTS, SENSING_SLOTS
from earthloom.caption.rules.label_slots import LABEL_SLOTS
from earthloom.caption.rules.material import Material


class Wording(Material):
    """The phrases of one image; what frames mean by the keys of `SLOTS`."""

    @cached_property
    def known(self) -> int:
        """Bits of the slots that can be filled."""
        return sum(bit for bit, is_known in _TESTS if is_known(self))

    def say(self, slot: int, draw: Draw) -> str:
        """Word the slot with this bit."""
        return _SAYERS[slot](self, draw)


_TABLE = IMAGE_SLOTS | SENSING_SLOTS | LABEL_SLOTS
SLOTS: dict[str, int] = {name: 1 << i for i, name in enumerate(_TABLE)}
"""Bit of each slot."""
_TESTS = tuple((SLOTS[name], is_known) for name, (is_known, _) in _TABLE.items())
_SAYERS = {SLOTS[name]: say for name, (_, say) in _TABLE.items()}
