"""Selections of pictures: from folders, from Parquet and from tars, with every filter."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from earthloom.core.errors import RecordError, UsageError
from earthloom.core.images import decode_image
from earthloom.core.light import to_light
from earthloom.core.records import Modality
from earthloom.recipes import parse_recipe
from earthloom.run.build import build
from earthloom.store.selection import Selection, select
from earthloom.store.shown import Shown

RECIPE = """\
name: chosen
sources:
  - {kind: atlas, name: fine, scenes: 4, size: 128, gsd_m: 2, seed: 3}
  - {kind: atlas, name: coarse, scenes: 4, size: 128, gsd_m: 20, seed: 4}
tile: {size: 64}
synthesize: [{effect: fog, share: 0.5, severity: [heavy]}, {effect: haze, share: 0.3}]
curate: {split: {train: 0.5, test: 0.5}, seed: 2}
"""


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("chosen")
    build(parse_recipe(RECIPE, base=folder), folder, workers=0)
    return folder


@pytest.fixture(scope="module")
def tars(work: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same release without its Parquet."""
    folder = tmp_path_factory.mktemp("tars")
    (folder / "data").mkdir()
    for path in (work / "release/data").glob("*.tar"):
        shutil.copy(path, folder / "data")
    return folder


def choose(place: Path, **filters: object) -> list[Shown]:
    return select(Selection(release=str(place), **filters), Path())  # type: ignore[arg-type]


def ask(work: Path, where: str) -> set[str]:
    found = duckdb.sql(f"select id from '{work}/release/data/*.parquet' where {where}").fetchall()
    return {row[0] for row in found}


@pytest.mark.parametrize(
    ("filters", "where"),
    [
        ({}, "modality = 'rgb'"),
        ({"modality": Modality.SAR}, "modality = 'sar'"),
        ({"effects": ("clear",)}, "modality = 'rgb' and effect is null"),
        ({"effects": ("fog", "haze")}, "modality = 'rgb' and effect.name in ('fog', 'haze')"),
        ({"effects": ("fog",), "severity": ("heavy",)}, "modality = 'rgb' and effect.name = 'fog'"),
        ({"severity": ("light",)}, "modality = 'rgb' and effect.severity = 'light'"),
        ({"split": ("test",)}, "modality = 'rgb' and split = 'test'"),
        ({"source": ("fine",)}, "modality = 'rgb' and source = 'fine'"),
        ({"gsd_m": (10, 30)}, "modality = 'rgb' and gsd_m between 10 and 30"),
        ({"labels": ("forest",)}, "modality = 'rgb' and list_contains([l.name for l in labels], 'forest')"),
    ],
)
def test_that_every_filter_is_that_of_a_database(
    work: Path, tars: Path, filters: dict[str, object], where: str
) -> None:
    wanted = ask(work, where)
    assert wanted
    assert {shown.key for shown in choose(work, **filters)} == wanted
    assert {shown.key for shown in choose(tars, **filters)} == wanted


def test_that_parquet_and_tars_give_the_same_pictures_and_facts(work: Path, tars: Path) -> None:
    stored = duckdb.sql(f"select id, image.bytes from '{work}/release/data/*.parquet'").fetchall()
    images = dict(stored)
    for one, other in zip(choose(work / "release"), choose(tars), strict=True):
        assert one.key == other.key
        assert (one.base_key, one.group, one.gsd_m, one.effect) == (
            other.base_key,
            other.group,
            other.gsd_m,
            other.effect,
        )
        assert one.read_bytes() == other.read_bytes() == images[one.key]
        np.testing.assert_array_equal(one.read(), decode_image(images[one.key]))


def test_that_variants_name_their_originals(work: Path) -> None:
    shown = {one.key: one for one in choose(work)}
    variants = [one for one in shown.values() if one.effect is not None]
    assert variants
    for variant in variants:
        base = shown[variant.base_key]
        assert base.effect is None
        assert base.group == variant.group


def test_that_a_limit_takes_others_with_another_seed_and_keeps_the_order(work: Path) -> None:
    everything = [one.key for one in choose(work)]
    few = [one.key for one in choose(work, limit=5)]
    assert few == sorted(few)
    assert few == [one.key for one in choose(work, limit=5)]
    assert set(few) < set(everything)
    assert few != [one.key for one in choose(work, limit=5, seed=1)]
    assert {one.key for one in choose(work, limit=4)} < set(few)


def test_that_pictures_of_any_kind_come_out_as_rgb(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    colours = rng.integers(0, 256, (8, 9, 3), dtype=np.uint8)
    grey16 = rng.integers(0, 2**16, (8, 9), dtype=np.uint16)
    (tmp_path / "deep").mkdir()
    Image.fromarray(colours).save(tmp_path / "deep/colours.png")
    Image.fromarray(np.dstack([colours, colours[:, :, 0]])).save(tmp_path / "alpha.PNG")
    Image.fromarray(grey16).save(tmp_path / "grey.png")
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    shown = {one.key: one for one in select(Selection(folder="."), tmp_path)}
    assert list(shown) == ["alpha.PNG", "broken.jpg", "deep/colours.png", "grey.png"]
    np.testing.assert_array_equal(shown["deep/colours.png"].read(), colours)
    np.testing.assert_array_equal(shown["alpha.PNG"].read(), colours)
    wanted = np.round(grey16 / 257.0)
    assert np.abs(shown["grey.png"].read() - wanted[:, :, None]).max() <= 1
    np.testing.assert_array_equal(shown["deep/colours.png"].read_light(), to_light(colours))
    with pytest.raises(RecordError):
        shown["broken.jpg"].read()


def test_that_stretched_counts_are_linear_in_light(tmp_path: Path) -> None:
    picture = np.arange(192, dtype=np.uint8).reshape(8, 8, 3)
    Image.fromarray(picture).save(tmp_path / "a.png")
    shown = Shown(key="a", base_key="a", group="a", path=tmp_path / "a.png", is_linear=True)
    np.testing.assert_allclose(shown.read_light(), picture / 255, rtol=1e-6)


@pytest.mark.parametrize(
    ("selection", "said"),
    [
        ({"folder": "nowhere"}, "no folder"),
        ({"folder": "empty"}, r"empty holds no picture .*: no file of \.bmp, \.jpe?g, .* is in or below it"),
        ({"release": "empty"}, "holds no release"),
    ],
)
def test_that_nothing_to_show_is_an_error_with_a_remedy(
    selection: dict[str, str], said: str, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=said):
        select(Selection(**selection), tmp_path)


def test_that_filters_that_nothing_passes_are_named(work: Path) -> None:
    said = r"none passes effects: snow; gsd_m: 0.0, 5.0\. `earthloom inspect` says what it holds"
    with pytest.raises(UsageError, match=said):
        choose(work, effects=("snow",), gsd_m=(0.0, 5.0))


def test_that_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/train-rgb-00000.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(UsageError, match=r"train-rgb-00000\.parquet cannot be read"):
        choose(tmp_path)


def test_that_a_selection_names_one_place() -> None:
    for fields in ({}, {"folder": "a", "release": "b"}):
        with pytest.raises(ValidationError, match="either `folder` or `release`"):
            Selection(**fields)
