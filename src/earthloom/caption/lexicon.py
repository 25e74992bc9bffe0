"""How class names behave in a sentence: mass or countable, their plural, their theme.

Names outside the lexicon are quoted (`an area labelled "X"`), so that no sentence depends on guessed grammar.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from earthloom.caption.english import (
    FUNCTION_WORDS,
    NUMBER_WORDS,
    give_article,
    list_words,
    pluralise,
    singularise,
)

_ENTRIES = {
    "agriculture": """
        cropland; farmland; agricultural land; arable land; pasture; orchard*; vineyard*; plantation*
        annual crop: annual crops; permanent crop: permanent crops; crop field*; crop: crops; crops; field*
        rectangular farmland; circular farmland; terrace: terraced fields; terraced field*; rice field*
        paddy field*; paddy land; irrigated land; irrigated field*; dry cropland; garden land; paddy; irrigated
        cultivated land; greenhouse*; farm*; fallow land; hay meadow*; agriculture: agricultural land; barn*
        garden plot*; agricultural: agricultural land; farm land: farmland
        cropland and natural vegetation mosaic: mixed cropland and natural vegetation""",
    "forest": """
        forest; woodland; trees; tree*; tree cover; broadleaf forest; coniferous forest; mixed forest; chaparral
        deciduous forest; evergreen forest; mangrove: mangroves; mangroves; arbor woodland; arbor forest; jungle
        rainforest; dense forest; hedge*; shrubland; shrub: shrubs; shrubs; scrub; bushland; shrub land""",
    "grass": """
        grassland; meadow*; grass; natural grassland; artificial grassland; rangeland; herbaceous vegetation
        vegetation; low vegetation; tundra; moss and lichen; savanna; natural grass; artificial grass; lawn*
        moor: moorland; moorland; heath: heathland""",
    "water": """
        water; open water; river*|river water; lake*|lake water; pond*|pond water; sea; ocean; stream*; canal*
        reservoir*|reservoir water; sea lake: a sea or lake|sea or lake water; wetland*; herbaceous wetland*
        marsh*; swamp*; lagoon*; estuary*; permanent water: permanent water bodies; water body*; coast*; strait*
        water bodies; sea ice; inland water; coastal water; seawater; tidal flat*; ditch*; island*; fountain*
        lake or pond*lakes or ponds; aquaculture: aquaculture site*""",
    "built": """
        built-up: built-up land; built-up land; built-up area*; urban fabric; city*|urban land; town*|town land
        village*|village land; park*; place of worship*places of worship; prison*; lighthouse*; residential area*
        urban and built-up land
        settlement*; building*; buildings; house*; houses; apartment block*; church*; school*; palace*
        square: public square*; fire station*; police station*; office building*; military facility*; burial site*
        archaeological site*; commercial area*; impoverished settlement*; debris or rubble; space facility*
        multi unit residential: multi-unit residential~; single unit residential: single-unit residential~
        residential~; dense residential~; medium residential: medium-density residential~; windmill*
        sparse residential~; commercial~; urban~; rural~; car dealership*
        urban residential~; rural residential~; mobile home park*; resort*; stadium*; central business district*
        impervious surface: impervious surfaces; impervious surfaces; playground*; city block*
        swimming pool*; educational institution*; hospital*; tower*; cemetery*; campus*
        shopping mall*; ruin*; roof*; paved surface: paved surfaces; intersection*; courtyard*; castle*""",
    "transport": """
        road*|roads; highway*|highways; freeway*|freeways; railway*|railways; motorway*|motorways; street*|streets
        railway station*; train station*; runway*|runways; bridge*; viaduct*; overpass*; roundabout*; crossroad*
        parking lot*; parking~; car park*; parking garage*; traffic land; t junction: T junctions; tunnel opening*
        toll booth*; interchange*; road bridge*; helipad*; airport*; airport terminal*; airfield*
        airport hangar*; hangar*; port*; harbor*; harbour*; dock*; pier*; border checkpoint*; ferry terminal*
        shipyard*; marina*; lock*; path*|paths; track*|tracks; railroad*|railroads; expressway*|expressways
        parking lot or garage*parking lots or garages; gas station*; ground transportation station*
        railway bridge*; expressway service area*; expressway toll station*; flooded road*|flooded roads""",
    "industry": """
        industrial~; storage tank*; storage tanks; factory*; warehouse*; power station*; thermal power station*
        solar farm*; solar panel*; wind farm*; wind turbine*; quarry*; mine*; mining area*; surface mine*
        oil or gas facility*; nuclear power plant*; chimney*; water treatment facility*; waste disposal site*
        electric substation*; smokestack*; oil well*; dam*; transformer station*; construction site*
        container*; crane*; substation*; power line*|power lines; industrial area*; container crane*
        factory or powerplant: factory or power plant*factories or power plants; industrial land
        nuclear powerplant: nuclear power plant*; waste disposal: waste disposal site*""",
    "bare": """
        bare ground; bare land; bare soil; sand; beach*|beach sand; desert*|desert; rock; bare rock; mountain: mountains
        barren land; rocky ground; sparse vegetation; dune: dunes; dunes; sand dune: sand dunes; gravel; soil
        bare; barren; mountain range*; cliff*; riverbank*; rocky land; volcano*; lava; salt flat*; mudflat*""",
    "ice": """
        snow and ice; snow; ice; glacier*|glacier ice; snowberg: snow-capped mountains; iceberg*|iceberg ice
        permanent snow; permanent snow and ice""",
    "sport": """
        baseball field*; baseball diamond*; tennis court*; basketball court*; football field*; soccer field*
        ground track field*; golf course*; race track*; athletic track*; recreational facility*
        soccer ball field: soccer field*
        swimming complex*; sports field*; ice rink*; zoo*; amusement park*""",
    "vehicles": """
        airplane*; plane*; aeroplane*; aircraft*; helicopter*; ship*; boat*; vessel*; vehicle*; car*; truck*; bus*
        small vehicle*; large vehicle*; small car*; train*; trailer*; tank car*; passenger car*; cargo ship*
        warship*; aircraft carrier*; merchant ship*; sailboat*; motorboat*; yacht*; barge*; fishing boat*
        container ship*; command ship*; hospital ship*; cruise ship*; car carrier*; submarine*; hovercraft*; frigate*
        destroyer*; cruiser*; lute-shaped warship*""",
    "clouds": """
        cloud; clouds; cloud shadow; haze; fog; smoke; thin cloud; thick cloud""",
}
"""Entries by theme, after the class lists of EuroSAT, RSICD, NaSC-TG2, GID, WHU-OPT-SAR, HRRSD, HRSC2016, fMoW, DOTA,
DIOR, RESISC45, AID, UC Merced, WorldCover and the built-in landscapes. `name` is a mass noun or a plural, `name*`
countable, `name*plural` countable with an irregular plural, `name~` an adjective of `area`; `name: phrase` is worded
otherwise than it is called, `|phrase` is how it reads as a land cover."""

_RUN_TOGETHER = {
    "bareland": "bare land",
    "baseballfield": "baseball field",
    "denseresidential": "dense residential",
    "mediumresidential": "medium residential",
    "sparseresidential": "sparse residential",
    "railwaystation": "railway station",
    "storagetanks": "storage tanks",
    "storagetank": "storage tank",
    "baseballdiamond": "baseball diamond",
    "basketballcourt": "basketball court",
    "golfcourse": "golf course",
    "golffield": "golf course",
    "groundtrackfield": "ground track field",
    "mobilehomepark": "mobile home park",
    "parkinglot": "parking lot",
    "swimmingpool": "swimming pool",
    "tenniscourt": "tennis court",
    "trainstation": "train station",
    "builtup": "built-up",
    "built up": "built-up",
}
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
    key = _RUN_TOGETHER.get(name.lower(), name.lower())
    found = _LEXICON.get(key) or _LEXICON.get(key.replace("-", " "))
    if found is not None:
        return found
    ship = _SHIP_CLASS.fullmatch(key)
    if ship is not None:
        return _make_countable(f"{ship[1].title()}-class {ship[2]}", "vehicles", None)
    head = key.rsplit(" ", 1)[-1]
    if head in _COUNT_HEADS and _WORD.fullmatch(head) and key.isascii():
        return _make_countable(name, "", None)
    if head in _COUNTABLE and _MODIFIED.fullmatch(key) and _NO_MODIFIERS.isdisjoint(key.split()):
        return _make_countable(key, _COUNTABLE[head], None)
    if head in _MASS and _MODIFIED.fullmatch(key) and _NO_MODIFIERS.isdisjoint(key.split()):
        return _make_mass(key, _MASS[head], key, None)
    return _make_quoted(name)


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
        for theme, block in _ENTRIES.items()
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

USES = {
    "agriculture": ("crop mapping", "farmland monitoring", "the mapping of agricultural land"),
    "forest": ("woodland mapping", "the monitoring of tree cover", "vegetation mapping"),
    "grass": ("grassland mapping", "the monitoring of low vegetation"),
    "water": ("surface-water mapping", "the mapping of water bodies", "shoreline mapping"),
    "built": ("urban mapping", "the mapping of settlements", "built-up area mapping"),
    "transport": ("the mapping of transport networks", "infrastructure mapping"),
    "industry": ("the mapping of industrial sites", "infrastructure surveys"),
    "bare": ("the mapping of unvegetated ground", "terrain mapping"),
    "ice": ("snow and ice mapping", "the monitoring of snow cover"),
    "sport": ("the mapping of leisure grounds", "recreation mapping"),
    "vehicles": ("object detection", "the counting of objects"),
    "clouds": ("cloud screening", "studies of image quality"),
}
THEME_TALK = {
    theme: frozenset(word for use in uses for word in use.replace("-", " ").split())
    | {"built-up", "surface-water"}
    for theme, uses in USES.items()
}
"""Words that labels of a theme allow beyond their own names."""
