"""Learning from a release as from a folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from training_folders import make_folders, make_recipe
from training_steps import TinyStep, making

from earthloom import build
from earthloom.recipes import parse_recipe
from earthloom.store.selection import Selection, select
from earthloom.train.samples import to_pictures
from earthloom.train.training import train
from earthloom.train.translation.config import CropSettings
from earthloom.train.translation.pictures import PictureBatches

RECIPE = """
name: chips
sources: [{kind: images, path: a}]
tile: {size: 48, fit: whole, encoding: {rgb: png}}
curate: {split: {train: 1.0, val: 0.0, test: 0.0}}
export: {formats: [FORMAT], report: false}
"""


@pytest.mark.parametrize("kind", ["parquet", "webdataset"])
def test_a_release_is_learnt_from(kind: str, tmp_path: Path) -> None:
    root = make_folders(tmp_path, size=(48, 48))
    build(parse_recipe(RECIPE.replace("FORMAT", kind), base=root), root / "work", base=root, workers=0)
    pictures = select(Selection(release="work"), root)
    assert len(pictures) == 5
    sets = {"from": pictures, "to": select(Selection(folder="a"), root)}
    crop = CropSettings(crop=48, batch=5, turn=False)
    batch = PictureBatches(sets, crop, seed=0, names={"from": "a", "to": "b"}).draw(1)
    stored = {picture.tobytes() for picture in to_pictures(batch["b"])}
    assert len(stored) == 5
    assert {picture.tobytes() for picture in to_pictures(batch["a"])} == stored
    summary = train(
        make_recipe(steps=4, **{"from": {"release": "work", "split": ["train"]}}),
        tmp_path / "out",
        base=root,
        make=making(TinyStep),
    )
    assert summary.n_samples == {"from": 5, "to": 5}
    assert summary.n_refused == {}
