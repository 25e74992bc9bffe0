"""Which pictures are shown, and their small copies."""

from __future__ import annotations

import base64
import dataclasses
import io
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from conftest import Small
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from release_inputs import encode

from earthloom.export import collect_statistics
from earthloom.export.mosaics import (
    _BUDGET,
    SIDES,
    Shown,
    _encode_to_fit,
    choose_picks,
    load_shown,
    shrink,
    weave_strip,
)
from earthloom.export.statistics import Pick


@pytest.fixture(scope="module")
def picks(small: Small) -> tuple[Pick, ...]:
    return collect_statistics(small.folder).picks


def rename(pick: Pick, source: str) -> Pick:
    return dataclasses.replace(pick, pair=dataclasses.replace(pick.pair, source=source))


def test_sources_take_turns(picks: tuple[Pick, ...]) -> None:
    named = [rename(pick, "rare" if i < 3 else "common") for i, pick in enumerate(picks)]
    chosen = choose_picks(named, 10)
    assert Counter(pick.pair.source for pick in chosen) == {"rare": 3, "common": 7}


def test_scenes_and_groups_are_new_as_long_as_there_are_any(picks: tuple[Pick, ...]) -> None:
    rgb = [pick for pick in picks if pick.pair.modality == "rgb"]
    chosen = choose_picks(rgb, 12)
    assert len({pick.pair.group for pick in chosen}) == 12
    assert len({pick.pair.id for pick in choose_picks(rgb, 1000)}) == len(rgb)


def test_the_choice_does_not_depend_on_the_order(picks: tuple[Pick, ...]) -> None:
    assert choose_picks(reversed(picks), 20) == choose_picks(picks, 20)
    assert choose_picks([], 5) == []


def test_pictures_come_in_the_order_asked_for(picks: tuple[Pick, ...], small: Small) -> None:
    wanted = [picks[i] for i in (40, 3, 77, 5)]
    shown = load_shown(wanted)
    assert [entry.pick for entry in shown] == wanted
    tiles = {tile.id: tile for part in small.inputs for tile in part.tiles}
    for entry in shown:
        tile = np.asarray(Image.open(io.BytesIO(tiles[entry.pick.pair.id].image)))
        assert np.array_equal(np.asarray(entry.thumbnail), tile), (
            "a picture that is small enough stays as it is"
        )


@given(st.integers(1, 900), st.integers(1, 900))
def test_small_copies_keep_their_proportion(width: int, height: int) -> None:
    copy = shrink(encode(np.zeros((height, width), np.uint8), "png"), 100)
    assert max(copy.size) <= 100
    assert copy.size == (width, height) or max(copy.size) == 100
    assert copy.mode == "L"


def test_colours_stay(tmp_path: Path) -> None:
    pixels = np.zeros((640, 640, 3), np.uint8)
    pixels[:, :320] = (200, 40, 10)
    pixels[:, 320:] = (10, 60, 220)
    for media in ("jpg", "png"):
        copy = np.asarray(shrink(encode(pixels, media), 64), int)
        assert np.abs(copy[:, :28] - (200, 40, 10)).max() <= 4
        assert np.abs(copy[:, 36:] - (10, 60, 220)).max() <= 4


def test_copies_get_smaller_until_the_page_holds_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Coloured noise, which JPEG cannot shrink, is the worst case: 72 of them must leave a page under 6 MB."""
    noise = np.random.default_rng(1).integers(0, 256, (SIDES[0], SIDES[0], 3), dtype=np.uint8)
    monkeypatch.setattr("earthloom.export.mosaics._BUDGET", _BUDGET // 12)
    uris = _encode_to_fit([Image.fromarray(noise)] * 6)
    assert sum(map(len, uris)) <= _BUDGET // 12
    assert len({read_uri(uri).size for uri in uris}) == 1
    assert SIDES[-1] <= read_uri(uris[0]).width < SIDES[0]
    calm = _encode_to_fit([Image.new("RGB", (SIDES[0], SIDES[0]), "teal")] * 6)
    assert read_uri(calm[0]).width == SIDES[0]


def read_uri(uri: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(uri.removeprefix("data:image/jpeg;base64,"))))


def test_the_strip_weaves_the_modalities(picks: tuple[Pick, ...]) -> None:
    def paint(value: int, n: int) -> list[Shown]:
        return [Shown(pick=picks[0], thumbnail=Image.new("L", (8, 8), value), uri="") for _ in range(n)]

    strip = weave_strip([paint(10, 8), paint(100, 8), paint(200, 8)])
    assert strip is not None
    assert strip.size == (12 * 120, 240)
    cells = np.asarray(strip)[60::120, 60::120, 0]
    assert cells.T.flatten().tolist() == [10, 100, 200] * 8
    assert weave_strip([paint(10, 5)]) is None
    assert weave_strip([]) is None
