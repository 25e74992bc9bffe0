"""Prompts in the published form, and captions that say what is known in many ways."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from caption_records import (
    label,
    make_airport,
    make_atlas,
    make_bare,
    make_dated_season,
    make_eurosat,
    make_fmow,
    make_foggy_source,
    make_gid,
    make_naip,
    make_radar_cover,
    make_scene,
    make_sentinel1,
    make_ships,
    make_tile,
    make_umbra,
    with_fog,
)

from earthloom.caption import CaptionSettings, caption_tile
from earthloom.caption.facts import gather
from earthloom.caption.language.tokens import count_clip_tokens
from earthloom.caption.rules.frames import Role
from earthloom.caption.rules.gaia_frames import GAIA
from earthloom.caption.rules.inner import clean_inner
from earthloom.caption.rules.plain_frames import TIERS
from earthloom.caption.rules.slots import SLOTS, Wording
from earthloom.caption.rules.writing import (
    mmm_rs_prompt,
    write_enriched,
    write_gaia,
    write_mmm_rs,
    write_plain,
    write_subject,
)
from earthloom.core.records import Effect, Modality, Scene, Tile
from earthloom.geo.levels import GsdLevel

ULTRA_HIGH, HIGH, ORDINARY, LOW, ULTRA_LOW = GsdLevel


def write(record: tuple[Scene, Tile], seed: int = 0) -> dict[str, str]:
    """The plain captions of an image by role."""
    wording = Wording(gather(*record))
    return {str(role): text for role, text in write_plain(wording, 5, seed, record[1].id)}


def prompt(record: tuple[Scene, Tile]) -> str:
    return write_mmm_rs(Wording(gather(*record)))


def enriched(record: tuple[Scene, Tile], seed: int = 0) -> str:
    return write_enriched(Wording(gather(*record)), seed, record[1].id)


@pytest.mark.parametrize(
    ("level", "weather", "caption", "satellite", "published"),
    [
        (
            ORDINARY,
            "fog",
            "a satellite image shows a large area of farmland",
            "Sentinel-2",
            "Ordinary precision resolution, fog, a satellite image shows a large area of farmland, Sentinel-2.",
        ),
        (
            HIGH,
            "snow",
            "a satellite image shows a park in the city",
            "Google Earth",
            "High precision resolution, snow, a satellite image shows a park in the city, Google Earth",
        ),
        (
            ULTRA_LOW,
            "fog",
            "a satellite image shows a large mountain range",
            "TG2",
            "Ultra-low precision resolution, fog, a satellite image shows a large mountain range, TG2",
        ),
        (
            HIGH,
            "night",
            "a satellite image shows a street in a residential area",
            "Google Earth",
            "High precision resolution, night, a satellite image shows a street in a residential area, Google Earth",
        ),
        (
            HIGH,
            None,
            "a satellite image shows a small town in the middle of a field",
            "GF2",
            "High precision resolution, a satellite image shows a small town in the middle of a field, GF2",
        ),
        (
            LOW,
            None,
            "a satellite image shows a city",
            "Sentinel-1",
            "Low precision resolution, a satellite image shows a city, Sentinel-1",
        ),
        (
            LOW,
            None,
            "a satellite image of a mountain with a river running through it",
            "GF1",
            "Low precision resolution, a satellite image of a mountain with a river running through it, GF1",
        ),
    ],
)
def test_published_prompts(
    level: GsdLevel, weather: str | None, caption: str, satellite: str, published: str
) -> None:
    """MMM-RS (arXiv 2410.22362), its figures; they differ in the final full stop."""
    assert mmm_rs_prompt(level, weather, caption, satellite) == published.removesuffix(".")


@pytest.mark.parametrize(
    ("record", "published"),
    [
        (
            with_fog(
                (make_scene(platform="S2"), make_tile(gsd_m=2.0, labels=(label("farmland", share=0.9),))),
            ),
            "Ordinary precision resolution, fog, a satellite image shows a large area of farmland, Sentinel-2",
        ),
        (
            (
                make_scene(platform="Sentinel-1A", modality=Modality.SAR),
                make_tile(gsd_m=10.0, labels=(label("city"),)),
            ),
            "Low precision resolution, a satellite image shows a city, Sentinel-1",
        ),
    ],
)
def test_published_prompts_from_labels_alone(record: tuple[Scene, Tile], published: str) -> None:
    assert prompt(record) == published


def make_published(platform: str, gsd_m: float, effect: str | None = None) -> tuple[Scene, Tile]:
    """An image of MMM-RS as its facts have it: platform, ground sample distance, and effect."""
    record = make_scene(platform=platform), make_tile(gsd_m=gsd_m)
    return record if effect is None else with_fog(record, effect)


@pytest.mark.parametrize(
    ("record", "inner", "published"),
    [
        (
            make_published("Sentinel-2A", 2.0, "fog"),
            "a satellite image shows a large area of farmland",
            "Ordinary precision resolution, fog, a satellite image shows a large area of farmland, Sentinel-2",
        ),
        (
            make_published("Google Earth", 0.6, "snow"),
            "A satellite image shows a park in the city.",
            "High precision resolution, snow, a satellite image shows a park in the city, Google Earth",
        ),
        (
            make_published("Tiangong-2", 100.0, "fog"),
            "a satellite image shows a large mountain range.",
            "Ultra-low precision resolution, fog, a satellite image shows a large mountain range, TG2",
        ),
        (
            make_published("Google Earth", 0.5, "low_light"),
            "a satellite image shows a street in a residential area",
            "High precision resolution, night, a satellite image shows a street in a residential area, Google Earth",
        ),
        (
            make_published("Gaofen-2", 0.8),
            "a satellite image shows a small town in the middle of a field",
            "High precision resolution, a satellite image shows a small town in the middle of a field, GF2",
        ),
        (
            make_published("Sentinel-1", 10.0),
            "a satellite image shows a city",
            "Low precision resolution, a satellite image shows a city, Sentinel-1",
        ),
        (
            make_published("Gaofen-1", 5.0),
            "a satellite image of a mountain, with a river running through it.",
            "Low precision resolution, a satellite image of a mountain with a river running through it, GF1",
        ),
    ],
)
def test_published_prompts_from_facts_and_what_a_model_says(
    record: tuple[Scene, Tile], inner: str, published: str
) -> None:
    """All seven of MMM-RS's figures: level from metres, weather from the effect, the satellite's word from its name."""
    assert write_mmm_rs(Wording(gather(*record)), inner) == published


@pytest.mark.parametrize(
    ("said", "inner"),
    [
        ("A park, a road, and a lake.", "a park and a road and a lake"),
        (
            "an aerial view , showing\nboats , several piers!",
            "an aerial view showing boats and several piers",
        ),
        ("UAV image of a field", "UAV image of a field"),
        ("  ", ""),
        (",.;", ""),
        ("a river with a bridge", "a river with a bridge"),
    ],
)
def test_inner_captions(said: str, inner: str) -> None:
    assert clean_inner(said) == inner


def test_that_an_inner_caption_which_is_empty_or_too_long_gives_way_to_the_labels() -> None:
    wording = Wording(gather(*make_eurosat("forest")))
    expected = "Low precision resolution, a satellite image shows forest, Sentinel-2"
    assert write_mmm_rs(wording, "...") == expected
    assert write_mmm_rs(wording, "a forest " * 60, 77) == expected
    assert write_mmm_rs(wording, "a forest " * 60).count("a forest") == 60


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (make_bare(), "a remote sensing image"),
        (make_bare(gsd_m=0.3), "Ultra-high precision resolution, a remote sensing image"),
        (make_bare(Modality.SAR, gsd_m=0.3), "Ultra-high precision resolution, a SAR remote sensing image"),
        (make_naip(), "Low precision resolution, a near-infrared aerial image, NAIP"),
        (make_umbra(), "Ordinary precision resolution, a satellite image, Umbra"),
        (
            with_fog(make_eurosat("forest"), "low_light"),
            "Low precision resolution, night, a satellite image shows forest, Sentinel-2",
        ),
        (
            make_airport(),
            "High precision resolution, a remote sensing image shows three airplanes and one storage tank, "
            "Google Earth",
        ),
        (
            (
                make_scene(platform="Landsat 8"),
                make_tile(
                    labels=(label("farmland", share=0.5), label("river", share=0.3), label("road", share=0.2))
                ),
            ),
            "a satellite image shows farmland with river water and roads, Landsat 8",
        ),
        (
            (make_scene(synthetic=True), make_tile(gsd_m=2.0, labels=(label("built-up area", share=0.7),))),
            "Ordinary precision resolution, a synthetic remote sensing image shows large built-up areas",
        ),
    ],
)
def test_prompts_leave_out_what_is_unknown(record: tuple[Scene, Tile], expected: str) -> None:
    assert prompt(record) == expected


def test_that_parts_of_a_prompt_can_be_told_apart() -> None:
    labels = tuple(label(name, share=0.3) for name in ("moss, lichen", "forest", "water"))
    record = with_fog((make_scene(platform="Sentinel-2"), make_tile(gsd_m=10.0, labels=labels)))
    assert prompt(record).split(", ") == [
        "Low precision resolution",
        "fog",
        "a satellite image shows forest and water",
        "Sentinel-2",
    ]


def test_that_an_enriched_prompt_has_every_fact() -> None:
    scene, tile = make_naip()
    record = with_fog(
        (scene, replace(tile, labels=(label("cropland", share=0.62), label("water", share=0.1))))
    )
    for seed in range(40):
        text = enriched(record, seed)
        for fact in (
            "near-infrared",
            "NAIP",
            "5 m",
            "4 September 2014",
            "North Dakota",
            "47.02° N, 99.18° W",
            "fog",
        ):
            assert fact in text
        assert re.search(r"cropland \(62 %\) and water \(10 %\)", text)


def test_that_sensors_and_polarisation_are_in_an_enriched_prompt() -> None:
    for seed in range(20):
        text = enriched(make_sentinel1(), seed)
        assert "Sentinel-1" in text
        assert "C-SAR" in text
        assert re.search(r"VV(-polarised)? (SAR|radar)", text)
        assert "8.9 m" in text


@pytest.mark.parametrize("modality", list(Modality))
def test_that_almost_no_facts_give_five_different_captions(modality: Modality) -> None:
    for seed in range(50):
        captions = write(make_bare(modality), seed)
        assert list(captions) == [role.value for role in Role]
        assert len(set(captions.values())) == 5


def test_that_aerial_images_are_not_satellites() -> None:
    for seed in range(50):
        text = " ".join((*write(make_naip(Modality.RGB), seed).values(), enriched(make_naip(), seed)))
        assert "satellite" not in text


def test_that_a_map_service_is_called_neither() -> None:
    for seed in range(50):
        text = " ".join((*write(make_airport(), seed).values(), enriched(make_airport(), seed)))
        assert not re.search("satellite|aerial|airborne", text)


def test_that_every_caption_of_a_synthetic_image_says_so() -> None:
    for index in range(60):
        record = make_atlas(index)
        for text in (*write(record).values(), enriched(record), prompt(record)):
            assert "synthetic" in text.lower()
            assert not re.search(r"\b(acquired|captured|taken|recorded)\b", text)


def test_that_a_real_image_is_never_called_synthetic() -> None:
    for seed in range(30):
        for record in (make_umbra(), make_sentinel1(), make_eurosat()):
            assert "synthetic" not in " ".join((*write(record, seed).values(), enriched(record, seed)))


def test_that_an_effect_is_called_simulated() -> None:
    for seed in range(40):
        conditions = write(with_fog(make_eurosat()), seed)["conditions"]
        assert "light simulated fog" in conditions


@pytest.mark.parametrize("effect", ["fog", "haze", "cloud", "snow", "low_light", "rain", "dust", "smoke"])
def test_that_every_effect_is_said_and_passes_the_checks(effect: str) -> None:
    for seed in range(10):
        record = with_fog(make_eurosat(), effect)
        captions = write(record, seed)
        assert "simulated" in captions["conditions"]
        assert "simulated" in enriched(record, seed)


def test_that_weather_which_the_sensor_looks_through_is_not_said() -> None:
    scene, tile = with_fog(make_sentinel1())
    assert tile.effect is not None
    unseen = scene, replace(tile, effect=replace(tile.effect, is_visible=False))
    for seed in range(10):
        assert "fog" not in " ".join((*write(unseen, seed).values(), enriched(unseen, seed)))


def test_positions_follow_the_boxes() -> None:
    boxes = [(10, 10, 60, 60), (20, 100, 70, 150), (450, 460, 500, 500)]
    record = (make_scene(), make_tile(labels=tuple(label("ship", box=box) for box in boxes)))
    for seed in range(20):
        text = write(record, seed)["arrangement"]
        assert re.search(
            r"the three ships (lie|sit|are \w+) in the upper left and lower right of", text.lower()
        )
    row = [label("car", box=(x, 20, x + 10, 30)) for x in range(0, 500, 25)]
    labels = (*row, label("car", box=(9, 400, 20, 410)))
    text = write((make_scene(), make_tile(labels=labels)))["arrangement"]
    assert "the 21 cars" in text.lower()
    assert "mostly along the upper side" in text


def test_that_a_class_of_the_scene_is_not_said_of_its_part() -> None:
    scene, tile = make_eurosat("airport")
    part = (scene, replace(tile, crop=replace(tile.crop, width=30, height=30)))
    for seed in range(30):
        for text in (*write(part, seed).values(), enriched(part, seed), prompt(part)):
            assert "airport" not in text or re.search("scene.* label", text) or "scene labelled" in text


def test_that_captions_depend_on_image_and_seed_alone() -> None:
    record = make_atlas(5)
    assert write(record, 3) == write(make_atlas(5), 3)
    assert write(record, 3) != write(record, 4)
    assert write(record, 3) != write((record[0], replace(record[1], id="other")), 3)


def test_that_every_frame_can_be_used() -> None:
    """A frame that no facts can fill, or a slot that no frame asks for, is dead."""
    frames = [frame for tiers in (*TIERS.values(), *GAIA.values()) for tier in tiers.frames for frame in tier]
    records = [make_atlas(i) for i in range(30)] + [make_bare(m, gsd_m=2.0, pixel_m=2.0) for m in Modality]
    records += [make_naip(), make_sentinel1(), make_umbra(), make_airport(), make_eurosat(), make_fmow()]
    records += [make_gid(), make_ships(), make_radar_cover(), make_dated_season()]
    records.append(
        (make_eurosat()[0], replace(make_eurosat()[1], crop=replace(make_eurosat()[1].crop, width=3)))
    )
    records.append((make_scene(), make_tile(labels=(label("forest", share=0.9),))))
    scene, tile = make_naip()
    fog = Effect(name="fog", severity="light", is_visible=True, params="{}", seed=1)
    records.append((scene, replace(tile, effect=fog)))
    known = [Wording(gather(*record)).known for record in records]
    unusable = [frame for frame in frames if all(frame.needs & ~bits for bits in known)]
    names = [[name for name, bit in SLOTS.items() if frame.needs & bit] for frame in unusable]
    assert names == []


def test_that_a_cover_of_cloud_is_told_from_the_cloud_cover_of_the_source() -> None:
    tile = make_tile(labels=(label("cloud", share=1.0),))
    captioned = caption_tile(make_scene(cloud_share=0.0), tile, CaptionSettings())
    assert captioned.dropped == ()


@pytest.mark.parametrize("share", [0.17, 0.4])
def test_that_a_small_part_is_not_passed_off_as_most(share: float) -> None:
    """The rest is of a class that says nothing, so the one that is named is the only one."""
    labels = (label("background", share=1 - share), label("meadow", share=share))
    texts = [
        text for i in range(200) for text in write_all((make_scene(), make_tile(id=str(i), labels=labels)))
    ]
    assert not [text for text in texts if re.search(r"mainly|mostly|chiefly|made up of|main parts", text)]
    assert not [text for text in texts if re.search(r"dominate|prevail|little room", text)]


@pytest.mark.parametrize(("share", "fills"), [(0.6, False), (0.95, True)])
def test_that_only_what_fills_an_image_leaves_little_room(share: float, fills: bool) -> None:
    labels = (label("meadow", share=share), label("water", share=1 - share))
    texts = [
        text for i in range(200) for text in write_all((make_scene(), make_tile(id=str(i), labels=labels)))
    ]
    assert any("little room" in text or "one side to the other" in text for text in texts) is fills


def test_that_nothing_on_the_ground_hovers_over_a_place() -> None:
    """`one airport over Kenya` reads as if it flew: it is the image that is over a place."""
    scene, tile = make_airport()
    scene = replace(scene, place="Nairobi", country="KE")
    texts = [text for i in range(300) for text in write_all((scene, replace(tile, id=str(i))))]
    assert any("over Nairobi" in text for text in texts)
    assert not [
        text for text in texts if re.search(r"(airplanes?|airports?|tanks?|ships?) over Nairobi", text)
    ]


def test_that_simulated_weather_was_not_there_when_data_were_taken() -> None:
    """Where nothing is known but the effect, no caption says that the image was taken in it."""
    fog = Effect(name="fog", severity="light", is_visible=True, params="{}", seed=1)
    texts = [text for i in range(200) for text in write_all((make_scene(), make_tile(id=str(i), effect=fog)))]
    verbs = "taken|captured|recorded|acquired|collected|obtained"
    assert not [text for text in texts if re.search(rf"(?:{verbs})(?: in| with) \w* ?simulated", text)]


def write_all(record: tuple[Scene, Tile]) -> list[str]:
    captions = caption_tile(
        *record, CaptionSettings.model_validate({"styles": ["enriched", "gaia"]})
    ).captions
    return [caption.text for caption in captions]


def test_lengths() -> None:
    for index in range(100):
        record = make_atlas(index)
        for text in (*write(record).values(), enriched(record)):
            assert 8 <= len(text.split()) <= 60


EVERY = [
    *(make_atlas(i) for i in range(6)),
    *(make_bare(modality) for modality in Modality),
    make_airport(),
    make_dated_season(),
    make_eurosat(),
    make_fmow(),
    make_foggy_source(),
    make_gid(),
    make_naip(),
    make_radar_cover(),
    make_sentinel1(),
    make_ships(),
    make_umbra(),
    with_fog(make_fmow(), "snow"),
]


def gaia(record: tuple[Scene, Tile], seed: int = 0) -> dict[str, str]:
    wording = Wording(gather(*record))
    return {str(role): text for role, text in write_gaia(wording, seed, record[1].id, 77)}


FEW_FACTS = [
    (make_scene(country="CA"), make_tile(labels=(label("forest"),))),
    (make_scene(country="CA"), make_tile()),
    (make_scene(platform="Sentinel-2"), make_tile(labels=(label("forest"),))),
    (make_scene(season="summer"), make_tile(labels=(label("ship", box=(5, 5, 9, 9)),))),
    (make_scene(sun_elevation_deg=30.0), make_tile(pixel_m=2.0)),
]


@pytest.mark.parametrize("record", [*EVERY, *FEW_FACTS])
def test_that_marks_stand_as_they_should(record: tuple[Scene, Tile]) -> None:
    for seed in range(60):
        for text in (*write(record, seed).values(), *gaia(record, seed).values(), enriched(record, seed)):
            assert not re.search(r"[.,;:]\s*[.,;:]|\s[.,;]|\(\s|\s\)|\s\s", text), text
            assert all(part[0] == part[0].upper() for part in re.split(r"[.?] (?=\D)", text)), text


@pytest.mark.parametrize("record", EVERY)
def test_that_gaias_faults_are_mended(record: tuple[Scene, Tile]) -> None:
    """A role each, up to two sentences, no fixed prefix, date, coordinate or talk of pixels, acronyms written out."""
    openings = set()
    for seed in range(20):
        captions = gaia(record, seed)
        assert list(captions) == [role.value for role in Role]
        for text in captions.values():
            openings.add(" ".join(text.split()[:3]))
            assert len(re.findall(r"[.?](?: |$)", text)) <= 2
            assert not re.search(r"\b(19|20)\d\d\b|°\s?[NSEW]\b|photo|\d pixels", text)
            if re.search(r"(?<![-\w])(SAR|RGB|NIR)\b", text):
                assert re.search(r"\((SAR|RGB|NIR)\)", text)
            assert not re.search(r"\bGSD\b", text)
            assert count_clip_tokens(text) <= 77
    assert len(openings) > 40


def test_that_gaia_says_each_kind_of_fact_in_one_caption() -> None:
    for seed in range(30):
        captions = gaia(make_fmow(), seed)
        everything = " ".join(captions.values())
        for fact in (
            "spatial resolution",
            "WorldView-2",
            "March",
            "above the horizon|sun elevation",
            "cloud cover",
        ):
            assert len(re.findall(fact, everything)) <= 1
        assert "very high spatial resolution" in captions["conditions"].lower()
        assert "WorldView-2" in captions["conditions"]
        assert "March" in captions["conditions"]
        assert "United States" in captions["overview"]
        shares = gaia(make_gid(), seed)
        assert "52 %" in shares["composition"] or "half" in shares["composition"]
        assert not any("%" in shares[role] for role in ("overview", "arrangement", "conditions"))


@pytest.mark.parametrize(
    ("gsd_m", "words"),
    [
        (0.3, "very high"),
        (4.0, "very high"),
        (4.1, "high"),
        (30.0, "high"),
        (30.2, "moderate"),
        (301.0, "low"),
    ],
)
def test_that_the_class_of_the_spatial_resolution_has_a_definition(gsd_m: float, words: str) -> None:
    """The classes of Copernicus' contributing missions: very high to 4 m, high to 30 m, moderate (MR) to 300 m."""
    record = make_bare(gsd_m=gsd_m, pixel_m=gsd_m)
    for seed in range(10):
        found = re.findall(r"(very high|high|moderate|low) spatial", gaia(record, seed)["conditions"].lower())
        assert found == [words]


def test_that_sizes_and_spacing_follow_the_boxes() -> None:
    lengths = gather(*make_ships()).objects[0].lengths_m
    low, high = f"{min(lengths):.2g} m", f"{max(lengths):.2g} m"
    seen = set()
    for seed in range(60):
        text = " ".join((*write(make_ships(), seed).values(), *gaia(make_ships(), seed).values()))
        seen |= set(re.findall(r"about (\d+ m to \d+ m)", text))
        for metres in re.findall(
            r"about (\d+) m apart|spacing of about (\d+) m|next ship is about (\d+) m", text
        ):
            assert {"22"} == {m for m in metres if m}
    assert seen == {f"{low} to {high}"}


def test_that_neighbours_follow_the_borders() -> None:
    pairs = {
        frozenset(pair)
        for pair in (("farmland", "forest"), ("farmland", "built-up land"), ("farmland", "water"))
    }
    found = set()
    for seed in range(200):
        text = " ".join(
            (write(make_gid(), seed)["arrangement"], gaia(make_gid(), seed)["arrangement"])
        ).lower()
        cover = "(farmland|forest|built-up land|water)"
        for pattern in (
            f"{cover} (?:borders on|adjoins|meets|touches) {cover}",
            f"between {cover} and {cover}",
        ):
            found |= {frozenset(pair) for pair in re.findall(pattern, text)}
    assert found <= pairs
    assert len(found) > 1


def test_that_brightness_is_said_as_measured() -> None:
    texts = []
    for seed in range(60):
        texts += [*write(make_radar_cover(), seed).values(), *gaia(make_radar_cover(), seed).values()]
    decibels = set(re.findall(r"(-?[\d.]+) dB", " ".join(texts)))
    assert decibels == {"-25", "0", "-11.7", "-18.2", "-4.9"}
    assert any("mid-grey" in text for text in texts)  # -11.7 of -25 to 0 dB


def test_that_weather_of_the_source_is_not_called_simulated() -> None:
    for seed in range(20):
        record = make_foggy_source()
        text = " ".join((*write(record, seed).values(), *gaia(record, seed).values(), enriched(record, seed)))
        assert "with fog" in text
        assert "simulated" not in text
    assert prompt(make_foggy_source("night")) == (
        "Low precision resolution, night, a satellite image shows a river, Sentinel-2"
    )


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (make_eurosat("forest"), "a satellite image shows forest"),
        (make_airport(), "a remote sensing image shows three airplanes and one storage tank"),
        (make_bare(gsd_m=0.3), "a remote sensing image"),
        (make_bare(Modality.SAR, gsd_m=0.3), "a SAR remote sensing image"),
    ],
)
def test_that_a_subject_says_what_is_there_and_nothing_of_how_it_was_taken(
    record: tuple[Scene, Tile], expected: str
) -> None:
    assert write_subject(Wording(gather(*record))) == expected


@pytest.mark.parametrize("effect", ["fog", "snow", "low_light"])
def test_that_weather_changes_no_subject(effect: str) -> None:
    clear = make_eurosat("river")
    changed = with_fog(clear, effect)
    assert prompt(changed) != prompt(clear)
    assert write_subject(Wording(gather(*changed))) == write_subject(Wording(gather(*clear)))


@pytest.mark.parametrize("record", EVERY)
def test_that_a_subject_is_the_inner_caption_of_the_prompt(record: tuple[Scene, Tile]) -> None:
    assert write_subject(Wording(gather(*record))) in prompt(record)


@pytest.mark.parametrize("max_tokens", [40, 60, 77])
@pytest.mark.parametrize("record", EVERY)
def test_that_captions_keep_to_a_length(record: tuple[Scene, Tile], max_tokens: int) -> None:
    wording = Wording(gather(*record))
    for seed in range(5):
        texts = [text for _, text in write_plain(wording, 5, seed, "x", max_tokens)]
        assert len(texts) == 5
        texts += [write_mmm_rs(wording, None, max_tokens), write_enriched(wording, seed, "x", max_tokens)]
        texts += [text for _, text in write_gaia(wording, seed, "x", max_tokens)]
        texts.append(write_subject(wording, max_tokens))
        assert max(map(count_clip_tokens, texts)) <= max_tokens


def test_that_no_limit_changes_nothing_that_fits() -> None:
    for record in EVERY:
        wording = Wording(gather(*record))
        free = write_plain(wording, 5, 0, "x")
        if max(count_clip_tokens(text) for _, text in free) <= 77:
            assert write_plain(wording, 5, 0, "x", 77) == free


@pytest.mark.parametrize(
    ("elevation_deg", "words"),
    [
        (41.6, "with (a sun elevation of 42°|the sun 42° above the horizon)"),
        (0.2, "with the sun at the horizon"),
        (-12.0, "with the sun below the horizon"),
    ],
)
def test_where_the_sun_stood(elevation_deg: float, words: str) -> None:
    for seed in range(10):
        record = make_scene(sun_elevation_deg=elevation_deg), make_tile()
        assert re.search(words, gaia(record, seed)["conditions"])


def test_countries_with_an_article() -> None:
    names = {
        "US": "over the United States",
        "KE": "over Kenya",
        "PH": "over the Philippines",
        "FO": "over the Faroe Islands",
    }
    for code, words in names.items():
        scene = make_scene(country=code)
        assert any(
            words in gaia((scene, make_tile()), seed)["overview"].replace("Over", "over") for seed in range(3)
        )
