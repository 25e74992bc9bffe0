"""WebDataset tars, written by `webdataset` itself: samples joined by name, facts of their JSON, read in place."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import webdataset
from dataset_contents import Contents, read_dataset, select
from fakes.released_gaia import make_record, write_img2dataset
from fakes.released_pictures import decode, encode

import earthloom
from earthloom.core.errors import UsageError
from earthloom.core.records import Reason
from earthloom.recipes import parse_recipe


def write(path: Path, samples: Iterable[dict[str, Any]]) -> Path:
    """Write a tar with the client that readers of it use."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        writer = webdataset.TarWriter(file)
        for sample in samples:
            writer.write(sample)
        writer.close()
    return path


def write_members(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def contents(path: Path, **settings: object) -> Contents:
    return read_dataset("webdataset", path, **settings)


def test_samples_come_with_their_facts_and_pixels_in_place(tmp_path: Path) -> None:
    facts = {
        "caption": "A lake.",
        "lon": 5.0,
        "lat": 50,
        "date": "2019-09-04",
        "gsd": 0.5,
        "license": "CC0-1.0",
    }
    path = write(
        tmp_path / "s/train-000.tar",
        [
            {"__key__": "a/001", "jpg": encode(0, form="JPEG"), "json": facts, "txt": "A lake."},
            {"__key__": "a/002", "png": encode(1), "txt": "A river .", "cls": 3},
            {"__key__": "b/001", "webp": encode(2, form="WEBP")},
        ],
    )
    found = contents(tmp_path / "s", class_names={"3": "river"})
    assert found.refused == {}
    scenes = found.alone()
    assert list(scenes) == ["train-000.tar/a/001", "train-000.tar/a/002", "train-000.tar/b/001"]
    first, second, third = scenes.values()
    assert [text.text for text in first.texts] == ["A lake."]
    assert (first.lon, first.lat, first.acquired, first.gsd_x_m) == (5.0, 50.0, "2019-09-04", 0.5)
    assert (first.licence, first.published_split) == ("CC0-1.0", "train")
    assert [text.text for text in second.texts] == ["A river ."]
    assert [label.name for label in second.labels] == ["river"]
    assert (third.texts, third.labels) == ((), ())
    with path.open("rb") as file:
        for scene, data in (
            (first, encode(0, form="JPEG")),
            (second, encode(1)),
            (third, encode(2, form="WEBP")),
        ):
            within = scene.bands[0].within
            assert within is not None
            file.seek(within.offset)
            assert file.read(within.size) == data
    alone = contents(path).alone()
    assert list(alone) == ["a/001", "a/002", "b/001"]


def test_members_of_a_sample_may_lie_apart_and_in_any_order(tmp_path: Path) -> None:
    members = {
        "2.json": b'{"caption": "two"}',
        "1.png": encode(1),
        "2.png": encode(2),
        "1.json": b'{"caption": "one"}',
    }
    scenes = contents(write_members(tmp_path / "x.tar", members)).alone()
    assert {key: scene.texts[0].text for key, scene in scenes.items()} == {"2": "two", "1": "one"}


def test_one_bad_sample_costs_itself(tmp_path: Path) -> None:
    members = {
        "good.png": encode(0),
        "bad.png": encode(1),
        "bad.json": b"{oops",
        "list.png": encode(2),
        "list.json": b"[1]",
        "lonely.txt": b"no picture",
        "two.png": encode(3),
        "two.jpg": encode(3, form="JPEG"),
        "cut.png": encode(4)[:20],
        "latin.png": encode(5),
        "latin.txt": "é".encode("latin-1"),
        "half.png": encode(6),
        "half.json": b'{"lon": 5}',
    }
    found = contents(write_members(tmp_path / "x.tar", members))
    assert list(found.scenes) == ["good"]
    assert found.refused == {
        "bad": Reason.BAD_FACTS,
        "list": Reason.BAD_FACTS,
        "lonely": Reason.MISSING,
        "two": Reason.DUPLICATE,
        "cut": Reason.UNREADABLE,
        "latin": Reason.BAD_FACTS,
        "half": Reason.BAD_FACTS,
    }
    assert "`picture: png` takes one" in found.details["two"]
    assert set(contents(tmp_path / "x.tar", picture="jpg").scenes) == {"two"}


def test_a_tar_that_is_cut_short_gives_what_is_before(tmp_path: Path) -> None:
    path = write_members(tmp_path / "x.tar", {f"{i}.png": encode(i) for i in range(4)})
    with tarfile.open(path) as tar:
        last = tar.getmember("3.png").offset_data
    path.write_bytes(path.read_bytes()[: last + 100])
    found = contents(path)
    assert len(found.scenes) == 3
    assert found.refused == {"x.tar": Reason.UNREADABLE}


def test_pictures_among_other_pictures_by_their_member(tmp_path: Path) -> None:
    path = write_members(tmp_path / "x.tar", {"1.rgb.png": encode(0), "1.mask.png": encode(1), "2.png": encode(2),
                                              "2.depth.png": encode(3)})  # fmt: skip
    found = contents(path)
    assert (list(found.scenes), found.refused) == (["2"], {"1": Reason.DUPLICATE})
    assert list(contents(path, picture="rgb.png").scenes) == ["1"]


def test_img2dataset_and_its_failures(tmp_path: Path) -> None:
    record = make_record("lake", "https://a.example/lake.png")
    write_img2dataset(tmp_path / "00000.tar", [(record, encode(0))])
    failed = {
        "url": "https://a.example/x.png",
        "key": "1",
        "status": "failed_to_download",
        "error_message": "HTTP 404",
    }
    resized = {**failed, "status": "failed_to_resize"}
    write_members(tmp_path / "00001.tar", {"1.json": json.dumps(failed).encode(), "2.png": encode(1),
                                           "2.json": json.dumps(resized).encode()})  # fmt: skip
    found = contents(tmp_path)
    (scene,) = found.alone().values()
    assert [text.text for text in scene.texts] == [record["image_alt"], *record["captions"]]
    assert found.refused == {"00001.tar/1": Reason.MISSING, "00001.tar/2": Reason.MISSING}
    assert found.details["00001.tar/1"] == "img2dataset says failed_to_download: HTTP 404"
    assert contents(tmp_path, verify=True).refused["00000.tar/000000000"] is Reason.UNREADABLE


def test_a_true_hash_is_verified(tmp_path: Path) -> None:
    sha256 = hashlib.sha256(encode(0)).hexdigest()
    path = write(tmp_path / "x.tar", [{"__key__": "1", "png": encode(0), "json": {"sha256": sha256}}])
    assert contents(path, verify=True).refused == {}


def test_a_compressed_tar_is_refused_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "x.tar.gz").write_bytes(b"\x1f\x8b")
    found = contents(tmp_path / "x.tar.gz")
    assert found.refused == {"x.tar.gz": Reason.UNREADABLE}
    assert "decompress it once" in found.details["x.tar.gz"]


@pytest.mark.parametrize("name", ["x.tar", "x.png"])
def test_no_samples_is_an_error_of_use(tmp_path: Path, name: str) -> None:
    (tmp_path / "s").mkdir()
    write_members(tmp_path / "s" / name, {})
    with pytest.raises(UsageError, match="no WebDataset sample"):
        contents(tmp_path / "s")


def test_tars_through_a_build_with_whole_pictures_by_default(tmp_path: Path) -> None:
    pictures = {f"{i}": encode(i, side=192) for i in range(3)}
    write(
        tmp_path / "s/0.tar",
        (
            {"__key__": key, "png": data, "json": {"caption": f"It is {key}."}}
            for key, data in pictures.items()
        ),
    )
    text = """\
name: tars
sources:
  - {kind: webdataset, path: 's/*.tar', tile: {min_valid: 0.5}}
  - {kind: webdataset, name: cut, path: s/0.tar, tile: {fit: windows}}
tile: {size: 96, encoding: {rgb: png}}
export: {formats: [parquet], report: false}
"""
    summary = earthloom.build(parse_recipe(text, base=tmp_path), tmp_path / "w", base=tmp_path, workers=0)
    assert summary.n_out == 3 + 3 * 4
    rows = select(tmp_path / "w", "source_key, image.bytes, captions, crop.width", "where source = 's'")
    assert len(rows) == 3
    for key, _, captions, width in rows:
        assert [c["text"] for c in captions if c["style"] == "source"] == [f"It is {key.partition('/')[2]}."]
        assert width == 192
    parts = select(
        tmp_path / "w", "source_key, image.bytes, crop.col, crop.row, captions", "where source = 'cut'"
    )
    for key, data, col, row, captions in parts:
        whole = decode(pictures[key])
        assert (decode(data) == whole[int(row) : int(row) + 96, int(col) : int(col) + 96]).all()
        assert {c["role"] for c in captions if c["style"] == "source"} == {"scene_caption"}
