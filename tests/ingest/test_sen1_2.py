"""SEN1-2: pairs, seasons, groups, real chips, damage, and that SEN12MS is not taken for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dataset_contents import origins_of, read_dataset, select
from fakes import sen1_2 as fake
from fakes import sen12ms

import earthloom
from earthloom.core.errors import UsageError
from earthloom.core.records import Modality, Reason
from earthloom.recipes import parse_recipe
from earthloom.tile.pixels import ScenePixels


@pytest.mark.parametrize("variant", fake.VARIANTS)
def test_pairs_are_what_was_written(tmp_path: Path, variant: str) -> None:
    truth = fake.write(tmp_path, variant)
    found = read_dataset("sen1_2", tmp_path)
    assert not found.refused
    assert set(found.scenes) == set(truth.pairs)
    for key, true in truth.pairs.items():
        rgb, sar = found.scenes[key]
        assert (rgb.modality, sar.modality) == (Modality.RGB, Modality.SAR)
        np.testing.assert_array_equal(ScenePixels(rgb).read((0, 0, 256, 256))[0], true.optical)
        np.testing.assert_array_equal(ScenePixels(sar).read((0, 0, 256, 256))[0][:, :, 0], true.radar)
        assert rgb.pair_key == sar.pair_key
        for scene in (rgb, sar):
            assert (scene.season, scene.group, scene.gsd_x_m) == (true.season, f"SEN1-2:{true.group}", 10.0)
            assert origins_of(scene)["season"] == "file name"
        assert (rgb.platform, sar.platform, sar.polarisation) == ("Sentinel-2", "Sentinel-1", "VV")


DAMAGED = {
    "radar missing": (fake.FIRST, Reason.MISSING, 8),
    "radar cut short": ("ROIs1158_spring/3/p7", Reason.UNREADABLE, 7),
    "download unfinished": ("sen12_winter.tar.part", Reason.UNREADABLE, 8),
}


@pytest.mark.parametrize("name", list(fake.DAMAGES))
def test_damage_costs_no_more_than_it_hit(tmp_path: Path, name: str) -> None:
    fake.write(tmp_path)
    fake.DAMAGES[name](tmp_path)
    key, reason, n = DAMAGED[name]
    found = read_dataset("sen1_2", tmp_path)
    assert found.refused == {key: reason}
    assert len(found.scenes) == n


@pytest.mark.parametrize(
    ("kind", "other", "writer"), [("sen1_2", "sen12ms", sen12ms.write), ("sen12ms", "sen1_2", fake.write)]
)
def test_the_sibling_is_named_as_what_it_is(tmp_path: Path, kind: str, other: str, writer: object) -> None:
    assert callable(writer)
    writer(tmp_path)
    with pytest.raises(UsageError, match=f"this is {other}: use kind {other}"):
        read_dataset(kind, tmp_path)


def test_a_tree_of_both_gives_one_and_tells_of_the_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pairs, triplets = fake.write(tmp_path).pairs, sen12ms.write(tmp_path).triplets
    assert set(read_dataset("sen1_2", tmp_path).scenes) == set(pairs)
    assert "left out 9 files of another dataset: use kind sen12ms" in caplog.text
    assert set(read_dataset("sen12ms", tmp_path).scenes) == set(triplets)
    assert "left out 16 files of another dataset: use kind sen1_2" in caplog.text


def test_real_pairs_make_a_release(tmp_path: Path, real_data: Path) -> None:
    found = read_dataset("sen1_2", real_data / "sen1_2")
    assert not found.refused
    assert len(found.scenes) == 10
    assert {len(scenes) for scenes in found.scenes.values()} == {2}
    recipe = parse_recipe("name: made\nsources: [{kind: sen1_2, path: sen1_2}]\n", base=real_data)
    assert earthloom.build(recipe, tmp_path / "work", base=real_data, workers=0).n_out == 20
    rows = select(tmp_path / "work", "modality, season, gsd_m, pair_id, split")
    assert {row[:3] for row in rows} == {("rgb", "spring", 10.0), ("sar", "spring", 10.0)}
    assert len({row[3] for row in rows}) == 10
    assert len({row[4] for row in rows}) == 1, "a scene is in one split"
