"""All nine datasets of MMM-RS in one run, in both modes, from miniatures in their real layouts."""

from __future__ import annotations

import importlib
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import earthloom
from earthloom.core.records import Label, Scene
from earthloom.geo.levels import find_level
from earthloom.run.compat import RULES
from earthloom.run.summary import Summary
from earthloom.store.layout import WorkFolder
from earthloom.store.tables import from_rows

FACTS = [
    "source",
    "modality",
    "base_id",
    "id",
    "pair_id",
    "gsd_m",
    "captions",
    "labels",
    "scene_id",
    "crop",
    "acquired",
    "country",
    "published_split",
    "class_mask",
    "resampling",
    "split",
    "group",
]
Built = tuple[Summary, list[dict[str, Any]], list[Scene]]
"""What a build said, its pairs without their pixels, and its scenes."""

PER_SCENE = {"inria": 8, "gid": 210, "whu_opt_sar": 70}
"""Images that MMM-RS makes of a scene, where it is the same for all."""


@pytest.fixture(scope="module")
def downloads(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    """A folder with the example recipe and a miniature of each dataset where it says."""
    folder = tmp_path_factory.mktemp("mmm-rs")
    (folder / "compat.yaml").write_text((repository / "examples/mmm_rs.yaml").read_text())
    text = (folder / "compat.yaml").read_text()
    (folder / "faithful.yaml").write_text(text.replace("mode: compat", "mode: faithful"))
    for kind in RULES:
        (folder / "downloads" / kind).mkdir(parents=True)
        importlib.import_module(f"fakes.{kind}").write(folder / "downloads" / kind)
    return folder


def build(downloads: Path, mode: str) -> Built:
    recipe = earthloom.load_recipe(downloads / f"{mode}.yaml")
    summary = earthloom.build(recipe, downloads / f"{mode}-work", base=downloads, workers=2)
    pairs = [
        row
        for path in sorted((summary.release / "data").glob("*.parquet"))
        for row in pq.read_table(path, columns=FACTS).to_pylist()
    ]
    folder = WorkFolder(downloads / f"{mode}-work").stage("ingest")
    tables = [path for path in sorted(folder.glob("*.parquet")) if path.name.count(".") == 1]
    return summary, pairs, [s for path in tables for s in from_rows(pq.read_table(path).to_pylist(), Scene)]


@pytest.fixture(scope="module")
def compat(downloads: Path) -> Built:
    return build(downloads, "compat")


@pytest.fixture(scope="module")
def faithful(downloads: Path) -> Built:
    return build(downloads, "faithful")


def expected_of(scene: Scene) -> int:
    """What MMM-RS's scripts make of one image, told from its size."""
    if scene.source == "fmow":
        return 3 if scene.width > 512 and scene.height > 512 else 1
    return PER_SCENE.get(scene.source, 1)


def test_compat_counts_are_those_of_mmm_rs(compat: Built) -> None:
    summary, pairs, scenes = compat
    assert {scene.source for scene in scenes} == set(RULES)
    wanted: Counter[str] = Counter()
    for scene in scenes:
        wanted[scene.source] += expected_of(scene)
    assert summary.stages["tile"].counts.planned == wanted.total()
    refused = sum(summary.stages["tile"].counts.refused.values())
    assert len(pairs) == wanted.total() - refused
    missing = wanted - Counter(pair["source"] for pair in pairs)
    assert dict(missing) == {"whu_opt_sar": 4}, (
        "the hole that one of its scenes has shows nothing in four windows"
    )
    assert summary.n_failed == 0


def test_compat_prompts_have_the_form_of_mmm_rs(
    compat: Built,
) -> None:
    _, pairs, _ = compat
    for pair in pairs:
        (prompt,) = pair["captions"]
        assert prompt["style"] == "mmm_rs"
        if pair["gsd_m"] is not None:
            assert prompt["text"].startswith(f"{find_level(pair['gsd_m']).value}, ")
    words = {pair["source"]: pair["captions"][0]["text"].rpartition(", ")[2] for pair in pairs}
    assert (words["nasc_tg2"], words["gid"]) == ("TG2", "GF2")
    assert {p["captions"][0]["text"].rpartition(", ")[2] for p in pairs if p["source"] == "sen1_2"} == {
        "Sentinel-1",
        "Sentinel-2",
    }


def test_inria_variants_are_linked_and_their_levels_are_true(
    compat: Built,
) -> None:
    _, pairs, _ = compat
    scenes = defaultdict(list)
    for pair in pairs:
        if pair["source"] == "inria":
            scenes[pair["scene_id"]].append(pair)
    for tiles in scenes.values():
        bases = Counter(tile["base_id"] for tile in tiles)
        base, n = bases.most_common(1)[0]
        assert (n, len(bases)) == (4, 5)
        linked = sorted(tile["gsd_m"] for tile in tiles if tile["base_id"] == base)
        assert linked == pytest.approx([0.3, 0.6, 1.2, 2.4], rel=0.01)
        levels = {tile["captions"][0]["text"].split(",")[0] for tile in tiles if tile["base_id"] == base}
        assert levels == {
            "Ultra-high precision resolution",
            "High precision resolution",
            "Ordinary precision resolution",
        }


def test_what_mmm_rs_super_resolves_is_enlarged_and_says_so(
    compat: Built,
) -> None:
    _, pairs, _ = compat
    for source, gsd_m in (("sen1_2", 10.0), ("nasc_tg2", 100.0), ("mrssc2", 100.0)):
        tiles = [pair for pair in pairs if pair["source"] == source]
        assert {tile["resampling"] for tile in tiles} == {"cubic"}
        assert {tile["gsd_m"] for tile in tiles} == {gsd_m}


def test_modalities_of_one_place_pair_up_in_both_modes(
    compat: Built,
    faithful: Built,
) -> None:
    for _, pairs, _ in (compat, faithful):
        views = defaultdict(set)
        splits = defaultdict(set)
        for pair in pairs:
            views[pair["source"], pair["pair_id"]].add(pair["modality"])
            splits[pair["group"]].add(pair["split"])
        assert any(seen == {"rgb", "sar"} for (source, _), seen in views.items() if source == "sen1_2")
        assert any(
            seen == {"rgb", "nir", "sar"} for (source, _), seen in views.items() if source == "whu_opt_sar"
        )
        assert all(len(split) == 1 for split in splits.values())


def test_faithful_uses_scenes_whole_and_keeps_all_facts(
    compat: Built,
    faithful: Built,
) -> None:
    summary, pairs, scenes = faithful
    assert summary.n_failed == 0
    assert [scene.id for scene in scenes] == [scene.id for scene in compat[2]]
    n = Counter(pair["source"] for pair in pairs)
    few = Counter(pair["source"] for pair in compat[1])
    assert n["inria"] == 100 * few["inria"] // 8
    assert n["whu_opt_sar"] > few["whu_opt_sar"]
    assert all(len(pair["captions"]) > 5 for pair in pairs)
    boxes = {pair["source"] for pair in pairs for label in pair["labels"] if label["box"]}
    assert boxes >= {"hrsc2016", "hrrsd", "fmow"}
    covers = {pair["source"] for pair in pairs for label in pair["labels"] if label["kind"] == "cover"}
    assert covers >= {"inria", "gid", "whu_opt_sar"}


def test_boxes_and_facts_of_every_tile_are_those_of_its_scene(compat: Built, faithful: Built) -> None:
    """Scenes are compared with what the generators wrote in tests/ingest; here, tiles with their scenes."""
    for _, pairs, scenes in (compat, faithful):
        by_id = {scene.id: scene for scene in scenes}
        seen: Counter[str] = Counter()
        for pair in pairs:
            scene, crop = by_id[pair["scene_id"]], pair["crop"]
            said = (pair["acquired"], pair["country"], pair["published_split"])
            assert said == (scene.acquired, scene.country, scene.published_split)
            assert (pair["class_mask"] is None) == (scene.mask is None)
            for label in pair["labels"]:
                if label["box"] is not None:
                    seen[pair["source"]] += 1
                    assert any(
                        known.name == label["name"]
                        and shift(known, crop) == pytest.approx(label["box"], abs=1e-6)
                        for known in scene.labels
                    )
                if label["kind"] == "class":
                    assert label["name"] in {known.name for known in scene.labels}
        assert set(seen) == {"hrsc2016", "hrrsd", "fmow"}


def shift(label: Label, crop: dict[str, float]) -> dict[str, float] | None:
    """A box of a scene in pixels of a tile of 512, cut at its edges."""
    if label.box is None:
        return None
    x, y = 512 / crop["width"], 512 / crop["height"]
    moved = {
        "x0": (label.box.x0 - crop["col"]) * x,
        "y0": (label.box.y0 - crop["row"]) * y,
        "x1": (label.box.x1 - crop["col"]) * x,
        "y1": (label.box.y1 - crop["row"]) * y,
    }
    return {name: min(max(value, 0.0), 512.0) for name, value in moved.items()}
