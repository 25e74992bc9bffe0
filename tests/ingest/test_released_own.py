"""A release of ours, read back as a source from its tars and its Parquet: nothing that was known is lost."""

from __future__ import annotations

import base64
import io
import json
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dataset_contents import Contents, origins_of, read_dataset

import earthloom
from earthloom.core.records import Reason, Scene
from earthloom.recipes import parse_recipe

FIRST = """\
name: first
sources:
  - {kind: atlas, name: land, scenes: 2, size: 160, gsd_m: 2.5, seed: 11}
tile: {size: 96, encoding: {rgb: png, nir: png}}
export: {formats: [webdataset, parquet], report: false}
"""
FACTS = (
    "modality", "platform", "sensor", "acquired", "lon", "lat", "footprint", "place", "country", "season", "licence",
    "terms", "credit", "dataset", "polarisation", "looks", "synthetic", "gsd_m", "pixel_m", "class_mask",
    "class_legend", "orbit", "cloud_share", "width", "height",
)  # fmt: skip
"""Columns that must be equal after a round."""


def rows_of(work: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for path in sorted((work / "release/data").glob("*.parquet")):
        rows += pq.read_table(path).to_pylist()
    return rows


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own")
    earthloom.build(parse_recipe(FIRST, base=folder), folder / "first", base=folder, workers=0)
    return folder


def by_bytes(rows: list[dict[str, Any]]) -> dict[bytes, dict[str, Any]]:
    """Rows by their pixels: ids are those of a run."""
    return {row["image"]["bytes"]: row for row in rows}


@pytest.mark.parametrize("kind", ["webdataset", "parquet"])
def test_a_round_keeps_pixels_captions_facts_and_pairs(release: Path, kind: str) -> None:
    suffix = {"webdataset": "tar", "parquet": "parquet"}[kind]
    text = f"""\
name: second
sources: [{{kind: {kind}, name: back, path: 'first/release/data/*.{suffix}'}}]
tile: {{size: 96, encoding: {{rgb: png, nir: png}}}}
export: {{formats: [parquet], report: false}}
"""
    work = release / f"second-{kind}"
    summary = earthloom.build(parse_recipe(text, base=release), work, base=release, workers=0)
    first, second = rows_of(release / "first"), rows_of(work)
    assert summary.n_out == len(first) == len(second) == 2 * 3 * 4
    before, after = by_bytes(first), by_bytes(second)
    assert before.keys() == after.keys()
    assert len(before) == len(first)
    for data, old in before.items():
        new = after[data]
        assert {name: new[name] for name in FACTS} == {name: old[name] for name in FACTS}
        assert new["published_split"] == old["split"]
        kept = [(c["text"], c["author"]) for c in new["captions"] if c["style"] == "source"]
        assert kept == list(dict.fromkeys((c["text"], c["author"]) for c in old["captions"]))
        covers = [
            {lab["name"]: lab["share"] for lab in row["labels"] if lab["kind"] == "cover"}
            for row in (old, new)
        ]
        assert covers[0] == covers[1]
        origins = {known["fact"]: known["origin"] for known in old["provenance"]}
        assert origins.items() <= {known["fact"]: known["origin"] for known in new["provenance"]}.items()
    for name in ("pair_id", "group"):
        assert partition(before, name) == partition(after, name)


def partition(rows: dict[bytes, dict[str, Any]], name: str) -> set[frozenset[bytes]]:
    """Which pictures belong together, whatever the name of what holds them together."""
    together: dict[str, set[bytes]] = {}
    for data, row in rows.items():
        together.setdefault(row[name], set()).add(data)
    return {frozenset(group) for group in together.values()}


def tar_members(release: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted((release / "first/release/data").glob("*.tar")):
        with tarfile.open(path) as tar:
            for info in tar:
                file = tar.extractfile(info)
                assert file is not None
                yield info.name, file.read()


def rewrite(release: Path, folder: Path, change: Any) -> Contents:
    """Write one sample of the release anew, its JSON changed, and read it."""
    members = dict(list(tar_members(release))[:3])
    (name,) = (name for name in members if name.endswith(".json"))
    facts = json.loads(members[name])
    change(facts, members)
    members[name] = json.dumps(facts).encode()
    with tarfile.open(folder / "one.tar", "w") as tar:
        for member, data in members.items():
            info = tarfile.TarInfo(member)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return read_dataset("webdataset", folder / "one.tar")


def change_pixels(facts: dict[str, Any], members: dict[str, bytes]) -> None:
    (name,) = (name for name in members if name.endswith(".png"))
    members[name] = members[name] + b"\0"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (change_pixels, Reason.UNREADABLE),
        (lambda facts, _: facts.update(lon="east"), Reason.BAD_FACTS),
        (lambda facts, _: facts.update(footprint={"type": "Nothing"}), Reason.BAD_FACTS),
        (lambda facts, _: facts.update(class_mask="%%%"), Reason.BAD_FACTS),
        (lambda facts, _: facts.update(captions=["a text"]), Reason.BAD_FACTS),
        (lambda facts, _: facts.update(modality="thermal"), Reason.BAD_FACTS),
    ],
)
def test_rows_that_were_tampered_with_are_refused(
    release: Path, tmp_path: Path, change: Any, reason: Reason
) -> None:
    found = rewrite(release, tmp_path, change)
    assert found.scenes == {}
    assert list(found.refused.values()) == [reason]


def alone(found: Contents) -> Scene:
    assert found.refused == {}
    (scene,) = found.alone().values()
    return scene


def test_columns_of_an_older_release_are_unknown(release: Path, tmp_path: Path) -> None:
    scene = alone(
        rewrite(release, tmp_path, lambda facts, _: [facts.pop(name) for name in ("orbit", "season")])
    )
    assert (scene.orbit, scene.season) == (None, None)
    assert scene.credit == "earthloom atlas, synthetic landscapes"


def test_an_earlier_publishers_split_goes_before_ours(release: Path, tmp_path: Path) -> None:
    scene = alone(rewrite(release, tmp_path, lambda facts, _: facts.update(published_split="holdout")))
    assert scene.published_split == "holdout"


def test_enlarged_pictures_have_no_distance_that_is_both(release: Path, tmp_path: Path) -> None:
    scene = alone(rewrite(release, tmp_path, lambda facts, _: facts.update(gsd_m=10.0, pixel_m=1.25)))
    assert (scene.gsd_x_m, scene.gsd_y_m) == (None, None)
    scene = alone(rewrite(release, tmp_path, lambda facts, _: facts.update(gsd_m=10.0, pixel_m=10.0)))
    assert (scene.gsd_x_m, origins_of(scene)["gsd_x_m"]) == (10.0, "synthetic")


def test_painted_weather_and_validity_come_along(release: Path, tmp_path: Path) -> None:
    def change(facts: dict[str, Any], members: dict[str, bytes]) -> None:
        (name,) = (name for name in members if name.endswith(".png"))
        facts["effect"] = {"name": "fog", "params": "{}", "seed": 1}
        facts["valid_mask"] = base64.b64encode(members[name]).decode()

    scene = alone(rewrite(release, tmp_path, change))
    weather = [(label.name, label.origin) for label in scene.labels if label.kind == "weather"]
    assert weather == [("fog", "synthetic")]
    assert scene.alpha is not None
    assert Path(scene.alpha.uri).read_bytes().startswith(b"\x89PNG")


def test_a_parquet_of_ours_with_a_wrong_type_is_refused(release: Path, tmp_path: Path) -> None:
    source = sorted((release / "first/release/data").glob("*.parquet"))[0]
    table = pq.read_table(source).slice(0, 2)
    place = table.schema.get_field_index("lon")
    pq.write_table(table.set_column(place, "lon", pa.array(["x", "y"])), tmp_path / "x.parquet")
    found = read_dataset("parquet", tmp_path / "x.parquet")
    assert set(found.refused.values()) == {Reason.BAD_FACTS}
    assert len(found.refused) == 2
    shutil.rmtree(tmp_path / "released", ignore_errors=True)
