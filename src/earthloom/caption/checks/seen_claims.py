"""Checks of words by an author who sees the picture: what contradicts a fact fails, what only eyes can tell passes."""

from __future__ import annotations

from earthloom.caption.checks.claims import BANNED_WORDS, check_banned
from earthloom.caption.checks.numbers import agrees, find_hedge
from earthloom.caption.checks.reading import Check, Reading, Rule
from earthloom.caption.checks.seen_sensing import (
    COLOUR_WORDS,
    OPTICAL_WORDS,
    RESOLUTION_WORDS,
    SENSING_RULES,
)
from earthloom.caption.checks.seen_shares import find_seen_shares
from earthloom.caption.checks.seen_weather import CLEAR_WORDS, WEATHER_RULES
from earthloom.caption.facts.situation import TROPIC_DEG
from earthloom.caption.language.english import list_words

# --- where and when ----------------------------------------------------------------------------------------------


def _check_season(reading: Reading, i: int) -> Check | None:
    word, before = reading.lower[i], reading.at(i - 1)
    season = "autumn" if word == "fall" else word
    if (
        word == "fall"
        and not (before == "the" and reading.at(i - 2) in {"in", "during"})
        and reading.at(i + 1) not in {"season", "foliage", "colors", "colours", "scene", "day"}
    ):
        return None
    if word == "spring" and (before in {"hot", "water"} or reading.at(i + 1) in {"water", "fed"}):
        return None
    if reading.known.season is None or reading.is_denied(i):
        return None
    return reading.hold(Check.DATE, season == reading.known.season)


def _check_hemisphere(reading: Reading, i: int) -> Check | None:
    known, side = reading.known, reading.at(i - 1)
    if known.position is None:
        return reading.hold(Check.ZONE, known.sources.has(f"{side} hemisphere"))
    lon, lat = known.position
    sides = {"northern": lat > 0, "southern": lat < 0, "eastern": lon > 0, "western": lon < 0}
    return reading.hold(Check.ZONE, sides[side]) if side in sides else None


_ZONES_DEG = {
    **dict.fromkeys(("tropical", "tropics", "equatorial"), (0.0, 30.0)),
    **dict.fromkeys(("arctic",), (55.0, 90.0)),
    **dict.fromkeys(("antarctic", "antarctica"), (-90.0, -55.0)),
    **dict.fromkeys(("polar",), (55.0, 90.0)),
    **dict.fromkeys(("mid-latitude", "mid-latitudes"), (20.0, 70.0)),
}
"""Latitudes at which a word of zone is not plainly wrong: the belt and some 7 degrees around it (our choice)."""


def _check_zone(reading: Reading, i: int) -> Check | None:
    position, word = reading.known.position, reading.lower[i]
    if position is None:
        return None
    if not _OUTSIDE.isdisjoint(reading.lower[max(i - 2, 0) : i]):
        return reading.hold(Check.ZONE, abs(position[1]) > TROPIC_DEG) if word == "tropics" else None
    low, high = _ZONES_DEG[word]
    lat = position[1] if low < 0 or word == "arctic" else abs(position[1])
    return reading.hold(Check.ZONE, low <= lat <= high)


_OUTSIDE = list_words("outside beyond")


# --- amounts in words, and words that are not allowed ------------------------------------------------------------

_DOMINANCE_SLACK = 0.1
"""How much smaller than the largest a cover may be that is said to dominate (our choice)."""


def _check_dominance(reading: Reading, i: int) -> Check | None:
    named = [share for word in _find_main(reading, i) for share in reading.known.covers.get(word, ())]
    if not named or not reading.known.shares:
        return None
    return reading.hold(Check.SHARE, max(named) + _DOMINANCE_SLACK >= max(reading.known.shares))


def _find_main(reading: Reading, i: int) -> list[str]:
    """What dominates: the words after `dominated by`, else those before."""
    clause = (
        reading.lower[i + 2 : i + 6]
        if reading.at(i + 1) in {"by", "of"}
        else reading.lower[max(i - 4, 0) : i]
    )
    stop = next((j for j, word in enumerate(clause) if word in {",", ".", "and", "with"}), len(clause))
    return clause[:stop] if reading.at(i + 1) in {"by", "of"} else clause


_FRACTIONS = {"half": 0.5, "third": 1 / 3, "quarter": 0.25, "quarters": 0.75, "thirds": 2 / 3}
_FRACTION_SLACK = 0.12


def _check_fraction(reading: Reading, i: int) -> Check | None:
    """Check `half of the image is water`, for covers that are labelled; `left half` is a place."""
    word, before = reading.lower[i], reading.at(i - 1)
    if reading.at(i + 1) != "of" or (word != "half" and before not in {"a", "one", "two", "three"}):
        return None
    shares = (
        find_seen_shares(reading, i) if not reading.known.covers.keys().isdisjoint(reading.clause(i)) else ()
    )
    if not shares:
        return None
    fraction, hedge = _FRACTIONS[word], find_hedge(reading, i if word == "half" else i - 1)
    if hedge in {"over", "under"}:
        return reading.hold(Check.SHARE, any(agrees(fraction, share, 0, hedge, 0) for share in shares))
    return reading.hold(Check.SHARE, any(abs(share - fraction) <= _FRACTION_SLACK for share in shares))


def _check_most(reading: Reading, i: int) -> Check | None:
    shares = [share for word in reading.clause(i) for share in reading.known.covers.get(word, ())]
    if reading.at(i + 1) != "of" or not shares:
        return None
    return reading.hold(Check.SHARE, max(shares) > 0.45)


def _check_comparison(reading: Reading, i: int) -> Check | None:
    """Check `more cropland than water`."""
    covers = reading.known.covers
    first = [share for word in reading.lower[max(i - 4, 0) : i] for share in covers.get(word, ())]
    second = [share for word in reading.lower[i + 1 : i + 4] for share in covers.get(word, ())]
    if not first or not second or _MORE.isdisjoint(reading.lower[max(i - 5, 0) : i]):
        return None
    return reading.hold(Check.SHARE, max(first) >= min(second))


_MORE = list_words("more larger greater bigger")


def _check_synthetic(reading: Reading, i: int) -> Check | None:
    says_picture = reading.at(i + 1) in {"image", "scene", "landscape", "imagery", "picture", "terrain"}
    if reading.lower[i] == "synthetic" and not says_picture:
        return None
    return reading.hold(Check.SYNTHETIC, reading.known.is_synthetic)


def _check_showcase(reading: Reading, i: int) -> Check | None:
    """`The image showcases:` is GAIA's fixed opening, which says nothing."""
    return Check.WORDS if reading.at(i + 1) == ":" and i <= 3 else None


def _check_hedge(reading: Reading, i: int) -> Check | None:
    """One hedge says how sure one is; two in a row say nothing."""
    return Check.WORDS if not _HEDGES.isdisjoint(reading.lower[i + 1 : i + 4]) else None


_HEDGES = list_words("possibly perhaps maybe probably presumably might seemingly apparently")


_OF_PLANTS = frozenset({"lush"})
"""Dense green can be seen."""

SEEN_RULES: dict[str, Rule] = {
    **SENSING_RULES,
    **WEATHER_RULES,
    **dict.fromkeys(_FRACTIONS, _check_fraction),
    **dict.fromkeys(("most", "majority"), _check_most),
    "than": _check_comparison,
    **dict.fromkeys(("dominated", "dominates", "dominate", "predominantly", "dominating"), _check_dominance),
    **dict.fromkeys(("winter", "spring", "summer", "autumn", "fall"), _check_season),
    **dict.fromkeys(("hemisphere",), _check_hemisphere),
    **dict.fromkeys(_ZONES_DEG, _check_zone),
    **dict.fromkeys((*_HEDGES, "appears", "appear", "seems", "may", "could"), _check_hedge),
    **dict.fromkeys(("showcases", "showcase"), _check_showcase),
    **dict.fromkeys(("synthetic", "computer-generated", "cgi"), _check_synthetic),
    **dict.fromkeys(BANNED_WORDS - _OF_PLANTS, check_banned),
}
"""What words need that can contradict a fact."""


_CLOSED_WORDS = (
    *RESOLUTION_WORDS,
    *CLEAR_WORDS,
    *OPTICAL_WORDS,
    "false-colour",
    "false-color",
    "showcases",
    "dominated",
    "than",
)
CLOSED_RULES: dict[str, Rule] = {word: SEEN_RULES[word] for word in (*_CLOSED_WORDS, *COLOUR_WORDS)}
"""Those of them that hold as well where nothing beyond the facts may be said."""
