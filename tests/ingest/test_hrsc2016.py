"""HRSC2016: layouts, oriented ships, locations without a sign, images without annotation, damage."""

from __future__ import annotations

import io
import re
from pathlib import Path

import cv2
import duckdb
import numpy as np
import pytest
from dataset_contents import Contents, origins_of, read_dataset
from fakes import hrsc2016 as fake
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import earthloom
from earthloom.core.errors import RecordError
from earthloom.core.records import Reason, Scene
from earthloom.geo.countries import find_country
from earthloom.ingest.datasets import hrsc2016
from earthloom.ingest.datasets.hrsc2016_classes import CLASSES, HARBOURS, find_harbour
from earthloom.recipes import parse_recipe

PUBLISHED = """<HRSC_Image><Place_ID>100000001</Place_ID><Img_Date>2014-07-01</Img_Date>
<Img_Location>69.040297,33.070036</Img_Location><Img_SizeWidth>1166</Img_SizeWidth><Img_SizeHeight>753</Img_SizeHeight>
<Img_Resolution>1.07</Img_Resolution><Annotated>1</Annotated><HRSC_Objects><HRSC_Object><Class_ID>100000013</Class_ID>
<truncated>0</truncated><difficult>0</difficult><box_xmin>194</box_xmin><box_ymin>243</box_ymin>
<box_xmax>972</box_xmax><box_ymax>507</box_ymax><mbox_cx>582.9349</mbox_cx><mbox_cy>353.2006</mbox_cy>
<mbox_w>778.1303</mbox_w><mbox_h>174.2541</mbox_h><mbox_ang>-0.2144308</mbox_ang>
<header_x>964</header_x><header_y>290</header_y></HRSC_Object></HRSC_Objects></HRSC_Image>"""
"""The numbers of the publisher's first annotation, as brambox's documentation quotes them."""


def contents(folder: Path, **settings: object) -> Contents:
    return read_dataset("hrsc2016", folder, **settings)


def check_view(scene: Scene, view: fake.View) -> None:
    assert (scene.width, scene.height, scene.dtype) == (fake.WIDTH, fake.HEIGHT, "uint8")
    assert (scene.platform, scene.licence, scene.dataset) == ("Google Earth", None, "HRSC2016")
    assert scene.published_split == view.split
    assert scene.acquired == (view.date or None)
    assert scene.gsd_x_m == scene.gsd_y_m == (float(view.gsd or 0) or None)
    assert (scene.lon, scene.lat) == (view.lonlat or (None, None))
    assert scene.place == view.harbour
    if view.place_id:
        assert scene.group == f"HRSC2016:place {view.place_id}"
    assert len(scene.labels) == len(view.ships)
    for label, ship in zip(scene.labels, view.ships, strict=True):
        x0, y0, x1, y1 = ship.upright
        assert (label.name, label.kind, label.origin) == (ship.name, "object", "sidecar file")
        assert label.box is not None
        shown = (label.box.x0, label.box.y0, label.box.x1, label.box.y1)
        assert shown == (x0, y0, min(x1, fake.WIDTH), min(y1, fake.HEIGHT))
        assert (label.truncated, label.difficult) == (ship.truncated, ship.difficult)
        assert label.corners is not None
        corners = np.array(label.corners).reshape(4, 2)
        away = np.linalg.norm(corners[:, None] - fake.corners_of(ship)[None], axis=2)
        np.testing.assert_allclose(away.min(axis=0), 0, atol=1e-3)


@pytest.mark.parametrize("variant", fake.VARIANTS)
def test_every_layout_gives_what_was_written(tmp_path: Path, variant: str) -> None:
    truth = fake.write(tmp_path, variant)
    found = contents(tmp_path)
    assert not found.refused, "an image without annotation is part of the set"
    assert set(found.scenes) == {truth.prefix[view.stem] + view.stem for view in truth.views}
    for view in truth.views:
        check_view(found.alone()[truth.prefix[view.stem] + view.stem], view)


def test_corners_lie_around_the_ships_in_the_picture(tmp_path: Path) -> None:
    truth = fake.write(tmp_path)
    for view in truth.views[:2]:
        scene = contents(tmp_path).alone()[f"FullDataSet/{view.stem}"]
        pixels = np.asarray(Image.open(tmp_path / f"FullDataSet/AllImages/{view.stem}.bmp"))
        inside = np.zeros(pixels.shape[:2], np.uint8)
        for label in scene.labels:
            assert label.corners is not None
            corners = np.array(label.corners).reshape(4, 2).round().astype(np.int32)
            cv2.fillConvexPoly(inside, corners, 1)
        bright = pixels[:, :, 0] == fake.SHIP_GRAY
        assert (bright & (inside == 1)).sum() > 0.97 * max(bright.sum(), inside.sum())


def test_facts_say_where_they_come_from(tmp_path: Path) -> None:
    fake.write(tmp_path)
    said = origins_of(contents(tmp_path).alone()["FullDataSet/100000002"])
    assert {
        fact: said[fact] for fact in ("lat", "lon", "place", "gsd_x_m", "acquired", "published_split")
    } == {
        "lat": "sidecar file",
        "lon": "computed",
        "place": "dataset documentation",
        "gsd_x_m": "sidecar file",
        "acquired": "sidecar file",
        "published_split": "sidecar file",
    }
    told = contents(tmp_path, resolution="unknown", gsd_m=0.4).alone()["FullDataSet/100000002"]
    assert (told.gsd_x_m, origins_of(told)["gsd_x_m"]) == (0.4, "recipe")
    doubted = contents(tmp_path, resolution="unknown").alone()["FullDataSet/100000002"]
    assert doubted.gsd_x_m is None


def test_the_published_example(tmp_path: Path) -> None:
    for folder in ("AllImages", "Annotations"):
        (tmp_path / folder).mkdir()
    Image.new("RGB", (1166, 753)).save(tmp_path / "AllImages/100000001.bmp")
    (tmp_path / "Annotations/100000001.xml").write_text(PUBLISHED)
    scene = contents(tmp_path).alone()["100000001"]
    assert (scene.place, scene.country, scene.lon, scene.lat) == ("Murmansk", "RU", 33.070036, 69.040297)
    (ship,) = scene.labels
    assert ship.name == "kuznetsov-class aircraft carrier"
    assert ship.corners is not None
    bow = (np.array(ship.corners[2:4]) + ship.corners[4:6]) / 2
    assert np.linalg.norm(bow - (964, 290)) < 25, (
        "in the middle of a short side; 149 away if turned the other way"
    )


DAMAGED = {
    "class not in the table": {"FullDataSet/100000001": Reason.UNKNOWN_CLASS},
    "annotation cut short": {"FullDataSet/100000002": Reason.BAD_FACTS},
    "half unpacked": {
        "FullDataSet/AllImages/100000005.bmp": Reason.MISSING,
        "HRSC2016.part02.rar": Reason.UNREADABLE,
    },
}


@pytest.mark.parametrize("name", list(fake.DAMAGES))
def test_damage_costs_no_more_than_it_hit(tmp_path: Path, name: str) -> None:
    truth = fake.write(tmp_path)
    fake.DAMAGES[name](tmp_path)
    found = contents(tmp_path)
    assert found.refused == DAMAGED[name]
    assert len(found.scenes) == 5
    for view in truth.views:
        if f"FullDataSet/{view.stem}" in found.scenes:
            check_view(found.alone()[f"FullDataSet/{view.stem}"], view)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("69.040297,33.070036", "north,east", Reason.BAD_FACTS),
        ("69.040297,33.070036", "33.070036", Reason.BAD_FACTS),
        ("<mbox_w>778.1303<", "<mbox_w>0<", Reason.BAD_FACTS),
        ("<mbox_ang>-0.2144308</mbox_ang>", "", Reason.BAD_FACTS),
        ("<box_xmin>194<", "<box_xmin>1294<", Reason.BAD_FACTS),
        ("2014-07-01", "2014-13-01", Reason.BAD_FACTS),
        ("<Img_SizeWidth>1166<", "<Img_SizeWidth>583<", Reason.MISALIGNED),
        ("100000013", "Kuznetsov", Reason.UNKNOWN_CLASS),
        ("HRSC_Image", "annotation", Reason.BAD_FACTS),
        ("69.040297,33.070036", "33.070036,69.040297", None),
        ("69.040297,33.070036", "", None),
    ],
)
def test_what_the_annotation_gets_wrong(tmp_path: Path, old: str, new: str, reason: Reason | None) -> None:
    for folder in ("JPEGImages", "Annotations"):
        (tmp_path / folder).mkdir()
    Image.new("RGB", (1166, 753)).save(tmp_path / "JPEGImages/100000001.png")
    (tmp_path / "Annotations/100000001.xml").write_text(PUBLISHED.replace(old, new))
    found = contents(tmp_path)
    assert found.refused.get("100000001") is reason
    if reason is None:
        scene = found.alone()["100000001"]
        assert (scene.lon, scene.lat, scene.place) == (None, None, None), "unknown, not swapped by guess"


def test_one_image_in_two_formats_is_one_item(tmp_path: Path) -> None:
    fake.write(tmp_path)
    for path in list((tmp_path / "FullDataSet/AllImages").glob("*.bmp")):
        Image.open(path).save(path.with_suffix(".jpg"))
    assert len(contents(tmp_path).scenes) == 6


def test_the_tables_are_sound() -> None:
    assert len(CLASSES) == 31
    assert set(range(1, 34)) - set(CLASSES) == {21, 23}
    assert all(name == name.lower() and re.fullmatch(r"[a-z -]+", name) for name in CLASSES.values())
    for harbour in HARBOURS:
        assert find_harbour(abs(harbour.lon), harbour.lat) is harbour
        country = find_country(harbour.country)
        assert country is not None
        assert country.alpha2 == harbour.country
    assert find_harbour(0, 0) is None


@given(st.text(max_size=30))
def test_any_location_is_read_or_refused(text: str) -> None:
    try:
        facts = hrsc2016._read_location(text.strip())
    except RecordError as error:
        assert error.reason is Reason.BAD_FACTS
    else:
        assert facts == () or facts[0].lat is not None


def test_a_run_cuts_boxes_and_corners_with_the_tiles(tmp_path: Path) -> None:
    truth = fake.write(tmp_path / "data")
    recipe = parse_recipe(
        "name: made\nsources: [{kind: hrsc2016, path: data}]\ntile: {size: 256, encoding: {rgb: png}}\n",
        base=tmp_path,
    )
    earthloom.build(recipe, tmp_path / "work", base=tmp_path, workers=0)
    rows = duckdb.execute(
        f"select source_key, crop, labels, image.bytes from '{tmp_path}/work/release/data/*.parquet'"
    ).fetchall()
    assert {row[0] for row in rows} == {truth.prefix[view.stem] + view.stem for view in truth.views}
    views = {truth.prefix[view.stem] + view.stem: view for view in truth.views}
    n_checked = 0
    for key, crop, labels, image in rows:
        shown = np.asarray(Image.open(io.BytesIO(image)))
        assert shown.shape == (256, 256, 3)
        ships = {ship.name: ship for ship in views[key].ships}
        for label in labels:
            ship = ships[label["name"]]
            x0, y0 = ship.upright[0] - crop["col"], ship.upright[1] - crop["row"]
            assert label["box"]["x0"] == pytest.approx(max(x0, 0))
            assert label["box"]["y0"] == pytest.approx(max(y0, 0))
            corners = np.array(label["corners"]).reshape(4, 2) + np.array([crop["col"], crop["row"]])
            away = np.linalg.norm(corners[:, None] - fake.corners_of(ship)[None], axis=2)
            np.testing.assert_allclose(away.min(axis=0), 0, atol=1e-3)
            n_checked += 1
    assert n_checked >= 4
