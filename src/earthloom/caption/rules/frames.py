"""The sentence frames of the rule captioner: for each role, tiers of frames from the richest facts to the barest.

The first tier in which a frame's needs are met is used. Every frame names the image, which is where `synthetic` is
said. The language is that of `earthloom.caption.rules.grammar`; the slots are those of `earthloom.caption.rules.slots`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from earthloom.caption.rules.grammar import Frame, parse_frame
from earthloom.caption.rules.slots import SLOTS

_IMAGE_NAMES = ("an_image", "the_image", "this_image", "full_image", "expanded", "arranged")


@dataclass(frozen=True, eq=False, slots=True)
class Tiers:
    """Frames of one role, those that need the richest facts first."""

    frames: tuple[tuple[Frame, ...], ...]


class Role(StrEnum):
    """What a plain caption is about, in the order in which they are written."""

    OVERVIEW = "overview"
    COMPOSITION = "composition"
    ARRANGEMENT = "arrangement"
    CONDITIONS = "conditions"
    INTERPRETATION = "interpretation"


def parse_tiers(tiers: tuple[tuple[str, ...], ...]) -> Tiers:
    """Parse tiers of frames; each names the image."""
    for frame in (frame for tier in tiers for frame in tier):
        assert any(f"{{{name}}}" in frame or f"{{^{name}}}" in frame for name in _IMAGE_NAMES), (
            f"no image is named in {frame!r}"
        )
    return Tiers(tuple(tuple(parse_frame(frame, SLOTS) for frame in tier) for tier in tiers))
