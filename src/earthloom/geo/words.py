"""Words of one meaning: spellings folded, synonyms looked up, tables of them read."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Any, Generic, TypeVar

Entry = TypeVar("Entry")

_POSSESSIVE = re.compile(r"['’`]s\b")
_BRACKETS = re.compile(r"(?P<outer>[^()\[\]]+)[(\[](?P<inner>[^()\[\]]+)[)\]]")

_AGENCIES = (
    "nasa jaxa esa noaa usgs usda eumetsat copernicus cnes cnsa isro dlr csa asi jma kari inpe airbus maxar "
    "digitalglobe planet nspo roscosmos"
)
_AGENCY = re.compile(
    rf"(?:(?:{'|'.join(_AGENCIES.split())}|planet\s+labs|european\s+space\s+agency|joint|the|and)"
    r"(?:['’`]s?)?[\s/&,+-]+)+"
)
"""What stands before the name of a mission: `NASA's`, `NASA/USGS`, `Copernicus`."""
_NOUN = re.compile(
    r"\s+(?:satellites?|spacecraft|missions?|constellation|platform|instruments?|sensors?|data|images?|imagery)$"
)
"""What stands after it and says nothing new: `Terra satellite`."""


def fold(word: str) -> str:
    """Fold case, accents, spaces, punctuation and possessives away: `NASA's Terra` and `nasa-TERRA` are one."""
    plain = unicodedata.normalize("NFKD", word).casefold()
    text = _POSSESSIVE.sub("", unicodedata.normalize("NFKD", plain))
    return "".join(c for c in text if c.isalnum())


class Lexicon(Generic[Entry]):
    """Entries by every spelling of their names and synonyms; no spelling stands for two of them."""

    def __init__(self, entries: Iterable[tuple[Entry, Iterable[str]]]) -> None:
        self._found: dict[str, Entry] = {}
        for entry, words in entries:
            for word in words:
                known = self._found.setdefault(fold(word), entry)
                assert known is entry, f"{word!r} names both {known} and {entry}"

    def find(self, word: str) -> Entry | None:
        """Find what a word names; None where nothing does, and where it says two things, as in `Terra (Aqua)`.

        An acronym in brackets is no part of the name, nor are an agency before it and `satellite`, `instrument`
        or the like behind it. The word as it stands comes first: `NOAA-20` keeps its agency.
        """
        return next((found for text in _strip(word) if (found := self._find_form(text)) is not None), None)

    def _find_form(self, text: str) -> Entry | None:
        found = self._found.get(fold(text))
        bracketed = _BRACKETS.fullmatch(text)
        if found is not None or bracketed is None:
            return found
        outer, inner = self.find(bracketed["outer"]), self.find(bracketed["inner"])
        return outer if inner is None or inner is outer else None


def _strip(word: str) -> list[str]:
    """A word as it is, then without its noun, without its agencies, without both."""
    text = " ".join(word.casefold().split())
    forms: dict[str, None] = {}
    for named in (text, _NOUN.sub("", text)):
        forms[named] = None
        if (agency := _AGENCY.match(named)) is not None:
            forms[named[agency.end() :]] = None
    return list(forms)


def is_agency(word: str) -> bool:
    """Say whether a word is an agency that stands before a mission's name, and nothing more."""
    return _AGENCY.fullmatch(f"{word.strip().casefold()} ") is not None


def read_table(name: str) -> dict[str, Any]:
    """Read one of the package's tables, without the extension: `platforms`."""
    import tomllib
    from importlib.resources import files

    return tomllib.loads((files("earthloom.geo") / "tables" / f"{name}.toml").read_text(encoding="utf-8"))
