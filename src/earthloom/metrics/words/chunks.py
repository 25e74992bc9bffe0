"""What stands between two spaces, where its tokens do not depend on what stands around it: nearly all of a caption."""

from __future__ import annotations

import re

from earthloom.metrics.words.abbreviations import BEFORE_NUMBERS, is_abbreviation

TWO_WORDS = {"cannot": "can not", "gonna": "gon na", "gotta": "got ta", "wanna": "wan na"}
TWO_WORDS |= {"gimme": "gim me", "lemme": "lem me"}

_WORDS = re.compile(",?([A-Za-z]++(?:[-_][A-Za-z]++)*+|[A-Za-z]++(?:,[A-Za-z]++)++)([,.!?]?)")
_CONTRACTION = re.compile("([A-Za-z]{2,}+)('(?:[dms]|[rv]e|ll))|([A-Za-z]*[A-MO-Za-mo-z])(n't)")
_SIGNS = frozenset(("", ".", ",", "?", "!", "-"))
_DIGITS = frozenset("0123456789")


class Chunks(dict[str, str | None]):
    """The tokens of chunks that have been met, parted by spaces, without punctuation.

    None where the tokens hang on the chunk's neighbours, or where it takes the rules to find them.
    """

    def __missing__(self, chunk: str) -> str | None:
        """Look at a new one."""
        tokens = self[chunk] = _read(chunk)
        return tokens


def _read(chunk: str) -> str | None:
    if found := _WORDS.fullmatch(chunk):
        words = found[1].lower().split(",")
        if found[2] == "." and _may_keep_period(found[1].rpartition(",")[2]):
            return None
        return " ".join([TWO_WORDS.get(word, word) for word in words])
    if chunk in _SIGNS:
        return ""
    if chunk in _DIGITS:  # of more, a telephone number may be made
        return chunk
    if found := _CONTRACTION.fullmatch(chunk):
        return " ".join(part.lower() for part in found.groups() if part)
    return None


def _may_keep_period(word: str) -> bool:
    return len(word) == 1 or is_abbreviation(word) or word.lower() in BEFORE_NUMBERS
