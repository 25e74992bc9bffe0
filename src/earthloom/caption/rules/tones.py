"""Words for how bright a picture is, from its measured percentiles."""

from __future__ import annotations

from earthloom.caption.facts.statements import Brightness, Display, Statements
from earthloom.caption.rules.grammar import Draw
from earthloom.core.records import Modality

_TONES = (
    (0.15, "dark"),
    (0.35, "rather dark"),
    (0.65, "mid-grey"),
    (0.85, "rather bright"),
    (1.01, "bright"),
)
"""Upper end of the median's place between black and white, and the tone (our choice)."""
_CONTRASTS = ((0.2, "little contrast"), (0.5, "moderate contrast"), (2.0, "strong contrast"))
"""Upper end of the distance from the 5th to the 95th percentile between black and white (our choice)."""
_MEASURES = {
    Modality.RGB: "brightness",
    Modality.NIR: "near-infrared brightness",
    Modality.SAR: "radar brightness",
}


def find_scale(said: Statements) -> tuple[float, float] | None:
    """What black and white stand for, in the unit of the brightness; None where that is not known."""
    seen, display = said.brightness, said.display
    if seen is None:
        return None
    if seen.unit != "dB":
        return (0.0, 1.0)
    return None if display is None else (display.low_db, display.high_db)


def say_tone(said: Statements) -> str:
    """`mid-grey`: the median between black and white."""
    seen, scale = said.brightness, find_scale(said)
    assert seen is not None, "a tone is said only of what was measured"
    assert scale is not None, "a tone is said only of a known scale"
    place = (seen.median - scale[0]) / (scale[1] - scale[0])
    tone = next(tone for below, tone in _TONES if place < below or below > 1)
    return "medium-bright" if tone == "mid-grey" and said.signal.modality is Modality.RGB else tone


def say_contrast(said: Statements) -> str:
    """`strong contrast`: how far the 5th and the 95th percentile are apart."""
    seen, scale = said.brightness, find_scale(said)
    assert seen is not None, "contrast is said only of what was measured"
    assert scale is not None, "contrast is said only of a known scale"
    span = (seen.high - seen.low) / (scale[1] - scale[0])
    return next(words for below, words in _CONTRASTS if span < below or below > 1)


def can_say_median(said: Statements) -> bool:
    """Tell whether the median lies within the scale and is large enough to be rounded."""
    seen = said.brightness
    return seen is not None and _can_say(seen, seen.median, said.display)


def say_median(said: Statements, draw: Draw) -> str:
    """`a median backscatter of -12.3 dB`, `a median brightness of 41 %`."""
    seen = said.brightness
    assert seen is not None, "a median is said only where it was measured"
    if seen.unit == "dB":
        return f"a median {draw.pick(('backscatter of', 'of'))} {say_decibels(seen.median)}"
    measure = draw.pick((_MEASURES[said.signal.modality], "brightness"))
    return f"a median {measure} of {100 * seen.median:.0f} %"


def can_say_range(said: Statements) -> bool:
    """Tell whether most of the backscatter lies between two levels that the scale does not cut."""
    seen = said.brightness
    if seen is None or seen.unit != "dB":
        return False
    ends = (seen.low, seen.high)
    return seen.low < seen.high and all(_can_say(seen, end, said.display) for end in ends)


def say_range(seen: Brightness, draw: Draw) -> str:
    """`between -21.4 dB and -6.2 dB`."""
    low, high = say_decibels(seen.low), say_decibels(seen.high)
    return draw.pick((f"between {low} and {high}", f"from {low} to {high}"))


def _can_say(seen: Brightness, value: float, display: Display | None) -> bool:
    if seen.unit != "dB":
        return 0.02 <= value <= 0.98
    is_cut = display is not None and not display.low_db < value < display.high_db
    return not is_cut and 1 <= abs(value) <= 100


def say_decibels(decibels: float) -> str:
    """`-25 dB`."""
    return f"{round(decibels, 1) or 0:g} dB"
