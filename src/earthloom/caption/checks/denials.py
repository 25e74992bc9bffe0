"""Checks of what a text says not to be there: labelled objects, and covers that cannot be overlooked."""

from __future__ import annotations

from earthloom.caption.checks.reading import CLAUSE_ENDS, Check, Reading, Rule
from earthloom.caption.checks.seen_objects import find_at, find_counted
from earthloom.caption.language.english import FUNCTION_WORDS, list_words


def _check_none(reading: Reading, i: int) -> Check | None:
    found = find_counted(reading, i + (reading.at(i + 1) in {"any", "of"}))
    return None if found is None else reading.hold(Check.COUNT, is_right=False)


def _check_absent(reading: Reading, i: int) -> Check | None:
    """Check `the ships are absent`, `no ships` said the other way round."""
    stop = i - 1 if reading.at(i - 1) in {"is", "are"} else i
    found = next((f for j in range(stop - 1, max(stop - 4, -1), -1) if (f := find_at(reading, j))), None)
    return None if found is None or found.stop != stop else reading.hold(Check.COUNT, is_right=False)


_LARGE = 0.1
"""Share of the frame from which on a cover cannot be overlooked (our choice)."""
_AFTER_COVER = (
    CLAUSE_ENDS | FUNCTION_WORDS | list_words("at can could visible anywhere here to or bodies body areas")
)


def _check_no_cover(reading: Reading, i: int) -> Check | None:
    """Check `no water`, `without any forest` against the shares; `no water tower` denies another thing."""
    known = reading.known
    j = next((j for j in range(i + 1, i + 4) if reading.at(j) not in {"any", "of", "open", "visible"}), i + 1)
    is_whole = reading.at(j + 1) in _AFTER_COVER | {""}
    if reading.at(i + 1) == "longer" or not is_whole or reading.at(j) not in known.covers:
        return None
    return reading.hold(Check.CONTENT, max(known.covers[reading.at(j)]) < _LARGE)


def _check_denial(reading: Reading, i: int) -> Check | None:
    return _check_none(reading, i) or _check_no_cover(reading, i)


_DENIALS = ("no", "without", "devoid")
NONE_RULES: dict[str, Rule] = dict.fromkeys(_DENIALS, _check_none)
"""What denies objects."""
DENIAL_RULES: dict[str, Rule] = {**dict.fromkeys(_DENIALS, _check_denial), "absent": _check_absent}
"""What denies objects or covers, by an author who sees the picture."""
