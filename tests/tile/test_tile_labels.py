from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scene_factory import picture_scene

from earthloom.core.records import Band, Box, ClassMask, Crop, Label, Legend
from earthloom.tile.labels import move_labels
from earthloom.tile.windows import Window

MASK = ClassMask(
    band=Band(uri="mask.tif", index=1), legend=(Legend(value=1, name="water"),), origin="synthetic"
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
    assert [label.box for label in moved(ship(*box), where)] == (
        [] if wanted is None else [ship(*wanted).box]
    )


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


def turned(angle_deg: float, at: tuple[float, float] = (300.0, 300.0)) -> Label:
    """A ship of 100 x 20 pixels that heads anywhere, with its axis-aligned box."""
    along = np.array([np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))])
    side = np.array([-along[1], along[0]])
    points = [np.array(at) + a * 50 * along + b * 10 * side for a, b in ((1, 1), (1, -1), (-1, -1), (-1, 1))]
    low, high = np.min(points, axis=0), np.max(points, axis=0)
    corners = tuple(float(v) for point in points for v in point)
    return replace(ship(low[0], low[1], high[0], high[1]), corners=corners, difficult=True)


@given(st.floats(0, 360), st.floats(-40, 40), st.sampled_from([0.5, 1.0, 2.5]))
def test_corners_move_with_their_tile_and_are_not_clipped(angle, off, step):
    label = turned(angle)
    where = window(300 + off, 100, 512 * step, step)
    got = moved(label, where)
    sides = []
    for one in got:
        points = np.array(one.corners).reshape(4, 2)
        np.testing.assert_allclose(points * step + (300 + off, 100), np.array(label.corners).reshape(4, 2))
        sides.append(np.linalg.norm(points - np.roll(points, 1, axis=0), axis=1) * step)
        assert one.difficult is True
        assert one.box.x0 == pytest.approx(max(0, points[:, 0].min()), abs=1e-9)
        assert one.truncated is (True if points[:, 0].min() < -1e-6 else None)
    np.testing.assert_allclose(sides, [[100, 20, 100, 20]] * len(got) if got else [])


def test_an_object_with_corners_alone_is_judged_by_the_box_around_them():
    label = replace(turned(30), box=None)
    (inside,) = moved(label, window(200, 200))
    assert inside.corners is not None
    points = np.array(inside.corners).reshape(4, 2)
    assert (inside.box.x0, inside.box.y1) == (points[:, 0].min(), points[:, 1].max())
    assert moved(label, window(900, 200)) == []


def test_an_edge_that_cuts_an_object_truncates_it():
    whole, cut = ship(150, 250, 160, 280), ship(90, 250, 110, 280)
    assert [label.truncated for label in moved(whole, window(100, 200))] == [None]
    assert [label.truncated for label in moved(cut, window(100, 200))] == [True]
    known = replace(whole, truncated=True)
    assert [label.truncated for label in moved(known, window(100, 200))] == [True], "as the publisher says"
    known = replace(whole, truncated=False)
    assert [label.truncated for label in moved(known, window(100, 200))] == [False]
