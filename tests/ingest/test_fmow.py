"""fMoW: both kinds of views, ground truth, bands by wavelength, hidden splits, facts with gaps, damage."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import numpy as np
import pytest
import shapely
from dataset_contents import Contents, origins_of, read_dataset
from fakes import fmow as fake
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pyproj import Geod

import earthloom
from earthloom.core.records import Box, Modality, Quantity, Reason, Scene
from earthloom.ingest.datasets import fmow
from earthloom.ingest.datasets.adapter import Strays, list_dataset
from earthloom.recipes import parse_recipe
from earthloom.tile.pixels import ScenePixels


def contents(folder: Path, **settings: object) -> Contents:
    return read_dataset("fmow", folder, **settings)


def labels_of(view: fake.View, ratio: int = 1) -> list[tuple[str, Box]]:
    found = []
    for box in view.boxes:
        x, y, width, height = (edge // ratio for edge in box.edges)
        right, bottom = min(x + width, view.size[0] // ratio), min(y + height, view.size[1] // ratio)
        if box.category:
            found.append((box.name, Box(x0=x, y0=y, x1=right, y1=bottom)))
    return found


def check_view(scene: Scene, view: fake.View, ratio: int = 1) -> None:
    assert (scene.width, scene.height) == (view.size[0] // ratio, view.size[1] // ratio)
    assert scene.published_split == view.split
    assert [(label.name, label.box) for label in scene.labels] == labels_of(view, ratio)
    assert {label.kind for label in scene.labels} <= {"object"}
    assert scene.group.endswith(f"/{view.folder}")
    assert scene.licence == "fMoW Challenge Public License"
    if view.is_hidden:
        assert {scene.gsd_x_m, scene.acquired, scene.country, scene.cloud_share, scene.sun_azimuth_deg} == {
            None
        }
        return
    assert scene.acquired == view.timestamp
    assert scene.country == view.country[1]
    assert scene.cloud_share == (None if view.clouds is None else float(str(view.clouds)) / 100)
    assert (scene.sun_azimuth_deg, scene.sun_elevation_deg) == (159.5, 46.25)
    assert scene.off_nadir_deg == (view.off_nadir if isinstance(view.off_nadir, float) else None)
    assert scene.view_azimuth_deg is None, "which direction it is, is not published"


@pytest.mark.parametrize("variant", ["rgb", "tar", "truth"])
@pytest.mark.parametrize(("kind", "ratio"), [("rgb", 1), ("msrgb", 4)])
def test_views_are_what_was_written(tmp_path: Path, variant: str, kind: str, ratio: int) -> None:
    truth = fake.write(tmp_path, variant)
    found = contents(tmp_path, views=kind)
    assert not found.refused, "ground truth without views is no gap"
    keys = {f"{view.split}.tar/" * (variant == "tar") + f"{view.key}_{kind}": view for view in truth.views}
    assert set(found.scenes) == set(keys), "one kind of view, never both"
    for key, view in keys.items():
        check_view(found.alone()[key], view, ratio)


def test_without_a_place_the_stated_distance_stands_for_both_axes(tmp_path: Path) -> None:
    truth = fake.write(tmp_path)
    for view in truth.views:
        scene = contents(tmp_path).alone()[f"{view.key}_rgb"]
        wanted = view.gsd if isinstance(view.gsd, float) and not view.is_hidden else None
        assert (scene.gsd_x_m, scene.gsd_y_m, scene.crs, scene.lon, scene.footprint) == (
            wanted, wanted, None, None, None,
        )  # fmt: skip


def test_the_ground_truth_gives_the_place_and_both_distances(tmp_path: Path) -> None:
    truth = fake.write(tmp_path, "truth")
    found = contents(tmp_path).alone()
    for view in truth.views:
        scene = found[f"{view.key}_rgb"]
        if view.is_hidden:
            assert scene.crs is None
            continue
        lon, lat = view.lonlat
        west, south, east, north = fake.outline_of(view)
        assert scene.lon == pytest.approx(lon, abs=1e-6)
        assert scene.lat == pytest.approx(lat, abs=1e-6)
        assert scene.footprint is not None
        assert shapely.from_wkb(scene.footprint).bounds == pytest.approx((west, south, east, north), abs=1e-6)
        geod = Geod(ellps="WGS84")
        wanted_x = geod.inv(west, lat, east, lat)[2] / view.size[0]
        wanted_y = geod.inv(lon, south, lon, north)[2] / view.size[1]
        assert scene.gsd_x_m == pytest.approx(wanted_x, 1e-3)
        assert scene.gsd_y_m == pytest.approx(wanted_y, 1e-3)
        assert scene.platform == ("WorldView-3" if view.number == 0 else "GeoEye-1")
        said = origins_of(scene)
        assert (said["gsd_x_m"], said["lon"], said["acquired"]) == (
            "computed",
            "sidecar file",
            "sidecar file",
        )


@pytest.mark.parametrize(("setting", "wanted"), [("to_sensor", 31.25), ("to_target", 211.25)])
def test_the_direction_of_the_view_is_a_setting(tmp_path: Path, setting: str, wanted: float) -> None:
    fake.write(tmp_path)
    scenes = contents(tmp_path, target_azimuth=setting).alone()
    assert scenes["train/airport/airport_0/airport_0_0_rgb"].view_azimuth_deg == wanted
    assert scenes["test/0000000/0000000_0_rgb"].view_azimuth_deg is None, "noised on purpose"


def test_views_of_one_place_share_a_group(tmp_path: Path) -> None:
    fake.write(tmp_path)
    found = contents(tmp_path).alone()
    groups = {key: scene.group for key, scene in found.items()}
    first, second = (f"train/airport/airport_0/airport_0_{n}_rgb" for n in (0, 1))
    assert groups[first] == groups[second]
    assert len(set(groups.values())) == len(groups) - 1


def test_bands_are_found_by_their_wavelength(tmp_path: Path) -> None:
    truth = fake.write(tmp_path, "full")
    found = contents(tmp_path, views="ms")
    assert not found.refused
    for seed, view in enumerate(truth.views):
        scenes = {scene.modality: scene for scene in found.scenes[f"{view.key}_ms"]}
        assert set(scenes) == {Modality.RGB, Modality.NIR}
        assert len({scene.pair_key for scene in scenes.values()}) == 1
        rgb, nir = ((3, 2, 1), (4,)) if view.n_bands == 4 else ((5, 3, 2), (7,))
        width, height = view.size[0] // 4, view.size[1] // 4
        bands = fake.draw_bands(seed, height, width, view.n_bands)
        for modality, wanted in ((Modality.RGB, rgb), (Modality.NIR, nir)):
            scene = scenes[modality]
            check_view(scene, view, 4)
            assert scene.quantity is Quantity.COUNTS
            values, _ = ScenePixels(scene).read((0, 0, width, height))
            np.testing.assert_array_equal(values, bands[:, :, [band - 1 for band in wanted]])
            stated = "dataset documentation" if view.number == 3 else "sidecar file"
            assert origins_of(scene)["modality"] == stated
    sharp = contents(tmp_path).alone()
    assert {scene.quantity for scene in sharp.values()} == {Quantity.DISPLAY}
    assert [band.index for band in sharp[f"{truth.views[0].key}_rgb"].bands] == [1, 2, 3]


@pytest.mark.parametrize(
    ("waves", "reason"),
    [([427, 478, 546], Reason.MISALIGNED), ([661] * 8, Reason.MISSING), ([1500] * 8, Reason.MISSING)],
)
def test_bands_that_are_not_there_are_refused(tmp_path: Path, waves: list[int], reason: Reason) -> None:
    fake.write(tmp_path, "full")
    path = tmp_path / "train/airport/airport_0/airport_0_0_ms.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "approximate_wavelengths": waves}))
    assert contents(tmp_path, views="ms").refused == {"train/airport/airport_0/airport_0_0_ms": reason}


DAMAGED = {
    "JSON missing": {"train/airport/airport_0/airport_0_1_rgb.json": Reason.MISSING},
    "category not in the table": {"train/airport/airport_0/airport_0_0_rgb": Reason.UNKNOWN_CLASS},
    "JSON cut short": {
        "val/place_of_worship/place_of_worship_12/place_of_worship_12_3_rgb": Reason.BAD_FACTS
    },
}


@pytest.mark.parametrize("name", list(fake.DAMAGES))
def test_damage_costs_no_more_than_it_hit(tmp_path: Path, name: str) -> None:
    truth = fake.write(tmp_path)
    fake.DAMAGES[name](tmp_path)
    found = contents(tmp_path)
    assert found.refused == DAMAGED[name]
    hit = next(iter(found.refused)).removesuffix(".json")
    for view in truth.views:
        if f"{view.key}_rgb" != hit:
            check_view(found.alone()[f"{view.key}_rgb"], view)
    if name == "JSON missing":
        (label,) = found.alone()[hit].labels
        assert (label.name, label.kind, label.origin) == ("airport", "class", "file name")


def test_a_picture_of_another_size_is_refused(tmp_path: Path) -> None:
    fake.write(tmp_path)
    path = tmp_path / "train/airport/airport_0/airport_0_0_rgb.jpg"
    Image.open(path).resize((224, 224)).save(path)
    assert contents(tmp_path).refused == {"train/airport/airport_0/airport_0_0_rgb": Reason.MISALIGNED}


def test_the_other_kind_of_view_is_passed_over_but_shows_what_is_missing(tmp_path: Path) -> None:
    truth = fake.write(tmp_path)
    strays = Strays()
    settings = fmow.FmowSettings(kind="fmow", path=str(tmp_path))
    assert len(list(list_dataset(fmow.ADAPTER, settings, tmp_path.parent, strays))) == len(truth.views)
    assert strays.n == 0
    gone = "train/airport/airport_0/airport_0_0_rgb"
    for suffix in ("jpg", "json"):
        (tmp_path / f"{gone}.{suffix}").unlink()
    found = contents(tmp_path)
    assert found.refused == {f"{gone}.jpg": Reason.MISSING}
    assert found.details[f"{gone}.jpg"].endswith("airport_0_0_msrgb.jpg is")


PLACES = st.sampled_from(
    ["airport/airport_0", "single-unit_residential/single-unit_residential_17", "0012345"]
)


@given(
    st.sampled_from(["", "fmow-rgb/", "a b/test/"]),
    st.sampled_from(["train", "val", "test", "seq"]),
    PLACES,
    st.integers(0, 99),
    st.sampled_from([".jpg", ".jpeg", ".tif", ".tiff"]),
)
def test_files_of_a_view_name_each_other(base: str, split: str, where: str, number: int, suffix: str) -> None:
    settings = fmow.FmowSettings(kind="fmow", path="p")
    stem = f"{where}/{where.rpartition('/')[2]}_{number}_rgb"
    keys = [f"{base}{split}/{stem}{suffix}", f"{base}{split}/{stem}.json"]
    for key in keys:
        place = fmow.place(settings, key)
        assert place is not None
        assert (place.item, place.document) == (f"{base}{split}/{stem}", split)
        assert set(keys) <= {name for names in place.files.values() for name in names}
        assert place.files["truth"] == (f"{base}{split}_gt/{stem}.json",)
    assert fmow.place(settings, f"{base}{split}_gt/{stem}.json") is None
    other = fmow.place(settings, keys[0].replace("_rgb", "_msrgb"))
    assert other is not None
    assert (other.item, other.role) == (f"{base}{split}/{stem}", "other")


def test_a_run_cuts_boxes_and_keeps_facts(tmp_path: Path) -> None:
    truth = fake.write(tmp_path / "data", "truth")
    recipe = parse_recipe(
        "name: made\nsources: [{kind: fmow, path: data}]\ntile: {size: 256}\n", base=tmp_path
    )
    earthloom.build(recipe, tmp_path / "work", base=tmp_path, workers=0)
    rows = duckdb.execute(
        "select source_key, crop, labels, cloud_share, off_nadir_deg, country, footprint, published_split,"
        f" native_gsd_m, split, \"group\" from '{tmp_path}/work/release/data/*.parquet'"
    ).fetchall()
    views = {f"{view.key}_rgb": view for view in truth.views}
    assert {row[0] for row in rows} == set(views)
    splits: dict[str, set[str]] = {}
    for key, crop, labels, clouds, _, country, footprint, published, gsd_m, split, group in rows:
        view = views[key]
        splits.setdefault(group, set()).add(split)
        assert published == view.split
        if not view.is_hidden:
            assert country == view.country[1]
            assert clouds == (None if view.clouds is None else float(str(view.clouds)) / 100)
            assert footprint is not None
            assert shapely.from_wkb(bytes(footprint)).centroid.distance(shapely.Point(view.lonlat)) < 0.003
            assert gsd_m is not None
        whole, zoom = dict(labels_of(view)), 256 / crop["width"]
        for label in labels:
            box, true = label["box"], whole[label["name"]]
            assert box["x0"] == pytest.approx(max((true.x0 - crop["col"]) * zoom, 0))
            assert box["x1"] == pytest.approx(min((true.x1 - crop["col"]) * zoom, 256))
    assert all(len(found) == 1 for found in splits.values())
    assert any(row[2] for row in rows)
