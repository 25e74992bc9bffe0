from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scene_factory import picture_scene, scene_of, write_raster

from earthloom.core.records import Band, Box, ClassMask, Crop, Label, Legend
from earthloom.tile import labels as module
from earthloom.tile.labels import measure_cover, move_labels, read_classes, to_eight_bits
from earthloom.tile.pixels import open_source
from earthloom.tile.windows import Window

MASK = ClassMask(
    band=Band(uri="mask.tif", index=1),
    legend=(Legend(value=1, name="water"), Legend(value=2, name="forest"), Legend(value=3, name="forest")),
    origin="synthetic",
)


def window(col=0.0, row=0.0, side=512.0, step=1.0) -> Window:
    return Window(
        "native", Crop(col=col, row=row, width=side, height=side), step, step, max(1, step), max(1, step)
    )


def ship(x0, y0, x1, y1) -> Label:
    return Label(name="ship", kind="object", origin="sidecar file", box=Box(x0=x0, y0=y0, x1=x1, y1=y1))


def moved(label: Label, where: Window, size: int = 512) -> list[Label]:
    return move_labels(replace(picture_scene(Path("x"), 2000, 2000), labels=(label,)), where, size)


@pytest.mark.parametrize(
    ("where", "box", "wanted"),
    [
        (window(100, 200), (150, 250, 160, 280), (50, 50, 60, 80)),
        (window(0, 0, 1024, 2.0), (150, 250, 160, 280), (75, 125, 80, 140)),
        (window(0, 0, 256, 0.5), (150, 200, 160, 220), (300, 400, 320, 440)),
        (window(100, 200), (90, 190, 110, 260), (0, 0, 10, 60)),
        (window(100, 200), (600, 700, 650, 730), None),
        (window(100, 200), (92, 250, 102, 260), (0, 50, 2, 60)),
        (window(100, 200), (91, 250, 101, 260), None),
        (window(100, 200), (0, 0, 50, 50), None),
        (window(100, 200), (100, 200, 100, 300), None),
    ],
)
def test_boxes_move_into_the_tile_and_are_clipped(where, box, wanted):
    assert moved(ship(*box), where) == ([] if wanted is None else [ship(*wanted)])


@given(st.floats(0, 1500), st.floats(0, 1500), st.floats(1, 600), st.floats(1, 600), st.floats(0.3, 3))
def test_a_kept_box_lies_in_the_tile_and_has_a_fifth_of_its_area(x0, y0, w, h, step):
    got = moved(ship(x0, y0, x0 + w, y0 + h), window(300, 300, 512 * step, step))
    for label in got:
        box = label.box
        assert 0 <= box.x0 < box.x1 <= 512
        assert 0 <= box.y0 < box.y1 <= 512
        assert (box.x1 - box.x0) * (box.y1 - box.y0) >= 0.2 * w * h / step**2 * (1 - 1e-9)


def test_classes_of_the_image_stay_and_shares_only_with_all_of_it():
    whole = Label(name="harbour", kind="class", origin="recipe")
    share = Label(name="water", kind="cover", origin="recipe", share=0.4)
    scene = replace(picture_scene(Path("x"), 600, 600), labels=(whole, share))
    assert move_labels(scene, window(0, 0), 512) == [whole]
    assert move_labels(scene, window(0, 0, 600, 600 / 512), 512) == [whole, share]
    assert move_labels(replace(scene, mask=MASK), window(0, 0, 600, 600 / 512), 512) == [whole], (
        "it is measured"
    )


def test_cover_is_the_share_of_valid_pixels():
    classes = np.array([[1, 1, 2, 3], [2, 9, 0, 1]])
    valid = np.array([[True, True, True, True], [True, True, True, False]])
    inside = np.ones((2, 4), bool)
    got = [
        (label.name, label.share, label.kind, label.origin)
        for label in measure_cover(MASK, classes, inside, valid)
    ]
    assert got == [
        ("forest", round(3 / 7, 6), "cover", "synthetic"),
        ("water", round(2 / 7, 6), "cover", "synthetic"),
    ]
    inside[0] = False
    assert [(label.name, label.share) for label in measure_cover(MASK, classes, inside, None)] == [
        ("forest", 0.25), ("water", 0.25),
    ]  # fmt: skip


def test_class_values_that_are_no_bytes_are_no_class():
    inside = np.array([[True, True, True, False]])
    classes = np.array([[-1, 2, 300, 1]])
    assert to_eight_bits(MASK, classes, inside).tolist() == [[0, 2, 0, 0]]
    with_zero = replace(MASK, legend=(Legend(value=0, name="sea"),))
    assert to_eight_bits(with_zero, classes, inside).tolist() == [[255, 2, 255, 255]]


@pytest.mark.parametrize("step", [1.0, 2.0, 2.5, 0.5, 7.3])
@pytest.mark.parametrize("chunk", [100, 2**24])
def test_classes_are_those_at_the_centres_of_pixels(tmp_path, monkeypatch, step, chunk):
    monkeypatch.setattr(module, "_MAX_SAMPLES", chunk)
    data = np.random.default_rng(0).integers(0, 200, (1, 300, 280)).astype(np.int16)
    path = write_raster(tmp_path / "a.tif", data)
    scene = scene_of(path)
    source = open_source((Band(uri=str(path), index=1),), 280, 300, classes=True)
    classes, inside = read_classes(source, scene, window(20.0, -10.0, 40 * step, step), 40)
    for i, j in [(0, 0), (10, 5), (39, 39), (20, 30)]:
        row = int(np.floor(-10 + (i + 0.5) * step))
        col = int(np.floor(20 + (j + 0.5) * step))
        there = 0 <= row < 300 and 0 <= col < 280
        assert inside[i, j] == there
        assert classes[i, j] == (data[0, row, col] if there else 0)


def test_a_window_beyond_the_scene_has_no_classes(tmp_path):
    path = write_raster(tmp_path / "a.tif", np.ones((1, 30, 30), np.uint8))
    source = open_source((Band(uri=str(path), index=1),), 30, 30, classes=True)
    classes, inside = read_classes(source, scene_of(path), window(100.0, 0.0, 16.0), 16)
    assert not inside.any()
    assert not classes.any()
    assert measure_cover(MASK, classes, inside, None) == []
