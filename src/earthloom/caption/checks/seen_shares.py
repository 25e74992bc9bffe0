"""Checks of percentages by an author who sees the picture: against the cover that their clause names."""

from __future__ import annotations

from collections.abc import Collection

from earthloom.caption.checks.numbers import agrees, find_hedge
from earthloom.caption.checks.reading import Check, Reading
from earthloom.caption.language.lexicon import CONTENT_WORDS

_SHARE_SLACK, _HEDGED_SLACK = 0.015, 0.05
"""How far a share may be off, as said and as `about` (our choice: models round to whole fives)."""
_PERCENT = ("%", "percent", "per cent")


def check_share(reading: Reading, i: int, text: str) -> Check | None:
    """Check a percentage: against the cover that its clause names, else any share that is known, else the texts."""
    share, hedge = float(text) / 100, find_hedge(reading, i)
    facts = find_seen_shares(reading, i)
    if hedge in {"over", "under"}:
        is_right = any(agrees(share, fact, 0, hedge, 0) for fact in facts)
    else:
        slack = (_HEDGED_SLACK if hedge else _SHARE_SLACK) + 1e-9
        is_right = any(abs(share - fact) <= slack for fact in facts)
    is_named = not reading.known.covers.keys().isdisjoint(reading.clause(i))
    return reading.hold(
        Check.SHARE, is_right or (not is_named and reading.known.sources.has_number(text, _PERCENT))
    )


def find_seen_shares(reading: Reading, i: int) -> Collection[float]:
    """The shares that a number can mean; none where its clause names ground without a label alone."""
    known, clause = reading.known, reading.clause(i)
    named = {share for word in clause if word in known.covers for share in known.covers[word]}
    if named and "respectively" not in reading.lower:
        return named
    if not _CLOUDS.isdisjoint(clause):
        return known.cloud
    if not named and any(word in CONTENT_WORDS for word in clause):
        return ()
    return (*known.shares, *known.valid, *known.cloud, *known.borders, *known.levels)


_CLOUDS = frozenset({"cloud", "clouds", "cloudy"})
