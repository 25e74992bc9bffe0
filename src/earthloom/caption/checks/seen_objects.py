"""Labelled objects as sentences name them: by their names, plurals and synonyms, with adjectives before them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from earthloom.caption.checks.numbers import find_hedge
from earthloom.caption.checks.reading import CLAUSE_ENDS, SENTENCE_ENDS, Check, Reading, Rule
from earthloom.caption.facts.statements import Objects
from earthloom.caption.language.english import FUNCTION_WORDS, NUMBER_WORDS, list_words
from earthloom.caption.language.lexicon import CONTENT_WORDS
from earthloom.core.records import Box

_MAX_ADJECTIVES = 3
_PARTIAL = list_words(
    "other another more additional smaller larger further them these most moored docked parked"
)
"""Words by which a number means but some of the objects."""


@dataclass(frozen=True, slots=True)
class Found:
    """Labelled objects that a sentence names."""

    groups: tuple[Objects, ...]
    start: int
    stop: int
    """Indices of the tokens that name them."""

    @property
    def counts(self) -> frozenset[int]:
        """How many there can be: of each kind meant, and of all of them."""
        each = [group.count for group in self.groups]
        return frozenset((*each, sum(each)))


def find_at(reading: Reading, i: int) -> Found | None:
    """Find the labelled objects that the token at an index begins to name."""
    found = reading.known.phrases.get(reading.at(i), ())
    fits = [(words, group) for words, group in found if tuple(reading.lower[i : i + len(words)]) == words]
    if not fits:
        return None
    length = len(fits[0][0])
    return Found(tuple(group for words, group in fits if len(words) == length), i, i + length)


def find_counted(reading: Reading, i: int) -> Found | None:
    """Find the labelled objects that a number at an index counts: `three large white airplanes`."""
    for j in range(i + 1, i + 2 + _MAX_ADJECTIVES):
        found = find_at(reading, j)
        if found is not None:
            return found
        word = reading.at(j)
        if not word or word in FUNCTION_WORDS or not word[0].isalpha() or word in CONTENT_WORDS:
            return None
    return None


def _find_numbered(reading: Reading, i: int) -> Found | None:
    """Find the labelled objects before a number: `the airplanes here number 14`."""
    if reading.at(i - 1) not in {"number", "numbering", "totalling", "totaling"}:
        return None
    return next((found for j in range(i - 2, max(i - 6, -1), -1) if (found := find_at(reading, j))), None)


def check_count(reading: Reading, i: int, value: float) -> Check | None:
    """Check a count of labelled objects; those without labels pass, and fewer pass where but some are meant."""
    found = find_counted(reading, i) or _find_numbered(reading, i)
    if found is None:
        return None
    counts, hedge = found.counts, find_hedge(reading, i)
    if hedge == "over":
        return reading.hold(Check.COUNT, any(count >= value for count in counts))
    if hedge == "under":
        return reading.hold(Check.COUNT, any(count <= value for count in counts))
    if hedge == "about":
        return reading.hold(Check.COUNT, any(abs(count - value) <= max(1, 0.15 * count) for count in counts))
    is_part = value < max(counts) and _means_some(reading, i, found)
    return reading.hold(Check.COUNT, value in counts or is_part)


def _means_some(reading: Reading, i: int, found: Found) -> bool:
    clause = reading.clause(i)
    between = reading.lower[i + 1 : found.start]
    return bool(between) or not _PARTIAL.isdisjoint(clause) or any(word in _PLACES for word in clause)


def check_number_word(reading: Reading, i: int) -> Check | None:
    """Check `three ships`, and `one ship` but not `one of them`."""
    return check_count(reading, i, NUMBER_WORDS.index(reading.lower[i]))


def _check_dozen(reading: Reading, i: int) -> Check | None:
    """Check `a dozen ships`, `half a dozen ships`, `two dozen ships`."""
    before = reading.at(i - 1)
    if before == "a":
        n = 6 if reading.at(i - 2) == "half" else 12
    else:
        n = 12 * NUMBER_WORDS.index(before) if before in NUMBER_WORDS else 0
    found = find_counted(reading, i) if n else None
    return (
        None
        if found is None
        else reading.hold(Check.COUNT, any(abs(n - count) <= 1 for count in found.counts))
    )


def _at_least(n: int) -> Rule:
    def check(reading: Reading, i: int) -> Check | None:
        found = find_counted(reading, i + (reading.at(i + 1) == "of"))
        return None if found is None else reading.hold(Check.COUNT, max(found.counts) >= n)

    return check


def _check_single(reading: Reading, i: int) -> Check | None:
    found = find_counted(reading, i)
    if found is None or found.start > i + 1 or not _PLACES.isdisjoint(reading.clause(i)):
        return None
    return reading.hold(Check.COUNT, 1 in found.counts)


COUNT_RULES: dict[str, Rule] = {
    **dict.fromkeys(NUMBER_WORDS[1:], check_number_word),
    **dict.fromkeys(("single", "lone", "solitary", "only"), _check_single),
    **dict.fromkeys(("several", "some"), _at_least(2)),
    **dict.fromkeys(("many", "numerous"), _at_least(4)),
    **dict.fromkeys(("dozens",), _at_least(20)),
    **dict.fromkeys(("hundreds",), _at_least(100)),
    **dict.fromkeys(("couple", "pair"), _at_least(2)),
    **dict.fromkeys(("dozen",), _check_dozen),
}
"""What words of number need where they count labelled objects (the lowest numbers are our reading of the words)."""

# --- positions ---------------------------------------------------------------------------------------------------

_SLACK = 0.1
"""How far beyond a half of the frame an object may lie that is said to be in it (our choice)."""
_Region = Callable[[float, float], bool]
_HALVES: dict[str, _Region] = {
    **dict.fromkeys(("upper", "top"), lambda _x, y: y < 0.5 + _SLACK),
    **dict.fromkeys(("lower", "bottom"), lambda _x, y: y > 0.5 - _SLACK),
    "left": lambda x, _y: x < 0.5 + _SLACK,
    "right": lambda x, _y: x > 0.5 - _SLACK,
    **dict.fromkeys(("center", "centre", "middle"), lambda x, y: 0.2 < x < 0.8 and 0.2 < y < 0.8),
}
_MARGINS = list_words("corner corners edge margin")
_INSET = 0.15
"""How much further out an object must lie that is said to be in a corner or at an edge (our choice)."""
_PARTS = list_words("corner corners part side half quadrant portion section edge third area region margin")
_FRAME = list_words("image frame scene picture view tile photo photograph patch")
_PLACES = frozenset(word for word in _HALVES) | frozenset(
    f"{row}-{side}" for row in ("upper", "top", "lower", "bottom") for side in ("left", "right")
)
_LIES = list_words(
    "lie lies lying sit sits located situated clustered grouped gathered concentrated placed are is"
)
"""What stands before `toward the upper edge` where it says where things are, not where they lead."""
_FILLS = list_words("occupy occupies occupying fill fills filling")
_REACH = 14


def check_place(reading: Reading, i: int) -> Check | None:
    """Check a place in the frame, where it is said of objects whose boxes are known."""
    if reading.at(i - 1) in _PLACES:
        return None
    stop, names = _read_place(reading, i)
    if names is None:
        return None
    found = _find_placed(reading, i, stop)
    centres = [_centre(box, reading) for group in found.groups for box in group.boxes if box] if found else []
    if found is None or not centres or not all(group.cells for group in found.groups):
        return None
    inset = _INSET if reading.at(stop - 1) in _MARGINS else 0.0
    n_inside = sum(all(_HALVES[name](*_push(x, y, inset)) for name in names) for x, y in centres)
    return reading.hold(Check.POSITION, n_inside >= _count_wanted(reading, found, i, len(centres)))


def _push(x: float, y: float, inset: float) -> tuple[float, float]:
    """Move a point toward the middle, so that a corner is smaller than a quarter of the frame."""
    return x + inset * (1 if x < 0.5 else -1), y + inset * (1 if y < 0.5 else -1)


def _read_place(reading: Reading, i: int) -> tuple[int, list[str] | None]:
    """The words of a place and where they end; None where they speak of another thing than the frame."""
    names = reading.lower[i].split("-")
    stop = i + 1
    if reading.at(stop) in {"left", "right"} and len(names) == 1:
        names.append(reading.at(stop))
        stop += 1
    has_part = reading.at(stop) in _PARTS
    stop += has_part
    if reading.at(stop) == "of":
        after = stop + 1 + (reading.at(stop + 1) in {"the", "this"})
        is_way = reading.at(i - 2) in {"toward", "towards", "to", "from", "of", "above", "below"}
        is_way &= reading.at(i - 3) not in _LIES
        return stop, names if reading.at(after) in _FRAME and not is_way else None
    is_bare = names[0] in {"left", "right", "center", "centre", "middle"} and not has_part
    is_said = reading.at(i - 1) == "the" and reading.at(i - 2) in {
        "in",
        "on",
        "at",
        "near",
        "toward",
        "towards",
        *_FILLS,
    }
    return stop, names if is_said and not (is_bare and reading.at(stop) not in CLAUSE_ENDS | {""}) else None


def _find_placed(reading: Reading, start: int, stop: int) -> Found | None:
    """The nearest noun before a place, or after it where the place opens its clause; None unless it has boxes."""
    opens = reading.at(start - 3) in CLAUSE_ENDS | {""}
    if opens:
        path: Iterator[int] = iter(range(stop, min(stop + _REACH, len(reading.lower))))
    else:
        path = iter(range(start - 1, max(start - _REACH, -1), -1))
    for j in path:
        word = reading.lower[j]
        if word in SENTENCE_ENDS:
            return None
        found = find_at(reading, j)
        if found is not None:
            return found if found.stop > j else None
        if word in CONTENT_WORDS and not _continues(reading, j):
            return None
    return None


def _continues(reading: Reading, j: int) -> bool:
    """Tell whether a noun is the last word of the name of labelled objects."""
    return any((found := find_at(reading, k)) is not None and found.stop > j for k in range(max(j - 3, 0), j))


def _centre(box: Box, reading: Reading) -> tuple[float, float]:
    frame = reading.known.said.frame
    return (box.x0 + box.x1) / 2 / frame.width, (box.y0 + box.y1) / 2 / frame.height


def _count_wanted(reading: Reading, found: Found, i: int, n: int) -> float:
    """How many must be there: the number said, half of all where none is, one where some are meant."""
    sentence = reading.sentence(i)
    n_places = sum(word in _PLACES and before not in _PLACES for before, word in pairwise(("", *sentence)))
    if n_places > 1:
        return 1
    between = reading.lower[found.stop : i]
    before = between if "them" in between else reading.lower[max(found.start - 4, 0) : found.start]
    for word in reversed(before):
        if word in NUMBER_WORDS:
            return min(NUMBER_WORDS.index(word), n)
        if word.isdecimal():
            return min(int(word), n)
        if word in _SOME:
            return 1
    is_plural = reading.lower[found.stop - 1].endswith("s")
    return n / 2 if is_plural else 1


_SOME = list_words("several some few another other more a an many")


PLACE_RULES: dict[str, Rule] = dict.fromkeys(_PLACES, check_place)
"""What words of place need where they speak of labelled objects."""
