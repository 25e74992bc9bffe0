"""SEN12MS: bands, polarisations, place, land cover, lists, damage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dataset_contents import read_dataset, select
from fakes import sen12ms as fake
from rasterio.warp import transform as project

import earthloom
from earthloom.core.errors import RecordError
from earthloom.core.records import Modality, Quantity, Reason
from earthloom.recipes import parse_recipe
from earthloom.tile import check_classes
from earthloom.tile.pixels import ScenePixels


@pytest.mark.parametrize("variant", fake.VARIANTS)
def test_triplets_are_what_was_written(tmp_path: Path, variant: str) -> None:
    truth = fake.write(tmp_path, variant)
    found = read_dataset("sen12ms", tmp_path)
    assert not found.refused
    assert set(found.scenes) == set(truth.triplets)
    lons, lats = project("EPSG:32632", "EPSG:4326", [fake.WEST + 1280], [fake.NORTH - 1280])
    for key, true in truth.triplets.items():
        rgb, nir, vv, vh = found.scenes[key]
        wanted = (
            (rgb, Modality.RGB, Quantity.COUNTS, None, true.optical[[3, 2, 1]]),
            (nir, Modality.NIR, Quantity.COUNTS, None, true.optical[[7]]),
            (vv, Modality.SAR, Quantity.DB, "VV", true.radar[:1]),
            (vh, Modality.SAR, Quantity.DB, "VH", true.radar[1:]),
        )
        for scene, modality, quantity, polarisation, pixels in wanted:
            assert (scene.modality, scene.quantity, scene.polarisation) == (modality, quantity, polarisation)
            np.testing.assert_array_equal(
                ScenePixels(scene).read((0, 0, 256, 256))[0], np.moveaxis(pixels, 0, 2)
            )
            assert scene.lon == pytest.approx(lons[0], abs=1e-4)
            assert scene.lat == pytest.approx(lats[0], abs=1e-4)
            assert scene.gsd_x_m == pytest.approx(10, rel=1e-2)
            assert (scene.season, scene.published_split) == (true.season, true.split)
            assert scene.group == f"SEN12MS:{key.rpartition('/')[0]}"
            assert scene.licence == "CC-BY-4.0"
            check_classes(scene)
        assert len({scene.pair_key for scene in found.scenes[key]}) == 1
        assert len({scene.id for scene in found.scenes[key]}) == 4


DAMAGED = {
    "land cover missing": ({"ROIs1158_spring/lc_1/ROIs1158_spring_lc_1_p30.tif": Reason.MISSING}, 3),
    "optical cut short": ({"ROIs1158_spring/1/p30": Reason.UNREADABLE}, 2),
    "class not in the table": ({}, 3),
}


@pytest.mark.parametrize("name", list(fake.DAMAGES))
def test_damage_costs_no_more_than_it_hit(tmp_path: Path, name: str) -> None:
    fake.write(tmp_path)
    fake.DAMAGES[name](tmp_path)
    found = read_dataset("sen12ms", tmp_path)
    assert (found.refused, len(found.scenes)) == DAMAGED[name]
    if name == "class not in the table":
        with pytest.raises(RecordError) as error:
            check_classes(found.scenes["ROIs1158_spring/1/p30"][0])
        assert error.value.reason is Reason.UNKNOWN_CLASS


def test_a_run_gives_the_shares_of_the_land_cover(tmp_path: Path) -> None:
    truth = fake.write(tmp_path / "data")
    recipe = parse_recipe(
        "name: made\nsources: [{kind: sen12ms, path: data}]\ntile: {size: 256, gsd_m: [native]}\n",
        base=tmp_path,
    )
    assert earthloom.build(recipe, tmp_path / "work", base=tmp_path, workers=0).n_out == 12
    names = {1: "evergreen needleleaf forest", 10: "grassland", 12: "cropland", 17: "water"}
    for key, labels in select(tmp_path / "work", "source_key, labels"):
        values, counts = np.unique(truth.triplets[key].classes, return_counts=True)
        wanted = {names[v]: pytest.approx(n / 65536, abs=1e-6) for v, n in zip(values, counts, strict=True)}
        assert {label["name"]: label["share"] for label in labels} == wanted
