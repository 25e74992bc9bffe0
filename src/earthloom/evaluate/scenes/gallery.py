"""Pictures to look at: which ones, and small copies of them that a page carries within."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from earthloom.core.seeds import stable_hash
from earthloom.evaluate.page.grids import copy_picture
from earthloom.evaluate.scenes.pictures import Reader, Variant, Weather
from earthloom.evaluate.scenes.report import Measured, say
from earthloom.store.shown import Shown

_FAILURES = 3
_REAL = 6
_UNPAIRED = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class Plate:
    """A picture with an effect, its original, and why it is shown."""

    why: str
    """Such as `best`, or which gates it fails."""
    is_failure: bool
    measured: Measured
    before: str
    after: str
    """Small copies as `data:` addresses."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Gallery:
    """What the page shows of one effect."""

    plates: tuple[Plate, ...]
    unpaired: tuple[str, ...]
    """Pictures without an original, where there are no plates."""
    real: tuple[str, ...]
    """Real pictures with such weather."""


def make_gallery(weather: Weather, measured: Sequence[Measured], reader: Reader) -> Gallery:
    """Choose and shrink: failures first, then worst, median and best by structure; real ones to set beside them."""
    by_key = {variant.after.key: variant for variant in weather.variants}
    chosen = choose_plates(measured)
    plates = [_make_plate(why, one, by_key[one.key], reader) for why, one in chosen]
    unpaired = [] if chosen else [variant.after for variant in weather.variants]
    return Gallery(
        plates=tuple(plate for plate in plates if plate is not None),
        unpaired=_shrink_some(unpaired, _UNPAIRED, reader),
        real=_shrink_some(weather.real, _REAL, reader),
    )


def choose_plates(measured: Sequence[Measured]) -> list[tuple[str, Measured]]:
    """Why each is shown, and which; none twice."""
    ranked = sorted(measured, key=lambda one: (_rank(one), one.key))
    failures = [one for one in sorted(ranked, key=lambda one: -len(one.failed)) if one.failed][:_FAILURES]
    chosen = [(f"fails {', '.join(say(name) for name in one.failed)}", one) for one in failures]
    spots: tuple[tuple[str, Callable[[int], int]], ...] = (
        ("least structure", lambda n: 0),
        ("lower quarter", lambda n: n // 4),
        ("median", lambda n: n // 2),
        ("upper quarter", lambda n: 3 * n // 4),
        ("most structure", lambda n: n - 1),
    )
    taken = {one.key for one in failures}
    for why, place in spots:
        if ranked and (one := ranked[place(len(ranked))]).key not in taken:
            taken.add(one.key)
            chosen.append((why, one))
    return chosen


def _rank(one: Measured) -> float:
    return one.kept.structure_whole if one.kept.structure is None else one.kept.structure


def _make_plate(why: str, one: Measured, variant: Variant, reader: Reader) -> Plate | None:
    assert variant.before is not None  # it was measured against it
    before, after = reader.read(variant.before), reader.read(variant.after)
    if before is None or after is None:
        return None
    return Plate(
        why=why,
        is_failure=bool(one.failed),
        measured=one,
        before=copy_picture(before),
        after=copy_picture(after),
    )


def _shrink_some(pictures: Sequence[Shown], n: int, reader: Reader) -> tuple[str, ...]:
    """Copies of the first `n` usable ones in an order that does not depend on their names."""
    found: list[str] = []
    for shown in sorted(pictures, key=lambda shown: stable_hash(0, "gallery", shown.key)):
        if len(found) == n:
            break
        picture = reader.read(shown)
        if picture is not None:
            found.append(copy_picture(picture))
    return tuple(found)
