"""What a step learns from depends on its number alone, and is what lies in the files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from training_folders import make_folders, paint

from earthloom.core.errors import RunError
from earthloom.store.selection import Selection, select
from earthloom.store.shown import Shown
from earthloom.train.ahead import draw_ahead
from earthloom.train.samples import to_pictures, to_tensor
from earthloom.train.translation.config import CropSettings
from earthloom.train.translation.pictures import PictureBatches, PictureSet

Picture = npt.NDArray[np.uint8]


def show(root: Path, name: str) -> list[Shown]:
    return select(Selection(folder=name), root)


def make_batches(root: Path, *, seed: int = 0, **crop: Any) -> PictureBatches:
    sets = {"from": show(root, "a"), "to": show(root, "b")}
    return PictureBatches(
        sets, CropSettings(**({"crop": 32} | crop)), seed=seed, names={"from": "a", "to": "b"}
    )


def find_in(piece: Picture, picture: Picture) -> bool:
    """True where the piece lies somewhere in the picture, turned or mirrored in any of the eight ways."""
    side = piece.shape[0]
    windows = np.lib.stride_tricks.sliding_window_view(picture, (side, side), axis=(0, 1))
    for mirrored in (piece, piece[:, ::-1]):
        for quarter in range(4):
            wanted = np.rot90(mirrored, quarter).transpose(2, 0, 1)
            likely = windows[(windows[..., 0, 0] == wanted[:, 0, 0]).all(axis=2)]  # by the first pixel
            if (likely == wanted).all(axis=(1, 2, 3)).any():
                return True
    return False


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folders(tmp_path_factory.mktemp("data"))


def test_crops_are_pieces_of_the_pictures(root: Path) -> None:
    pictures = [paint(i, 48, 56) for i in range(5)]
    for number in range(1, 6):
        (piece,) = to_pictures(make_batches(root).draw(number)["a"])
        assert piece.shape == (32, 32, 3)
        assert sum(find_in(piece, picture) for picture in pictures) == 1


def test_a_batch_depends_on_seed_and_number_alone(root: Path) -> None:
    forward, backward = make_batches(root), make_batches(root, memory_mb=0)
    ahead = {number: forward.draw(number) for number in range(1, 12)}
    for number in reversed(range(1, 12)):
        again = backward.draw(number)
        assert all(torch.equal(again[name], ahead[number][name]) for name in ("a", "b"))
    assert not torch.equal(make_batches(root, seed=1).draw(1)["a"], ahead[1]["a"])


def test_the_thread_gives_the_same_batches_in_order(root: Path) -> None:
    plain = make_batches(root)
    for number, batch in enumerate(draw_ahead(make_batches(root), 3, 9), 3):
        assert torch.equal(batch["b"], plain.draw(number)["b"])
    assert list(draw_ahead(plain, 4, 4)) == []


def test_every_picture_comes_once_a_round(root: Path) -> None:
    pictures = [paint(i, 48, 56) for i in range(5)]
    batches = make_batches(root, batch=5)
    orders = []
    for number in (1, 2, 3):
        pieces = to_pictures(batches.draw(number)["a"])
        order = [next(i for i, p in enumerate(pictures) if find_in(piece, p)) for piece in pieces]
        assert sorted(order) == [0, 1, 2, 3, 4]
        orders.append(order)
    assert orders[0] != orders[1] or orders[1] != orders[2]


def test_the_two_sets_have_no_common_order(tmp_path: Path) -> None:
    root = make_folders(tmp_path, n=8)
    batches = make_batches(root, batch=8)
    orders = []
    for name, offset in (("a", 0), ("b", 100)):
        pieces = to_pictures(batches.draw(1)[name])
        known = [paint(offset + i, 48, 56) for i in range(8)]
        orders.append([next(i for i, p in enumerate(known) if find_in(piece, p)) for piece in pieces])
    assert orders[0] != orders[1]


def test_without_turning_crops_stand_as_they_are(root: Path) -> None:
    (piece,) = to_pictures(make_batches(root, turn=False).draw(1)["a"])
    windows = [
        np.lib.stride_tricks.sliding_window_view(paint(i, 48, 56), (32, 32), axis=(0, 1)) for i in range(5)
    ]
    assert any((w == piece.transpose(2, 0, 1)).all(axis=(2, 3, 4)).any() for w in windows)


def test_all_eight_turns_come(root: Path) -> None:
    pictures = PictureSet("from", show(root, "a")[:1], CropSettings(crop=48, small="enlarge"), 0)
    square = paint(0, 48, 56)
    found = set()
    for position in range(120):
        piece = pictures.draw(position)
        for x in range(9):
            window = square[:, x : x + 48]
            for mirror in (0, 1):
                for quarter in range(4):
                    turned = np.rot90(window[:, ::-1] if mirror else window, quarter)
                    if np.array_equal(turned, piece):
                        found.add((mirror, quarter))
    assert len(found) == 8


def test_what_cannot_be_used_is_counted_and_replaced(tmp_path: Path) -> None:
    root = make_folders(tmp_path, n=3)
    (root / "a" / "empty.png").write_bytes(b"")
    (root / "a" / "text.jpg").write_text("no picture")
    (root / "a" / "torn.png").write_bytes((root / "a" / "1.png").read_bytes()[:300])
    good = [paint(i, 48, 56) for i in range(3)]
    batches = make_batches(root, batch=2)
    for number in range(1, 7):
        for piece in to_pictures(batches.draw(number)["a"]):
            assert any(find_in(piece, picture) for picture in good)
    reasons = {key: text.split(":")[0] for key, text in batches.refused["from"].items()}
    assert reasons == {"empty.png": "empty", "text.jpg": "not_an_image", "torn.png": "unreadable"}
    later = make_batches(root, batch=2)
    assert torch.equal(later.draw(6)["a"], batches.draw(6)["a"])  # what is known to be bad changes no draw


def test_a_file_that_has_gone_is_counted(tmp_path: Path) -> None:
    root = make_folders(tmp_path, n=2)
    batches = make_batches(root, batch=4)
    (root / "b" / "1.png").unlink()
    batches.draw(1)
    assert batches.refused == {"to": {"1.png": "missing: the file was there when pictures were listed"}}


def test_nothing_usable_ends_with_the_reason(tmp_path: Path) -> None:
    root = make_folders(tmp_path, n=2)
    for path in (root / "b").iterdir():
        path.write_bytes(b"GIF89a")
    for wants in (lambda b: b.draw(1), lambda b: b.show()):
        with pytest.raises(RunError, match=r"None of .* drawn from `to` could be used; '.\.png' because of"):
            wants(make_batches(root))


def test_small_pictures_are_enlarged_or_refused(tmp_path: Path) -> None:
    root = make_folders(tmp_path, n=1, size=(16, 24))
    enlarged = PictureSet("from", show(root, "a"), CropSettings(crop=32, turn=False), 0)
    wanted = cv2.resize(paint(0, 16, 24), (48, 32), interpolation=cv2.INTER_CUBIC)
    windows = np.lib.stride_tricks.sliding_window_view(wanted, (32, 32), axis=(0, 1))
    assert (windows == enlarged.draw(0).transpose(2, 0, 1)).all(axis=(2, 3, 4)).any()
    dropped = PictureSet("from", show(root, "a"), CropSettings(crop=32, small="drop"), 0)
    with pytest.raises(RunError):
        dropped.draw(0)
    assert dropped.refused == {"0.png": "too_small: wants 32 pixels on each side for a crop, got 24 x 16"}


def test_load_scales_the_shorter_side(tmp_path: Path) -> None:
    root = make_folders(tmp_path, n=1, size=(120, 80))
    pictures = PictureSet("from", show(root, "a"), CropSettings(crop=40, load=40, turn=False), 0)
    wanted = cv2.resize(paint(0, 120, 80), (40, 60), interpolation=cv2.INTER_AREA)
    windows = np.lib.stride_tricks.sliding_window_view(wanted, (40, 40), axis=(0, 1))
    assert (windows == pictures.draw(0).transpose(2, 0, 1)).all(axis=(2, 3, 4)).any()


def test_linear_pictures_are_learnt_from_as_they_are_displayed(root: Path) -> None:
    (shown, *_) = show(root, "a")
    linear = PictureSet("from", [replace(shown, is_linear=True)], CropSettings(crop=48, turn=False), 0)
    plain = PictureSet("from", [shown], CropSettings(crop=48, turn=False), 0)
    stored, displayed = plain.draw(0).astype(float) / 255, linear.draw(0).astype(float) / 255
    srgb = np.where(stored <= 0.0031308, 12.92 * stored, 1.055 * stored ** (1 / 2.4) - 0.055)  # IEC 61966-2-1
    assert np.abs(displayed - srgb).max() <= 0.51 / 255 + 1e-3


def test_memory_is_bounded(root: Path) -> None:
    crop = CropSettings(crop=32, memory_mb=0)
    pictures = PictureSet("from", show(root, "a"), crop, 0)
    for position in range(5):
        pictures.draw(position)
    assert not pictures._kept
    kept = PictureSet("from", show(root, "a"), CropSettings(crop=32), 0)
    for position in range(5):
        kept.draw(position)
    assert sum(p.nbytes for p in kept._kept.values()) == 5 * 48 * 56 * 3


def test_samples_are_middles_and_always_the_same(root: Path) -> None:
    first, second = make_batches(root).show(), make_batches(root, batch=3).show()
    assert first["a"].shape == (4, 3, 32, 32)
    assert torch.equal(first["a"], second["a"])
    middles = [paint(i, 48, 56)[8:40, 12:44] for i in range(5)]
    for piece in to_pictures(first["a"]):
        assert sum(np.array_equal(piece, middle) for middle in middles) == 1


def test_pictures_become_tensors_and_back() -> None:
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    picture = np.stack([ramp, ramp[::-1], ramp.T], axis=2)
    tensor = to_tensor([picture])
    assert tensor.shape == (1, 3, 16, 16)
    assert tensor.dtype == torch.float32
    assert (tensor.min(), tensor.max()) == (-1.0, 1.0)
    assert float(tensor[0, 1, 15, 3]) == pytest.approx(3 / 127.5 - 1)
    assert np.array_equal(to_pictures(tensor)[0], picture)
    assert to_pictures(torch.full((1, 3, 1, 1), 7.0)).max() == 255


@given(seed=st.integers(0, 2**31), position=st.integers(0, 10**12))
def test_any_position_has_its_crop(seed: int, position: int, root: Path) -> None:
    pictures = PictureSet("from", show(root, "a"), CropSettings(crop=32), seed)
    again = PictureSet("from", show(root, "a"), CropSettings(crop=32), seed)
    again.draw(position // 2)
    assert np.array_equal(pictures.draw(position), again.draw(position))
