"""TGRS-HRRSD: VOC boxes, two splits, damage; the thousand real annotations and the real lists."""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from pathlib import Path

import duckdb
import numpy as np
import pytest
from dataset_contents import Contents, read_dataset
from fakes import hrrsd as fake
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import earthloom
from earthloom.core.errors import RecordError
from earthloom.core.records import Box, Part, Reason, Scene
from earthloom.ingest.datasets import hrrsd
from earthloom.recipes import parse_recipe


def contents(folder: Path, **settings: object) -> Contents:
    return read_dataset("hrrsd", folder, **settings)


def as_box(thing: fake.Thing) -> Box:
    x0, y0, x1, y1 = thing.pixels
    return Box(x0=x0, y0=y0, x1=x1 + 1, y1=y1 + 1)


def check_view(scene: Scene, view: fake.View) -> None:
    assert (scene.width, scene.height) == view.size
    assert (scene.gsd_x_m, scene.platform, scene.acquired) == (None, None, None), "not stated of any image"
    assert scene.licence == "MulanPSL-1.0"
    shown = [(label.name, label.box, label.truncated, label.difficult) for label in scene.labels]
    assert shown == [(thing.name, as_box(thing), thing.truncated, thing.difficult) for thing in view.things]


@pytest.mark.parametrize("variant", fake.VARIANTS)
@pytest.mark.parametrize("split_of", ["voc", "coco"])
def test_every_layout_gives_what_was_written(tmp_path: Path, variant: str, split_of: str) -> None:
    truth = fake.write(tmp_path, variant)
    found = contents(tmp_path, split_of=split_of)
    assert not found.refused
    assert set(found.scenes) == {truth.prefix + view.stem for view in truth.views}
    for view in truth.views:
        scene = found.alone()[truth.prefix + view.stem]
        check_view(scene, view)
        wanted = None if (variant, split_of) == ("voc", "coco") else getattr(view, split_of)
        assert scene.published_split == wanted


def test_boxes_hold_exactly_the_pixels_that_were_drawn(tmp_path: Path) -> None:
    truth = fake.write(tmp_path)
    for view in truth.views:
        pixels = np.asarray(Image.open(tmp_path / f"OPT2017/JPEGImages/{view.stem}.jpg"))
        for label in contents(tmp_path).alone()[f"OPT2017/{view.stem}"].labels:
            assert label.box is not None
            x0, y0, x1, y1 = (int(v) for v in (label.box.x0, label.box.y0, label.box.x1, label.box.y1))
            assert pixels[y0:y1, x0:x1].min() > 180


DAMAGED = {
    "annotation missing": {"OPT2017/Annotations/00002.xml": Reason.MISSING},
    "class not in the table": {"OPT2017/00003": Reason.UNKNOWN_CLASS},
    "box inverted": {"OPT2017/00001": Reason.BAD_FACTS},
}


@pytest.mark.parametrize("name", list(fake.DAMAGES))
def test_damage_costs_no_more_than_it_hit(tmp_path: Path, name: str) -> None:
    truth = fake.write(tmp_path)
    fake.DAMAGES[name](tmp_path)
    found = contents(tmp_path)
    assert found.refused == DAMAGED[name]
    for view in truth.views:
        key = f"OPT2017/{view.stem}"
        if name == "annotation missing" and view.stem == "00002":
            assert found.alone()[key].labels == ()
        elif key not in found.refused:
            check_view(found.alone()[key], view)


def test_an_annotation_of_another_image_is_refused(tmp_path: Path) -> None:
    fake.write(tmp_path)
    folder = tmp_path / "OPT2017/Annotations"
    (folder / "00001.xml").write_bytes((folder / "00003.xml").read_bytes())
    (folder / "00002.xml").write_text("<HRSC_Image/>")
    assert contents(tmp_path).refused == {
        "OPT2017/00001": Reason.MISALIGNED,
        "OPT2017/00002": Reason.BAD_FACTS,
    }


def test_a_box_that_begins_at_zero_is_cut_at_the_edge(tmp_path: Path) -> None:
    """As twenty of the real ones do: 08893, 12804, 13833, ..."""
    truth = fake.write(tmp_path)
    path = tmp_path / "OPT2017/Annotations/00001.xml"
    path.write_text(path.read_text().replace("<xmin>1<", "<xmin>0<"))
    check_view(contents(tmp_path).alone()["OPT2017/00001"], truth.views[0])


@given(st.sampled_from(hrrsd.CLASSES), st.sampled_from([" ", "_", "-", ""]), st.booleans())
def test_classes_are_found_however_they_are_spelt(name: str, gap: str, upper: bool) -> None:
    word = name.replace(" ", gap)
    assert hrrsd.find_class(word.upper() if upper else word) == name


@given(st.text(max_size=20))
def test_other_words_are_no_class(word: str) -> None:
    if re.sub(r"[\s_-]", "", word).lower() not in {name.replace(" ", "") for name in hrrsd.CLASSES}:
        with pytest.raises(RecordError) as caught:
            hrrsd.find_class(word)
        assert caught.value.reason is Reason.UNKNOWN_CLASS


def as_part(path: Path) -> Part:
    return Part(uri=str(path), size=path.stat().st_size)


def test_all_real_annotations_are_read(real_data: Path) -> None:
    folder = real_data / "hrrsd/OPT2017/Annotations"
    names: Counter[str] = Counter()
    for path in sorted(folder.glob("*.xml")):
        size, labels = hrrsd.read_objects(as_part(path))
        text = path.read_text()
        pairs = [
            [int(n) for n in re.findall(rf"<{tag}>(\d+)<", text)] for tag in ("xmin", "ymin", "xmax", "ymax")
        ]
        for label, xmin, ymin, xmax, ymax in zip(labels, *pairs, strict=True):
            assert label.box == Box(x0=xmin - 1, y0=ymin - 1, x1=xmax, y1=ymax), "none is cut: all lie inside"
            assert (label.truncated, label.difficult) == (False, False)
        assert size == tuple(int(n) for n in re.findall(r"<(?:width|height)>(\d+)<", text))
        names.update(label.name for label in labels)
    assert names == {
        "storage tank": 1256, "tennis court": 728, "airplane": 398, "bridge": 255, "baseball diamond": 180,
        "ship": 162, "basketball court": 145, "ground track field": 135,
    }  # fmt: skip


def test_boxes_are_those_of_the_publisher_s_coco_file(real_data: Path) -> None:
    folder = real_data / "hrrsd"
    coco = json.loads((folder / "COCOFormat/Anns/hrrsd_tiny_100_3084.json").read_text())
    names = {category["id"]: category["name"].lower() for category in coco["categories"]}
    n_compared = 0
    for image in coco["images"]:
        path = folder / "OPT2017/Annotations" / image["file_name"].replace("jpg", "xml")
        if not path.exists():
            continue
        size, labels = hrrsd.read_objects(as_part(path))
        assert size == (image["width"], image["height"])
        wanted = [
            (names[entry["category_id"]], *entry["bbox"])
            for entry in coco["annotations"]
            if entry["image_id"] == image["id"]
        ]
        boxes = [(label.name, label.box) for label in labels]
        assert [
            (name, box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0) for name, box in boxes if box is not None
        ] == wanted
        n_compared += 1
    assert n_compared == 4


def test_real_annotations_of_images_that_are_made(real_data: Path, tmp_path: Path) -> None:
    """Real annotations and lists with black images of the stated sizes: what a user's folder holds."""
    real = real_data / "hrrsd/OPT2017"
    base = tmp_path / "OPT2017"
    for part in ("JPEGImages", "Annotations", "ImageSets"):
        (base / part).mkdir(parents=True)
    (base / "ImageSets/Main").symlink_to(real / "ImageSets/Main")
    stems = sorted(path.stem for path in (real / "Annotations").glob("*.xml"))[::40]
    for stem in stems:
        note = (real / "Annotations" / f"{stem}.xml").read_bytes()
        (base / "Annotations" / f"{stem}.xml").write_bytes(note)
        width, height = (int(n) for n in re.findall(rb"<(?:width|height)>(\d+)<", note))
        Image.new("L", (width, height)).save(base / "JPEGImages" / f"{stem}.jpg")
    found = contents(tmp_path)
    assert not found.refused
    lists = {
        word: set((real / f"ImageSets/Main/{word}.txt").read_text().split())
        for word in ("train", "val", "test")
    }
    assert {key.rpartition("/")[2]: scene.published_split for key, scene in found.alone().items()} == {
        stem: next(word for word, names in lists.items() if stem in names) for stem in stems
    }
    assert {scene.published_split for scene in found.alone().values()} == {"train", "val", "test"}


def test_a_run_cuts_boxes_with_the_tiles(tmp_path: Path) -> None:
    truth = fake.write(tmp_path / "data")
    recipe = parse_recipe(
        "name: made\nsources: [{kind: hrrsd, path: data}]\ntile: {size: 128, encoding: {rgb: png}}\n",
        base=tmp_path,
    )
    earthloom.build(recipe, tmp_path / "work", base=tmp_path, workers=0)
    rows = duckdb.execute(
        f"select source_key, crop, labels, image.bytes, gsd_m from '{tmp_path}/work/release/data/*.parquet'"
    ).fetchall()
    things = {truth.prefix + view.stem: {thing.name: thing for thing in view.things} for view in truth.views}
    assert {row[0] for row in rows} == set(things)
    n_checked = 0
    for key, crop, labels, image, gsd_m in rows:
        assert gsd_m is None
        shown = np.asarray(Image.open(io.BytesIO(image)))
        for label in labels:
            box = label["box"]
            thing = as_box(things[key][label["name"]])
            assert box["x0"] == max(thing.x0 - crop["col"], 0)
            assert box["y1"] == min(thing.y1 - crop["row"], 128)
            block = shown[int(box["y0"]) : int(box["y1"]), int(box["x0"]) : int(box["x1"])]
            assert block.min() > 180
            n_checked += 1
    assert n_checked >= 5
