"""What models say for a catalogue: canonical, short, and never against a fact."""

from __future__ import annotations

from typing import Any

import pytest
from caption_records import (
    make_atlas,
    make_bare,
    make_eurosat,
    make_naip,
    make_scene,
    make_sentinel1,
    make_tile,
)

from earthloom.caption.chat.proposals import list_proposals
from earthloom.caption.chat.schema import Metadata
from earthloom.caption.checks import compile_known
from earthloom.caption.facts import gather
from earthloom.core.records import Modality, Scene, Tile


def propose(record: tuple[Scene, Tile], *texts: str, **metadata: Any) -> list[tuple[str, str]]:
    known = compile_known(gather(*record), sees=True, texts=texts)
    found = list_proposals(Metadata(**metadata), known, "model/gaia-1")
    assert {proposal.author for proposal in found} <= {"model/gaia-1"}
    return [(proposal.fact, proposal.value) for proposal in found]


def test_that_unknown_is_a_good_answer() -> None:
    assert propose(make_bare()) == []
    words = ("unknown", "Unknown", "UNKNOWN.", "none", "N/A", "", " ", "unknown location", "Not available")
    for word in words:
        assert (
            propose(make_bare(), tags=[word], location=word, platform=word, sensor=word, resolution=word)
            == []
        )


@pytest.mark.parametrize("spelling", ["Terra", "NASA Terra", "NASA's Terra", "EOS-Terra", "Terra satellite"])
def test_that_spellings_of_one_platform_come_out_equal(spelling: str) -> None:
    assert propose(make_bare(), platform=spelling) == [("platform", "Terra")]


@pytest.mark.parametrize(
    ("fact", "value", "canonical"),
    [
        ("modality", "true color", "RGB"),
        ("modality", "Optical imagery", "optical"),
        ("sensor", "Operational Land Imager (OLI)", "OLI"),
        ("resolution", "very high resolution", "Very High"),
        ("location", "Ribeirão Preto, São Paulo, Brazil", "Ribeirão Preto, São Paulo, Brazil"),
    ],
)
def test_that_the_rest_is_canonical_too(fact: str, value: str, canonical: str) -> None:
    assert propose(make_bare(), **{fact: value}) == [(fact, canonical)]


def test_that_a_platform_that_nobody_knows_must_stand_in_the_texts() -> None:
    assert propose(make_bare(), platform="Skyhopper-9", sensor="HOP") == []
    article = "The image was taken by Skyhopper-9, whose camera HOP sees in the dark."
    assert propose(make_bare(), article, platform="Skyhopper-9", sensor="HOP") == [
        ("platform", "Skyhopper-9"),
        ("sensor", "HOP"),
    ]
    assert propose(make_eurosat(), article, platform="Skyhopper-9") == []


@pytest.mark.parametrize(
    ("record", "metadata"),
    [
        (make_eurosat(), {"platform": "Landsat 8"}),
        (make_eurosat(), {"platform": "Skyhopper-9"}),
        (make_eurosat(), {"sensor": "OLI"}),
        (make_sentinel1(), {"sensor": "PALSAR-2"}),
        (make_eurosat(), {"modality": "SAR"}),
        (make_eurosat(), {"modality": "near infrared"}),
        (make_eurosat(), {"modality": "lidar"}),
        (make_sentinel1(), {"modality": "optical"}),
        (make_sentinel1(), {"modality": "something new"}),
        (make_naip(), {"location": "Paris, France"}),
        (make_eurosat(), {"resolution": "Low"}),
        (make_eurosat(), {"resolution": "Superb"}),
        (make_atlas(0), {"location": "Munich, Germany", "platform": "Terra", "sensor": "MODIS"}),
        ((make_scene(country="FR"), make_tile()), {"location": "Lake Constance, Germany"}),
    ],
)
def test_that_what_contradicts_a_fact_is_left_out(
    record: tuple[Scene, Tile], metadata: dict[str, str]
) -> None:
    assert propose(record, **metadata) == []


@pytest.mark.parametrize(
    ("record", "metadata"),
    [
        (make_eurosat(), {"platform": "ESA's Sentinel-2A"}),
        (make_eurosat(), {"sensor": "MSI"}),
        (make_eurosat(), {"resolution": "High"}),
        (make_sentinel1(), {"modality": "Synthetic Aperture Radar (SAR)"}),
        (
            make_naip(Modality.NIR),
            {"modality": "near infrared", "location": "Stutsman County, North Dakota, USA"},
        ),
        ((make_scene(country="FR"), make_tile()), {"location": "Arcachon, France"}),
    ],
)
def test_that_what_agrees_with_a_fact_stays(record: tuple[Scene, Tile], metadata: dict[str, str]) -> None:
    assert len(propose(record, **metadata)) == len(metadata)


def test_that_tags_are_three_at_most_and_each_once() -> None:
    tags = ["Wildfire", "wildfire", "unknown", "burn scar", "smoke plumes", "forest ecosystems"]
    assert propose(make_bare(), tags=tags) == [
        ("tag", "wildfire"),
        ("tag", "burn scar"),
        ("tag", "smoke plumes"),
    ]


@pytest.mark.parametrize(
    "value",
    [
        "a" * 81,
        "one two three four five six seven eight nine ten eleven",
        "два слова",
        "洪水",
        "line\nbreak",
        "<b>bold</b>",
        '{"tag": 1}',
        "see https://example.org",
        "\x00",
        "\ud800",
    ],
)
def test_that_what_no_catalogue_holds_is_left_out(value: str) -> None:
    assert propose(make_bare(), tags=[value], location=value, platform=value, sensor=value) == []


def test_that_tags_are_held_against_the_facts() -> None:
    assert propose(make_eurosat(), tags=["radar backscatter", "agriculture"]) == [("tag", "agriculture")]
