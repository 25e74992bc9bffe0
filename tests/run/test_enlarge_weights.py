"""A network of the user's in a recipe: relative to its folder, tried before any work, part of what tiles depend on."""

from pathlib import Path

import numpy as np
import onnx
import pyarrow.parquet as pq
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from earthloom.core.errors import RecipeError
from earthloom.recipes import parse_recipe
from earthloom.run.build import build

RECIPE = """\
name: small
sources:
  - {kind: images, path: chips, gsd_m: 10}
  - kind: images
    path: chips
    name: plain
    tile: {enlarge: {with: cubic}}
tile:
  size: 64
  enlarge: {with: onnx, weights: nets/twice.onnx, scale: 2}
export: {formats: [parquet], report: false}
"""


def save_network(path: Path, gain: float = 1.0) -> None:
    """Doubles a picture's pixels."""
    kernel = np.zeros((3, 3, 2, 2), np.float32)
    kernel[range(3), range(3)] = gain
    node = helper.make_node("ConvTranspose", ["x", "w"], ["y"], strides=[2, 2], kernel_shape=[2, 2])
    x, y = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, f"{name}h", f"{name}w"])
        for name in ("x", "y")
    )
    graph = helper.make_graph([node], "made", [x], [y], [numpy_helper.from_array(kernel, "w")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    onnx.save(model, path)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A folder with two chips of 32 pixels and a network."""
    (tmp_path / "chips").mkdir()
    (tmp_path / "nets").mkdir()
    rng = np.random.default_rng(0)
    for i in range(2):
        pixels = rng.integers(0, 255, (32, 32, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "chips" / f"{i}.png")
    save_network(tmp_path / "nets" / "twice.onnx")
    return tmp_path


def read_resampling(work: Path) -> set[str]:
    return {
        name
        for path in sorted((work / "02-tile").glob("*.parquet"))
        for name in pq.read_table(path, columns=["resampling"])["resampling"].to_pylist()
    }


def test_a_network_is_found_by_the_recipe_and_a_changed_one_makes_tiles_anew(
    base: Path, tmp_path: Path
) -> None:
    recipe = parse_recipe(RECIPE, base=base)
    work = tmp_path / "work"
    assert build(recipe, work, base=base, workers=0).n_out == 4
    names = read_resampling(work)
    assert "cubic" in names
    (first,) = names - {"cubic"}
    assert first.startswith("model:twice@")
    again = build(recipe, work, base=base, workers=0)
    assert again.stages["tile"].n_reused == again.stages["tile"].n_shards
    save_network(base / "nets" / "twice.onnx", gain=0.5)
    changed = build(recipe, work, base=base, workers=0)
    assert changed.stages["ingest"].n_reused == changed.stages["ingest"].n_shards
    assert changed.stages["tile"].n_reused == 1, "that of the source without a network"
    (second,) = read_resampling(work) - {"cubic"}
    assert second != first


def test_missing_weights_are_a_fault_with_a_place_and_a_line(base: Path) -> None:
    (base / "nets" / "twice.onnx").unlink()
    text = RECIPE.replace("{with: cubic}", "{with: onnx, weights: other.onnx, scale: 4}")
    with pytest.raises(RecipeError) as caught:
        parse_recipe(text, base=base)
    assert [(fault.line, fault.place) for fault in caught.value.faults] == [
        (7, "sources[1].tile.enlarge.weights"),
        (10, "tile.enlarge.weights"),
    ]
    assert "twice.onnx" in caught.value.faults[1].problem


def test_weights_that_cannot_be_run_stop_before_any_work(base: Path, tmp_path: Path) -> None:
    recipe = parse_recipe(RECIPE, base=base)
    (base / "nets" / "twice.onnx").write_text("no network")
    with pytest.raises(RecipeError, match=r"tile\.enlarge\.weights: .*OpenCV cannot run it"):
        build(recipe, tmp_path / "work", base=base, workers=0)
    assert not (tmp_path / "work").exists()
    (base / "nets" / "twice.onnx").unlink()
    with pytest.raises(RecipeError, match=r"tile\.enlarge\.weights: there is no"):
        build(recipe, tmp_path / "work", base=base, workers=0)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("tile: {enlarge: {with: onnx, weights: nets/twice.onnx}}", "wants `weights` (a file) and `scale`"),
        ("tile: {enlarge: {with: onnx, weights: nets/twice.onnx, scale: 3}}", "2 or 4"),
        ("tile: {enlarge: {weights: nets/twice.onnx}}", "takes no `weights`"),
        ("tile: {enlarge: {with: onx}}", "Did you mean `onnx`?"),
        ("tile: {fit: fixed}", "fixed wants `crops`"),
        ("tile: {fit: fixed, crops: [{side: 8}]}", "greater than or equal to 16"),
        ("tile: {fit: fixed, crops: [{side: 64}, {side: 64, across: centre}]}", "each square once"),
    ],
)
def test_what_cannot_be_meant_is_a_fault(base: Path, line: str, words: str) -> None:
    text = f"name: x\nsources: [{{kind: images, path: chips}}]\n{line}\n"
    with pytest.raises(RecipeError) as caught:
        parse_recipe(text, base=base)
    (fault,) = caught.value.faults
    assert fault.line == 3
    assert words in f"{fault.problem} {fault.remedy}"


def test_overrides_that_do_not_go_with_the_recipe_are_a_fault(base: Path) -> None:
    text = "name: x\nsources:\n  - {kind: images, path: chips, tile: {fit: fixed}}\n"
    with pytest.raises(RecipeError, match="with the `tile` of number 0, fit: fixed wants `crops`"):
        parse_recipe(text, base=base)
    assert parse_recipe(text + "tile: {crops: [{side: 32}]}\n", base=base).sources[0].tile.fit == "fixed"
