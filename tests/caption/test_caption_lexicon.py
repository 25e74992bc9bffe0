"""Class names in sentences: those of real data sets, and any other."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from earthloom.caption.language.lexicon import CONTENT_WORDS, THEME_TALK, USES, find_noun, is_informative
from earthloom.ingest.datasets.fmow_facts import CATEGORIES
from earthloom.ingest.datasets.hrrsd import CLASSES as HRRSD_CLASSES
from earthloom.ingest.datasets.hrsc2016_classes import CLASSES as HRSC_CLASSES
from earthloom.ingest.datasets.nasc_tg2 import CLASSES as NASC_CLASSES
from earthloom.ingest.datasets.sen12ms import _CLASSES as IGBP_CLASSES

EUROSAT = {
    "annual crop": "annual crops",
    "forest": "forest",
    "herbaceous vegetation": "herbaceous vegetation",
    "highway": "a highway",
    "industrial": "an industrial area",
    "pasture": "pasture",
    "permanent crop": "permanent crops",
    "residential": "a residential area",
    "river": "a river",
    "sea lake": "a sea or lake",
}
RSICD = {
    "airport": "an airport",
    "bareland": "bare land",
    "baseballfield": "a baseball field",
    "beach": "a beach",
    "denseresidential": "a dense residential area",
    "desert": "a desert",
    "mountain": "mountains",
    "parking": "a parking area",
    "playground": "a playground",
    "railwaystation": "a railway station",
    "square": "a public square",
    "storagetanks": "storage tanks",
    "viaduct": "a viaduct",
}
OTHERS = {
    "place of worship": "a place of worship",
    "parking lot or garage": "a parking lot or garage",
    "factory or powerplant": "a factory or power plant",
    "multi-unit residential": "a multi-unit residential area",
    "multi unit residential": "a multi-unit residential area",
    "medium residential": "a medium-density residential area",
    "farm land": "farmland",
    "viaducts": "viaducts",
    "agricultural": "agricultural land",
    "golfcourse": "a golf course",
    "parkinglot": "a parking lot",
    "tenniscourt": "a tennis court",
    "soccer ball field": "a soccer field",
    "snowberg": "snow-capped mountains",
    "flooded road": "a flooded road",
    "container-crane": "a container crane",
    "evergreen broadleaf forest": "evergreen broadleaf forest",
    "cropland and natural vegetation mosaic": "mixed cropland and natural vegetation",
    "industrial land": "industrial land",
    "arleigh burke-class destroyer": "an Arleigh Burke-class destroyer",
    "san antonio-class amphibious transport dock": "a San Antonio-class amphibious transport dock",
}
"""fMoW, UC Merced, DOTA, IGBP, GID, HRSC2016."""
COVERS = {
    "city": "urban land",
    "water": "water",
    "road": "roads",
    "built-up": "built-up land",
    "built-up area": "built-up areas",
    "bare ground": "bare ground",
    "river": "river water",
    "wetland": "wetlands",
    "residential": "residential areas",
    "snow": "snow",
    "shrubland": "shrubland",
}


@pytest.mark.parametrize(("name", "whole"), (EUROSAT | RSICD | OTHERS).items())
def test_what_a_whole_image_shows(name: str, whole: str) -> None:
    assert find_noun(name).whole == whole


@pytest.mark.parametrize(("name", "cover"), COVERS.items())
def test_what_takes_a_share(name: str, cover: str) -> None:
    noun = find_noun(name)
    assert noun.cover == cover
    assert noun.cover_is_plural == cover.endswith("s")


@pytest.mark.parametrize(
    ("name", "one", "many"),
    [
        ("airplane", "airplane", "airplanes"),
        ("storage tank", "storage tank", "storage tanks"),
        ("storage tanks", "storage tank", "storage tanks"),
        ("T junction", "T junction", "T junctions"),
        ("aircraft", "aircraft", "aircraft"),
        ("swimming pool", "swimming pool", "swimming pools"),
        ("ground track field", "ground track field", "ground track fields"),
        ("place of worship", "place of worship", "places of worship"),
        ("lake or pond", "lake or pond", "lakes or ponds"),
        ("oil or gas facility", "oil or gas facility", "oil or gas facilities"),
        ("cruise ship", "cruise ship", "cruise ships"),
        ("viaducts", "viaduct", "viaducts"),
        ("Ships", "ship", "ships"),
        ("nimitz-class aircraft carrier", "Nimitz-class aircraft carrier", "Nimitz-class aircraft carriers"),
    ],
)
def test_what_is_counted(name: str, one: str, many: str) -> None:
    noun = find_noun(name)
    assert (noun.one, noun.many) == (one, many)


def test_that_a_name_with_a_known_last_word_is_countable() -> None:
    assert find_noun("bus station").whole == "a bus station"
    assert find_noun("oyster farm").many == "oyster farms"


@pytest.mark.parametrize(
    "name", ["two ship", "non-forest", "no water", "other buildings", "ship 12", "is ship"]
)
def test_that_a_known_last_word_is_not_enough(name: str) -> None:
    assert find_noun(name).quoted


@pytest.mark.parametrize(
    "classes",
    [
        sorted(CATEGORIES - {"false_detection"}),
        HRSC_CLASSES.values(),
        IGBP_CLASSES,
        HRRSD_CLASSES,
        NASC_CLASSES,
    ],
    ids=["fmow", "hrsc2016", "igbp", "hrrsd", "nasc-tg2"],
)
def test_that_no_class_of_a_published_set_is_quoted(classes: Iterable[str]) -> None:
    assert [name for name in classes if find_noun(name.replace("_", " ")).quoted] == []


def test_that_an_unknown_name_is_quoted() -> None:
    noun = find_noun("xyzzy flats")
    assert noun.quoted
    assert noun.whole == 'an area labelled "xyzzy flats"'
    assert noun.cover == 'areas labelled "xyzzy flats"'
    assert noun.one == 'object labelled "xyzzy flats"'


@pytest.mark.parametrize("name", ["background", "Other", "unlabelled", "no data", "false detection"])
def test_that_some_names_say_nothing(name: str) -> None:
    assert not is_informative(name)


def test_that_every_theme_has_uses_whose_words_its_labels_allow() -> None:
    for theme, uses in USES.items():
        words = {word for use in uses for word in use.replace("-", " ").split()}
        assert words & CONTENT_WORDS <= THEME_TALK[theme]
