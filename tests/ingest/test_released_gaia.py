"""GAIA: both layouts, pictures by URL, by name and from img2dataset's tars; what a model said is marked so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from dataset_contents import Contents, origins_of, read_dataset, select
from fakes.released_gaia import Layout, make_record, write_img2dataset, write_json
from fakes.released_pictures import decode, encode, serve_faults
from loopback_server import Loopback

import earthloom
from earthloom.core.errors import UsageError
from earthloom.core.records import Modality, Reason
from earthloom.ingest.released.gaia import MODEL
from earthloom.recipes import parse_recipe
from earthloom.run.check import DOWNLOADS, check_source
from earthloom.run.summary import Summary

RECIPE = """\
name: gaia
sources:
  - kind: gaia
    path: GAIA
    net: {allow_private: true, tries: 1, interval_s: 0}
tile: {size: 64, encoding: {rgb: png}}
export: {formats: [parquet], report: false}
"""


def by_name(folder: Path, **settings: object) -> Contents:
    return read_dataset("gaia", folder / "GAIA", images="pictures", **settings)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number, suffix in enumerate(("png", "jpg", "webp")):
        form = {"png": "PNG", "jpg": "JPEG", "webp": "WEBP"}[suffix]
        (folder / f"scene-{number}.{suffix}").write_bytes(encode(number, form=form))
    return tmp_path


@pytest.mark.parametrize("layout", ["list", "columns", "index"])
def test_every_layout_gives_the_same_scenes(pictures: Path, layout: Layout) -> None:
    rows = [make_record(f"scene-{i}", f"https://a.example/{i}.png") for i in range(3)]
    write_json(pictures / "GAIA" / "GAIA_test_data.json", rows, layout)
    found = by_name(pictures)
    assert found.refused == {}
    scenes = list(found.alone().values())
    assert [key.partition("#")[2].rpartition("-")[0] for key in found.scenes] == [
        "scene-0",
        "scene-1",
        "scene-2",
    ]
    for scene, row in zip(scenes, rows, strict=True):
        assert [t.text for t in scene.texts if t.role == "caption"] == row["captions"]
        assert {t.author for t in scene.texts if t.role == "caption"} == {MODEL}
        assert [(t.text, t.author) for t in scene.texts if t.role == "alt"] == [(row["image_alt"], None)]
        assert (scene.platform, scene.sensor, scene.place) == ("Terra", "MODIS", "Lake Eyre, Australia")
        assert (scene.lon, scene.lat, scene.licence) == (None, None, None)
        assert (scene.credit, scene.published_split) == ("NASA Earth Observatory", "test")
        assert [(lab.name, lab.kind, lab.origin) for lab in scene.labels] == [
            ("hydrology", "class", MODEL),
            ("lake systems", "class", MODEL),
            ("drought", "class", MODEL),
        ]
        said = origins_of(scene)
        assert (said["platform"], said["place"], said["credit"]) == (MODEL, MODEL, "sidecar file")
        assert scene.dataset == "GAIA"
        assert "belong to the sites" in str(scene.terms)


def test_coordinates_are_taken_only_where_they_are_trusted(pictures: Path) -> None:
    write_json(pictures / "GAIA" / "train_data.json", [make_record("scene-0", "https://a.example/0")], "list")
    (scene,) = by_name(pictures, trust_coordinates=True, labels=False).alone().values()
    assert (scene.lon, scene.lat, scene.labels) == (137.4, -28.4, ())
    assert origins_of(scene)["lon"] == MODEL


@pytest.mark.parametrize(
    ("words", "modality"),
    [
        (["SAR"], Modality.SAR),
        (["Synthetic Aperture Radar (SAR)"], Modality.SAR),
        (["SAR", "Multispectral"], Modality.RGB),
        (["Thermal"], Modality.RGB),
        ([], Modality.RGB),
        (None, Modality.RGB),
    ],
)
def test_a_picture_is_radar_only_where_nothing_else_is_named(
    pictures: Path, words: list[str] | None, modality: Modality
) -> None:
    record = make_record("scene-0", "https://a.example/0", modalities=words, satellite=["Terra", "Aqua"])
    write_json(pictures / "GAIA" / "train_data.json", [record], "list")
    (scene,) = by_name(pictures).alone().values()
    assert scene.modality is modality
    assert scene.platform is None  # of two satellites neither is known to have taken the picture


def test_keys_hold_the_url_and_bad_records_cost_themselves(pictures: Path) -> None:
    good = make_record("scene-0", "https://a.example/0")
    records = [
        good,
        make_record("scene-0", "https://b.example/0"),  # a slug of two sites: two pictures
        good,  # truly the same
        make_record("scene-9", "https://a.example/9"),
        make_record("scene-1", "no url"),
        make_record("../scene-1", "https://a.example/1"),
        make_record("scene-2", "https://a.example/2", captions=[1, 2]),
        {"note": "a record of another kind"},
    ]
    write_json(pictures / "GAIA" / "val_data.json", records, "list")
    found = by_name(pictures)
    assert len(found.scenes) == 2
    assert len({scene.id for scene in found.alone().values()}) == 2
    assert sorted(found.refused.values()) == sorted(
        [Reason.DUPLICATE, Reason.MISSING, Reason.UNSAFE_PATH, *[Reason.BAD_FACTS] * 3]
    )
    assert found.refused["val_data.json#4"] is Reason.BAD_FACTS


def test_keys_do_not_depend_on_the_order_of_records(pictures: Path) -> None:
    records = [make_record(f"scene-{i}", f"https://a.example/{i}") for i in range(3)]
    write_json(pictures / "GAIA" / "val_data.json", records, "list")
    first = {key: scene.id for key, scene in by_name(pictures).alone().items()}
    write_json(pictures / "GAIA" / "val_data.json", records[::-1], "columns")
    assert {key: scene.id for key, scene in by_name(pictures).alone().items()} == first


def test_what_img2dataset_downloaded_is_joined_back(tmp_path: Path) -> None:
    rows = [make_record("same", f"https://{site}.example/x.png") for site in "abc"]
    rows.append(make_record("other", "https://a.example/y.png"))
    write_json(tmp_path / "GAIA" / "test_data.json", rows, "list")
    tars = tmp_path / "tars"
    tars.mkdir()
    # Downloaded in another order, and without the last site of `same`: as failed downloads are left out.
    write_img2dataset(tars / "00000.tar", [(rows[3], encode(3)), (rows[1], encode(1))])
    write_img2dataset(tars / "00001.tar", [(rows[0], encode(0))])
    found = read_dataset("gaia", tmp_path / "GAIA", images="tars")
    assert list(found.refused.values()) == [Reason.MISSING]
    assert len(found.scenes) == 3
    for scene, seed in zip(found.alone().values(), (0, 1, 3), strict=True):
        within = scene.bands[0].within
        assert within is not None
        with Path(scene.bands[0].uri).open("rb") as file:
            file.seek(within.offset)
            assert file.read(within.size) == encode(seed)
        assert scene.place == "Lake Eyre, Australia"  # of the JSON: the tars carry only id and captions


def test_pictures_by_url_through_a_build(tmp_path: Path, loopback: Loopback) -> None:
    faults = serve_faults(loopback)
    urls = [loopback.put(f"/{i}.png", encode(i)) for i in range(3)]
    records = [make_record(f"scene-{i}", url) for i, url in enumerate(urls)]
    records += [make_record(reason, url) for reason, url in faults.items()]
    records.append(make_record("again", urls[0]))
    write_json(tmp_path / "GAIA" / "train_data.json", records, "columns")
    summary = earthloom.build(
        parse_recipe(RECIPE, base=tmp_path), tmp_path / "work", base=tmp_path, workers=0
    )
    assert summary.stages["ingest"].counts.refused == dict.fromkeys(faults, 1)
    assert loopback.count("/0.png") == 1
    assert loopback.count("/down.png") == 1  # one try, not asked again when the item is read
    rows = select(
        tmp_path / "work", "source_key, image.bytes, captions, platform, provenance", "order by source_key"
    )
    assert len(rows) == 4
    for key, data, captions, platform, provenance in rows:
        number = {"scene-0": 0, "scene-1": 1, "scene-2": 2, "again": 0}[
            key.partition("#")[2].rpartition("-")[0]
        ]
        assert (decode(data) == decode(encode(number))).all()
        ours = [c for c in captions if c["style"] == "source"]
        assert len(ours) == 5
        assert {c["author"] for c in ours} == {MODEL}
        assert {c["role"] for c in ours} == {"caption"}
        assert platform == "Terra"
        assert {"fact": "platform", "origin": MODEL} in provenance


def test_the_next_run_asks_again_for_what_was_not_reached_and_for_nothing_else(
    tmp_path: Path, loopback: Loopback
) -> None:
    def build() -> Summary:
        recipe = parse_recipe(RECIPE, base=tmp_path)
        return earthloom.build(recipe, tmp_path / "work", base=tmp_path, workers=0)

    faults = serve_faults(loopback)
    urls = [loopback.put(f"/{i}.png", encode(i)) for i in range(3)]
    records = [make_record(f"scene-{i}", url) for i, url in enumerate(urls)]
    records += [make_record(reason, url) for reason, url in faults.items()]
    write_json(tmp_path / "GAIA" / "train_data.json", records, "columns")
    first = build()
    second = build()
    assert loopback.count("/0.png") == 1
    assert loopback.count("/down.png") == 2
    assert second.stages["ingest"].counts == first.stages["ingest"].counts
    assert second.stages["tile"].n_reused == second.stages["tile"].n_shards, "nothing new, nothing done again"
    loopback.put("/down.png", encode(9))
    third = build()
    assert loopback.count("/0.png") == 1
    assert Reason.UNREACHABLE.value not in third.stages["ingest"].counts.refused
    assert third.n_out == first.n_out + 1
    fourth = build()
    assert fourth.stages["ingest"].n_reused == fourth.stages["ingest"].n_shards
    assert loopback.count("/down.png") == 3


def test_a_check_asks_for_a_few_pictures_and_leaves_nothing_behind(
    tmp_path: Path, loopback: Loopback
) -> None:
    urls = [loopback.put(f"/{i}.png", encode(i)) for i in range(DOWNLOADS + 5)]
    records = [make_record(f"scene-{i}", url) for i, url in enumerate(urls)]
    write_json(tmp_path / "GAIA" / "val_data.json", records, "list")
    net = {"allow_private": True, "interval_s": 0, "respect_robots": False}
    check = check_source("gaia", tmp_path / "GAIA", {"net": net})
    assert (check.items, check.read, check.usable) == (DOWNLOADS + 5, DOWNLOADS, DOWNLOADS)
    assert len(loopback.seen) == DOWNLOADS
    assert [path.name for path in tmp_path.iterdir()] == ["GAIA"]


def test_private_addresses_are_not_asked_unless_they_are_allowed(tmp_path: Path, loopback: Loopback) -> None:
    url = loopback.put("/0.png", encode(0))
    write_json(tmp_path / "GAIA" / "train_data.json", [make_record("a", url)], "list")
    found = read_dataset("gaia", tmp_path / "GAIA")
    assert list(found.refused.values()) == [Reason.PRIVATE_ADDRESS]
    assert loopback.seen == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "no such records"),
        (json.dumps([{"file": "a"}]), "no such records"),
        ("<html>", "starts with '<'"),
        ("", "breaks off after 0"),
    ],
)
def test_a_file_that_is_not_gaias_is_an_error_of_use(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "GAIA").mkdir()
    (tmp_path / "GAIA" / "train_data.json").write_text(text)
    with pytest.raises(UsageError, match=said) as error:
        read_dataset("gaia", tmp_path / "GAIA")
    assert "`image_src`" in str(error.value)


def test_a_download_that_broke_off_gives_what_came(pictures: Path) -> None:
    path = pictures / "GAIA" / "train_data.json"
    write_json(path, [make_record(f"scene-{i}", f"https://a.example/{i}") for i in range(3)], "list")
    path.write_text(path.read_text()[:-100])
    found = by_name(pictures)
    assert len(found.scenes) == 2
    assert found.refused == {"train_data.json": Reason.UNREADABLE}
