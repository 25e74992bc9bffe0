"""Inria: places, parts, masks, groups, damage."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from dataset_contents import read_dataset, select
from fakes import inria as fake

import earthloom
from earthloom.core.errors import RecordError
from earthloom.core.records import Reason
from earthloom.recipes import parse_recipe
from earthloom.run.compat import RULES
from earthloom.tile import TileSettings, check_classes, count_windows
from earthloom.tile.pixels import ScenePixels

LATITUDES = {"austin": 30.27, "tyrol-w": 47.21, "tyrol-e": 46.83, "sfo": 37.78}


@pytest.mark.parametrize("variant", fake.VARIANTS)
def test_images_are_what_was_written(tmp_path: Path, variant: str) -> None:
    truth = fake.write(tmp_path, variant, cell=2)
    found = read_dataset("inria", tmp_path)
    assert not found.refused, "the publisher keeps the masks of the test part, so none is missing"
    scenes = found.alone()
    assert set(scenes) == set(truth.images)
    for key, true in truth.images.items():
        scene = scenes[key]
        np.testing.assert_array_equal(ScenePixels(scene).read((0, 0, 250, 250))[0][::2, ::2], true.pixels)
        assert (scene.place, scene.country, scene.published_split) == (true.place, true.country, true.split)
        assert scene.group == f"Inria Aerial Image Labeling:{true.city}"
        assert scene.gsd_x_m == pytest.approx(0.3, rel=1e-3)
        assert scene.lat == pytest.approx(LATITUDES[true.city], abs=0.1), "the header's place"
        assert (scene.mask is None) == (true.buildings is None)
        check_classes(scene)
    by_image = read_dataset("inria", tmp_path, group_by="image").alone()
    assert len({scene.group for scene in by_image.values()}) == len(truth.images)


DAMAGED = {
    "mask missing": ({"AerialImageDataset/train/gt/austin1.tif": Reason.MISSING}, 5),
    "image cut short": ({"AerialImageDataset/test/sfo3": Reason.UNREADABLE}, 4),
    "mask of another value": ({}, 5),
}


@pytest.mark.parametrize("name", list(fake.DAMAGES))
def test_damage_costs_no_more_than_it_hit(tmp_path: Path, name: str) -> None:
    fake.write(tmp_path, cell=2)
    fake.DAMAGES[name](tmp_path)
    found = read_dataset("inria", tmp_path)
    assert (found.refused, len(found.scenes)) == DAMAGED[name]
    if name == "mask of another value":
        with pytest.raises(RecordError) as error:
            check_classes(found.alone()["AerialImageDataset/train/austin1"])
        assert error.value.reason is Reason.UNKNOWN_CLASS


def test_a_true_image_gives_eight_crops_in_compat(tmp_path: Path) -> None:
    truth = fake.write(tmp_path)
    assert all(path.stat().st_size < 2**20 for path in tmp_path.rglob("*.tif"))
    scenes = read_dataset("inria", tmp_path).alone()
    assert {(scene.width, scene.height) for scene in scenes.values()} == {(5000, 5000)}
    rules = RULES["inria"].apply(TileSettings())
    assert {count_windows(scenes[key], rules) for key in truth.images} == {8}


def test_a_run_gives_the_buildings_that_were_written(tmp_path: Path) -> None:
    truth = fake.write(tmp_path / "data", cell=4)
    recipe = parse_recipe(
        "name: made\nsources: [{kind: inria, path: data}]\ntile: {size: 250, gsd_m: [native]}\n",
        base=tmp_path,
    )
    assert earthloom.build(recipe, tmp_path / "work", base=tmp_path, workers=0).n_out == 5 * 4
    for key, crop, mask in select(tmp_path / "work", "source_key, crop, class_mask"):
        true = truth.images[key].buildings
        assert (mask is None) == (true is None)
        if true is not None:
            shown = cv2.imdecode(np.frombuffer(mask, np.uint8), cv2.IMREAD_UNCHANGED)
            where = np.s_[
                int(crop["row"]) : int(crop["row"]) + 250, int(crop["col"]) : int(crop["col"]) + 250
            ]
            np.testing.assert_array_equal(shown, (true * 255).repeat(4, 0).repeat(4, 1)[where])
