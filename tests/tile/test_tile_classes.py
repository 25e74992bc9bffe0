"""Shares and masks of classes against counts by brute force, over every pixel of the mask."""

from __future__ import annotations

import io
import math
import zipfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from scene_factory import picture_scene, scene_of, write_raster

from earthloom.core.errors import RecordError
from earthloom.core.records import Band, ByteRange, ClassMask, Crop, Legend, Reason, Refused, Scene
from earthloom.tile import TileSettings, check_classes, classes, cut_tiles
from earthloom.tile.classes import ClassReader, label_cover
from earthloom.tile.windows import Window

COLOURS = ((0, 0, 0), (255, 0, 0), (0, 255, 0), (0, 255, 255), (255, 255, 0), (0, 0, 255))
"""Of GID's five classes and its background."""
LEGEND = tuple(Legend(value=i, name=f"class {i}", colour=colour) for i, colour in enumerate(COLOURS))


def terrain(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Class values 0 to 5 in patches and thin lines: HxW."""
    rng = np.random.default_rng(seed)
    patches = rng.integers(0, 5, (height // 7 + 1, width // 9 + 1)).repeat(7, 0).repeat(9, 1)[:height, :width]
    patches[:, :: max(2, width // 11)] = 5
    return patches.astype(np.uint8)


def value_scene(path: Path, values: np.ndarray, legend: tuple[Legend, ...] = LEGEND) -> Scene:
    write_raster(path, values)
    scene = picture_scene(path, values.shape[-1], values.shape[-2])
    return replace(
        scene, mask=ClassMask(band=Band(uri=str(path), index=1), legend=legend, origin="documentation")
    )


def colour_scene(path: Path, values: np.ndarray) -> Scene:
    Image.fromarray(np.array(COLOURS, np.uint8)[values]).save(path)
    mask = ClassMask(band=Band(uri=str(path), index=1), legend=LEGEND, origin="documentation", by_colour=True)
    return replace(picture_scene(path, values.shape[1], values.shape[0]), mask=mask)


def window(col: float, row: float, size: int, step: float) -> Window:
    crop = Crop(col=col, row=row, width=size * step, height=size * step)
    return Window("native", crop, step, step, max(1, step), max(1, step))


def read(scene: Scene, where: Window, size: int, valid: np.ndarray | None = None) -> classes.Classes:
    assert scene.mask is not None
    return ClassReader(scene.mask, scene).read(where, size, valid)


def tally(
    values: np.ndarray, where: Window, size: int, valid: np.ndarray | None = None
) -> list[list[Counter[int]]]:
    """For each pixel of a tile the classes of the mask's pixels whose centres lie in it, one by one."""
    cells = [[Counter[int]() for _ in range(size)] for _ in range(size)]
    for row in range(values.shape[0]):
        i = math.floor((row + 0.5 - where.crop.row) / where.step_y)
        if not 0 <= i < size:
            continue
        for col in range(values.shape[1]):
            j = math.floor((col + 0.5 - where.crop.col) / where.step_x)
            if 0 <= j < size and (valid is None or valid[i, j]):
                cells[i][j][int(values[row, col])] += 1
    return cells


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(
    step=st.sampled_from([0.4, 1.0, 1.3, 2.0, 2.5, 7.3]),
    col=st.floats(-20, 60),
    row=st.floats(-20, 60),
    chunk=st.sampled_from([30, 500, 2**22]),
    masked=st.booleans(),
)
def test_shares_are_counted_over_every_pixel(
    tmp_path: Path, step: float, col: float, row: float, chunk: int, masked: bool
) -> None:
    size, values = 12, terrain(70, 80)
    where = window(col, row, size, step)
    valid = np.random.default_rng(1).random((size, size)) > 0.3 if masked else None
    scene = value_scene(tmp_path / "mask.tif", values)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(classes, "_MAX_PIXELS", chunk)
        got = read(scene, where, size, valid)
    wanted = sum((cell for line in tally(values, where, size, valid) for cell in line), Counter())
    assert {i: n for i, n in enumerate(got.counts.tolist()) if n} == dict(wanted)
    cells = tally(values, where, size)
    for i in range(size):
        for j in range(size):
            y, x = (math.floor(row + (i + 0.5) * step), math.floor(col + (j + 0.5) * step))
            if not (0 <= y < 70 and 0 <= x < 80):
                assert got.mask[i, j] == 255, "outside of the scene: a value that the legend does not use"
            elif step <= 1:
                assert got.mask[i, j] == values[y, x]
            else:
                most = max(cells[i][j].values())
                assert cells[i][j][int(got.mask[i, j])] == most
                if cells[i][j][int(values[y, x])] == most:
                    assert got.mask[i, j] == values[y, x], "of equal ones that at the centre"


def test_an_axis_that_is_enlarged_repeats_what_the_other_counts(tmp_path: Path) -> None:
    values = terrain(60, 40)
    crop = Crop(col=4, row=0, width=10, height=60)
    got = read(value_scene(tmp_path / "mask.tif", values), Window("native", crop, 0.5, 3.0, 1.0, 3.0), 20)
    for i in range(20):
        for j in range(20):
            column = Counter(values[3 * i : 3 * i + 3, 4 + j // 2].tolist())
            assert column[int(got.mask[i, j])] == max(column.values())
    assert got.counts.tolist() == np.bincount(values[:60, 4:14].ravel(), minlength=6).tolist()


@pytest.mark.parametrize("step", [2.0, 3.7, 8.0])
def test_a_share_counted_is_exact_where_sampling_is_not(tmp_path: Path, step: float) -> None:
    """Lines of one pixel: sampling at the centres of a coarse tile's pixels misses them or doubles them."""
    values = np.zeros((480, 480), np.uint8)
    values[:, ::8] = 5
    size = int(480 / step)
    where = window(0, 0, size, step)
    got = read(value_scene(tmp_path / "mask.tif", values), where, size)
    inside = values[:, : math.ceil(size * step - 0.5)]
    assert got.counts[5] / got.counts.sum() == pytest.approx((inside == 5).mean(), rel=0.01)
    centres = np.floor((np.arange(size) + 0.5) * step).astype(int)
    sampled = (values[np.ix_(centres, centres)] == 5).mean()
    assert abs(sampled - 1 / 8) > 0.02 or step == 3.7, "what was done before"


@pytest.mark.parametrize("step", [2.0, 4.0, 6.3])
def test_the_majority_says_more_of_the_ground_right_than_a_sample(tmp_path: Path, step: float) -> None:
    values, size = terrain(600, 600, 3), int(600 / step)
    where = window(0, 0, size, step)
    shown = read(value_scene(tmp_path / "mask.tif", values), where, size).mask
    places = np.minimum((np.arange(600) + 0.5) // step, size - 1).astype(int)
    centres = np.floor((np.arange(size) + 0.5) * step).astype(int)
    sampled = values[np.ix_(centres, centres)]
    right = [(image[np.ix_(places, places)] == values).mean() for image in (shown, sampled)]
    assert right[0] > right[1]


def test_names_that_stand_for_several_values_are_added_up() -> None:
    legend = (Legend(value=1, name="water"), Legend(value=2, name="forest"), Legend(value=3, name="forest"))
    mask = ClassMask(band=Band(uri="m", index=1), legend=legend, origin="synthetic")
    nothing = np.zeros((2, 2), np.uint8)
    found = classes.Classes(np.array([2, 1, 4]), nothing, nothing.astype(np.uint16))
    assert [(label.name, label.share, label.kind, label.origin) for label in label_cover(mask, found)] == [
        ("forest", round(5 / 7, 6), "cover", "synthetic"),
        ("water", round(2 / 7, 6), "cover", "synthetic"),
    ]
    assert label_cover(mask, replace(found, counts=np.zeros(3, int))) == []


@pytest.mark.parametrize("suffix", ["png", "tif", "bmp"])
@pytest.mark.parametrize("step", [1.0, 2.5])
def test_colours_are_classes(tmp_path: Path, suffix: str, step: float) -> None:
    values = terrain(90, 100)
    by_colour = colour_scene(tmp_path / f"colours.{suffix}", values)
    by_value = value_scene(tmp_path / "values.tif", values)
    where = window(3, 5, 30, step)
    one, other = read(by_colour, where, 30), read(by_value, where, 30)
    np.testing.assert_array_equal(one.counts, other.counts)
    np.testing.assert_array_equal(one.mask, other.mask)
    check_classes(by_colour)


def palette_png(values: np.ndarray) -> bytes:
    image = (
        Image.fromarray(values, "P") if False else Image.frombytes("P", values.shape[::-1], values.tobytes())
    )
    image.putpalette([channel for colour in COLOURS for channel in colour])
    file = io.BytesIO()
    image.save(file, "png")
    return file.getvalue()


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("by_colour", [False, True])
def test_a_palette_is_numbers_or_colours_as_the_mask_says(
    tmp_path: Path, packed: bool, by_colour: bool
) -> None:
    values = terrain(40, 50)
    data = palette_png(values)
    band = Band(uri=str(tmp_path / "mask.png"), index=1)
    (tmp_path / "mask.png").write_bytes(data)
    if packed:
        with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
            archive.writestr("mask.png", data)
            offset = archive.getinfo("mask.png").header_offset + 30 + len("mask.png")
        band = Band(uri=str(tmp_path / "all.zip"), index=1, within=ByteRange(offset=offset, size=len(data)))
    mask = ClassMask(band=band, legend=LEGEND, origin="documentation", by_colour=by_colour)
    scene = replace(picture_scene(tmp_path / "scene.png", 50, 40), mask=mask)
    got = read(scene, window(0, 0, 40, 1.0), 40)
    np.testing.assert_array_equal(got.mask, values[:, :40])


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "int32", "float32"])
def test_values_of_any_type_are_classes(tmp_path: Path, dtype: str) -> None:
    legend = tuple(Legend(value=10 * i, name=f"{i}") for i in range(8))
    values = (10 * np.random.default_rng(0).integers(0, 8, (40, 40))).astype(dtype)
    got = read(value_scene(tmp_path / "mask.tif", values, legend), window(0, 0, 40, 1.0), 40)
    np.testing.assert_array_equal(got.mask, values)
    np.testing.assert_array_equal(got.counts, np.bincount(values.astype(int).ravel() // 10))


def test_values_beyond_eight_bits_are_counted_but_not_drawn(tmp_path: Path) -> None:
    legend = (Legend(value=-1, name="none"), Legend(value=2, name="two"), Legend(value=300, name="much"))
    values = np.array([[-1, 2], [300, 300]], np.int16)
    got = read(value_scene(tmp_path / "mask.tif", values, legend), window(0, 0, 2, 1.0), 2)
    assert got.counts.tolist() == [1, 1, 2]
    assert got.mask.tolist() == [[0, 2], [0, 0]]


# What the legend lacks.


def test_an_unknown_value_refuses_the_tile_that_has_it(tmp_path: Path) -> None:
    values = terrain(64, 128)
    values[10, 100:110] = 9
    values[11, 100] = 77
    rgb = write_raster(tmp_path / "a.tif", np.random.default_rng(0).integers(0, 255, (3, 64, 128), np.uint8))
    scene = replace(scene_of(rgb), mask=value_scene(tmp_path / "mask.tif", values).mask)
    good, bad = cut_tiles(scene, TileSettings(size=64), 0, 2)
    assert not isinstance(good, Refused)
    assert isinstance(bad, Refused)
    assert bad.reason is Reason.UNKNOWN_CLASS
    assert bad.detail == "0.269% of the class mask has values that are not among the 6 of its legend: 9, 77"
    with pytest.raises(RecordError, match=r"0\.134% of the class mask"):
        check_classes(scene)


def test_unknown_colours_are_named_most_frequent_first(tmp_path: Path) -> None:
    scene = colour_scene(tmp_path / "mask.png", terrain(64, 64))
    array = np.asarray(Image.open(tmp_path / "mask.png")).copy()
    array[0] = (1, 2, 3)
    array[1, :7] = [(i, i, 200) for i in range(7)]
    Image.fromarray(array).save(tmp_path / "mask.png")
    with pytest.raises(RecordError) as caught:
        read(scene, window(0, 0, 64, 1.0), 64)
    assert caught.value.reason is Reason.UNKNOWN_CLASS
    assert "1.73% of the class mask has colours" in caught.value.detail
    assert caught.value.detail.endswith(
        "(1, 2, 3), (0, 0, 200), (1, 1, 200), (2, 2, 200), (3, 3, 200) and 3 more"
    )


def test_a_lossy_mask_is_refused_and_not_guessed_at(tmp_path: Path) -> None:
    scene = colour_scene(tmp_path / "mask.png", terrain(200, 200))
    Image.open(tmp_path / "mask.png").save(tmp_path / "mask.jpg", quality=90)
    assert scene.mask is not None
    band = Band(uri=str(tmp_path / "mask.jpg"), index=1)
    lossy = replace(scene, mask=replace(scene.mask, band=band))
    with pytest.raises(RecordError, match="of the class mask has colours"):
        read(lossy, window(0, 0, 100, 2.0), 100)


def test_an_entry_without_a_colour_is_never_met(tmp_path: Path) -> None:
    scene = colour_scene(tmp_path / "mask.png", terrain(40, 40))
    assert scene.mask is not None
    legend = (*(replace(entry, colour=None) for entry in LEGEND[:1]), *LEGEND[1:])
    with pytest.raises(RecordError, match=r"legend: \(0, 0, 0\)$"):
        check_classes(replace(scene, mask=replace(scene.mask, legend=legend)))


def test_colours_of_more_than_eight_bits_are_no_legend(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "mask.tif", np.ones((3, 40, 40), np.uint16))
    mask = ClassMask(band=Band(uri=str(path), index=1), legend=LEGEND, origin="x", by_colour=True)
    with pytest.raises(RecordError, match="8-bit R, G, B, got uint16"):
        check_classes(replace(picture_scene(path, 40, 40), mask=mask))


def test_a_member_that_points_elsewhere_is_not_followed(tmp_path: Path) -> None:
    secret = write_raster(tmp_path / "secret.tif", np.ones((1, 8, 8), np.uint8))
    vrt = f"""<VRTDataset rasterXSize="8" rasterYSize="8"><VRTRasterBand dataType="Byte" band="1"><SimpleSource>
    <SourceFilename relativeToVRT="0">{secret}</SourceFilename><SourceBand>1</SourceBand></SimpleSource>
    </VRTRasterBand></VRTDataset>""".encode()
    (tmp_path / "all.tar").write_bytes(vrt)
    band = Band(uri=str(tmp_path / "all.tar"), index=1, within=ByteRange(offset=0, size=len(vrt)))
    mask = ClassMask(band=band, legend=LEGEND, origin="x")
    with pytest.raises(RecordError) as caught:
        check_classes(replace(picture_scene(tmp_path / "a.png", 8, 8), mask=mask))
    assert caught.value.reason is Reason.NOT_AN_IMAGE


def test_a_scene_without_a_mask_has_nothing_to_check(tmp_path: Path) -> None:
    check_classes(picture_scene(tmp_path / "a.png", 8, 8))


def test_the_atlas_knows_every_class_that_it_paints(tmp_path: Path) -> None:
    from earthloom.ingest import atlas
    from earthloom.ingest.config import AtlasSettings

    chosen = AtlasSettings(kind="atlas", name="atlas", scenes=1, size=256)
    (item,) = atlas.list_items(chosen, tmp_path)
    scene = atlas.read_item(chosen, item, tmp_path, tmp_path)[0]
    check_classes(scene)
    assert scene.mask is not None
    with rasterio.open(scene.mask.band.uri) as dataset:
        assert set(np.unique(dataset.read(1)).tolist()) <= {entry.value for entry in scene.mask.legend}
