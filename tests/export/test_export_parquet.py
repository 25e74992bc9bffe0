"""The Parquet form through the programs that people load it with: datasets, DuckDB, shapely."""

from __future__ import annotations

import dataclasses
import io
import json
from pathlib import Path

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest
import shapely
from conftest import Small
from PIL import Image
from release_inputs import expected_pairs, make_inputs, write_release

from earthloom.core.records import Effect, Modality, Pair
from earthloom.export import pair_schema, write_card
from earthloom.store.tables import read_records

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def list_parquet(release: Path, pattern: str = "*") -> list[Path]:
    return sorted((release / "data").glob(f"{pattern}.parquet"))


def test_duckdb_counts_what_was_given(small: Small) -> None:
    query = f"""
        SELECT split, modality, count(*), sum(len(captions)), count(DISTINCT id), min(gsd_m), max(gsd_m)
        FROM '{small.folder}/data/*.parquet' GROUP BY ALL ORDER BY ALL
    """
    got = duckdb.sql(query).fetchall()
    wanted = {}
    for scene, tile, captioned, verdict in expected_pairs(*small.inputs).values():
        wanted.setdefault((verdict.split, scene.modality.value), []).append((tile, captioned))
    assert got == [
        (
            *kind,
            len(rows),
            sum(len(captioned.captions) for _, captioned in rows),
            len({tile.id for tile, _ in rows}),
            min(tile.gsd_m for tile, _ in rows),
            max(tile.gsd_m for tile, _ in rows),
        )
        for kind, rows in sorted(wanted.items())
    ]


def test_duckdb_reads_pixels_and_nested_columns(small: Small) -> None:
    rows = duckdb.sql(
        f"SELECT id, image.bytes, captions[2].text, [x.name FOR x IN labels], sha256 "
        f"FROM '{small.folder}/data/val-*.parquet'"
    ).fetchall()
    pairs = expected_pairs(*small.inputs)
    assert len(rows) == 48
    for key, image, text, labels, digest in rows:
        _, tile, captioned, _ = pairs[key]
        assert bytes(image) == tile.image
        assert digest == tile.sha256
        assert text == captioned.captions[1].text
        assert labels == [label.name for label in tile.labels]


def test_rows_read_back_as_the_records(small: Small) -> None:
    pairs = expected_pairs(*small.inputs)
    read = [pair for path in list_parquet(small.folder) for pair in read_records(path, Pair)]
    assert len(read) == len(pairs) == 144
    for pair in read:
        scene, tile, captioned, _ = pairs[pair.id]
        assert (pair.captions, pair.labels, pair.crop) == (captioned.captions, tile.labels, tile.crop)
        assert (pair.provenance, pair.place, pair.acquired) == (scene.provenance, scene.place, scene.acquired)
        assert (pair.valid_mask, pair.class_mask, pair.stretch) == (
            tile.valid_mask,
            tile.class_mask,
            tile.stretch,
        )


def test_geoparquet_footprints_equal_those_of_the_tiles(small: Small) -> None:
    pairs = expected_pairs(*small.inputs)
    for path in list_parquet(small.folder):
        table = pq.read_table(path, columns=["id", "footprint"])
        shapes = shapely.from_wkb(table["footprint"].to_numpy())
        wanted = shapely.from_wkb([pairs[key][1].footprint for key in table["id"].to_pylist()])
        assert shapely.equals_exact(shapes, wanted).all()


def test_geoparquet_metadata_is_found_by_arrow_and_by_parquet_readers(small: Small) -> None:
    path = list_parquet(small.folder)[0]
    for metadata in (pq.read_schema(path).metadata, pq.read_metadata(path).metadata):
        geo = json.loads(metadata[b"geo"])
        assert (geo["version"], geo["primary_column"]) == ("1.1.0", "footprint")
        assert geo["columns"] == {
            "footprint": {"encoding": "WKB", "geometry_types": ["Polygon", "MultiPolygon"]}
        }


def test_duckdb_knows_footprints_as_geometries(small: Small) -> None:
    path = list_parquet(small.folder)[0]
    ((kind, wkb, key),) = duckdb.sql(
        f"SELECT typeof(footprint), footprint, id FROM '{path}' LIMIT 1"
    ).fetchall()
    assert kind in {"GEOMETRY('OGC:CRS84')", "GEOMETRY", "BLOB"}
    assert bytes(wkb) == expected_pairs(*small.inputs)[key][1].footprint


def test_footprints_may_be_missing_or_cross_the_antimeridian(tmp_path: Path) -> None:
    inputs = make_inputs(1, 2, (Modality.RGB,))
    both = shapely.MultiPolygon([shapely.box(179, 0, 180, 1), shapely.box(-180, 0, -179, 1)])
    shapes = [None, shapely.to_wkb(both)]
    inputs.tiles = [dataclasses.replace(t, footprint=s) for t, s in zip(inputs.tiles, shapes, strict=True)]
    (path,) = list_parquet(write_release(tmp_path, inputs))
    first, second = pq.read_table(path)["footprint"].to_pylist()
    assert first is None
    assert shapely.from_wkb(second).equals(both)


def test_columns_and_compression(small: Small) -> None:
    path = list_parquet(small.folder)[0]
    assert pq.read_schema(path).remove_metadata() == pair_schema()
    group = pq.read_metadata(path).row_group(0)
    columns = [group.column(i) for i in range(group.num_columns)]
    compression = {column.path_in_schema: column.compression for column in columns}
    pixels = {"image.bytes", "image.path", "valid_mask", "class_mask"}
    assert {name for name, kind in compression.items() if kind == "UNCOMPRESSED"} == pixels
    assert {kind for name, kind in compression.items() if name not in pixels} == {"ZSTD"}


def test_datasets_loads_every_split_with_decoded_images(small: Small, tmp_path: Path) -> None:
    from datasets import Image as ImageFeature
    from datasets import load_dataset

    write_card(small.folder, "small")
    pairs = expected_pairs(*small.inputs)
    loaded = load_dataset(str(small.folder), cache_dir=str(tmp_path))
    assert {name: rows.num_rows for name, rows in loaded.items()} == {
        "train": 48,
        "validation": 48,
        "test": 48,
    }
    assert isinstance(loaded["train"].features["image"], ImageFeature)
    for row in loaded["test"]:
        _, tile, captioned, _ = pairs[row["id"]]
        wanted = np.asarray(Image.open(io.BytesIO(tile.image)))
        assert np.array_equal(np.asarray(row["image"]), wanted)
        assert [c["text"] for c in row["captions"]] == [c.text for c in captioned.captions]
        assert row["footprint"] == tile.footprint
        assert row["effect"] is None


def test_datasets_loads_one_modality(small: Small, tmp_path: Path) -> None:
    from datasets import load_dataset

    write_card(small.folder, "small")
    rows = load_dataset(str(small.folder), "sar", split="train", cache_dir=str(tmp_path))
    assert rows.num_rows == 16
    assert set(rows["modality"]) == {"sar"}


def test_datasets_joins_files_where_a_column_is_null_in_one(tmp_path: Path) -> None:
    from datasets import load_dataset

    inputs = make_inputs(2, 3, (Modality.RGB,), ("train",))
    effect = Effect(name="fog", severity="light", is_visible=True, params='{"beta": 1.0}', seed=3)
    inputs.tiles[3:] = [dataclasses.replace(tile, effect=effect) for tile in inputs.tiles[3:]]
    inputs.tiles[:3] = [dataclasses.replace(tile, labels=(), lon=None) for tile in inputs.tiles[:3]]
    release = write_release(tmp_path, inputs, shard_pairs=3)
    write_card(release, "nulls")
    rows = load_dataset(str(release), split="train", cache_dir=str(tmp_path / "cache"))
    assert [row["effect"] and row["effect"]["name"] for row in rows] == [None] * 3 + ["fog"] * 3
