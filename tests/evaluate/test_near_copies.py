"""Near copies in sets of which it is known how many there are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from earthloom.core.images import encode_jpeg, encode_png
from earthloom.evaluate.attributes.readings import Resampling
from earthloom.evaluate.config import PictureSet
from earthloom.evaluate.gathering import Gathered, gather
from earthloom.evaluate.generation import near_copies
from earthloom.evaluate.generation.near_copies import NearCopies, find_near_copies
from earthloom.evaluate.generation.pixels import PHASH, PIXELS, THUMBNAIL
from earthloom.evaluate.generation.spaces import Draws
from earthloom.evaluate.result import Figure
from earthloom.evaluate.sets import Picture
from earthloom.evaluate.work import Work
from earthloom.models.encoders.encoder import name_encoder

SIDE = 64
DRAWS = Draws(resampling=Resampling(resamples=200, level=0.95, seed=0), halves=10, subsets=10, subset_size=10)


def make_ground(n: int, seed: int) -> list[Picture]:
    """Soft patches, no two alike."""
    noise = np.random.default_rng(seed).normal(size=(n, SIDE, SIDE, 3)).astype(np.float32)
    return [np.clip(128 + 400 * cv2.GaussianBlur(one, (0, 0), 4), 0, 255).astype(np.uint8) for one in noise]


def gather_set(home: Path, name: str, pictures: Sequence[Picture | bytes]) -> Gathered:
    folder = home / name
    folder.mkdir()
    for i, picture in enumerate(pictures):
        data = picture if isinstance(picture, bytes) else encode_png(picture)
        (folder / f"{i:03d}.png").write_bytes(data)
    work = Work(base=home, folder=home / "out", seed=0, tell=lambda text: None)
    return gather(work, work.open(name, PictureSet(folder=name)), PIXELS, "cache")


def find(figures: Sequence[Figure], name: str, encoder: Any) -> Figure:
    return next(each for each in figures if (each.name, each.encoder) == (name, name_encoder(encoder)))


def judge(home: Path, real: Gathered, train: Gathered, made: Sequence[Picture | bytes]) -> NearCopies:
    generated = gather_set(home, "generated", made)
    return find_near_copies(real, generated, train, [entry.key for entry in generated.entries], DRAWS)


@pytest.fixture
def sets(tmp_path: Path) -> tuple[Gathered, Gathered]:
    return gather_set(tmp_path, "real", make_ground(40, 1)), gather_set(tmp_path, "train", make_ground(60, 2))


def make_copies() -> list[Picture | bytes]:
    """14 of `make_ground(60, 2)`, from the first on: as they are, in JPEG, brighter, mirrored and turned."""
    train = make_ground(14, 2)
    # NumPy fills arrays in order, so that the first 14 of 60 are the first 14 of 14.
    made: list[Picture | bytes] = [*train[:4]]
    made += [encode_jpeg(picture, 60) for picture in train[4:7]]
    made += [np.clip(picture * 1.05, 0, 255).astype(np.uint8) for picture in train[7:10]]
    made += [np.ascontiguousarray(picture[:, ::-1]) for picture in train[10:12]]
    made += [np.ascontiguousarray(np.rot90(picture)) for picture in train[12:]]
    return made


def test_as_many_copies_are_found_as_there_are(tmp_path: Path, sets: tuple[Gathered, Gathered]) -> None:
    flat = np.full((SIDE, SIDE, 3), 40, np.uint8)
    found = judge(tmp_path, *sets, [*make_ground(36, 3), *make_copies(), flat])
    for encoder in PIXELS:
        figure = find(found.figures, "near_copies", encoder)
        assert figure.value == 14 / 50
        assert figure.floor == 0
        assert (figure.n, figure.n_real, figure.details["n_flat"]) == (50, 60, 1)
        assert figure.low is not None
        assert figure.high is not None
        assert 0.1 < figure.low < 14 / 50 < figure.high < 0.45
    by_thumbnail, by_hash = found.pairs
    for pairs in found.pairs:
        assert sorted(pairs.rows[:14]) == list(range(36, 50))
        assert {
            (row - 36, partner) for row, partner in zip(pairs.rows[:14], pairs.partners, strict=False)
        } == {(i, i) for i in range(14)}
    assert len(by_thumbnail.rows) == 50
    assert len(by_hash.rows) == 14


def test_other_ground_is_no_copy(tmp_path: Path, sets: tuple[Gathered, Gathered]) -> None:
    found = judge(tmp_path, *sets, make_ground(40, 4))
    for encoder in PIXELS:
        figure = find(found.figures, "near_copies", encoder)
        assert (figure.value, figure.low) == (0, 0)
        assert figure.high == pytest.approx(
            1.959964**2 / (40 + 1.959964**2), abs=1e-4
        )  # Wilson's, of 0 of 40
    copied = find(found.figures, "copied", THUMBNAIL)
    assert copied.value is not None
    assert copied.value < 0.1  # 1 % of training pictures lie as near, by the definition
    assert len(found.pairs) == 1


def test_real_pictures_that_were_trained_on_raise_the_floor(tmp_path: Path) -> None:
    ground = make_ground(30, 5)
    real, train = gather_set(tmp_path, "real", ground[:20]), gather_set(tmp_path, "train", ground[10:])
    found = judge(tmp_path, real, train, ground[10:15])
    for encoder in PIXELS:
        figure = find(found.figures, "near_copies", encoder)
        assert (figure.value, figure.floor) == (1, 0.5)


def test_that_pictures_above_the_most_are_drawn(
    tmp_path: Path, sets: tuple[Gathered, Gathered], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of training pictures only the percentile is of some; copies of the others are found all the same."""
    monkeypatch.setattr(near_copies, "MOST", 10)
    figure = find(judge(tmp_path, *sets, make_copies()).figures, "near_copies", PHASH)
    assert (figure.value, figure.n_real) == (1, 60)


def test_flat_sets_say_why_nothing_is_measured(tmp_path: Path, sets: tuple[Gathered, Gathered]) -> None:
    found = judge(tmp_path, *sets, [np.full((SIDE, SIDE, 3), grey, np.uint8) for grey in (0, 90)])
    assert [figure.value for figure in found.figures] == [None, None]
    assert "flat" in str(found.figures[0].reason)
    assert found.pairs == ()
