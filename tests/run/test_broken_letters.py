"""Halves of letters, which JSON can hold and no table can: the record that has one is set aside, the rest goes on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

import earthloom
from earthloom.recipes import load_recipe

HALF = "\ud83d"


def write_coco(folder: Path, images: list[dict[str, object]], captions: list[str]) -> Path:
    (folder / "images").mkdir()
    for number in range(len(images)):
        noise = np.random.default_rng(number).integers(0, 255, (64, 64, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / "images" / f"{number}.png")
    annotations = [{"image_id": n, "caption": caption} for n, caption in enumerate(captions)]
    (folder / "coco.json").write_text(json.dumps({"images": images, "annotations": annotations}))
    recipe = folder / "recipe.yaml"
    recipe.write_text(
        "name: coco\nsources: [{kind: coco, path: coco.json, images: images}]\ntile: {size: 64, fit: whole}\n"
    )
    return recipe


@pytest.mark.parametrize(
    ("name", "caption", "reason", "said"),
    [
        ("0.png", f"a field {HALF}", "bad_facts", r"caption is 'a field \ud83d'; wanted whole letters"),
        (f"0{HALF}.png", "a field", "missing", "looked for 0\ufffd.png"),
    ],
)
def test_half_a_letter_costs_its_record_alone(
    tmp_path: Path, name: str, caption: str, reason: str, said: str
) -> None:
    images: list[dict[str, object]] = [{"id": 0, "file_name": name}, {"id": 1, "file_name": "1.png"}]
    recipe = write_coco(tmp_path, images, [caption, "a whole river \U0001f6f0"])
    summary = earthloom.build(load_recipe(recipe), tmp_path / "work", base=tmp_path, workers=0)
    assert (summary.n_in, summary.n_out) == (2, 1)
    assert summary.refused == {reason: 1}
    (refused,) = [
        row
        for path in (tmp_path / "work/01-ingest").glob("*.refused.parquet")
        for row in pq.read_table(path).to_pylist()
    ]
    assert said in refused["detail"]
