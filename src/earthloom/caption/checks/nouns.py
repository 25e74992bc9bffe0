"""Proper nouns of a text, and which of them a fact or a text behind the image names.

A run of capitalised words within a sentence is one noun. It is supported where the record or a text has the whole of
it, or has it once words that merely say what it is (`River`, `County`, `Northern`) are taken off. What stands first in
a sentence is a noun only where another capital follows it. Names of well-known places count in lower case as well,
since local models write no capitals. (Precision over proper nouns: fMoW-mm, arXiv 2501.14905.)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from earthloom.caption.checks.known import Known
from earthloom.caption.checks.mentions import find_mentions, is_backed
from earthloom.caption.checks.reading import TOKEN, Reading
from earthloom.caption.checks.spelling import spell_dates
from earthloom.caption.language.english import FUNCTION_WORDS, MONTHS, list_words
from earthloom.caption.language.lexicon import CONTENT_WORDS
from earthloom.geo.platforms import find_platform

_COMMON = list_words(
    "SAR RGB NIR SWIR TIR GSD Earth Earth's Sun Moon N S E W NE NW SE SW NNE ENE ESE SSE SSW WSW WNW NNW "
    "UTC T dB Circle I LULC NDVI NDWI UAV LiDAR LIDAR GIS DEM DSM GPS CO2 VV VH HH HV VHR EO InSAR PolSAR "
    "Northern Southern Eastern Western Hemisphere Arctic Antarctic Tropic Tropics Olympic Ferris "
    "Victorian Gothic Art-Deco A B C D F G H J K L M O P Q R U V X Y Z X-ray HVAC Synthetic Aperture "
    "Radar Near-Infrared Infrared Ground Sample Sampling Distance Land Use Cover Normalized Difference "
    "Vegetation Index Multispectral Hyperspectral Panchromatic Light Detection Ranging Digital Elevation "
    "Model"
) | frozenset(MONTHS)
"""Capitals that name no place and nobody; months are checked as dates."""
_GENERIC = list_words(
    "river rivers lake lakes sea ocean bay gulf strait island islands peninsula cape coast desert valley "
    "plain plains plateau delta basin mountains mountain mount range city town village county province "
    "state region district area national park forest reserve airport port harbor harbour bridge dam canal "
    "glacier volcano republic kingdom city's northern southern eastern western central northeastern "
    "northwestern southeastern southwestern greater"
)
_DISTINCTIONS = list_words(
    "north south east west new old saint san santa port fort mount upper lower great little"
)
"""First words that make another place of a name: South Dakota, New England."""
_SHAPE = re.compile(
    r"(?:VV|VH|HH|HV)-[a-z]+|[A-Z]-(?:shaped|junction|junctions|shape|like|form|formation|type|band)|[A-Z]-[a-z]+ed"
)
_PLACES = list_words(
    "afghanistan africa alaska albania algeria alps amazon america amsterdam andes antarctica argentina "
    "arizona asia athens atlantic australia austria baghdad bahamas baltimore bangkok bangladesh "
    "barcelona beijing belgium berlin bolivia boston botswana brazil britain brussels bulgaria cairo "
    "california cambodia cameroon canada caribbean chicago chile china colombia colorado congo croatia "
    "cuba dallas delhi denmark denver dubai dublin ecuador egypt england ethiopia europe finland florida "
    "france frankfurt geneva germany ghana greece hamburg hawaii himalayas houston hungary iceland idaho "
    "illinois india indonesia iran iraq ireland israel istanbul italy jakarta japan jerusalem "
    "johannesburg karachi kazakhstan kenya korea kuwait lagos lebanon libya lisbon london louisiana "
    "madagascar madrid malaysia mali manhattan manila mediterranean melbourne mexico miami michigan milan "
    "minnesota mississippi missouri mongolia montana montreal morocco moscow mozambique mumbai munich "
    "nairobi namibia nebraska nepal netherlands nevada nigeria nile norway ohio oklahoma oman ontario "
    "oregon pacific pakistan panama paraguay paris pennsylvania peru philadelphia philippines poland "
    "portugal prague quebec rome romania russia sahara santiago scandinavia scotland seattle senegal "
    "seoul serbia shanghai siberia singapore slovakia somalia spain stockholm sudan sweden switzerland "
    "sydney syria taiwan tanzania tehran texas thailand tibet tokyo toronto tunisia uganda ukraine "
    "uruguay utah vancouver venezuela venice vermont vienna vietnam warsaw wisconsin wyoming yemen zambia "
    "zimbabwe"
)
"""Places that are known by one word which means nothing else; a list by hand, as sentences begin with them and models
without capitals write them. `washington`, `georgia`, `jordan`, `turkey` and their like are left out."""
_KIN = {
    "french": "france", "dutch": "netherlands", "spanish": "spain", "british": "united kingdom", "english": "england",
    "greek": "greece", "swiss": "switzerland", "danish": "denmark", "polish": "poland", "finnish": "finland",
    "welsh": "wales", "scottish": "scotland", "irish": "ireland", "american": "united states", "turkish": "turkey",
}  # fmt: skip
_MIN_TITLE = 5
_KINDS = ("ian", "ean", "an", "ese", "ish", "ic", "i")
"""Endings of adjectives of countries: `Italian` goes with Italy."""


@dataclass(frozen=True, slots=True)
class Noun:
    """A proper noun in a text."""

    words: str
    start: int
    """Index of its first token."""
    is_supported: bool


def noun_precision(text: str, known: Known) -> tuple[int, int]:
    """Count the proper nouns of a text, platforms and sensors among them: those that are supported, and all."""
    tokens = TOKEN.findall(spell_dates(text, (known.year, known.month, known.day)))
    reading = Reading(tokens, [token.lower() for token in tokens], known)
    mentions = list(find_mentions(reading))
    inside = frozenset(i for mention in mentions for i in range(mention.start, mention.stop))
    verdicts = [is_backed(mention, reading) for mention in mentions]
    verdicts += [noun.is_supported for noun in find_nouns(reading, inside)]
    return sum(verdicts), len(verdicts)


def find_nouns(reading: Reading, inside: frozenset[int]) -> Iterator[Noun]:
    """Give the proper nouns of a text; tokens `inside` names that others check belong to none."""
    pairs = enumerate(zip(reading.tokens, reading.lower, strict=True))
    capitals = [i for i, (token, lower) in pairs if token[0] != lower[0] and i not in inside]
    if capitals and not _is_title_case(reading, len(capitals)):
        for run in _find_runs(capitals, reading.tokens):
            yield from _read_run(reading, run[0], run[-1] + 1)
    if not _PLACES.isdisjoint(reading.lower):
        for i, (token, lower) in enumerate(zip(reading.tokens, reading.lower, strict=True)):
            if lower in _PLACES and token == lower and i not in inside:
                yield Noun(token, i, _is_supported(token, reading.known))


def _find_runs(indices: Sequence[int], tokens: Sequence[str]) -> Iterator[list[int]]:
    """Split indices where they are no neighbours, and behind a possessive: `Italy's | Alps`."""
    run = [indices[0]]
    for i in indices[1:]:
        if i != run[-1] + 1 or tokens[run[-1]].endswith(("'s", "’s")):
            yield run
            run = []
        run.append(i)
    yield run


def _is_title_case(reading: Reading, n_capitals: int) -> bool:
    """Tell whether nearly every word has a capital: then capitals tell nothing."""
    if n_capitals <= _MIN_TITLE:
        return False
    pairs = zip(reading.tokens, reading.lower, strict=True)
    words = [token != word for token, word in pairs if word[0].isalpha() and word not in FUNCTION_WORDS]
    return sum(words) > 0.9 * len(words)


def _read_run(reading: Reading, start: int, stop: int) -> Iterator[Noun]:
    """One noun at most: `The` and `In` before a name are no part of it, nor is a lone first word, a place apart."""
    run = [(i, _strip(reading.tokens[i])) for i in range(start, stop)]
    run = [(i, word) for i, word in run if word not in _COMMON and _SHAPE.fullmatch(word) is None]
    is_first = bool(run) and (reading.is_first(run[0][0]) or reading.tokens[run[0][0] - 1] == "(")
    if is_first and (len(run) == 1 or run[0][1].lower() in FUNCTION_WORDS):
        is_name = run[0][1] in reading.known.capitals or opens_with_name(reading, *run[0])
        run, is_first = (run, True) if is_name else (run[1:], False)
    words = [word for _, word in run]
    if len(words) == 1 and words[0].lower() in FUNCTION_WORDS:
        return
    if all(word.lower() in _GENERIC for word in words):
        return
    name = " ".join(words)
    is_right = _is_supported(name, reading.known)
    if not is_right and is_first and len(words) > 1:
        is_right = words[0].lower() not in _GENERIC | _DISTINCTIONS and _is_supported(
            " ".join(words[1:]), reading.known
        )
    yield Noun(name, run[0][0], is_right)


def opens_with_name(reading: Reading, i: int, word: str) -> bool:
    """Tell whether the first word of a sentence is a name: a known place, or a subject without `the` that is no stuff.

    `Osaka lies ...`, but `Water is ...`, `Vegetation covers ...` and `Everything is ...`.
    """
    lower = word.lower()
    if lower in _PLACES or not lower.isascii():
        return True
    is_owner = reading.at(i + 1) == "and" and reading.at(i + 2) == "its"
    is_subject = (
        reading.at(i + 1) in _VERBS or is_owner
    ) and lower not in FUNCTION_WORDS | CONTENT_WORDS | _SUBJECTS
    return is_subject and not lower.endswith(_STUFF)


_VERBS = list_words("lies sits stretches spreads sprawls is was occupies spans nestles borders")
_SUBJECTS = list_words(
    "it this that there here what which each one everything nothing something another everyone all much "
    "most half part none either neither dust steam fire mud clay stone brick concrete asphalt gravel "
    "sunlight light shadow darkness runoff surf foam lava coral algae seaweed sediment silt salt peat "
    "timber lumber cargo freight traffic rubble debris garbage waste oil coal ore wheat corn maize rice "
    "soy cotton left right above below north south east west visible located next near around inside "
    "outside backscatter speckle texture brightness contrast "
    "reflectance visibility layover resolution green white brown blue red black gray grey yellow dense sparse"
)
_STUFF = (
    "tion", "ing", "ment", "ity", "ure", "age", "ery", "ance", "ence", "ness", "land", "wood", "water", "cover",
    "space", "soil", "scrub", "sis", "ism", "side", "scape", "try", "ed", "ly", "work", "way",
)  # fmt: skip
"""Endings of mass nouns and adverbs, which open sentences without being names."""


def _strip(token: str) -> str:
    return token.removesuffix("'s").removesuffix("’s")


def _is_supported(name: str, known: Known) -> bool:
    whole = fold_name(name)
    core = _take_kinds_off(whole)
    if any(_has(phrase, known) for phrase in dict.fromkeys((whole, core)) if phrase):
        return True
    return _is_kin(core, known) or _runs_platform(whole, known)


def _runs_platform(name: str, known: Known) -> bool:
    """Tell whether a name is that of the agency or programme behind the platform."""
    said = known.said.platform
    platform = find_platform(said.name) if said is not None else None
    if platform is None or platform.operator is None:
        return False
    operators = f" {fold_name(platform.operator)} "
    programme = "copernicus" if platform.name.startswith("Sentinel") else ""
    return name == programme or f" {_AGENCIES.get(name, name)} " in operators


_AGENCIES = {
    "european space agency": "esa",
    "national aeronautics and space administration": "nasa",
    "united states geological survey": "usgs",
}


def _take_kinds_off(name: str) -> str:
    words = name.split()
    while words and words[-1] in _GENERIC:
        words.pop()
    while words and words[0] in _GENERIC:
        words.pop(0)
    return " ".join(words)


def _has(phrase: str, known: Known) -> bool:
    spoken = f" {phrase} "
    return any(spoken in f" {name} " for name in _fold_names(known.names)) or known.sources.has(phrase)


def _is_kin(word: str, known: Known) -> bool:
    """`Italian` where Italy is known."""
    if word in _KIN:
        return _has(_KIN[word], known)
    for ending in _KINDS:
        stem = word.removesuffix(ending)
        if stem != word and len(stem) >= 3:
            return any(part.startswith(stem) for name in _fold_names(known.names) for part in name.split())
    return False


def fold_name(name: str) -> str:
    """Give a name in lower case, without marks between its words."""
    return " ".join(_LETTERS.findall(name.lower()))


_LETTERS = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


@lru_cache(maxsize=256)
def _fold_names(names: frozenset[str]) -> tuple[str, ...]:
    return tuple(fold_name(name) for name in sorted(names))
