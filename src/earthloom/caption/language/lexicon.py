"""How class names behave in a sentence: mass or countable, their plural, their theme.

Names outside the lexicon are quoted (`an area labelled "X"`), so that no sentence depends on guessed grammar.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from earthloom.caption.language.english import (
    FUNCTION_WORDS,
    NUMBER_WORDS,
    give_article,
    list_words,
    pluralise,
    singularise,
)
from earthloom.caption.language.lexicon_entries import ENTRIES, RUN_TOGETHER, USES

_COUNT_HEADS = list_words(
    "area areas bridge building camp court district facility farm field house institution lot park plant plot "
    "pool port site stadium station tank tower yard zone"
)
"""Last words that make an unlisted name countable: `solar field`, `bus station`."""
_NO_CLASS = list_words(
    "other others background unknown unlabelled unlabeled undefined none void nodata unclassified clutter "
    "ignore misc miscellaneous"
) | {"no data", "false detection", "not labelled", "no label"}
_MODIFIED = re.compile(r"[a-z]+(?:[ -][a-z]+)*")
_NO_MODIFIERS = FUNCTION_WORDS.union(
    NUMBER_WORDS, ("no", "not", "non", "without", "other", "false", "unknown")
)
"""Words that make more of a name than a kind of its last word."""
_SHIP_CLASS = re.compile(r"([a-z]+(?: [a-z]+)?)-class ([a-z]+(?: [a-z]+)*)")
"""`nimitz-class aircraft carrier`."""
_FUNCTION_WORDS = list_words("a an and area areas body bodies cover ground land of or the labelled surface")
_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W_]+)*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Noun:
    """A class name, ready to be said."""

    name: str
    theme: str
    """Key of the lexicon; empty for a name that it lacks."""
    whole: str
    """What an image shows: `a residential area`, `annual crops`, `an area labelled "X"`."""
    cover: str
    """What takes a share of the ground: `residential areas`, `water`, `areas labelled "X"`."""
    cover_is_plural: bool
    one: str
    many: str
    """Counted without their number: `storage tank`, `storage tanks`; `object labelled "X"`."""
    quoted: bool
    words: frozenset[str]
    """Lower-case content words of all these phrases."""


def is_informative(name: str) -> bool:
    """Tell whether a class name says something: `background` and `other` do not."""
    return name.lower() not in _NO_CLASS


@lru_cache(maxsize=4096)
def find_noun(name: str) -> Noun:
    """Find how a class name is worded; a name outside the lexicon is quoted."""
    key = RUN_TOGETHER.get(name.lower(), name.lower())
    found = _LEXICON.get(key) or _LEXICON.get(key.replace("-", " "))
    if found is not None:
        return found
    single = _LEXICON.get(singularise(key)) if key.endswith("s") else None
    if single is not None and single.many == key:
        return _make_mass(key, single.theme, key, None)
    return _find_kind(name, key) or _make_quoted(name)


def _find_kind(name: str, key: str) -> Noun | None:
    """Word a name by its last word, as a kind of what the lexicon has; None where that would be a guess."""
    ship = _SHIP_CLASS.fullmatch(key)
    if ship is not None:
        return _make_countable(f"{ship[1].title()}-class {ship[2]}", "vehicles", None)
    head = key.rsplit(" ", 1)[-1]
    if head in _COUNT_HEADS and _WORD.fullmatch(head) and key.isascii():
        return _make_countable(name, "", None)
    if not _MODIFIED.fullmatch(key) or not _NO_MODIFIERS.isdisjoint(key.split()):
        return None
    if head in _COUNTABLE:
        return _make_countable(key, _COUNTABLE[head], None)
    return _make_mass(key, _MASS[head], key, None) if head in _MASS else None


def _read_entry(theme: str, entry: str) -> Noun:
    text, _, cover = entry.partition("|")
    said, star, plural = text.partition("*")
    name, _, worded = said.partition(": ")
    if star:
        return replace(_make_countable(worded or name, theme, cover or None, plural), name=name)
    if said.endswith("~"):
        return replace(_make_areal((worded or name)[:-1], theme), name=name.removesuffix("~"))
    return _make_mass(name, theme, worded or name, cover or None)


def _make_countable(name: str, theme: str, cover: str | None, plural: str = "") -> Noun:
    many = plural or pluralise(name)
    return _make(name, theme, give_article(name), cover or many, name, many)


def _make_areal(name: str, theme: str) -> Noun:
    area = f"{name} area"
    return _make(name, theme, give_article(area), f"{area}s", area, f"{area}s")


def _make_mass(name: str, theme: str, worded: str, cover: str | None) -> Noun:
    bare = re.sub(r"^an? ", "", worded)
    if bare.endswith("s") and not bare.endswith("ss"):
        return _make(name, theme, worded, cover or bare, singularise(bare), bare)
    return _make(name, theme, worded, cover or bare, f"{bare} area", f"{bare} areas")


def _make_quoted(name: str) -> Noun:
    label = f'labelled "{name}"'
    return Noun(
        name=name,
        theme="",
        whole=f"an area {label}",
        cover=f"areas {label}",
        cover_is_plural=True,
        one=f"object {label}",
        many=f"objects {label}",
        quoted=True,
        words=frozenset(w.lower() for w in _WORD.findall(name)),
    )


def _make(name: str, theme: str, whole: str, cover: str, one: str, many: str) -> Noun:
    words = _WORD.findall(" ".join((name, whole, cover, one, many)).lower())
    return Noun(
        name=name,
        theme=theme,
        whole=whole,
        cover=cover,
        cover_is_plural=cover.endswith("s") and not cover.endswith("ss"),
        one=one,
        many=many,
        quoted=False,
        words=frozenset(words) - _FUNCTION_WORDS,
    )


def _read_lexicon() -> dict[str, Noun]:
    entries = (
        (theme, entry.strip())
        for theme, block in ENTRIES.items()
        for line in block.strip().splitlines()
        for entry in line.split(";")
    )
    nouns = (_read_entry(theme, entry) for theme, entry in entries if entry)
    return {noun.name: noun for noun in nouns}


_LEXICON = _read_lexicon()
_COUNTABLE = {
    noun.name: noun.theme
    for noun in _LEXICON.values()
    if " " not in noun.name and noun.one == noun.name and noun.whole == give_article(noun.name)
}
"""Nouns whose kinds can be counted too, with their theme: `cruise ship`, `flooded road`."""
_MASS = {
    noun.name: noun.theme
    for noun in _LEXICON.values()
    if " " not in noun.name and noun.whole == noun.cover == noun.name and not noun.name.endswith("s")
}
"""Mass nouns, with their theme: `evergreen broadleaf forest`, `woody savanna`."""
_AMBIGUOUS = list_words(
    "block blocks booth carrier carriers center complex complexes course courses court courts diamond diamonds "
    "district districts mosaic fabric facilities facility field fields flat flats institution institutions line lines "
    "lock locks lot lots mine mines opening openings panel panels path paths plant plants plot pool pools port "
    "ports range ranges shadow site sites square squares station stations street streets surface surfaces "
    "terminal terminals tower towers track tracks train trains well wells"
)
"""Last words of class names that ordinary sentences use for other things."""
CONTENT_WORDS = (
    frozenset(
        word
        for noun in _LEXICON.values()
        for phrase in (noun.name, noun.one, noun.many)
        for word in [w for w in _WORD.findall(phrase.lower()) if w not in _FUNCTION_WORDS][-1:]
    )
    - _AMBIGUOUS
)
"""Words that say what is on the ground; a caption may use one only where a label does."""

THEME_TALK = {
    theme: frozenset(word for use in uses for word in use.replace("-", " ").split())
    | {"built-up", "surface-water"}
    for theme, uses in USES.items()
}
"""Words that labels of a theme allow beyond their own names."""
