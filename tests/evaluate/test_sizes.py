"""Pictures that are brought to a side before they are described."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from earthloom.evaluate.encoders import Classical
from earthloom.evaluate.sets import Entry
from earthloom.evaluate.sizes import Shrunk, shrink, survey
from earthloom.store.shown import Shown


def test_shrinking_takes_the_mean_of_areas() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (64, 128, 3), np.uint8)
    small = shrink(picture, 32)
    wanted = picture.reshape(32, 2, 64, 2, 3).mean(axis=(1, 3))
    assert small.shape == (32, 64, 3)
    np.testing.assert_allclose(small, wanted, atol=0.51)


@pytest.mark.parametrize("shape", [(32, 40, 3), (20, 100, 3)])
def test_smaller_pictures_stay_as_they_are(shape: tuple[int, ...]) -> None:
    picture = np.full(shape, 7, np.uint8)
    assert shrink(picture, 32) is picture


def test_an_encoder_sees_the_shrunk_picture_and_says_so() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    encoder, shrunk = Classical(), Shrunk(encoder=Classical(), side=32)
    np.testing.assert_array_equal(shrunk.describe([picture]), encoder.describe([shrink(picture, 32)]))
    assert shrunk.resize == (
        "area@1: shorter side to 32 px by the mean of areas where it is longer; none@1: pictures as they are"
    )
    assert (shrunk.name, shrunk.version, shrunk.width) == (encoder.name, encoder.version, encoder.width)


def test_a_survey_tells_sides_and_encodings(tmp_path: Path) -> None:
    entries = []
    for number, (side, name) in enumerate([(40, "png"), (50, "jpg"), (60, "png")]):
        path = tmp_path / f"{number}.{name}"
        Image.new("RGB", (side, 2 * side)).save(path)
        entries.append(path)
    (tmp_path / "3.png").write_bytes(b"no picture")
    entries.append(tmp_path / "3.png")
    found = survey([Entry(shown=Shown(key=path.name, base_key="", group="", path=path)) for path in entries])
    assert (found.side, found.sides) == (50, (40, 60))
    assert found.to_details()["formats"] == {"PNG": 2, "JPEG": 1}
    assert survey([]).to_details() == {"side": None, "sides": None, "formats": {}}
