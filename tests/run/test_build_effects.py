"""Recipes with `synthesize`: what a run writes, keeps and counts."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from pathlib import Path

import duckdb
import pytest

import earthloom
from earthloom.core.errors import RecipeError
from earthloom.export import describe
from earthloom.recipes import parse_recipe
from earthloom.run import plan
from earthloom.run.build import build
from earthloom.run.recipe import Recipe

RECIPE = """\
name: weather
sources:
  - {kind: atlas, name: here, scenes: 3, size: 256, gsd_m: 5, seed: 3}
  - {kind: atlas, name: there, scenes: 2, size: 256, gsd_m: 10, seed: 4}
tile: {size: 128}
synthesize:
  - {effect: fog, share: 0.5}
  - {effect: snow, count: 6, balance: [source], min_latitude_deg: 0}
curate: {seed: 3}
export: {shard_pairs: 20}
"""


def read(text: str = RECIPE, base: Path = Path()) -> Recipe:
    return parse_recipe(text, base=base)


def hash_release(work: Path) -> dict[str, str]:
    return {
        p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted((work / "release/data").iterdir())
    }


def load(work: Path) -> list[dict[str, object]]:
    table = duckdb.sql(f"select * exclude (image) from '{work}/release/data/*.parquet'")
    return [dict(zip(table.columns, row, strict=True)) for row in table.fetchall()]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, earthloom.Summary]:
    work = tmp_path_factory.mktemp("weather")
    return work, build(read(), work, workers=0)


def test_that_the_account_adds_up(built: tuple[Path, earthloom.Summary]) -> None:
    work, summary = built
    counts = json.loads((work / "run.json").read_text())["counts"]
    stage = counts["stages"]["synthesize"]
    assert stage["planned"] == stage["written"] + sum(stage["refused"].values()) + stage["failed"]
    assert stage["failed"] == 0
    assert stage["planned"] % 3 == 0  # RGB, near infrared and radar of each place
    assert stage["written"] > 0
    assert counts["out"] == counts["stages"]["tile"]["written"] + stage["written"] == summary.n_out


def test_that_variants_stay_in_the_split_of_their_base(built: tuple[Path, earthloom.Summary]) -> None:
    rows = {row["id"]: row for row in load(built[0])}
    variants = [row for row in rows.values() if row["effect"] is not None]
    assert {row["effect"]["name"] for row in variants} == {"fog", "snow"}  # type: ignore[index]
    for row in variants:
        base = rows[row["base_id"]]
        assert base["effect"] is None
        assert (row["split"], row["group"], row["scene_id"]) == (
            base["split"],
            base["group"],
            base["scene_id"],
        )
    splits = defaultdict(set)
    for row in rows.values():
        splits[row["group"]].add(row["split"])
    assert all(len(found) == 1 for found in splits.values())


def test_that_a_place_changes_in_all_its_modalities(built: tuple[Path, earthloom.Summary]) -> None:
    places = defaultdict(list)
    rows = {row["id"]: row for row in load(built[0])}
    for row in rows.values():
        if row["effect"] is not None:
            places[row["pair_id"]].append(row)
    for members in places.values():
        assert Counter(row["modality"] for row in members) == {"rgb": 1, "nir": 1, "sar": 1}
        assert len({row["effect"]["params"] for row in members}) == 1
        radar = next(row for row in members if row["modality"] == "sar")
        assert radar["sha256"] == rows[radar["base_id"]]["sha256"]
        assert not radar["effect"]["is_visible"]


def test_that_captions_name_the_scene(built: tuple[Path, earthloom.Summary]) -> None:
    for row in load(built[0]):
        texts = {caption["style"]: caption["text"] for caption in row["captions"]}  # type: ignore[union-attr]
        effect = row["effect"]
        if effect is not None and effect["is_visible"]:  # type: ignore[index]
            assert f", {effect['name']}, " in texts["mmm_rs"]  # type: ignore[index]
            assert f"{effect['severity']} simulated {effect['name']}" in texts["enriched"]  # type: ignore[index]
        else:
            assert "simulated" not in texts["enriched"]


def test_that_card_and_inspection_count_the_variants(built: tuple[Path, earthloom.Summary]) -> None:
    work, summary = built
    made = summary.stages["synthesize"].counts.written
    assert f"{made:,} pairs are variants under simulated weather" in (work / "release/README.md").read_text()
    counted = describe(work).to_json()["effects"]
    assert sum(entry["pairs"] for entry in counted) == made
    wanted = Counter(
        (row["effect"]["name"], row["effect"]["severity"])
        for row in load(work)
        if row["effect"] is not None  # type: ignore[index]
    )
    assert {(entry["name"], entry["severity"]): entry["pairs"] for entry in counted} == wanted


@pytest.mark.parametrize("workers", [1, 2])
def test_that_any_number_of_workers_gives_the_same_bytes(
    built: tuple[Path, earthloom.Summary], tmp_path: Path, workers: int
) -> None:
    build(read(), tmp_path, workers=workers)
    assert hash_release(tmp_path) == hash_release(built[0])


def test_that_places_may_lie_in_several_shards(
    built: tuple[Path, earthloom.Summary], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "TILES_A_SHARD", 3)  # RGB, infrared and radar of a scene lie 4 windows apart
    build(read(), tmp_path, workers=0)
    wanted = {row["id"]: row["sha256"] for row in load(built[0])}
    assert {row["id"]: row["sha256"] for row in load(tmp_path)} == wanted


def test_that_a_changed_effect_makes_nothing_before_it_stale(
    built: tuple[Path, earthloom.Summary], tmp_path: Path
) -> None:
    build(read(), tmp_path, workers=0)
    again = build(read(), tmp_path, workers=0)
    assert all(stage.n_reused == stage.n_shards for stage in again.stages.values())
    changed = build(read(RECIPE.replace("share: 0.5", "share: 0.5, severity: [heavy]")), tmp_path, workers=0)
    assert changed.stages["tile"].n_reused == changed.stages["tile"].n_shards
    assert changed.stages["synthesize"].n_reused < changed.stages["synthesize"].n_shards
    plain = build(read(RECIPE.replace("synthesize:", "# ").replace("  - {effect", "# ")), tmp_path, workers=0)
    assert "synthesize" not in plain.stages
    assert all(row["effect"] is None for row in load(tmp_path))
    assert not list((tmp_path / "03-synthesize").glob("*.parquet"))


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{effect: frog}", "synthesize[0]"),
        ("{effect: fog, share: 2}", "synthesize[0].share"),
        ("{effect: fog, share: 0.1, count: 3}", "exclude each other"),
        ("{effect: fog, severity: []}", "synthesize[0].severity"),
        ("{effect: haze, fields: nowhere}", "synthesize[0].fields"),
        ("{effect: haze, fields: .}", "synthesize[0].fields"),
    ],
)
def test_that_a_wrong_entry_is_refused_before_work(entry: str, said: str, tmp_path: Path) -> None:
    text = RECIPE.split("synthesize:", maxsplit=1)[0] + f"synthesize:\n  - {entry}\n"
    with pytest.raises(RecipeError) as caught:
        build(read(text, tmp_path), tmp_path / "work", base=tmp_path, workers=0)
    assert said in str(caught.value)
    assert not (tmp_path / "work").exists()
