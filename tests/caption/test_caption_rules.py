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
    make_eurosat,
    make_naip,
    make_scene,
    make_sentinel1,
    make_tile,
    make_umbra,
    with_fog,
)

from earthloom.caption.facts import gather
from earthloom.caption.frames import TIERS, Role
from earthloom.caption.rules import mmm_rs_prompt, write_enriched, write_mmm_rs, write_plain
from earthloom.caption.slots import SLOTS, Wording
from earthloom.core.records import Modality, Scene, Tile
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
def test_published_prompts_from_facts(record: tuple[Scene, Tile], published: str) -> None:
    assert prompt(record) == published


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
        assert re.search(r"Sentinel-1.* C-SAR", text)
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
    asked = 0
    for tiers in TIERS.values():
        for tier in tiers.frames:
            for frame in tier:
                asked |= frame.needs
    records = [make_atlas(i) for i in range(30)] + [make_bare(m, gsd_m=2.0, pixel_m=2.0) for m in Modality]
    records += [make_naip(), make_sentinel1(), make_umbra(), make_airport(), make_eurosat()]
    records.append(
        (make_eurosat()[0], replace(make_eurosat()[1], crop=replace(make_eurosat()[1].crop, width=3)))
    )
    records.append((make_scene(), make_tile(labels=(label("forest", share=0.9),))))
    known = 0
    for record in records:
        known |= Wording(gather(*record)).known
    assert [name for name, bit in SLOTS.items() if asked & bit & ~known] == []


def test_lengths() -> None:
    for index in range(100):
        record = make_atlas(index)
        for text in (*write(record).values(), enriched(record)):
            assert 8 <= len(text.split()) <= 60
