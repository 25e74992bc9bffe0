"""Boxes of annotations: numbers, flags, cutting at the image's edge, corners of oriented boxes."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from earthloom.core.errors import RecordError
from earthloom.core.records import Box, Reason
from earthloom.ingest.datasets.boxes import find_corners, fit_box, read_flag, read_numbers

COORDINATES = st.floats(-50, 150)


@given(st.tuples(*[COORDINATES] * 4))
def test_a_box_is_what_the_image_shows_of_it(edges: tuple[float, float, float, float]) -> None:
    x0, y0, x1, y1 = edges
    shows = x0 < min(x1, 100) and y0 < min(y1, 80) and x1 > 0 and y1 > 0
    if not shows:
        with pytest.raises(RecordError) as caught:
            fit_box(edges, (100, 80), "it")
        assert caught.value.reason is Reason.BAD_FACTS
        return
    assert fit_box(edges, (100, 80), "it") == Box(
        x0=float(np.clip(x0, 0, 100)),
        y0=float(np.clip(y0, 0, 80)),
        x1=float(np.clip(x1, 0, 100)),
        y1=float(np.clip(y1, 0, 80)),
    )


SIDES = st.floats(1, 900)


@given(st.floats(-500, 500), st.floats(-500, 500), SIDES, SIDES, st.floats(-math.pi, math.pi))
def test_corners_are_opencv_s(cx: float, cy: float, width: float, height: float, angle: float) -> None:
    corners = np.array(find_corners(cx, cy, width, height, angle)).reshape(4, 2)
    wanted = cv2.boxPoints(((cx, cy), (width, height), math.degrees(angle)))
    distances = np.linalg.norm(corners[:, None] - wanted[None], axis=2)
    assert sorted(distances.argmin(axis=1)) == [0, 1, 2, 3] or min(width, height) < 2
    np.testing.assert_allclose(distances.min(axis=1), 0, atol=0.01)
    sides = np.linalg.norm(corners - np.roll(corners, -1, axis=0), axis=1)
    np.testing.assert_allclose(sides, [width, height, width, height], rtol=1e-6)


def test_a_quarter_turn_goes_from_x_to_y() -> None:
    np.testing.assert_allclose(
        find_corners(10, 20, 8, 2, math.pi / 2), (11, 16, 11, 24, 9, 24, 9, 16), atol=1e-12
    )
    assert find_corners(10, 20, 8, 2, 0) == (6, 19, 14, 19, 14, 21, 6, 21)


XML = ET.fromstring("<o><a> 3 </a><b>4.5</b><n>nan</n><e/><yes>1</yes><no>False</no><odd>2</odd></o>")


def test_numbers_and_flags() -> None:
    assert read_numbers(XML, ("a", "b"), "it") == [3.0, 4.5]
    for tag in ("n", "e", "absent"):
        with pytest.raises(RecordError, match="it") as caught:
            read_numbers(XML, ("a", tag), "it")
        assert caught.value.reason is Reason.BAD_FACTS
    assert [read_flag(XML, tag, "it") for tag in ("yes", "no", "e", "absent")] == [True, False, None, None]
    with pytest.raises(RecordError, match="odd of it is '2'"):
        read_flag(XML, "odd", "it")
