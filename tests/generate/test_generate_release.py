"""Captions of a release as prompts, with its facts, and its pictures to draw from."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from made_generators import NoiseGenerator, make_settings, with_about
from PIL import Image

from earthloom.core.errors import UsageError
from earthloom.generate.generating import generate
from earthloom.generate.summary import GenerateSummary

GROUNDS = 5
FOG = {"name": "fog", "severity": "light", "is_visible": True, "params": "{}", "seed": 1}
LABELS = [
    {"name": "forest", "kind": "cover", "origin": "x"},
    {"name": "river", "kind": "class", "origin": "x"},
]


def encode(level: int, mode: str) -> bytes:
    out = io.BytesIO()
    Image.new(mode, (16, 16), level if mode == "L" else (level, level, level)).save(out, "PNG")
    return out.getvalue()


def describe(number: int, modality: str) -> dict[str, Any]:
    """One record; facts of the third make no sense, the fourth has no plain caption."""
    styles = ["mmm_rs"] if number == 3 else ["mmm_rs", "plain"]
    return {
        "id": f"{modality}{number}", "base_id": f"{modality}{number}", "group": f"g{number}", "pair_id": f"p{number}",
        "modality": modality, "quantity": "display", "gsd_m": -1.0 if number == 2 else 10.0 + number,
        "lon": 11.0, "lat": 48.0 if number else None, "acquired": "2020-06-01T10:00:00Z", "cloud_share": 0.25,
        "split": "val", "source": "made", "platform": None,
        "effect": FOG if number == 1 else None, "labels": LABELS,
        "image": {"bytes": encode(10 * number, "RGB" if modality == "rgb" else "L"), "path": "x.png"},
        "captions": [
            {"text": f"{style} {modality} {number}", "style": style, "role": "prompt", "author": "rules@1"}
            for style in styles
        ],
    }  # fmt: skip


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five grounds as RGB and near infrared; one near-infrared picture is missing, one is broken."""
    root = tmp_path_factory.mktemp("made")
    (root / "data").mkdir()
    for modality in ("rgb", "nir"):
        rows = [describe(number, modality) for number in range(GROUNDS)]
        if modality == "nir":
            rows[4]["image"]["bytes"] = b"\x89PNG broken"
            del rows[1]
        pq.write_table(pa.Table.from_pylist(rows), root / "data" / f"val-{modality}-00000.parquet")
    return root


def draw(release: Path, folder: Path, generator: Any = None, **fields: Any) -> GenerateSummary:
    settings = make_settings(release=str(release), **fields)
    return generate(settings, folder, open_model=lambda _: generator or NoiseGenerator())


def read_rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metadata.jsonl").read_text().splitlines()]


def test_captions_are_prompts_and_facts_go_along(release: Path, tmp_path: Path) -> None:
    summary = draw(release, tmp_path, style="plain", split="val", n=2)
    rows = read_rows(tmp_path)
    assert [row["prompt_key"] for row in rows[::2]] == ["rgb0", "rgb1", "rgb2", "rgb4"]
    assert [row["key"] for row in rows[:2]] == ["rgb0-1", "rgb0-2"]
    assert [row["prompt"] for row in rows[::2]] == [f"plain rgb {number}" for number in (0, 1, 2, 4)]
    assert summary.refused == {"rgb3": "no caption of style plain; its styles are mmm_rs"}
    assert (summary.n_asked, summary.n_drawn) == (8, 8)
    facts = {
        name: [row[name] for row in rows[::2]] for name in ("gsd_m", "lon", "lat", "scene", "label", "date")
    }
    assert facts == {
        "gsd_m": [10.0, 11.0, None, 14.0],  # -1 m is no distance
        "lon": [None, 11.0, 11.0, 11.0],  # half a place is none
        "lat": [None, 48.0, 48.0, 48.0],
        "scene": ["clear", "fog", "clear", "clear"],
        "label": ["river"] * 4,
        "date": ["2020-06-01T10:00:00Z"] * 4,
    }
    assert len({row["seed"] for row in rows}) == 8


def test_a_model_without_facts_gets_the_caption_alone(release: Path, tmp_path: Path) -> None:
    draw(release, tmp_path, with_about(facts=frozenset({"gsd_m"})), scene="snow")
    rows = read_rows(tmp_path)
    assert [row["prompt"] for row in rows] == [f"mmm_rs rgb {number}" for number in range(GROUNDS)]
    assert [(row["gsd_m"], row["label"], row["date"], row["scene"]) for row in rows][:2] == [
        (10.0, None, None, "snow"),
        (11.0, None, None, "snow"),
    ]


def test_facts_are_told_as_the_model_was_taught_them(release: Path, tmp_path: Path) -> None:
    generator = with_about(
        names={"label": ("forest",), "scene": ("clear", "FOG")}, gsd_of="detail", size=(8, 4)
    )
    draw(release, tmp_path, generator, style="plain")
    rows = read_rows(tmp_path)
    assert [row["gsd_m"] for row in rows] == [40.0, 44.0, None, 56.0]  # 16 pixels became 4
    assert {row["label"] for row in rows} == {None}
    assert [row["scene"] for row in rows][:2] == ["clear", "fog"]


def test_records_of_the_modality_that_is_drawn_are_taken(release: Path, tmp_path: Path) -> None:
    draw(release, tmp_path / "own", with_about(modality="nir"))
    assert {row["modality"] for row in read_rows(tmp_path / "own")} == {"nir"}
    draw(release, tmp_path / "asked", modality="nir")
    assert {row["modality"] for row in read_rows(tmp_path / "asked")} == {"nir"}


def test_pictures_of_the_same_ground_are_drawn_from(release: Path, tmp_path: Path) -> None:
    summary = draw(release, tmp_path, with_about(control_channels=1), control_modality="nir", style="mmm_rs")
    assert set(summary.refused) == {"rgb1", "rgb4"}
    assert summary.refused["rgb1"] == "no nir picture of the same ground"
    assert summary.refused["rgb4"].startswith("unreadable")
    rows = read_rows(tmp_path)
    assert [row["control"] for row in rows] == [{"record": f"nir{number}"} for number in (0, 2, 3)]
    tops = [int(np.asarray(Image.open(tmp_path / row["file_name"]))[0, 0, 0]) for row in rows]
    assert tops == [0, 20, 30]


def test_a_share_and_a_limit_choose_the_same_records(release: Path, tmp_path: Path) -> None:
    draw(release, tmp_path / "three", limit=3)
    whole = {row["key"] for row in read_rows(tmp_path / "three")}
    assert len(whole) == 3
    for number in range(2):
        draw(release, tmp_path / "parts", limit=3, share=(number, 2))
    assert {row["key"] for row in read_rows(tmp_path / "parts")} == whole


def test_a_release_without_such_captions_is_told(release: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no caption of style gaia; its styles are mmm_rs"):
        draw(release, tmp_path, style="gaia")
    with pytest.raises(UsageError):
        draw(release, tmp_path, split="test")
    with pytest.raises(UsageError):
        draw(tmp_path / "none", tmp_path)


def test_a_lora_is_told_the_distance_of_the_pixels_that_it_draws(release: Path, tmp_path: Path) -> None:
    """As `train.lora.prompts.read_facts` tells it: scaling up makes it smaller, too."""
    for side, gsd_m in ((4, 40.0), (32, 5.0)):  # the records have 16 pixels of 10 m
        draw(release, tmp_path / str(side), with_about(gsd_of="pixel", size=(side, side)), style="plain")
        assert read_rows(tmp_path / str(side))[0]["gsd_m"] == gsd_m
