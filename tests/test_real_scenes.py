"""`examples/scenes.yaml` over real tiles: every effect holds what it promises, found again in the release alone."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from PIL import Image

from earthloom.core.light import to_light
from earthloom.evaluate.scenes import evaluate_scenes
from earthloom.evaluate.scenes.config import SceneSettings
from earthloom.recipes import load_recipe
from earthloom.run.build import build
from earthloom.run.recipe import Recipe
from earthloom.run.summary import Summary

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")

Row = dict[str, Any]


@pytest.fixture(scope="module")
def recipe(real_data: Path, repository: Path) -> Recipe:
    """The example, its paths turned to where the imagery lies."""
    loaded = load_recipe(repository / "examples" / "scenes.yaml")
    plain = loaded.model_dump(mode="json", by_alias=True, exclude_unset=True)
    turned = json.loads(json.dumps(plain).replace("../../shared/data", str(real_data)))
    return Recipe.model_validate(turned)


@pytest.fixture(scope="module")
def built(recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Summary]:
    work = tmp_path_factory.mktemp("scenes")
    return work, build(recipe, work, workers=2)


@pytest.fixture(scope="module")
def rows(built: tuple[Path, Summary]) -> dict[str, Row]:
    table = duckdb.sql(f"select * from '{built[0]}/release/data/*.parquet'")
    found = [dict(zip(table.columns, row, strict=True)) for row in table.fetchall()]
    return {row["id"]: row for row in found}


def find_variants(rows: dict[str, Row], effect: str) -> dict[str, dict[str, Row]]:
    """Places under an effect: `pair_id` to modality to row."""
    places: dict[str, dict[str, Row]] = {}
    for row in rows.values():
        if row["effect"] is not None and row["effect"]["name"] == effect:
            places.setdefault(row["pair_id"], {})[row["modality"]] = row
    return places


def read_light(row: Row) -> np.ndarray:
    """Linear light of a picture as Pillow decodes it, by the rule of docs/decisions/0017."""
    picture = np.asarray(Image.open(io.BytesIO(row["image"]["bytes"])))
    return to_light(picture) if row["quantity"] == "display" else picture / np.float32(255)


def test_that_every_effect_is_there_and_nothing_failed(
    recipe: Recipe, built: tuple[Path, Summary], rows: dict[str, Row]
) -> None:
    _, summary = built
    assert summary.n_failed == 0
    assert set(summary.stages["synthesize"].counts.refused) <= {"no_effect"}
    for entry in recipe.synthesize:
        assert len(find_variants(rows, entry.effect)) >= 5
    assert {row["split"] for row in rows.values()} == {"train", "val", "test"}
    for row in rows.values():
        assert row["split"] == rows[row["base_id"]]["split"]


def test_that_every_gate_is_passed(built: tuple[Path, Summary], tmp_path: Path) -> None:
    report = evaluate_scenes(SceneSettings(release=str(built[0])), tmp_path, base=Path())
    for effect in report.effects:
        failed = {gate.name: gate.measured for gate in effect.gates if gate.passed is False}
        assert failed == {}, effect.effect
        assert any(gate.passed for gate in effect.gates)


def test_that_radar_is_untouched(rows: dict[str, Row]) -> None:
    radar = [row for row in rows.values() if row["modality"] == "sar" and row["effect"] is not None]
    assert radar
    for row in radar:
        base = rows[row["base_id"]]
        assert row["image"]["bytes"] == base["image"]["bytes"]
        assert not row["effect"]["is_visible"]
        assert all("simulated" not in caption["text"] for caption in row["captions"])


def test_that_rgb_and_near_infrared_of_naip_lie_under_one_fog(rows: dict[str, Row]) -> None:
    """Depth by neighbours' differences in green and infrared, brought to one wavelength by the law on record."""
    ratios = []
    for members in find_variants(rows, "fog").values():
        if "nir" not in members or members["nir"]["source"] != "naip":
            continue
        depths = []
        for modality, channel, wavelength_um in (("rgb", 1, 0.5625), ("nir", 0, 0.865)):
            row = members[modality]
            pictures = [read_light(one) for one in (rows[row["base_id"]], row)]
            planes = [p[:, :, channel] if p.ndim == 3 else p for p in pictures]
            before, after = (np.diff(plane.astype(float), axis=1).ravel() for plane in planes)
            exponent = json.loads(row["effect"]["params"])["angstrom"]
            depth = -math.log((before * after).sum() / (before * before).sum())
            depths.append(depth * (wavelength_um / 0.55) ** exponent)
        ratios.append(depths[1] / depths[0])
    assert ratios
    assert abs(np.median(ratios) - 1) < 0.1
