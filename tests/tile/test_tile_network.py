"""Enlarging by a network, with small networks whose result is known in closed form."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from pydantic import ValidationError
from scene_factory import picture_scene, scene_of, write_raster

from earthloom.core.errors import UsageError
from earthloom.core.records import Modality, Scene, Tile
from earthloom.tile import TileSettings, cut_tiles, load_network, network
from earthloom.tile.config import Encoding, Enlarge


def save(path: Path, nodes: list[Any], weights: dict[str, np.ndarray], channels: int = 3) -> Path:
    def ports(name: str) -> list[Any]:
        return [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, channels, f"{name}h", f"{name}w"])]

    stored = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    graph = helper.make_graph(nodes, "made", ports("x"), ports("y"), stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path


def save_repeater(path: Path, scale: int, gain: float = 1.0) -> Path:
    """Each pixel becomes scale x scale pixels of its value: a transposed convolution with a kernel of ones."""
    kernel = np.zeros((3, 3, scale, scale), np.float32)
    kernel[range(3), range(3)] = gain
    node = helper.make_node(
        "ConvTranspose", ["x", "w"], ["y"], strides=[scale, scale], kernel_shape=[scale, scale]
    )
    return save(path, [node], {"w": kernel})


def save_tent(path: Path) -> Path:
    """Bilinear enlargement by 2 with half-pixel centres: a transposed convolution with a kernel (1, 3, 3, 1) / 4."""
    tent = np.outer([1, 3, 3, 1], [1, 3, 3, 1]).astype(np.float32) / 16
    kernel = np.zeros((3, 3, 4, 4), np.float32)
    kernel[range(3), range(3)] = tent
    node = helper.make_node(
        "ConvTranspose", ["x", "w"], ["y"], strides=[2, 2], kernel_shape=[4, 4], pads=[1] * 4
    )
    return save(path, [node], {"w": kernel})


def picture(path: Path, height: int, width: int, seed: int = 0) -> tuple[Scene, np.ndarray]:
    noise = np.random.default_rng(seed).normal(size=(height, width, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 1.5)
    array = (120 + 60 * smooth / smooth.std()).clip(0, 255).astype(np.uint8)
    Image.fromarray(array).save(path)
    return replace(picture_scene(path, width, height), gsd_x_m=10.0, gsd_y_m=10.0), array


def cut(scene: Scene, weights: Path, scale: int, size: int = 128, **changes: Any) -> Tile:
    enlarge = Enlarge.model_validate({"with": "onnx", "weights": str(weights), "scale": scale})
    chosen = TileSettings(
        size=size, fit="whole", enlarge=enlarge, encoding=Encoding(rgb="png", nir="png"), **changes
    )
    (tile,) = cut_tiles(scene, chosen, 0, 1)
    assert isinstance(tile, Tile), tile
    return tile


def shown(tile: Tile) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(tile.image)))


@pytest.mark.parametrize("scale", [2, 4])
def test_a_network_that_fits_the_tile_is_drawn_as_it_is(tmp_path: Path, scale: int) -> None:
    scene, array = picture(tmp_path / "a.png", 64, 64)
    weights = save_repeater(tmp_path / "repeat.onnx", scale)
    tile = cut(scene, weights, scale, 64 * scale)
    np.testing.assert_array_equal(shown(tile), array.repeat(scale, 0).repeat(scale, 1))
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    assert tile.resampling == f"model:repeat@{digest[:12]}"
    assert (tile.native_gsd_m, tile.gsd_m, tile.pixel_m) == (10, 10, 10 / scale)


def test_a_larger_result_is_averaged_down_to_the_tile(tmp_path: Path) -> None:
    scene, array = picture(tmp_path / "a.png", 96, 96)
    tile = cut(scene, save_repeater(tmp_path / "n.onnx", 4), 4, 128)
    large = array.repeat(4, 0).repeat(4, 1).astype(float)
    wanted = large.reshape(128, 3, 128, 3, 3).mean(axis=(1, 3))
    assert np.abs(shown(tile) - wanted).max() <= 0.51


def test_a_smaller_result_is_interpolated_by_a_cubic(tmp_path: Path) -> None:
    scene, array = picture(tmp_path / "a.png", 32, 32)
    tile = cut(scene, save_repeater(tmp_path / "n.onnx", 2), 2, 128)
    wanted = cv2.resize(array.repeat(2, 0).repeat(2, 1), (128, 128), interpolation=cv2.INTER_CUBIC)
    assert np.abs(shown(tile).astype(int) - wanted)[6:-6, 6:-6].max() <= 1


@pytest.mark.parametrize("side", [40, 128, 129, 300])
def test_patches_leave_no_seams(tmp_path: Path, side: int) -> None:
    scene, array = picture(tmp_path / "a.png", side, side)
    tile = cut(scene, save_tent(tmp_path / "tent.onnx"), 2, 2 * side)
    wanted = cv2.resize(array.astype(np.float32), (2 * side, 2 * side), interpolation=cv2.INTER_LINEAR)
    difference = np.abs(shown(tile) - wanted)
    assert difference[2:-2, 2:-2].max() <= 0.51, "OpenCV's own bilinear enlargement, whole"


def test_values_beyond_white_are_white(tmp_path: Path) -> None:
    scene, array = picture(tmp_path / "a.png", 64, 64)
    tile = cut(scene, save_repeater(tmp_path / "n.onnx", 2, gain=1.7), 2)
    wanted = np.rint(np.minimum(array * 1.7, 255)).repeat(2, 0).repeat(2, 1)
    assert np.abs(shown(tile) - wanted).max() <= 1


def test_what_has_no_data_stays_without(tmp_path: Path) -> None:
    data = np.full((3, 64, 64), 100, np.uint8)
    data[:, 30, 30] = 104
    data[:, :10] = 0
    scene = scene_of(write_raster(tmp_path / "a.tif", data, nodata=0))
    tile = cut(scene, save_tent(tmp_path / "n.onnx"), 2)
    assert tile.valid_mask is not None
    valid = np.asarray(Image.open(io.BytesIO(tile.valid_mask))) == 255
    assert valid.mean() == tile.valid_share == 1 - 20 / 128
    assert shown(tile)[valid].min() == 100
    assert not shown(tile)[~valid].any()


@pytest.mark.parametrize("kind", ["nir", "counts", "large"])
def test_other_scenes_are_drawn_without_it(tmp_path: Path, kind: str) -> None:
    weights = save_repeater(tmp_path / "n.onnx", 2)
    noise = np.random.default_rng(0).integers(1, 255, (3, 64, 64))
    if kind == "nir":
        scene = scene_of(write_raster(tmp_path / "a.tif", noise[:1].astype(np.uint8)), Modality.NIR)
    elif kind == "counts":
        scene = scene_of(write_raster(tmp_path / "a.tif", (noise * 20).astype(np.uint16)))
    else:
        scene = picture(tmp_path / "a.png", 128, 128)[0]
    assert cut(scene, weights, 2).resampling == ("none" if kind == "large" else "cubic")


def test_the_same_network_gives_the_same_bytes(tmp_path: Path) -> None:
    scene, _ = picture(tmp_path / "a.png", 200, 200)
    weights = save_tent(tmp_path / "n.onnx")
    first = cut(scene, weights, 2, 333)
    network._load.cache_clear()
    assert cut(scene, weights, 2, 333) == first


# Networks that cannot be used.


def load(path: Path, scale: int = 2) -> None:
    load_network(Enlarge.model_validate({"with": "onnx", "weights": str(path), "scale": scale}))


def test_faulty_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.onnx: No such file"):
        load(tmp_path / "none.onnx")
    with pytest.raises(UsageError, match="Is a directory"):
        load(tmp_path)
    (tmp_path / "text.onnx").write_text("no network")
    with pytest.raises(UsageError, match=r"text\.onnx: OpenCV cannot run it"):
        load(tmp_path / "text.onnx")
    (tmp_path / "empty.onnx").touch()
    with pytest.raises(UsageError, match="OpenCV cannot run it"):
        load(tmp_path / "empty.onnx")
    whole = save_repeater(tmp_path / "n.onnx", 2).read_bytes()
    (tmp_path / "cut.onnx").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UsageError, match="OpenCV cannot run it"):
        load(tmp_path / "cut.onnx")


def test_a_network_of_another_scale_or_of_gray_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"makes \(32, 32, 3\) of 16 x 16 RGB pixels; scale 4 wants"):
        load(save_repeater(tmp_path / "n.onnx", 2), 4)
    kernel = np.ones((1, 1, 2, 2), np.float32)
    node = helper.make_node("ConvTranspose", ["x", "w"], ["y"], strides=[2, 2], kernel_shape=[2, 2])
    with pytest.raises(UsageError, match="gray"):
        load(save(tmp_path / "gray.onnx", [node], {"w": kernel}, channels=1))


def test_a_changed_file_is_loaded_anew(tmp_path: Path) -> None:
    scene, _ = picture(tmp_path / "a.png", 64, 64)
    weights = save_repeater(tmp_path / "n.onnx", 2)
    first = cut(scene, weights, 2)
    save_repeater(weights, 2, gain=0.5)
    second = cut(scene, weights, 2)
    assert second.resampling != first.resampling
    assert shown(second).mean() == pytest.approx(shown(first).mean() / 2, abs=1)


def test_a_cubic_has_no_weights_and_a_network_has() -> None:
    assert load_network(Enlarge()) is None
    for fields in ({"with": "onnx"}, {"with": "onnx", "weights": "a"}, {"weights": "a"}, {"scale": 2}):
        with pytest.raises(ValidationError, match="enlarge with"):
            Enlarge.model_validate(fields)
