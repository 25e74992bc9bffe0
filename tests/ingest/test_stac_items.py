"""Real items of many missions and versions: facts against pystac's own reading and values read by hand."""

from __future__ import annotations

import socket
import warnings
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from earthloom.core.errors import RecordError
from earthloom.core.records import Modality, Reason
from earthloom.ingest import list_items, read_item
from earthloom.ingest.scenes import Facts
from earthloom.ingest.stac.assets import find_roles
from earthloom.ingest.stac.config import StacSettings
from earthloom.ingest.stac.document import Found, load_found, migrate
from earthloom.ingest.stac.facts import facts_of_item, find_ground, read_licence, read_sensor, read_time

pystac = pytest.importorskip("pystac")

NO_NET = {"tries": 1, "timeout_s": 0.1, "interval_s": 0.0, "use_proxy": False}


def find_all(real_data: Path) -> dict[str, Found]:
    """Every item of the folder, by its file's name."""
    settings = StacSettings(kind="stac", name="made", items="stac")
    found = {}
    for item in list_items(settings, real_data):
        if item.refused is None:
            listed = load_found(item.document)
            found[Path(listed.href).stem] = listed
    return found


@pytest.fixture(scope="module")
def items(real_data: Path) -> dict[str, Found]:
    return find_all(real_data)


def read_facts(found: Found, modality: Modality = Modality.RGB) -> Facts:
    return facts_of_item(migrate(found.item), found.collection, modality)


def test_every_item_is_listed_and_copies_are_told(real_data: Path) -> None:
    listed = list(list_items(StacSettings(kind="stac", name="made", items="stac"), real_data))
    files = [path for path in (real_data / "stac").rglob("*.json") if '"Feature"' in path.read_text()]
    assert len(listed) == len(files)
    assert {item.refused for item in listed} == {None, Reason.DUPLICATE}
    assert sum(item.refused is None for item in listed) > 25


def test_facts_agree_with_those_that_pystac_reads(items: dict[str, Found]) -> None:
    for name, found in items.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = pystac.Item.from_dict(found.item, migrate=True, preserve_dict=True)
        ours = read_facts(found)
        common = theirs.common_metadata
        assert ours.acquired is not None, name
        assert datetime.fromisoformat(ours.acquired) == theirs.datetime.replace(microsecond=0), name
        assert ours.platform in {common.platform, common.constellation}, name
        assert (ours.platform is None) == (common.platform is None and common.constellation is None), name
        said = theirs.properties
        for field, told in (
            ("sun_azimuth_deg", "view:sun_azimuth"),
            ("sun_elevation_deg", "view:sun_elevation"),
            ("off_nadir_deg", "view:off_nadir"),
            ("view_azimuth_deg", "view:azimuth"),
        ):
            assert getattr(ours, field) == said.get(told), (name, field)
        cover = said.get("eo:cloud_cover")
        assert ours.cloud_share == (None if cover is None else pytest.approx(cover / 100)), name


BY_HAND: dict[str, tuple[Modality, dict[str, Any], str]] = {
    "LC09_L2SP_010065_20220129_02_T1": (
        Modality.RGB,
        {
            "acquired": "2022-01-29T15:28:34Z",
            "platform": "landsat-9",
            "sensor": "OLI",
            "sun_azimuth_deg": 112.2005908,
            "sun_elevation_deg": 57.84396063,
            "off_nadir_deg": 0.0,
            "cloud_share": 0.2112,
            "credit": "NASA, USGS",
            "dataset": "Landsat Collection 2 Level-2",
        },
        "WRS2-010065",
    ),
    "LM01_L1GS_001010_19720908_02_T2": (
        Modality.NIR,
        {"acquired": "1972-09-08T13:43:34Z", "platform": "landsat-1", "sensor": "MSS", "cloud_share": 0.43},
        "WRS1-001010",
    ),
    "S2A_T07HFE_20190212T192646_L2A": (
        Modality.RGB,
        {
            "acquired": "2019-02-12T19:26:51Z",
            "platform": "sentinel-2a",
            "sensor": "MSI",
            "orbit": "descending",
            "cloud_share": 0.51580326,
            "view_azimuth_deg": 288.9954893614781,
            "off_nadir_deg": None,
            "credit": "ESA",
        },
        "MGRS-07HFE",
    ),
    "S1A_20200103_17RMJ_ASC": (
        Modality.SAR,
        {"acquired": "2020-01-03T23:36:21Z", "sensor": "C-SAR", "orbit": "ascending", "looks": 4.3},
        "MGRS-17RMJ",
    ),
    "HLS.S30.T19LDD.2022166T144741.v2.0": (
        Modality.RGB,
        {"acquired": "2022-06-15T14:57:16Z", "platform": "sentinel-2a", "sensor": "MSI", "cloud_share": 0.57},
        "MGRS-19LDD",
    ),
    "20170831_195425_SS02": (
        Modality.RGB,
        {
            "acquired": "2017-08-31T19:54:26Z",
            "licence": "CC-BY-SA-4.0",
            "off_nadir_deg": 27.3,
            "view_azimuth_deg": 202.8,
            "sun_elevation_deg": 58.4,
            "cloud_share": 0.0,
        },
        "box -94.117 29.917 -93.799 30.052",
    ),
    "envisat": (
        Modality.SAR,
        {"acquired": "2009-05-20T02:40:46Z", "platform": "envisat", "sensor": "ASAR", "cloud_share": None},
        "box 64.302 114.588 71.179 128.611",
    ),
    "LC80150322018141LGN00": (
        Modality.RGB,
        {
            "acquired": "2018-05-21T15:44:59Z",
            "platform": "landsat-8",
            "sensor": "OLI_TIRS",
            "cloud_share": 0.04,
        },
        "box -77.879 39.232 -75.076 41.409",
    ),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_facts_that_were_read_by_hand(items: dict[str, Found], name: str) -> None:
    modality, expected, ground = BY_HAND[name]
    facts = read_facts(items[name], modality)
    assert {field: getattr(facts, field) for field in expected} == expected
    assert find_ground(migrate(items[name].item)) == ground


@pytest.mark.parametrize(
    ("name", "roles"),
    [
        ("LC09_L2SP_010065_20220129_02_T1", {"rgb": ["red", "green", "blue"], "nir": ["nir08"]}),
        ("LC80150322018141LGN00", {"rgb": ["B4", "B3", "B2"], "nir": ["B5"]}),
        ("S2A_T07HFE_20190212T192646_L2A", {"rgb": ["red", "green", "blue"], "nir": ["nir"]}),
        (
            "HLS.S30.T19LDD.2022166T144741.v2.0",
            {"rgb": ["red", "green", "blue"], "nir": ["nir_broad"]},
        ),
        ("S1A_20200103_17RMJ_ASC", {"vv": ["gamma0_vv"], "vh": ["gamma0_vh"]}),
        (
            "S1A_EW_GRDM_1SDH_20221130T014342_20221130T014446_046117_058549",
            {"hh": ["hh"], "hv": ["hv"]},
        ),
        ("20170831_195425_SS02", {"rgb": ["visual", "visual", "visual"]}),
        ("envisat", {}),
    ],
)
def test_assets_that_an_item_names_itself(
    items: dict[str, Found], name: str, roles: dict[str, list[str]]
) -> None:
    found = find_roles(migrate(items[name].item), items[name].collection, {})
    assert {role: [band.key for band in bands] for role, bands in found.items()} == roles


def test_assets_that_cannot_be_reached_refuse_the_item(
    real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def know_nobody(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", know_nobody)
    settings = StacSettings.model_validate({"kind": "stac", "name": "made", "items": "stac", "net": NO_NET})
    refused = {}
    for item in list_items(settings, real_data):
        try:
            read_item(settings, item, real_data, tmp_path)
        except RecordError as error:
            refused[item.key] = error.reason
    assert set(refused.values()) <= {Reason.MISSING, Reason.UNREACHABLE, Reason.DUPLICATE}
    assert len(refused) > 25


@pytest.mark.parametrize(
    ("said", "time"),
    [
        ({"datetime": "2020-05-17T10:00:00.9Z"}, "2020-05-17T10:00:00Z"),
        ({"datetime": "2020-05-17t01:00:00+02:00"}, "2020-05-16T23:00:00Z"),
        ({"datetime": "2019-12-01"}, "2019-12-01"),
        ({"start_datetime": "2020-05-17T10:00:00Z", "end_datetime": "2020-05-17T11:00:00Z"}, "2020-05-17"),
        ({"start_datetime": "2020-05-01T00:00:00Z", "end_datetime": "2020-05-31T00:00:00Z"}, "2020-05"),
        ({"start_datetime": "2020-05-01T00:00:00Z", "end_datetime": "2020-07-31T00:00:00Z"}, "2020"),
        ({"start_datetime": "2019-05-01T00:00:00Z", "end_datetime": "2020-07-31T00:00:00Z"}, None),
    ],
)
def test_time_is_as_exact_as_it_is_known(said: dict[str, Any], time: str | None) -> None:
    assert read_time(said) == time


@pytest.mark.parametrize(
    ("instruments", "modality", "sensor"),
    [
        (["oli", "tirs"], Modality.RGB, "OLI"),
        (["msi"], Modality.RGB, "MSI"),
        (["own camera"], Modality.RGB, "own camera"),
        (["oli", "msi"], Modality.RGB, None),
        (["SAR"], Modality.SAR, None),
        (["c-sar", "tirs"], Modality.SAR, "C-SAR"),
        (None, Modality.RGB, None),
    ],
)
def test_the_instrument_that_measured_the_scene(
    instruments: list[str] | None, modality: Modality, sensor: str | None
) -> None:
    assert read_sensor({"instruments": instruments}, modality) == sensor


def test_licences_that_only_point_elsewhere() -> None:
    link = {"rel": "license", "href": "https://x.example/terms", "title": "Our terms"}
    item: dict[str, Any] = {"properties": {"license": "CC-BY-4.0"}, "links": [link]}
    assert read_licence(item, None) == "CC-BY-4.0"
    item["properties"]["license"] = "other"
    assert read_licence(item, None) == "Our terms (https://x.example/terms)"
    item["links"] = []
    assert read_licence(item, None) is None
    assert read_licence(item, {"license": "proprietary", "links": []}) == "proprietary"
    assert read_licence({"properties": {}, "links": []}, {"license": "MIT"}) == "MIT"


@pytest.mark.parametrize(
    "said",
    [
        {"eo:cloud_cover": 120},
        {"eo:cloud_cover": "few"},
        {"view:off_nadir": -1},
        {"view:sun_elevation": 91},
        {"view:azimuth": True},
        {"datetime": "yesterday"},
        {"datetime": "2020-01-01T00:00:00"},
    ],
)
def test_facts_that_cannot_be_true_refuse_the_item(said: dict[str, Any]) -> None:
    item = {"properties": {"datetime": "2020-01-01T00:00:00Z"} | said, "links": []}
    with pytest.raises(RecordError) as caught:
        facts_of_item(item, None, Modality.RGB)
    assert caught.value.reason is Reason.BAD_FACTS


def test_clouds_of_minus_one_are_unknown() -> None:
    item = {"properties": {"datetime": "2020-01-01T00:00:00Z", "eo:cloud_cover": -1}, "links": []}
    assert facts_of_item(item, None, Modality.RGB).cloud_share is None
