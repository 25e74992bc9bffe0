"""GID: pairs of RGB and near infrared, labels in colours and in numbers, splits, groups, damage."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from dataset_contents import Contents, origins_of, read_dataset, select
from fakes import gid as fake
from fakes.fields import write_tiff
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from rasterio.transform import from_origin

import earthloom
from earthloom.core.errors import RecordError, UsageError
from earthloom.core.records import ClassMask, Modality, Quantity, Reason, Scene
from earthloom.ingest.datasets import gid
from earthloom.recipes import parse_recipe
from earthloom.run.compat import RULES
from earthloom.tile import TileSettings, check_classes, count_windows
from earthloom.tile.pixels import ScenePixels

TOP = "Large-scale Classification_5classes"
FIRST, SECOND = fake.STEMS[:2]
TABLES = {
    "coarse": fake.COARSE,
    "png": fake.COARSE,
    "nir": fake.COARSE,
    "alpha": fake.COARSE,
    "fine": fake.FINE,
}


def contents(folder: Path, **settings: object) -> Contents:
    return read_dataset("gid", folder, **settings)


def of_modality(scenes: list[Scene]) -> dict[Modality, Scene]:
    return {scene.modality: scene for scene in scenes}


def show_legend(mask: ClassMask | None) -> dict[int, tuple[str, str]]:
    assert mask is not None
    return {e.value: (e.name, ",".join(map(str, e.colour or ()))) for e in mask.legend}


def numbered(table: dict[str, str], order: tuple[str, ...] | None = None) -> dict[int, tuple[str, str]]:
    return {n: (name, table[name]) for n, name in enumerate(order or tuple(table))}


@pytest.mark.parametrize("variant", list(TABLES))
def test_scenes_are_what_was_written(tmp_path: Path, variant: str) -> None:
    truth = fake.write(tmp_path, variant, cell=2)
    found = contents(tmp_path)
    assert not found.refused
    assert set(found.scenes) == {scene.key for scene in truth.scenes}
    for true in truth.scenes:
        assert true.nirrgb is not None
        views = of_modality(found.scenes[true.key])
        assert set(views) == {Modality.RGB, Modality.NIR}
        for modality, channels in ((Modality.RGB, [1, 2, 3]), (Modality.NIR, [0])):
            scene = views[modality]
            values, valid = ScenePixels(scene).read((0, 0, 360, 340))
            np.testing.assert_array_equal(values[::2, ::2], true.nirrgb[:, :, channels])
            if modality is Modality.RGB and variant == "alpha":
                assert valid is not None
                np.testing.assert_array_equal(valid[::2, ::2], true.classes != 0)
            else:
                assert valid is None, "a band that a header calls alpha is blue"
            assert (scene.width, scene.height, scene.dtype) == (360, 340, "uint8")
            assert scene.quantity is Quantity.DISPLAY
            assert (scene.platform, scene.sensor) == ("Gaofen-2", "PMS")
            assert (scene.gsd_x_m, scene.gsd_y_m, scene.acquired, scene.lon) == (4.0, 4.0, None, None)
            assert scene.mask is not None
            assert scene.mask.by_colour
            assert show_legend(scene.mask) == numbered(TABLES[variant])
            check_classes(scene)
        assert views[Modality.RGB].pair_key == views[Modality.NIR].pair_key
        assert {scene.group for scene in views.values()} == {f"GID:{true.stem}"}
    assert len({scene.pair_key for scenes in found.scenes.values() for scene in scenes}) == len(truth.scenes)


def test_facts_say_where_they_come_from(tmp_path: Path) -> None:
    fake.write(tmp_path, n=1, cell=1)
    (scenes,) = contents(tmp_path).scenes.values()
    for scene in scenes:
        said = origins_of(scene)
        assert (said["gsd_x_m"], said["platform"], said["sensor"]) == (
            "dataset documentation",
            "file name",
            "file name",
        )
        wanted = "file name" if scene.modality is Modality.RGB else "dataset documentation"
        assert said["modality"] == wanted
        assert (scene.dataset, scene.licence) == ("GID", None)
    (told,) = contents(tmp_path, gsd_m=3.2, nir_band=1).scenes.values()
    assert {(s.gsd_x_m, s.gsd_y_m, origins_of(s)["gsd_x_m"]) for s in told} == {(3.2, 3.2, "recipe")}
    assert origins_of(told[1])["modality"] == "recipe"
    (unknown,) = contents(tmp_path, gsd_m=None).scenes.values()
    assert {(scene.gsd_x_m, scene.gsd_y_m) for scene in unknown} == {(None, None)}


@pytest.mark.parametrize(("nir_band", "rgb"), [(1, (2, 3, 4)), (2, (1, 3, 4)), (4, (1, 2, 3))])
def test_the_order_of_nirrgb_is_a_setting(tmp_path: Path, nir_band: int, rgb: tuple[int, ...]) -> None:
    fake.write(tmp_path, "nir", n=1, cell=1)
    (scenes,) = contents(tmp_path, nir_band=nir_band).scenes.values()
    bands = {scene.modality: tuple(band.index for band in scene.bands) for scene in scenes}
    assert bands == {Modality.RGB: rgb, Modality.NIR: (nir_band,)}
    assert all(scene.alpha is None for scene in scenes), "a fourth band that is blue is no alpha"
    assert {origins_of(scene)["modality"] for scene in scenes} == {"recipe"}


def test_a_scene_of_both_sets_is_one_group(tmp_path: Path) -> None:
    fake.write(tmp_path, "both", cell=1)
    groups: dict[str, set[str]] = {}
    for key, scenes in contents(tmp_path).scenes.items():
        groups.setdefault(key.rpartition("/")[2], set()).update(scene.group for scene in scenes)
    assert groups == {FIRST: {f"GID:{FIRST}"}, SECOND: {f"GID:{SECOND}"}}


@pytest.mark.parametrize(("variant", "settings"), [("challenge", {}), ("solc", {"index_order": "solc"})])
def test_the_challenge_has_numbers_and_splits(tmp_path: Path, variant: str, settings: dict[str, str]) -> None:
    truth = fake.write(tmp_path, variant, cell=2)
    found = contents(tmp_path, **settings)
    assert not found.refused, "labels of the test split are not published, so none is missing"
    for true in truth.scenes:
        (scene,) = found.scenes[true.key]
        assert (scene.published_split, scene.group) == (true.split, f"GID:{true.stem}")
        assert origins_of(scene)["published_split"] == "file name"
        if true.split == "test":
            assert scene.mask is None
        else:
            assert scene.mask is not None
            assert not scene.mask.by_colour
            assert show_legend(scene.mask) == numbered(fake.FINE, true.names)
            check_classes(scene)


@pytest.mark.parametrize("folder", [TOP, "coarse"])
def test_a_folder_inside_can_be_the_source(tmp_path: Path, folder: str) -> None:
    fake.write(tmp_path, cell=1)
    (tmp_path / TOP).rename(tmp_path / folder)
    assert set(contents(tmp_path / folder).scenes) == {FIRST, SECOND}
    with pytest.raises(UsageError, match="Give the folder above"):
        contents(tmp_path / folder / "image_RGB")


def test_patches_have_classes_and_the_group_of_their_scene(tmp_path: Path) -> None:
    truth = fake.write(tmp_path, "patches")
    (tmp_path / "RGB_15_train/glacier").mkdir()
    stray = tmp_path / "RGB_15_train/glacier/1.tif"
    stray.write_bytes((tmp_path / next(iter(truth.patches))).read_bytes())
    found = contents(tmp_path)
    assert found.refused == {"RGB_15_train/glacier/1.tif": Reason.UNKNOWN_CLASS}
    for key, (name, stem) in truth.patches.items():
        (scene,) = found.scenes[key]
        assert [(label.name, label.kind, label.origin) for label in scene.labels] == [
            (name, "class", "file name")
        ]
        assert scene.group == (f"GID:{stem}" if stem else f"made:{key}")
        assert (scene.published_split, scene.width) == ("train", 56)
        assert origins_of(scene)["sensor"] == ("file name" if stem else "dataset documentation")


DAMAGED = {
    "label missing": (f"{TOP}/label_5classes/{FIRST}_label.tif", Reason.MISSING, {FIRST, SECOND}),
    "image cut short": (f"{TOP}/{SECOND}", Reason.UNREADABLE, {FIRST}),
    "colours not in the table": (None, None, {FIRST, SECOND}),
}


@pytest.mark.parametrize("name", list(fake.DAMAGES))
def test_damage_costs_no_more_than_it_hit(tmp_path: Path, name: str) -> None:
    fake.write(tmp_path, cell=1)
    fake.DAMAGES[name](tmp_path)
    key, reason, left = DAMAGED[name]
    found = contents(tmp_path)
    assert found.refused == ({} if key is None else {key: reason})
    assert {key.rpartition("/")[2] for key in found.scenes} == left
    bad = []
    for scenes in found.scenes.values():
        for scene in scenes:
            try:
                check_classes(scene)
            except RecordError as error:
                bad.append((scene.source_key.rpartition("/")[2], error.reason))
    assert bad == ([(SECOND, Reason.UNKNOWN_CLASS)] * 2 if key is None else [])
    if name == "label missing":
        assert {scene.mask for scene in found.scenes[f"{TOP}/{FIRST}"]} == {None}


def save(path: Path, pixels: npt.NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


@pytest.mark.parametrize(
    ("name", "shape", "reason"),
    [
        ("label_5classes/GF2_a_label.png", (40, 50, 3), None),
        ("label_5classes/GF2_a_label.png", (40, 51, 3), Reason.MISALIGNED),
        ("label_5classes/GF2_a_label.png", (40, 50), Reason.UNSUPPORTED_PIXELS),
        ("label_15classes/GF2_a_label.png", (40, 50), None),
        ("image_NirRGB/GF2_a.tif", (41, 50, 4), Reason.MISALIGNED),
        ("image_NirRGB/GF2_a.tif", (40, 50, 3), None),
    ],
)
def test_files_that_do_not_fit_are_refused(
    tmp_path: Path, name: str, shape: tuple[int, ...], reason: Reason | None
) -> None:
    save(tmp_path / "image_RGB/GF2_a.tif", np.full((40, 50, 3), 90, np.uint8))
    save(tmp_path / name, np.zeros(shape, np.uint8))
    found = contents(tmp_path)
    assert found.refused.get("GF2_a") is reason
    if reason is None:
        assert {scene.group for scene in found.scenes["GF2_a"]} == {"GID:GF2_a"}


def test_a_palette_is_colours_and_in_the_challenge_numbers(tmp_path: Path) -> None:
    label = Image.fromarray(np.array([[0, 1], [4, 5]], np.uint8).repeat(20, axis=0).repeat(25, axis=1))
    label.putpalette([int(part) for colour in fake.COARSE.values() for part in colour.split(",")])
    for image, name in (
        ("image_RGB/a.tif", "label_5classes/a_label.png"),
        ("img_dir/val/a.tif", "ann_dir/val/a_15label.png"),
    ):
        save(tmp_path / image, np.full((40, 50, 3), 90, np.uint8))
        (tmp_path / name).parent.mkdir(parents=True)
        label.save(tmp_path / name)
    masks = {key: scene.mask for key, scene in contents(tmp_path).alone().items()}
    assert {key: mask is not None and mask.by_colour for key, mask in masks.items()} == {
        "a": True,
        "val/a": False,
    }
    for scene in contents(tmp_path).alone().values():
        check_classes(scene)


BASES = st.sampled_from(["", "GID/", f"x y/{TOP}/", "Fine_land-cover_Classification_15classes/"])
NAMES = st.from_regex(r"GF2_PMS[12]__L1A\d{10}-MSS[12]|[a-zA-Z0-9 _.-]{1,20}", fullmatch=True).filter(
    lambda name: not name.endswith(("_label", "_15label"))
)


@given(BASES, NAMES, st.sampled_from([".tif", ".tiff"]), st.sampled_from([".tif", ".tiff", ".png"]))
def test_files_of_a_scene_name_each_other(base: str, stem: str, image: str, label: str) -> None:
    settings = gid.GidSettings(kind="gid", path="p")
    keys = {
        "rgb": f"{base}image_RGB/{stem}{image}",
        "nir": f"{base}image_NirRGB/{stem}{image}",
        "label": f"{base}label_15classes/{stem}_label{label}",
    }
    for role, key in keys.items():
        place = gid.place(settings, key)
        assert place is not None
        assert (place.item, place.role) == (f"{base}{stem}", role)
        assert all(keys[other] in place.files[other] for other in keys)
    for key in (
        f"{base}image_RGB/{stem}_label{image}",
        f"{base}image_RGB/{stem}.png",
        f"{base}img_dir/train/{stem}.png",
        f"{base}img_dir/train/{stem}_15label.tif",
        f"{base}label_5classes/{stem}{label}",
        f"{base}{stem}{image}",
    ):
        assert gid.place(settings, key) is None


def test_true_scenes_give_210_tiles(tmp_path: Path) -> None:
    fake.write(tmp_path, n=1)
    assert all(path.stat().st_size < 2**20 for path in tmp_path.rglob("*.tif"))
    (scenes,) = contents(tmp_path).scenes.values()
    assert [(scene.width, scene.height) for scene in scenes] == [(7200, 6800)] * 2
    assert [count_windows(scene, RULES["gid"].apply(TileSettings())) for scene in scenes] == [210, 210]


def decode(encoded: bytes) -> npt.NDArray[np.uint8]:
    picture: npt.NDArray[np.uint8] | None = cv2.imdecode(
        np.frombuffer(encoded, np.uint8), cv2.IMREAD_UNCHANGED
    )
    assert picture is not None
    return picture


def test_a_run_gives_tiles_with_the_classes_that_were_written(tmp_path: Path) -> None:
    truth = fake.write(tmp_path / "data", n=2, cell=4)
    recipe = parse_recipe(
        "name: made\nsources: [{kind: gid, path: data}]\ntile: {size: 256, encoding: {rgb: png, nir: png}}\n",
        base=tmp_path,
    )
    summary = earthloom.build(recipe, tmp_path / "work", base=tmp_path, workers=0)
    # 720 x 680 pixels: three by three windows of 256, in two modalities of two scenes.
    assert summary.n_out == 2 * 2 * 9
    rows = select(tmp_path / "work", "source_key, modality, crop, image.bytes, class_mask, labels")
    written = {scene.key: scene for scene in truth.scenes}
    for key, modality, crop, image, mask, labels in rows:
        true = written[key]
        assert true.classes is not None
        assert true.nirrgb is not None
        where = np.s_[int(crop["row"]) : int(crop["row"]) + 256, int(crop["col"]) : int(crop["col"]) + 256]
        classes = true.classes.repeat(4, 0).repeat(4, 1)[where]
        shown = decode(image)
        channels = [3, 2, 1] if modality == "rgb" else [0]  # OpenCV gives B, G, R
        pixels = true.nirrgb.repeat(4, 0).repeat(4, 1)[where][:, :, channels]
        np.testing.assert_array_equal(shown.reshape(pixels.shape), pixels)
        np.testing.assert_array_equal(decode(mask), classes)
        shares = {label["name"]: label["share"] for label in labels}
        counts = dict(zip(*np.unique(classes, return_counts=True), strict=True))
        assert shares == {
            true.names[n]: pytest.approx(count / 256**2, abs=1e-6) for n, count in counts.items()
        }


def test_a_run_refuses_tiles_with_colours_that_mean_nothing(tmp_path: Path) -> None:
    fake.write(tmp_path / "data", n=2, cell=4)
    fake.DAMAGES["colours not in the table"](tmp_path / "data")
    recipe = parse_recipe(
        "name: made\nsources: [{kind: gid, path: data}]\ntile: {size: 256}\n", base=tmp_path
    )
    summary = earthloom.build(recipe, tmp_path / "work", base=tmp_path, workers=0)
    assert summary.n_out == 2 * 2 * 9 - 2, "the corner of one scene in two modalities"


def test_sixteen_bit_scenes_are_counts(tmp_path: Path) -> None:
    fake.write(tmp_path, n=1, cell=1)
    path = tmp_path / TOP / "image_NirRGB" / f"{FIRST}.tif"
    write_tiff(path, np.full((170, 180, 4), 700, np.uint16), photometric="RGB")
    (scenes,) = contents(tmp_path).scenes.values()
    assert {scene.modality: (scene.dtype, scene.quantity) for scene in scenes} == {
        Modality.RGB: ("uint8", Quantity.DISPLAY),
        Modality.NIR: ("uint16", Quantity.COUNTS),
    }
    assert replace(scenes[0], modality=Modality.NIR).mask == scenes[1].mask


def test_a_geo_reference_goes_before_the_setting(tmp_path: Path) -> None:
    where = {"crs": "EPSG:32650", "transform": from_origin(500_000, 4_000_000, 3.24, 3.24)}
    write_tiff(tmp_path / "image_RGB/a.tif", np.full((40, 50, 3), 90, np.uint8), photometric="RGB", **where)
    scene = contents(tmp_path, gsd_m=4.0).alone()["a"]
    assert scene.gsd_x_m == pytest.approx(3.24, rel=1e-3)
    assert (scene.crs, origins_of(scene)["gsd_x_m"]) == ("EPSG:32650", "raster header")
    assert scene.platform == "Gaofen-2"
    assert origins_of(scene)["platform"] == "dataset documentation"
