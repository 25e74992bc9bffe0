"""Checks tell true captions from false ones: by hand for every check, and by mutation at scale."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from caption_records import (
    label,
    make_airport,
    make_atlas,
    make_bare,
    make_eurosat,
    make_naip,
    make_scene,
    make_sentinel1,
    make_tile,
    make_umbra,
    with_fog,
)

from earthloom.caption import CaptionSettings, caption_tile
from earthloom.caption.checks import Check, Known, compile_known, find_faults, is_alike
from earthloom.caption.facts import gather
from earthloom.caption.facts.statements import (
    Adjacent,
    Brightness,
    Cell,
    CloudCover,
    Country,
    Objects,
    Sun,
    View,
    Weather,
)
from earthloom.core.records import Box, Modality, Scene, Tile

FIELDS = (
    make_scene(place="Lake Placid", platform="Landsat 8", acquired="2019-07-04"),
    make_tile(
        gsd_m=30.0,
        pixel_m=30.0,
        lon=-73.98,
        lat=44.28,
        labels=(label("cropland", share=0.62), label("forest", share=0.27), label("water", share=0.1)),
    ),
)
PORT = (
    make_scene(platform="NAIP"),
    make_tile(
        gsd_m=0.6,
        labels=(
            *(label("ship", box=(x, 20, x + 20, 40)) for x in (10, 40, 70)),
            label("storage tank", box=(480, 480, 500, 500)),
        ),
    ),
)
SYNTHETIC = make_atlas(0)
RADAR = make_sentinel1()
CLASS = make_eurosat("river")
FOG = with_fog(make_eurosat("forest"))


def faults(text: str, record: tuple[Scene, Tile]) -> set[Check]:
    return {finding.check for finding in find_faults(text, compile_known(gather(*record)))}


TRUE = [
    ("A Landsat 8 satellite image of Lake Placid at 30 m resolution, taken on 4 July 2019.", FIELDS),
    ("This satellite image, dated 2019-07-04, spans about 15 km by 15 km of ground.", FIELDS),
    ("About 62 % of the image is cropland, 27 % is forest and 10 % is water.", FIELDS),
    ("Cropland covers more than half of the frame and forest about a quarter of it.", FIELDS),
    ("Cropland dominates and takes up more than twice the area of forest here.", FIELDS),
    ("The summer scene lies at 44.28° N, 73.98° W in the northern hemisphere.", FIELDS),
    (
        "Vegetation such as orchards usually looks bright in the near infrared range, less so here.",
        make_naip(),
    ),
    ("Three ships lie in the upper left and one storage tank in the lower right.", PORT),
    ("Altogether four objects are labelled in this aerial image, most along its upper side.", PORT),
    ("A VV-polarised radar image from Sentinel-1 with backscatter from -25 dB to 0 dB.", RADAR),
    ("Three ships lie in the left half of this aerial image, 512 x 512 pixels in size.", PORT),
    ("The frame is at least 15 km wide and less than 16 km high, about 512 x 512 pixels.", FIELDS),
    ("Cropland is the largest class, forest the second largest, more than two times smaller.", FIELDS),
    ("This aerial image has three times as many ships as it has storage tanks.", PORT),
    ("Three channels of red, green and blue light make up this colour image.", FIELDS),
    ("A river is the largest thing in this satellite image of 512 x 512 pixels.", CLASS),
    ("A forest under simulated fog in a satellite image from Sentinel-2 at 10 m.", FOG),
    ("A river in an image of 512 by 512 pixels from the EuroSAT collection.", CLASS),
    ("In this scene most of the ground is cropland; the rest is forest and water.", FIELDS),
]
FALSE = [
    (
        "A Landsat 8 satellite image of Lake Placid at 10 m resolution, taken in July 2019.",
        FIELDS,
        Check.NUMBER,
    ),
    ("The satellite image spans about 30 km by 30 km of ground around the place.", FIELDS, Check.NUMBER),
    ("The image is 256 by 256 pixels in size and shows cropland and forest.", FIELDS, Check.NUMBER),
    ("The scene is centred at 44.28° S, 73.98° W and shows cropland and forest.", FIELDS, Check.NUMBER),
    ("About 45 % of the image is cropland, and the remainder is forest and water.", FIELDS, Check.SHARE),
    ("About 62 % of the image is forest, and the remainder is cropland and water.", FIELDS, Check.SHARE),
    ("Forest dominates the image, with cropland and water in second and third place.", FIELDS, Check.SHARE),
    ("Forest covers more than half of the image, next to cropland and some water.", FIELDS, Check.SHARE),
    ("Cropland covers four times the area of forest in this image of the place.", FIELDS, Check.SHARE),
    ("Cropland covers 5 times the area of forest in this image of the place.", FIELDS, Check.SHARE),
    ("Forest covers two thirds of this image of the place, the rest is cropland.", FIELDS, Check.SHARE),
    ("Most of the image is forest, and next to it there is some cropland.", FIELDS, Check.SHARE),
    ("The scene is centred at 44.28° N, 73.98° W and shows a river.", CLASS, Check.NUMBER),
    ("A river somewhere in the northern hemisphere, in a satellite image of it.", CLASS, Check.ZONE),
    ("The three ships lie in the right half of this image, seen from above.", PORT, Check.POSITION),
    ("South Placid, seen from above in a satellite image of cropland and forest.", FIELDS, Check.NAME),
    (
        "Three channels of radar backscatter make up this image, as seen from Sentinel-1.",
        RADAR,
        Check.MODALITY,
    ),
    ("Nearly all of the frame is cropland in this image of the known place.", FIELDS, Check.SHARE),
    ("Five ships lie in the upper left of the image near one storage tank.", PORT, Check.COUNT),
    ("Three storage tanks and one ship are labelled in this aerial image of a port.", PORT, Check.COUNT),
    ("An aerial image with 17 ships and one storage tank seen from far above.", PORT, Check.COUNT),
    ("Three ships lie in the lower left of the image, away from the storage tank.", PORT, Check.POSITION),
    ("The ships lie left of the centre of the image, away from the storage tank.", PORT, Check.POSITION),
    ("The three ships lie along the right side of this image, seen from above.", PORT, Check.POSITION),
    ("A satellite image of Lake Placid that was taken on 5 July 2019 at noon.", FIELDS, Check.DATE),
    ("A satellite image of Lake Placid that was taken on 4 June 2019 at noon.", FIELDS, Check.DATE),
    ("A satellite image of Lake Placid that was taken in the year 2018, at noon.", FIELDS, Check.DATE),
    ("A satellite image of Lake Placid that was taken on 2019-07-05, at noon or so.", FIELDS, Check.DATE),
    ("A winter scene with cropland and forest in a satellite image of Lake Placid.", FIELDS, Check.DATE),
    ("A satellite image that was taken on 12 May 2019 from far above the river.", CLASS, Check.DATE),
    ("A place in the southern hemisphere with cropland and forest, seen from space.", FIELDS, Check.ZONE),
    ("A place in the tropics with cropland and forest and water, seen from space.", FIELDS, Check.ZONE),
    ("A satellite image of cropland and forest near Montreal with a little water.", FIELDS, Check.NAME),
    ('A satellite image of ground labelled "quarry" next to cropland and a forest.', FIELDS, Check.NAME),
    ("A SAR image of cropland and forest at Lake Placid with a little water.", FIELDS, Check.MODALITY),
    ("A near-infrared image of cropland and forest at Lake Placid with some water.", FIELDS, Check.MODALITY),
    ("A colour image of the surface of the Earth at 8.9 m from Sentinel-1.", RADAR, Check.MODALITY),
    ("A VH-polarised radar image of the surface of the Earth from Sentinel-1.", RADAR, Check.MODALITY),
    ("A satellite image of three ships and one storage tank near a pier.", PORT, Check.PLATFORM),
    ("An aerial image of cropland and forest at Lake Placid with a little water.", FIELDS, Check.PLATFORM),
    ("Sentinel-2 image of cropland and forest at Lake Placid with a little water.", FIELDS, Check.PLATFORM),
    ("A satellite image of an airport next to the river, seen from far above.", CLASS, Check.CONTENT),
    ("A satellite image of a river with cornfields and houses along its two banks.", CLASS, Check.CONTENT),
    ("A snow-covered place with a river in a satellite image, seen from far above.", CLASS, Check.WEATHER),
    ("A river under clouds in a satellite image, seen from far above the ground.", CLASS, Check.WEATHER),
    ("A forest under simulated fog and rain in a satellite image from Sentinel-2.", FOG, Check.WEATHER),
    ("An RGB image of a computed landscape, 512 by 512 pixels in size.", SYNTHETIC, Check.SYNTHETIC),
    (
        "A synthetic aperture look at a computed landscape, 512 by 512 pixels in size.",
        SYNTHETIC,
        Check.SYNTHETIC,
    ),
    ("A synthetic image of a river, 512 by 512 pixels in size, from Sentinel-2.", CLASS, Check.SYNTHETIC),
    ("A photograph of a river as seen from a satellite, far above the ground.", CLASS, Check.WORDS),
    ("A beautiful river as seen from a satellite, far above the wide open ground.", CLASS, Check.WORDS),
    ("A river river as seen from a satellite, far above the wide open ground.", CLASS, Check.REPETITION),
    ("A river seen from space.", CLASS, Check.LENGTH),
    ("A river " + "and so on " * 30, CLASS, Check.LENGTH),
]


@pytest.mark.parametrize(("text", "record"), TRUE)
def test_true_captions_pass(text: str, record: tuple[Scene, Tile]) -> None:
    assert find_faults(text, compile_known(gather(*record))) == []


@pytest.mark.parametrize(("text", "record", "check"), FALSE)
def test_false_captions_fail(text: str, record: tuple[Scene, Tile], check: Check) -> None:
    assert check in faults(text, record)


_OF_MODELS = {Check.ALIKE, Check.TALK, Check.LANGUAGE, Check.CUT, Check.GENERIC, Check.RESOLUTION}
"""Tried in test_caption_known_seen.py."""


def test_that_every_check_is_tried() -> None:
    assert {check for _, _, check in FALSE} == set(Check) - _OF_MODELS


def test_that_a_finding_shows_its_evidence() -> None:
    [finding] = find_faults(
        "A satellite image of a river that is 250 m wide, seen from above.", compile_known(gather(*CLASS))
    )
    assert finding.check is Check.NUMBER
    assert "250" in finding.evidence


def test_that_names_excuse_only_themselves() -> None:
    assert faults("The Landsat 8 satellite image shows cropland and a forest with 8 ponds.", FIELDS) == {
        Check.CONTENT,
        Check.COUNT,
    }


def test_alike() -> None:
    assert is_alike("A river in a wide valley.", "In a wide valley, a river.")
    assert not is_alike("A river in a wide valley.", "The image holds a single channel of 512 by 512 pixels.")


def _describe(**statements: Any) -> Known:
    return compile_known(replace(gather(*FIELDS), **statements))


BOXES = tuple(Box(x0=x, y0=10, x1=x + 20, y1=30) for x in (10.0, 60.0, 110.0))
SHIPS = Objects(
    origin="",
    name="ship",
    boxes=BOXES,
    cells=(Cell.UPPER_LEFT,) * 3,
    lengths_m=(14.0, 22.0, 57.0),
    spacing_m=31.0,
)
FACTS = _describe(
    adjacent=(Adjacent(origin="", first="cropland", second="forest", share=0.71),),
    brightness=Brightness(origin="", low=0.21, median=0.45, high=0.83, unit="level"),
    country=Country(origin="", name="United States"),
    sun=Sun(origin="", elevation_deg=38.0),
    view=View(origin="", off_nadir_deg=12.5),
    cloud_cover=CloudCover(origin="", share=0.06),
    objects=(SHIPS,),
)
RAINY = _describe(weather=Weather(origin="", effect="rain", word="rain", severity="", is_simulated=False))
DARK = compile_known(
    replace(gather(*RADAR), brightness=Brightness(origin="", low=-21.0, median=-14.0, high=-6.5, unit="dB"))
)


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("A satellite image of cropland in the United States, with the sun 38° above the horizon.", FACTS),
        ("The satellite image was taken at 12.5 degrees off nadir, with the sun 38 degrees high.", FACTS),
        ("In this satellite image, 71 % of all borders run between cropland and forest.", FACTS),
        ("Cloud cover of the whole source image is 6 %, of which this tile need not show any.", FACTS),
        ("The median brightness of the satellite image is 45 %, its darkest parts are at 21 %.", FACTS),
        ("The three ships are 14 to 57 m long, 22 m in the median, and lie about 31 m apart.", FACTS),
        ("The radar image has a median backscatter of -14 dB and bright parts of -6.5 dB.", DARK),
        ("A satellite image of cropland and forest in the rain, as seen at Lake Placid.", RAINY),
    ],
)
def test_that_measured_facts_may_be_said(text: str, known: Known) -> None:
    assert find_faults(text, known) == []


@pytest.mark.parametrize(
    ("text", "known", "check"),
    [
        ("A satellite image of cropland in Canada, with the sun 38° above the horizon.", FACTS, Check.NAME),
        (
            "A satellite image of cropland and forest, with the sun 33° above the horizon.",
            FACTS,
            Check.NUMBER,
        ),
        ("The satellite image was taken at 21 degrees off nadir above cropland.", FACTS, Check.NUMBER),
        ("In this satellite image, 38 % of all borders run between cropland and forest.", FACTS, Check.SHARE),
        ("Cloud cover of the whole source image is 62 %, of which this tile shows none.", FACTS, Check.SHARE),
        (
            "A satellite image of cropland and forest under clouds, as seen at Lake Placid.",
            FACTS,
            Check.WEATHER,
        ),
        (
            "The median brightness of the satellite image is 62 %, its darkest parts are black.",
            FACTS,
            Check.SHARE,
        ),
        ("The three ships are 14 to 90 m long and lie about 31 m apart in the image.", FACTS, Check.NUMBER),
        (
            "The radar image has a median backscatter of -18 dB and bright parts of -6.5 dB.",
            DARK,
            Check.NUMBER,
        ),
        ("A satellite image of cropland and forest in simulated rain, at Lake Placid.", RAINY, Check.WEATHER),
        ("A satellite image of cropland and forest under fog, as seen at Lake Placid.", RAINY, Check.WEATHER),
    ],
)
def test_that_measured_facts_may_not_be_changed(text: str, known: Known, check: Check) -> None:
    assert check in {finding.check for finding in find_faults(text, known)}


RECORDS = [
    *(make_atlas(i) for i in range(150)),
    FIELDS,
    PORT,
    *(make_eurosat(name) for name in ("annual crop", "residential", "river", "sea lake", "industrial")),
    make_naip(),
    make_naip(Modality.RGB),
    make_sentinel1(),
    make_umbra(),
    make_airport(),
    *(make_bare(modality, gsd_m=2.0, pixel_m=2.0) for modality in Modality),
]
SWAPS = {
    Check.MODALITY: [
        ("radar", "colour"),
        ("SAR", "RGB"),
        ("RGB", "SAR"),
        ("near-infrared", "radar"),
        ("optical", "SAR"),
    ],
    Check.PLATFORM: [
        ("satellite", "aerial"),
        ("aerial", "satellite"),
        ("Sentinel-2", "Landsat"),
        ("NAIP", "Umbra"),
    ],
    Check.CONTENT: [
        (word, "airport") for word in ("forest", "cropland", "water", "roads", "grassland", "river")
    ],
    Check.SYNTHETIC: [("synthetic ", "")],
    Check.DATE: [
        ("2014", "2015"),
        ("September", "March"),
        ("2023", "2021"),
        ("27 May", "28 May"),
        ("2019", "2016"),
    ],
    Check.NAME: [("North Dakota", "South Dakota"), ("Lake Placid", "Lake Tahoe"), ("Vanuatu", "Iceland")],
    Check.POSITION: [("upper left", "lower left"), ("lower right", "upper right")],
    Check.COUNT: [
        ("three airplanes", "two airplanes"),
        ("one storage", "four storage"),
        ("three ships", "seven ships"),
    ],
}


NUMBERS = {
    Check.SHARE: re.compile(r"(?<!\d)(\d+)(?= %)"),
    Check.NUMBER: re.compile(r"(?<![\d.-])(\d+)(?= (?:k?m|metres?|pixels)\b)"),
}


def mutate(text: str, rng: Random) -> tuple[Check, str] | None:
    """Make a true caption false in one place; None where it says nothing that can be turned."""
    swaps = [(kind, old, new) for kind, pairs in SWAPS.items() for old, new in pairs if old in text]
    spots = [(kind, spot) for kind, pattern in NUMBERS.items() for spot in pattern.finditer(text)]
    kinds = sorted({kind for kind, *_ in swaps} | {kind for kind, _ in spots})
    if not kinds:
        return None
    kind = rng.choice(kinds)
    if kind in SWAPS:
        _, old, new = rng.choice([swap for swap in swaps if swap[0] is kind])
        return kind, text.replace(old, new)
    _, spot = rng.choice([found for found in spots if found[0] is kind])
    return kind, text[: spot.start()] + str(int(spot.group()) * 2 + 7) + text[spot.end() :]


def test_precision_and_recall_over_mutated_captions() -> None:
    """Every caption of the rules is true; each copy with one change is false. Per check: share that is caught."""
    rng = Random(5)
    tried: Counter[Check] = Counter()
    caught: Counter[Check] = Counter()
    n_true = n_flagged = 0
    for record in RECORDS:
        known = compile_known(gather(*record))
        for seed in range(3):
            for caption in caption_tile(*record, CaptionSettings(seed=seed)).captions:
                n_true += 1
                n_flagged += bool(find_faults(caption.text, known, 3))
                mutated = mutate(caption.text, rng)
                if mutated is not None:
                    tried[mutated[0]] += 1
                    caught[mutated[0]] += bool(find_faults(mutated[1], known, 3))
    assert n_flagged == 0
    assert n_true > 3000
    assert set(tried) == {*SWAPS, Check.NUMBER, Check.SHARE}
    assert sum(caught.values()) / sum(tried.values()) > 0.97, caught
    assert all(caught[check] / tried[check] > 0.9 for check in tried), (caught, tried)


SEEN_FIELDS = compile_known(gather(*FIELDS), sees=True)
SEEN_PORT = compile_known(gather(*PORT), sees=True)
SEEN_FOG = compile_known(gather(*FOG), sees=True)
SEEN_RADAR = compile_known(gather(*RADAR), sees=True)
SEEN_TEXT = compile_known(
    gather(*FIELDS), sees=True, texts=("The Ausable River rose by 2.4 points, 1,250 people said.",)
)
SEEN_TROPICS = compile_known(gather(make_scene(), make_tile(lon=100.0, lat=10.0)), sees=True)
SEEN_POOLS = compile_known(
    gather(
        make_scene(),
        make_tile(labels=tuple(label("swimming pool", box=(x, 20, x + 9, 29)) for x in (10, 40, 70))),
    ),
    sees=True,
)


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("As of Jul. 2019, the parcels look unevenly worked.", SEEN_FIELDS),
        ("(4 Jul 2019) An overhead view with a web of thin lines.", SEEN_FIELDS),
        ("Dated 04.07.2019, the tile shows an undulating surface.", SEEN_FIELDS),
        ("Dated 7/4/2019, the tile shows an undulating surface.", SEEN_FIELDS),
        ("Dated 4/7/2019, the tile shows an undulating surface.", SEEN_FIELDS),
        ("At 44.28 degrees of latitude the fields look small and irregular.", SEEN_FIELDS),
        ("At a longitude of -73.98 degrees the fields look small and irregular.", SEEN_FIELDS),
        ("At 44.28, -73.98 the fields look small and rather irregular.", SEEN_FIELDS),
        ("At 44.28 N, 73.98 W the fields look small and rather irregular.", SEEN_FIELDS),
        ("A landscape outside the tropics, with small fields and hedges.", SEEN_FIELDS),
        ("The largest field is about 1.5 times as wide as the next one.", SEEN_FIELDS),
        ("A ratio of 3.2:1 in width and length is typical of these fields.", SEEN_FIELDS),
        ("No water tower is to be seen between the small fields.", SEEN_FIELDS),
        ("The Ausable River winds between small fields of many shapes.", SEEN_TEXT),
        ("A rise of 2.4 points was told by 1,250 people living here.", SEEN_TEXT),
        ("Backscatter is low over the smooth ground, which looks dark.", SEEN_RADAR),
        ("An X-band SAR image would show the same structures in more detail.", SEEN_RADAR),
        ("In this picture, ships fill the upper part of the frame.", SEEN_PORT),
        ("Three of the ships are moored side by side at a long pier.", SEEN_PORT),
        ("Three pools with light blue water lie beside small houses here.", SEEN_POOLS),
        ("The ground lies under fog, and clear outlines are absent here.", SEEN_FOG),
    ],
)
def test_what_an_author_who_sees_may_say(text: str, known: Known) -> None:
    assert find_faults(text, known) == []


@pytest.mark.parametrize(
    ("text", "known", "check"),
    [
        ("As of Aug. 2019, the parcels look unevenly worked.", SEEN_FIELDS, Check.DATE),
        ("(4 Aug 2019) An overhead view with a web of thin lines.", SEEN_FIELDS, Check.DATE),
        ("Dated 05.07.2019, the tile shows an undulating surface.", SEEN_FIELDS, Check.DATE),
        ("Dated 7/5/2019, the tile shows an undulating surface.", SEEN_FIELDS, Check.DATE),
        ("At 48.28 degrees of latitude the fields look small and irregular.", SEEN_FIELDS, Check.NUMBER),
        ("At a latitude of 44.28° S the fields look small and irregular.", SEEN_FIELDS, Check.NUMBER),
        (
            "At a longitude of 73.98 degrees west and 4.1 degrees of latitude, fields lie.",
            SEEN_FIELDS,
            Check.NUMBER,
        ),
        ("At 44.28 S, 73.98 W the fields look small and rather irregular.", SEEN_FIELDS, Check.NUMBER),
        ("A landscape beyond the tropics, with palm trees and terraces.", SEEN_TROPICS, Check.ZONE),
        ("An earthquake of magnitude 6.4 shook the ground that is shown.", SEEN_FIELDS, Check.NUMBER),
        ("A population of 250,000 lives between the fields shown here.", SEEN_FIELDS, Check.NUMBER),
        ("The Saranac River winds between small fields of many shapes.", SEEN_TEXT, Check.NAME),
        ("This is Kelstrand Halvorsen International Airport, the busiest on Earth.", SEEN_FIELDS, Check.NAME),
        ("Kelstrand and its outskirts spread between small fields and woods.", SEEN_FIELDS, Check.NAME),
        ("No cropland at all can be seen between the trees here.", SEEN_FIELDS, Check.CONTENT),
        ("The picture, in panchromatic black and white, shows small fields.", SEEN_FIELDS, Check.MODALITY),
        ("The ground is crisp, with not a trace of fog over it.", SEEN_FOG, Check.WEATHER),
        ("A total of 2 ships lie at the pier beside a tank.", SEEN_PORT, Check.COUNT),
        ("It is plain that the ships are absent from the picture.", SEEN_PORT, Check.COUNT),
        ("In this picture, ships fill the lower part of the frame.", SEEN_PORT, Check.POSITION),
        ("All of the ships lie toward the lower edge of the frame.", SEEN_PORT, Check.POSITION),
        ("Two pools with light blue water lie beside small houses here.", SEEN_POOLS, Check.COUNT),
    ],
)
def test_what_an_author_who_sees_may_not_say(text: str, known: Known, check: Check) -> None:
    assert check in {finding.check for finding in find_faults(text, known)}
