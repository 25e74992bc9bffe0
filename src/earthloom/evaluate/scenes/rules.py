"""What must be so in one picture with an effect, beside its clear original.

Thresholds hold for tiles of 256 pixels as JPEG of quality 95, and were set on NAIP, Sentinel-2, Landsat 8 and airborne
pictures so that at most one in twenty of the effects of `synthesize` fails, and pictures of other ground do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from earthloom.core.records import SEVERITIES
from earthloom.evaluate.scenes import readings
from earthloom.evaluate.scenes.readings import VEILS, Case, Reading
from earthloom.metrics.scenes import SHADOW_WITHIN, STREAK_LIMIT, WATER_WITHIN

_DARK = frozenset({"low_light"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One rule."""

    name: str
    question: str
    """What has to be so."""
    bound: str | Callable[[str], str]
    """In words, or what says it for an effect."""
    unit: str
    effects: frozenset[str] | None
    """None for all."""
    read: Callable[[Case], Reading]
    unjudged: str
    """Why it could not be judged in any picture."""

    def say_bound(self, effect: str) -> str:
        """What is wanted of an effect."""
        return self.bound if isinstance(self.bound, str) else self.bound(effect)


def _say_structure(effect: str) -> str:
    return _say_steps(readings.STRUCTURE[readings.find_family(effect)])


def _say_gradients(effect: str) -> str:
    return _say_steps(readings.GRADIENTS[readings.find_family(effect)])


def _say_steps(least: tuple[float, ...]) -> str:
    if len(set(least)) == 1:
        return f"at least {least[0]:g}"
    return "at least " + ", ".join(
        f"{value:g} ({word})" for word, value in zip(SEVERITIES, least, strict=True)
    )


RULES: tuple[Rule, ...] = (
    Rule(
        name="structure",
        question="The ground keeps its structure (structure term)",
        bound=_say_structure,
        unit="",
        effects=None,
        read=readings.read_structure,
        unjudged="nothing of the ground is seen",
    ),
    Rule(
        name="edges",
        question="Edges stay where they were (correlation of gradients)",
        bound=_say_gradients,
        unit="",
        effects=None,
        read=readings.read_gradients,
        unjudged="too little of the ground is seen, or too smooth a ground",
    ),
    Rule(
        name="transmission",
        question="As much light passes as the record says",
        bound=f"apart by at most {readings.TRANSMISSION_WITHIN:g}",
        unit="",
        effects=VEILS,
        read=readings.read_transmission,
        unjudged="no transmission on record, or ground without contrast",
    ),
    Rule(
        name="dark_channel",
        question="Nothing is darker under the veil",
        bound="a dark channel that does not fall",
        unit="",
        effects=VEILS,
        read=readings.read_dark_channel,
        unjudged="",
    ),
    Rule(
        name="shadow_offset",
        question="Shadows lie where the sun puts them",
        bound=f"within {SHADOW_WITHIN:.0%} of the side",
        unit="% of the side",
        effects=frozenset({"cloud"}),
        read=readings.read_shadow,
        unjudged="no sun on record, or no shadow that can be found again",
    ),
    Rule(
        name="water",
        question="No snow lies on water",
        bound=f"a mean change of light of at most {WATER_WITHIN:g}",
        unit="",
        effects=frozenset({"snow"}),
        read=readings.read_water,
        unjudged="no picture with water beyond doubt",
    ),
    Rule(
        name="streaks",
        question="No streaks of falling flakes",
        bound=f"a share of one direction of at most {STREAK_LIMIT:g}",
        unit="",
        effects=frozenset({"snow"}),
        read=readings.read_streaks,
        unjudged="nothing fine was added",
    ),
    Rule(
        name="ndsi",
        question="Snow is dark in short-wave infrared (NDSI over 0.4)",
        bound="over 0.4",
        unit="",
        effects=frozenset({"snow"}),
        read=readings.read_nothing,
        unjudged="RGB pictures hold no short-wave infrared band",
    ),
    Rule(
        name="light_left",
        question="As little light is left as the record says",
        bound=f"apart by at most {readings.LIGHT_WITHIN:.0%}",
        unit="of it",
        effects=_DARK,
        read=readings.read_light,
        unjudged="no ratio of light on record, or pictures that were exposed anew",
    ),
    Rule(
        name="before_noise",
        question="Before noise the ground keeps its structure",
        bound=f"at least {readings.LEAST_BEFORE_NOISE:g}",
        unit="",
        effects=_DARK,
        read=readings.read_before_noise,
        unjudged="not on record",
    ),
)
"""In the order in which they are shown."""
