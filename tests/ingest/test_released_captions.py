"""Karpathy-style and COCO captions: as published, joined to their pictures, with the publisher's split."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from dataset_contents import Contents, origins_of, read_dataset, select
from fakes.released_pictures import encode, serve_faults
from loopback_server import Loopback

import earthloom
from earthloom.core.blobs import read_blob
from earthloom.core.errors import UsageError
from earthloom.core.records import Reason
from earthloom.recipes import parse_recipe


def make_karpathy(name: str, pictures: dict[str, list[str]], split: str = "train") -> dict[str, Any]:
    """A caption file as Karpathy's code reads it: sentences with raw text, tokens and running ids."""
    images: list[dict[str, Any]] = []
    sentid = 0
    for imgid, (filename, captions) in enumerate(pictures.items()):
        sentences = []
        for raw in captions:
            sentences.append(
                {"raw": raw, "tokens": raw.strip(" .").split(), "imgid": imgid, "sentid": sentid}
            )
            sentid += 1
        sentids = [sentence["sentid"] for sentence in sentences]
        images.append(
            {"filename": filename, "imgid": imgid, "sentences": sentences, "split": split, "sentids": sentids}
        )
    return {"images": images, "dataset": name}


def write(folder: Path, name: str, value: Any, pictures: str = "images") -> Path:
    (folder / pictures).mkdir(parents=True)
    for number, file in enumerate(("airport_1.png", "airport_2.png")):
        (folder / pictures / file).write_bytes(encode(number))
    path = folder / name
    path.write_text(json.dumps(value))
    return path


CAPTIONS = {
    "airport_1.png": ["Many planes .", "many planes.", "Many planes ."],
    "airport_2.png": ["A runway."],
}


@pytest.mark.parametrize(
    ("place", "setting"), [("images", None), ("imgs", None), ("deep/down", None), ("far", "far")]
)
def test_captions_come_as_published_wherever_the_pictures_lie(
    tmp_path: Path, place: str, setting: str | None
) -> None:
    path = write(tmp_path, "dataset_x.json", make_karpathy("x", CAPTIONS, "test"), place)
    found = read_dataset("karpathy", path, images=setting)
    scenes = found.alone()
    assert list(scenes) == ["dataset_x.json#airport_1.png", "dataset_x.json#airport_2.png"]
    for scene, captions in zip(scenes.values(), CAPTIONS.values(), strict=True):
        assert [(text.text, text.role) for text in scene.texts] == [(text, "caption") for text in captions]
        assert (scene.published_split, scene.gsd_x_m, scene.credit) == ("test", None, None)
        assert origins_of(scene)["published_split"] == "sidecar file"


@pytest.mark.parametrize(
    ("name", "title", "gsd_m", "platform"),
    [
        ("rsicd", "RSICD", None, None),
        ("RSITMD", "RSITMD", None, None),
        ("UCM_captions", "UCM-captions", 0.3048, None),
        ("Sydney_captions", "Sydney-captions", 0.5, "Google Earth"),
    ],
)
@pytest.mark.parametrize("where", ["inside", "file"])
def test_known_datasets_come_with_what_is_documented(
    tmp_path: Path, name: str, title: str, gsd_m: float | None, platform: str | None, where: str
) -> None:
    value = make_karpathy(name if where == "inside" else "", CAPTIONS)
    path = write(tmp_path, "dataset.json" if where == "inside" else f"dataset_{name}.json", value)
    for scene in read_dataset("karpathy", path).alone().values():
        assert (scene.dataset, scene.gsd_x_m, scene.gsd_y_m, scene.platform) == (
            title,
            gsd_m,
            gsd_m,
            platform,
        )
        assert scene.credit
        assert origins_of(scene)["credit"] == "dataset documentation"


def test_bad_records_cost_themselves(tmp_path: Path) -> None:
    value = make_karpathy("x", CAPTIONS)
    value["images"] += [
        {"sentences": []},
        {"filename": "gone.png", "sentences": [{"raw": "x"}]},
        {"filename": "/etc/passwd.png", "sentences": []},
        {"filename": "airport_1.png", "sentences": []},
        "airport",
    ]
    value["images"][1]["sentences"] = 7
    found = read_dataset("karpathy", write(tmp_path, "d.json", value))
    assert list(found.scenes) == ["d.json#airport_1.png"]
    assert found.refused == {
        "d.json#airport_2.png": Reason.BAD_FACTS,
        "d.json#2": Reason.BAD_FACTS,
        "d.json#gone.png": Reason.MISSING,
        "d.json#/etc/passwd.png": Reason.UNSAFE_PATH,
        "d.json#airport_1.png": Reason.DUPLICATE,
        "d.json#6": Reason.BAD_FACTS,
    }


def test_a_caption_file_that_breaks_off_gives_what_is_before(tmp_path: Path) -> None:
    path = write(tmp_path, "dataset_ucm.json", make_karpathy("ucm", CAPTIONS))
    path.write_text(path.read_text()[:-150])
    found = read_dataset("karpathy", path)
    assert {key: scene.gsd_x_m for key, scene in found.alone().items()} == {
        "dataset_ucm.json#airport_1.png": 0.3048
    }
    assert found.refused == {"dataset_ucm.json": Reason.UNREADABLE}


def test_one_name_for_two_pictures_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "d.json", make_karpathy("x", CAPTIONS), "a")
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    found = read_dataset("karpathy", path)
    assert set(found.refused.values()) == {Reason.DUPLICATE}
    assert "several pictures are called airport_1.png" in found.details["d.json#airport_1.png"]
    assert read_dataset("karpathy", path, images="b").refused == {}


def test_a_whole_path_goes_before_its_ends_in_an_archive(tmp_path: Path) -> None:
    path = write(tmp_path, "d.json", make_karpathy("x", CAPTIONS), "a/old")
    for number, name in enumerate(CAPTIONS):
        (tmp_path / "a" / name).write_bytes(encode(10 + number))
    shutil.make_archive(str(tmp_path / "all"), "tar", tmp_path / "a")
    scenes = read_dataset("karpathy", path, images="all.tar").alone().values()
    for number, scene in enumerate(scenes):
        band = scene.bands[0]
        assert read_blob(band.uri, band.within) == encode(10 + number)


def test_tokens_stand_in_for_a_missing_text_and_folders_of_coco_are_followed(tmp_path: Path) -> None:
    value = make_karpathy("coco", CAPTIONS)
    for image in value["images"]:
        image["filepath"] = "val2014"
        for sentence in image["sentences"]:
            del sentence["raw"]
    found = read_dataset("karpathy", write(tmp_path, "d.json", value, "pics/val2014"), images="pics").alone()
    assert [text.text for text in found["d.json#val2014/airport_2.png"].texts] == ["A runway"]


def test_real_captions_of_rsicd_through_a_build(tmp_path: Path, real_data: Path) -> None:
    lines = (real_data / "rsicd/captions_val.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines[:40]]
    pictures = {row["file"]: row["captions"] for row in rows}
    (tmp_path / "dataset_rsicd.json").write_text(json.dumps(make_karpathy("rsicd", pictures, "val")))
    (tmp_path / "val.tar").symlink_to(real_data.resolve() / "rsicd/rsicd_val_128.tar")
    text = """\
name: rsicd
sources: [{kind: karpathy, path: dataset_rsicd.json, images: val.tar}]
tile: {size: 128}
export: {formats: [parquet], report: false}
"""
    summary = earthloom.build(parse_recipe(text, base=tmp_path), tmp_path / "w", base=tmp_path, workers=0)
    assert summary.n_out == 40
    columns = "source_key, captions, published_split, dataset, width, resampling, gsd_m"
    for key, captions, split, dataset, width, resampling, gsd_m in select(tmp_path / "w", columns):
        published = [text.strip() for text in pictures[key.partition("#")[2]]]
        kept = [c["text"] for c in captions if c["style"] == "source"]
        assert kept == list(dict.fromkeys(published))
        assert (split, dataset, width, resampling, gsd_m) == ("val", "RSICD", 128, "none", None)


COCO: dict[str, Any] = {
    "info": {"year": 2014},
    "licenses": [
        {"id": 4, "name": "Attribution License", "url": "http://creativecommons.org/licenses/by/2.0/"}
    ],
    "images": [
        {"id": 9, "file_name": "airport_1.png", "license": 4, "width": 64, "height": 64},
        {"id": 3, "file_name": "airport_2.png"},
    ],
    "annotations": [
        {"id": 1, "image_id": 3, "caption": "A runway."},
        {"id": 2, "image_id": 9, "caption": "Planes."},
        {"id": 5, "image_id": 9, "caption": "Planes."},
        {"id": 6, "image_id": 9, "caption": "Two planes."},
    ],
}


def read_coco(folder: Path, value: Any, **settings: object) -> Contents:
    return read_dataset("coco", write(folder, "captions_val2014.json", value), **settings)


@pytest.mark.parametrize(
    "order", [("images", "annotations", "licenses"), ("annotations", "licenses", "images")]
)
def test_coco_captions_are_joined_by_id_in_whatever_order_the_file_has(
    tmp_path: Path, order: tuple[str, ...]
) -> None:
    scenes = read_coco(tmp_path, {name: COCO[name] for name in order}).alone()
    first, second = scenes.values()
    assert list(scenes) == ["captions_val2014.json#airport_1.png", "captions_val2014.json#airport_2.png"]
    assert [text.text for text in first.texts] == ["Planes.", "Planes.", "Two planes."]
    assert [text.text for text in second.texts] == ["A runway."]
    assert (first.licence, second.licence) == ("Attribution License", None)
    assert first.published_split == "val"


def test_broken_records_of_coco_cost_themselves(tmp_path: Path) -> None:
    value = json.loads(json.dumps(COCO))
    value["images"] += [{"id": 4}, {"id": 5, "file_name": "gone.png"}]
    value["annotations"] += [{"caption": "x"}, {"image_id": 77, "caption": "of nothing"}]
    found = read_coco(tmp_path, value, images="images")
    assert len(found.scenes) == 2
    assert found.refused == {
        "captions_val2014.json#2": Reason.BAD_FACTS,
        "captions_val2014.json#gone.png": Reason.MISSING,
        "captions_val2014.json#annotation-0": Reason.BAD_FACTS,
        "captions_val2014.json#annotation-1": Reason.BAD_FACTS,
    }


def test_coco_pictures_by_url_through_a_build(tmp_path: Path, loopback: Loopback) -> None:
    faults = serve_faults(loopback)
    urls = [loopback.put("/0.png", encode(0)), loopback.put("/1.png", encode(1)), *faults.values()]
    value = {
        "images": [{"id": i, "file_name": f"{i}.png", "coco_url": url} for i, url in enumerate(urls)],
        "annotations": [{"image_id": i, "caption": f"Caption {i}."} for i in range(len(urls))],
    }
    (tmp_path / "c.json").write_text(json.dumps(value))
    text = """\
name: coco
sources: [{kind: coco, path: c.json, net: {allow_private: true, tries: 1, interval_s: 0}}]
tile: {size: 64}
export: {formats: [parquet], report: false}
"""
    summary = earthloom.build(parse_recipe(text, base=tmp_path), tmp_path / "w", base=tmp_path, workers=0)
    assert summary.n_out == 2
    assert summary.stages["ingest"].counts.refused == dict.fromkeys(faults, 1)
    rows = select(tmp_path / "w", "source_key, captions", "order by source_key")
    said = [[c["text"] for c in captions if c["style"] == "source"] for _, captions in rows]
    assert said == [["Caption 0."], ["Caption 1."]]


@pytest.mark.parametrize("kind", ["karpathy", "coco"])
def test_other_json_is_an_error_of_use(tmp_path: Path, kind: str) -> None:
    boxes = {"images": [], "annotations": [{"image_id": 9, "bbox": [1, 2, 3, 4]}]}
    with pytest.raises(UsageError, match="wanted"):
        read_dataset(kind, write(tmp_path, "instances.json", boxes))
