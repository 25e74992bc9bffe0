"""Pictures to features: what is read, kept, set aside, and that it comes out the same whatever was kept."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from earthloom.core.errors import UsageError
from earthloom.core.images import encode_jpeg, encode_png
from earthloom.core.records import Reason
from earthloom.evaluate.encoders import Classical, EncoderSettings, open_encoder, open_encoders
from earthloom.evaluate.features import describe
from earthloom.metrics.features import describe_picture
from earthloom.models.encoders.encoder import Features, Picture, Prepared, describe_in_batches
from earthloom.store.selection import Selection, select
from earthloom.store.shown import Shown


@dataclass
class Counting:
    """Features that a test can tell: means of the channels and the side; counts what it is asked."""

    name: str = "counting"
    version: str = "1"
    resize: str = "none"
    width: int = 4
    batch: int = 4
    frechet: str = "FD"
    kernel: str = "KD"
    n_prepared: int = 0
    batches: list[int] = field(default_factory=list)

    def prepare(self, picture: Picture) -> Prepared:
        self.n_prepared += 1
        return np.array([*picture.mean((0, 1)), picture.shape[0]], np.float64) / 3

    def encode(self, prepared: Sequence[Prepared]) -> Features:
        self.batches.append(len(prepared))
        return np.stack(prepared).astype(np.float64)

    def describe(self, pictures: Sequence[Picture]) -> Features:
        return describe_in_batches(self, pictures)


def draw_picture(i: int, side: int = 40) -> np.ndarray:
    return np.random.default_rng(i).integers(0, 256, (side, side + i, 3), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "pictures"
    path.mkdir()
    for i in range(10):
        (path / f"{i}.png").write_bytes(encode_png(draw_picture(i)))
    return path


def list_pictures(folder: Path) -> list[Shown]:
    return select(Selection(folder=str(folder)), Path())


def test_features_come_in_the_order_of_the_pictures(folder: Path, tmp_path: Path) -> None:
    pictures, encoder = list_pictures(folder), Counting()
    found = describe(pictures, [encoder], cache=tmp_path / "cache")
    assert found.pictures == tuple(pictures)
    assert found.resize == {"counting@1": "none"}
    assert found.groups == tuple(shown.group for shown in pictures)
    wanted = [encoder.prepare(shown.show()) for shown in pictures]
    np.testing.assert_array_equal(found.features["counting@1"], np.float32(wanted))
    assert found.features["counting@1"].dtype == np.float64
    assert encoder.batches == [4, 4, 4]  # the last one filled up


def test_what_was_described_is_not_read_by_the_network_again(folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    first = describe(list_pictures(folder), [Counting()], cache=cache)
    assert first.n_cached == 0
    (folder / "0.png").rename(folder / "renamed.png")
    (folder / "1.png").write_bytes(encode_png(draw_picture(77)))
    encoder = Counting()
    again = describe(list_pictures(folder), [encoder], cache=cache)
    assert again.n_cached == 9
    assert encoder.n_prepared == 1
    moved = [shown.key for shown in again.pictures].index("renamed.png")
    np.testing.assert_array_equal(again.features["counting@1"][moved], first.features["counting@1"][0])
    assert describe(list_pictures(folder), [Counting(version="2")], cache=cache).n_cached == 0
    assert describe(list_pictures(folder), [Counting(resize="other")], cache=cache).n_cached == 0
    assert describe(list_pictures(folder), [Counting()], cache=cache, keep=False).n_cached == 0


def test_that_a_second_encoder_is_asked_alone(folder: Path, tmp_path: Path) -> None:
    cache, first, second = tmp_path / "cache", Counting(), Counting(name="other", batch=3)
    describe(list_pictures(folder), [first], cache=cache)
    found = describe(list_pictures(folder), [first, second], cache=cache)
    assert found.n_cached == 0  # not by both
    assert (first.n_prepared, second.n_prepared) == (10, 10)
    np.testing.assert_array_equal(found.features["counting@1"], found.features["other@1"])
    with pytest.raises(UsageError, match="different names"):
        describe([], [first, Counting()], keep=False)


def test_that_linear_and_displayed_values_are_told_apart(folder: Path, tmp_path: Path) -> None:
    path = folder / "1.png"
    pictures = [
        Shown(key=f"{is_linear}", base_key="1", group="1", path=path, is_linear=is_linear)
        for is_linear in (True, False)
    ]
    for _ in range(2):
        rows = describe(pictures, [Counting()], cache=tmp_path / "cache").features["counting@1"]
        assert rows[0, 0] > rows[1, 0] + 10 / 3  # linear values are brighter when they are displayed


def test_pictures_that_cannot_be_used_are_set_aside_with_a_reason(
    folder: Path, tmp_path: Path, as_nobody: Callable[[], AbstractContextManager[None]]
) -> None:
    (folder / "2.png").write_bytes(encode_jpeg(draw_picture(2), 90)[:300])
    (folder / "3.png").write_bytes(b"no picture")
    (folder / "4.png").write_bytes(b"")
    pictures = list_pictures(folder)
    (folder / "5.png").unlink()
    (folder / "6.png").chmod(0)
    for path in (tmp_path, *tmp_path.parents):
        if path.is_relative_to(tempfile.gettempdir()) and path != Path(tempfile.gettempdir()):
            path.chmod(0o755)
    encoder = Counting()
    with as_nobody():
        found = describe(pictures, [encoder], keep=False)
    reasons = {aside.shown.key: aside.reason for aside in found.set_aside}
    assert reasons == {
        "2.png": Reason.UNREADABLE,
        "3.png": Reason.NOT_AN_IMAGE,
        "4.png": Reason.EMPTY,
        "5.png": Reason.MISSING,
        "6.png": Reason.NO_PERMISSION,
    }
    assert [shown.key for shown in found.pictures] == ["0.png", "1.png", "7.png", "8.png", "9.png"]
    assert found.features["counting@1"].shape == (5, 4)
    wanted = np.float32(Counting().prepare(draw_picture(8)))
    np.testing.assert_array_equal(found.features["counting@1"][3], wanted)


@dataclass
class Breaking(Counting):
    """Gives what is no number for pictures of two sides, and what float32 cannot hold for a third."""

    name: str = "breaking"

    def encode(self, prepared: Sequence[Prepared]) -> Features:
        found = super().encode(prepared)
        sides = np.rint(3 * found[:, 3])
        found[sides == 42, 0] = np.nan
        found[sides == 45, 1] = -np.inf
        found[sides == 47, 2] = 1e300
        return found


def test_pictures_without_finite_features_are_set_aside_and_not_kept(folder: Path, tmp_path: Path) -> None:
    for i in range(10):  # `Breaking` knows a picture by its height
        (folder / f"{i}.png").write_bytes(encode_png(draw_picture(i).transpose(1, 0, 2)))
    pictures, encoders = list_pictures(folder), [Counting(), Breaking()]
    for n_cached in (0, 7):
        found = describe(pictures, encoders, cache=tmp_path / "cache")
        assert [aside.shown.key for aside in found.set_aside] == ["2.png", "5.png", "7.png"]
        assert {aside.reason for aside in found.set_aside} == {Reason.NOT_FINITE}
        assert "breaking@1" in found.set_aside[0].detail
        assert found.n_cached == n_cached
        assert len(found.pictures) == 7
        wanted = [encoders[0].prepare(shown.show()) for shown in found.pictures]
        for features in found.features.values():
            np.testing.assert_array_equal(features, np.float32(wanted))


def test_classical_features_are_those_of_metrics(folder: Path) -> None:
    (folder / "small.png").write_bytes(encode_png(draw_picture(0, side=20)))
    found = describe(list_pictures(folder), [Classical()], keep=False)
    np.testing.assert_array_equal(
        found.features["classical@1"][3], np.float32(describe_picture(draw_picture(3)))
    )
    (aside,) = found.set_aside
    assert aside.reason == Reason.TOO_SMALL
    assert "at least 32 pixels" in aside.detail
    assert Classical().describe([]).shape == (0, 76)


def test_progress_is_told_and_nothing_is_fine_too(folder: Path) -> None:
    told: list[str] = []
    describe(list_pictures(folder), [Counting()], keep=False, tell=told.append)
    assert told[0] == "features: picture 1 of 10"
    assert len(told) == 10
    found = describe([], [Counting()], keep=False)
    assert found.features["counting@1"].shape == (0, 4)
    assert found.pictures == ()


def test_that_features_do_not_depend_on_what_was_kept(folder: Path, tmp_path: Path) -> None:
    """Bit by bit, by a network, in whatever batches the pictures come."""
    pytest.importorskip("torch")
    pictures, encoder = list_pictures(folder), open_encoder(EncoderSettings(name="ours"))
    name = f"{encoder.name}@{encoder.version}"
    fresh = describe(pictures, [encoder], keep=False).features[name]
    describe(pictures[3:5], [encoder], cache=tmp_path / "cache")
    mixed = describe(pictures, [encoder], cache=tmp_path / "cache")
    kept = describe(pictures[::-1], [encoder], cache=tmp_path / "cache")
    assert (mixed.n_cached, kept.n_cached) == (2, 10)
    np.testing.assert_array_equal(mixed.features[name], fresh)
    np.testing.assert_array_equal(kept.features[name][::-1], fresh)


def test_settings_say_what_is_wanted(tmp_path: Path) -> None:
    assert isinstance(open_encoder(EncoderSettings(name="classical")), Classical)
    for wrong, remedy in (
        ({"name": "classical", "weights": "x"}, "leave `weights` out"),
        ({"name": "dinov2"}, "wants `weights`"),
        ({"name": "ours", "resize": "legacy"}, "of `inception` alone"),
        ({"name": "clip", "weights": "x", "trust": True}, "of `inception` alone"),
    ):
        with pytest.raises(ValidationError, match=remedy):
            EncoderSettings.model_validate(wrong)
    with pytest.raises(UsageError, match=str(tmp_path / "there")):
        open_encoders([EncoderSettings(name="inception", weights="there")], tmp_path)


def test_that_settings_need_no_torch() -> None:
    code = "import sys, earthloom.evaluate.features, earthloom.evaluate.encoders; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
