"""Class names in sentences: those of real data sets, and any other."""

from __future__ import annotations

import pytest

from earthloom.caption.lexicon import CONTENT_WORDS, THEME_TALK, USES, find_noun, is_informative

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
    "square": "a square",
    "storagetanks": "storage tanks",
    "viaduct": "a viaduct",
}
COVERS = {
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


@pytest.mark.parametrize(("name", "whole"), (EUROSAT | RSICD).items())
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
    ],
)
def test_what_is_counted(name: str, one: str, many: str) -> None:
    noun = find_noun(name)
    assert (noun.one, noun.many) == (one, many)


def test_that_a_name_with_a_known_last_word_is_countable() -> None:
    assert find_noun("bus station").whole == "a bus station"
    assert find_noun("oyster farm").many == "oyster farms"


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
