from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earthloom.core.records import Modality
from earthloom.geo.bands import find_band, find_numbered_band, list_bands, list_numberings, name_band
from earthloom.geo.countries import list_countries
from earthloom.geo.levels import GsdLevel, ResolutionWord, find_level_word, find_resolution_word
from earthloom.geo.modalities import find_modality, list_modalities, name_modality
from earthloom.geo.platforms import Carrier, find_platform, list_platforms, name_platform
from earthloom.geo.sensing import Sensing, read_sensing
from earthloom.geo.sensors import find_sensor_entry, list_sensors, name_sensor
from earthloom.geo.vocabulary import WordKind, name_word, unknown_words
from earthloom.geo.words import Lexicon, fold, read_table

SPELLINGS: tuple[tuple[WordKind, str, str], ...] = (
    *((WordKind.PLATFORM, p.name, word) for p in list_platforms() for word in (p.name, *p.synonyms)),
    *((WordKind.SENSOR, s.name, word) for s in list_sensors() for word in (s.name, *s.synonyms)),
    *((WordKind.SENSOR, s.name, s.full_name) for s in list_sensors() if s.full_name is not None),
    *((WordKind.MODALITY, m.name, word) for m in list_modalities() for word in (m.name, *m.synonyms)),
    *((WordKind.BAND, b.name, word) for b in list_bands() for word in (b.name, *b.synonyms)),
)


def test_the_vocabulary_is_large_enough_to_be_of_use() -> None:
    assert len(list_platforms()) > 150
    assert len(list_sensors()) > 120
    assert len(list_modalities()) > 25
    assert len(list_bands()) == 20, "STAC's Electro-Optical extension 2.0 lists 20 common names"


# --- folding -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "word",
    [
        "Terra",
        "NASA Terra",
        "NASA's Terra",
        "NASA’s Terra satellite",
        "EOS-Terra",
        "EOS AM-1",
        "the Terra spacecraft",
    ],
)
def test_agencies_possessives_and_nouns_do_not_matter(word: str) -> None:
    assert name_platform(word) == "Terra"


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("LANDSAT_8", "Landsat 8"),
        ("landsat-8", "Landsat 8"),
        ("NASA/USGS Landsat 8", "Landsat 8"),
        ("Landsat 8 (LDCM)", "Landsat 8"),
        ("Copernicus Sentinel-2A", "Sentinel-2"),
        ("sentinel-2a", "Sentinel-2"),
        ("ESA/Copernicus Sentinel-1", "Sentinel-1"),
        ("NOAA/NASA Suomi NPP", "Suomi NPP"),
        ("NOAA-20 satellite", "NOAA-20"),
        ("Pleiades-1B", "Pléiades"),
        ("VENµS", "VENµS"),
        ("VENUS", "VENµS"),
        ("International Space Station (ISS)", "ISS"),
        ("GF-1", "Gaofen-1"),
    ],
)
def test_platforms_are_found_as_people_write_them(word: str, name: str) -> None:
    assert name_platform(word) == name


@pytest.mark.parametrize(
    "word", ["Terra (Aqua)", "NASA", "20", "Landsat 6", "Landsat 88", "Sentinel", "", " ", "( )"]
)
def test_what_names_nothing_or_two_things_is_kept_verbatim(word: str) -> None:
    assert find_platform(word) is None
    assert name_platform(word) == word


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("SAR", "SAR"),
        ("Synthetic Aperture Radar (SAR)", "SAR"),
        ("synthetic-aperture radar", "SAR"),
        ("Near-Infrared (NIR)", "NIR"),
        ("True-color", "RGB"),
        ("Thermal Infrared", "thermal infrared"),
        ("LiDAR", "lidar"),
        ("Multi-spectral imagery", "multispectral"),
    ],
)
def test_modalities_are_found_as_people_write_them(word: str, name: str) -> None:
    assert name_modality(word) == name


def test_only_what_tiles_can_be_has_a_modality() -> None:
    known = {entry.name: entry.modality for entry in list_modalities() if entry.modality is not None}
    assert known == {"RGB": Modality.RGB, "NIR": Modality.NIR, "SAR": Modality.SAR}
    found = find_modality("hyperspectral imagery")
    assert found is not None
    assert found.modality is None


@st.composite
def misspelt(draw: st.DrawFn) -> tuple[WordKind, str, str]:
    """A word of the vocabulary with its case, spaces and punctuation changed."""
    kind, name, word = draw(st.sampled_from(SPELLINGS))
    cases = draw(st.lists(st.booleans(), min_size=len(word), max_size=len(word)))
    letters = [c.upper() if up and len(c.upper()) == 1 else c for c, up in zip(word, cases, strict=True)]
    fillers = draw(
        st.lists(st.sampled_from(["", "", " ", "-", "_", "."]), min_size=len(word), max_size=len(word))
    )
    return kind, name, "".join(c + filler for c, filler in zip(letters, fillers, strict=True))


@given(misspelt())
def test_case_spaces_and_punctuation_do_not_matter(word: tuple[WordKind, str, str]) -> None:
    kind, name, given_word = word
    assert name_word(kind, given_word) == name


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(max_size=30), st.sampled_from(WordKind))
def test_any_text_is_named_or_reported(text: str, kind: WordKind) -> None:
    named = name_word(kind, text)
    assert unknown_words(kind, [text, text]) in {(text,), ()}
    assert named == text or unknown_words(kind, [text]) == ()


# --- the tables --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [WordKind.PLATFORM, WordKind.SENSOR, WordKind.MODALITY, WordKind.BAND])
def test_no_spelling_stands_for_two_entries(kind: WordKind) -> None:
    meanings: dict[str, set[str]] = {}
    for each, name, word in SPELLINGS:
        if each is kind:
            meanings.setdefault(fold(word), set()).add(name)
    assert "" not in meanings
    assert {spelling: names for spelling, names in meanings.items() if len(names) > 1} == {}


def test_a_lexicon_refuses_a_spelling_of_two_entries() -> None:
    with pytest.raises(AssertionError, match="'a-1' names both"):
        Lexicon([("first", ["A1"]), ("second", ["a-1"])])


def test_no_synonym_is_needless() -> None:
    repeated = [
        (kind, folded)
        for (kind, folded), n in Counter((kind, fold(word)) for kind, _, word in SPELLINGS).items()
        if n > 1
    ]
    assert repeated == []


def test_sensors_of_platforms_are_in_the_vocabulary_by_their_canonical_names() -> None:
    carried = {sensor for platform in list_platforms() for sensor in platform.sensors}
    assert carried - {sensor.name for sensor in list_sensors()} == set()
    assert [p.name for p in list_platforms() if p.sensor is not None and p.sensor not in p.sensors] == []


def test_radar_platforms_carry_nothing_but_radar() -> None:
    modalities = {sensor.name: sensor.modality for sensor in list_sensors()}
    for platform in list_platforms():
        if platform.radar:
            assert {modalities[sensor] for sensor in platform.sensors} <= {"SAR"}, platform.name


def test_modalities_of_sensors_are_canonical() -> None:
    used = {sensor.modality for sensor in list_sensors() if sensor.modality is not None}
    assert used - {entry.name for entry in list_modalities()} == set()


def test_numbered_bands_speak_of_known_sensors_and_bands() -> None:
    for numbering in list_numberings():
        assert set(numbering.sensors) <= {sensor.name for sensor in list_sensors()}
        assert set(numbering.platforms) <= {platform.name for platform in list_platforms()}
        assert set(numbering.bands.values()) <= {band.name for band in list_bands()}


def test_band_ranges_are_in_micrometres_and_in_order() -> None:
    assert all(0.3 < band.min_um < band.max_um < 15 for band in list_bands())


@pytest.mark.parametrize("name", ["platforms", "sensors", "modalities", "bands", "countries"])
def test_every_table_says_where_it_comes_from(name: str) -> None:
    assert len(read_table(name)["source"]) > 20


def test_words_of_mmm_rs_are_the_published_six() -> None:
    published = {"Sentinel-1", "Sentinel-2", "GF1", "GF2", "TG2", "Google Earth"}
    assert published <= {platform.word for platform in list_platforms()}


def test_carriers_are_told_apart() -> None:
    carriers = {name: find_platform(name) for name in ("NAIP", "drone", "Bing", "WorldView-3")}
    assert {name: platform.carrier for name, platform in carriers.items() if platform is not None} == {
        "NAIP": Carrier.AIRCRAFT,
        "drone": Carrier.AIRCRAFT,
        "Bing": None,
        "WorldView-3": Carrier.SATELLITE,
    }


def test_names_that_captions_use_in_another_sense_are_marked() -> None:
    words = {
        "goes",
        "spot",
        "aqua",
        "terra",
        "neon",
        "corona",
        "space",
        "pace",
        "grace",
        "google",
        "drone",
        "biomass",
    }
    firsts = {platform.name.split(" ")[0].casefold(): platform.ordinary for platform in list_platforms()}
    assert {word for word, ordinary in firsts.items() if word in words and not ordinary} == set()


# --- bands and levels --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "platform", "sensor", "name"),
    [
        ("B02", None, "MSI", "blue"),
        ("B8A", "sentinel-2a", None, "nir08"),
        ("b04", "Sentinel-2B", "msi", "red"),
        ("B4", "landsat-8", None, "red"),
        ("OLI_B4", "LANDSAT_9", None, "red"),
        ("TIRS_B10", "landsat-8", None, "lwir11"),
        ("Band 3", None, "TM", "red"),
        ("SR_B3", "Landsat 7", None, "red"),
        ("B3", "Landsat 5", "TM", "red"),
        ("B5", "landsat-1", None, "red"),
        ("B1", "NAIP", None, "red"),
        ("4", None, "MODIS", "green"),
    ],
)
def test_numbered_bands_are_those_of_their_sensor(
    word: str, platform: str | None, sensor: str | None, name: str
) -> None:
    band = find_numbered_band(word, platform=platform, sensor=sensor)
    assert band is not None
    assert band.name == name


@pytest.mark.parametrize(
    ("word", "platform", "sensor"),
    [
        ("B3", "Landsat 5", None),
        ("B4", None, "MSS"),
        ("B04", None, None),
        ("B99", None, "MSI"),
        ("B04", "Aqua", "MSI"),
        ("B04", "no such", None),
        ("red", None, "MSI"),
    ],
)
def test_a_band_is_not_guessed(word: str, platform: str | None, sensor: str | None) -> None:
    assert find_numbered_band(word, platform=platform, sensor=sensor) is None


def test_bands_have_synonyms() -> None:
    assert name_band("SWIR 1") == "swir16"
    assert name_band("Coastal Aerosol") == "coastal"
    assert name_band("lwir2") == "lwir2"
    red = find_band("Red")
    assert red is not None
    assert (red.min_um, red.max_um) == (0.62, 0.69)


def test_level_words_are_found() -> None:
    assert find_level_word("ultra high precision resolution") is GsdLevel.ULTRA_HIGH
    assert find_resolution_word("very-high") is ResolutionWord.VERY_HIGH
    assert find_resolution_word("Moderate resolution") is ResolutionWord.MODERATE
    assert unknown_words(WordKind.RESOLUTION, ["Low", "Medium", "N/A", "Medium"]) == ("Medium", "N/A")


# --- free text ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "platforms", "sensors"),
    [
        ("Terra/MODIS", ["Terra"], ["MODIS"]),
        ("MODIS on Terra", ["Terra"], ["MODIS"]),
        ("Terra's MODIS", ["Terra"], ["MODIS"]),
        ("MODIS on board the Terra satellite", ["Terra"], ["MODIS"]),
        ("Terra + Aqua", ["Terra", "Aqua"], []),
        ("MODIS aboard NASA's Terra and Aqua satellites", ["Terra", "Aqua"], ["MODIS"]),
        ("NASA's Terra satellite, MODIS instrument", ["Terra"], ["MODIS"]),
        ("Landsat 8 OLI", ["Landsat 8"], ["OLI"]),
        ("Landsat 8/9", ["Landsat 8", "Landsat 9"], []),
        ("Landsat 8-9 OLI/TIRS", ["Landsat 8", "Landsat 9"], ["OLI", "TIRS"]),
        ("OLI_TIRS", [], ["OLI", "TIRS"]),
        ("Sentinel-2A/B MSI", ["Sentinel-2"], ["MSI"]),
        ("ERS-1/2", ["ERS-1", "ERS-2"], []),
        ("GOES-16 and 17", ["GOES-16", "GOES-17"], []),
        ("WorldView-2, -3", ["WorldView-2", "WorldView-3"], []),
        ("Operational Land Imager (OLI) on Landsat 8", ["Landsat 8"], ["OLI"]),
        ("Landsat 7 ETM+", ["Landsat 7"], ["ETM+"]),
        ("PAN/MSS", [], ["PMS"]),
        ("NASA/USGS Landsat 8", ["Landsat 8"], []),
    ],
)
def test_free_text_is_taken_apart(text: str, platforms: list[str], sensors: list[str]) -> None:
    read = read_sensing(text)
    assert (list(read.platforms), list(read.sensors), read.unknown) == (platforms, sensors, ())


def test_what_is_not_known_is_reported_verbatim() -> None:
    read = read_sensing(["Terra", "Carrier Pigeon 7", "Aqua park", "Landsat-7 ETM+ & Foo", "NASA", "terra"])
    assert read == Sensing(
        platforms=("Terra", "Landsat 7"),
        sensors=("ETM+",),
        unknown=("Carrier Pigeon 7", "Aqua park", "Foo", "NASA"),
    )


def test_a_modality_is_no_sensor() -> None:
    assert read_sensing("Sentinel-1 SAR") == Sensing(platforms=("Sentinel-1",), modalities=("SAR",))


@given(
    st.lists(st.sampled_from(list_platforms()), min_size=1, max_size=3),
    st.sampled_from([", ", " and ", "; "]),
)
def test_lists_of_names_come_back(platforms: list[Any], separator: str) -> None:
    read = read_sensing(separator.join(platform.name for platform in platforms))
    assert read == Sensing(platforms=tuple(dict.fromkeys(platform.name for platform in platforms)))


@given(st.text(alphabet="SL8/-_ ,+&2AB'()and", max_size=40))
def test_any_text_is_read(text: str) -> None:
    read = read_sensing(text)
    assert set(read.platforms) <= {platform.name for platform in list_platforms()}
    assert all(part in text for part in read.unknown)


@pytest.mark.parametrize(
    "text",
    [
        "Terra " * 5000,
        " " * 50_000,
        "the " * 10_000,
        "a(b)" * 5000,
        "nasa x (y) satellite " * 2000,
        "Landsat 8/" * 3000,
    ],
)
@pytest.mark.timeout(10)
def test_hostile_text_takes_no_long_time(text: str) -> None:
    assert len(read_sensing(text).platforms) <= 1
    assert find_platform(text) is None


# --- real STAC documents -----------------------------------------------------------------------------------------


def walk(value: object) -> Iterator[tuple[str, str]]:
    """Every text below a key, with the key; a list's members by the key of the list."""
    if isinstance(value, dict):
        for key, inner in value.items():
            for each in inner if isinstance(inner, list) else [inner]:
                if isinstance(each, str):
                    yield key, each
                else:
                    yield from walk(each)
    elif isinstance(value, list):
        for each in value:
            yield from walk(each)


def read_words(folder: Path, keys: Iterable[str]) -> list[str]:
    documents = [json.loads(path.read_text()) for path in sorted(folder.rglob("*.json"))]
    return sorted({word for document in documents for key, word in walk(document) if key in keys})


@pytest.fixture
def stac(real_data: Path) -> Path:
    if not (real_data / "stac").is_dir():
        pytest.skip("no STAC items")
    return real_data / "stac"


def test_platforms_of_real_items_are_known(stac: Path) -> None:
    words = read_words(stac, ["platform"])
    assert len(words) > 10
    assert unknown_words(WordKind.PLATFORM, words) == ("101c",), "the number of one Dove among hundreds"


def test_instruments_of_real_items_are_known(stac: Path) -> None:
    words = read_words(stac, ["instruments"])
    assert len(words) > 8
    read = read_sensing(words)
    assert read.platforms == ()
    assert read.modalities == ("SAR",), "not the name of an instrument"
    assert read.unknown == ("tiirs",), "a slip of the publisher"


def test_common_names_of_real_items_are_known(stac: Path) -> None:
    words = read_words(stac, ["common_name", "eo:common_name"])
    assert len(words) > 12
    assert unknown_words(WordKind.BAND, words) == ("lwir2",), "not one of STAC's names"


def list_numbered(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for asset in document["assets"].values():
        for band in asset.get("eo:bands", ()):
            if "common_name" in band:
                yield band["name"], band["common_name"]


def test_numbered_bands_agree_with_those_of_real_items(stac: Path) -> None:
    """Publishers differ on three bands, whose names of the one standard lie within each other."""
    wider = {("nir", "nir08"), ("nir08", "nir"), ("rededge071", "rededge"), ("rededge075", "rededge")}
    wider |= {("rededge078", "rededge"), ("lwir12", "lwir2")}
    n_agreed = 0
    for path in sorted(stac.rglob("*.json")):
        document = json.loads(path.read_text())
        properties = document.get("properties", {})
        if document.get("type") != "Feature" or "platform" not in properties:
            continue
        sensors = [
            sensor.name for sensor in map(find_sensor_entry, properties.get("instruments", [])) if sensor
        ]
        only = sensors[0] if len(sensors) == 1 else None
        for number, common_name in list_numbered(document):
            band = find_numbered_band(number, platform=properties["platform"], sensor=only)
            if band is not None:
                assert band.name == common_name or (band.name, common_name) in wider, (path.name, number)
                n_agreed += 1
    assert n_agreed > 100


def test_names_of_sensors_and_countries_are_given_back_verbatim_when_unknown() -> None:
    assert name_sensor("Enhanced Thematic Mapper Plus (ETM+)") == "ETM+"
    assert name_sensor("Pinhole 3000") == "Pinhole 3000"
    assert len({country.alpha2 for country in list_countries()}) == len(list_countries()) > 240
