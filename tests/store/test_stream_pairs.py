"""Pairs of samples that show one ground."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from stream_sets import draw_png, read_number, write_tar

from earthloom.core.errors import RecordError, UsageError
from earthloom.core.records import Reason
from earthloom.store.selection import Selection
from earthloom.store.stream.pairs import PairStream

Rows = list[tuple[str, str, str | None]]
"""Id, modality, pair id."""

ROWS: Rows = [
    *((f"rgb{n}", "rgb", f"place-{n}") for n in range(20)),
    *((f"nir{n}", "nir", f"place-{n}") for n in range(10, 30)),
    ("vv", "sar", "place-3"), ("vh", "sar", "place-3"), ("alone", "sar", None), ("none", "rgb", None),
]  # fmt: skip


def write_rows(folder: Path, rows: Rows, form: str, sides: dict[str, int] | None = None) -> Path:
    """A release in three shards."""
    for shard in range(3):
        some = [(number, *row) for number, row in enumerate(rows) if number % 3 == shard]
        facts = [
            {"id": name, "base_id": name, "modality": kind, "pair_id": pair} for _, name, kind, pair in some
        ]
        images = [draw_png(number, (sides or {}).get(name, 8)) for number, name, _, _ in some]
        if form == "tar":
            members: list[tuple[str, bytes]] = []
            for fact, image in zip(facts, images, strict=True):
                members += [(f"{fact['id']}.png", image), (f"{fact['id']}.json", json.dumps(fact).encode())]
            write_tar(folder / f"part-{shard}.tar", members)
        else:
            folder.mkdir(parents=True, exist_ok=True)
            table = pa.table({**{k: [fact[k] for fact in facts] for k in facts[0]}, "image": images})
            pq.write_table(table, folder / f"part-{shard}.parquet", row_group_size=4)
    return folder


def join(place: Path, second: str, **options: Any) -> PairStream:
    return PairStream(
        Selection(release=str(place)),
        Selection(release=str(place), modality=second),
        Path(),
        seed=0,
        **options,
    )


@pytest.mark.parametrize("form", ["tar", "parquet"])
@pytest.mark.parametrize("second", ["nir", "sar"])
def test_that_pairs_are_those_of_a_join(tmp_path: Path, form: str, second: str) -> None:
    table = pa.table({"id": [r[0] for r in ROWS], "kind": [r[1] for r in ROWS], "pair": [r[2] for r in ROWS]})
    where = f"a.pair = b.pair and a.kind = 'rgb' and b.kind = '{second}'"
    wanted = duckdb.sql(f'select a.id, b.id from "table" a, "table" b where {where}').fetchall()
    assert table.num_rows == len(ROWS)
    stream = join(write_rows(tmp_path, ROWS, form), second, shuffle=5)
    pairs = [stream.read(position) for position in range(stream.count())]
    assert sorted((a.key, b.key) for a, b in pairs) == sorted(wanted)
    numbers = {row[0]: number for number, row in enumerate(ROWS)}
    assert all(read_number(sample) == numbers[sample.key] for pair in pairs for sample in pair)


def test_that_the_order_is_shuffled_and_repeats(tmp_path: Path) -> None:
    place = write_rows(tmp_path, ROWS, "tar")
    stream, other = join(place, "nir"), join(place, "nir")
    n = stream.count()
    epochs = [[stream.read(epoch * n + i)[0].key for i in range(n)] for epoch in range(2)]
    assert sorted(epochs[0]) == sorted(epochs[1])
    assert epochs[0] != epochs[1]
    assert [other.read(position)[0].key for position in (n + 3, 2, 5)] == [
        epochs[1][3],
        epochs[0][2],
        epochs[0][5],
    ]
    assert stream.key(4) == epochs[0][4]
    assert [a.key for a, _ in stream.first(3)] == [a.key for a, _ in other.first(3)]
    assert stream.identity == other.identity != join(place, "sar").identity


def test_that_pairs_of_different_sizes_are_misaligned(tmp_path: Path) -> None:
    stream = join(write_rows(tmp_path, ROWS, "tar", {"nir12": 9}), "nir")
    errors = []
    for position in range(stream.count()):
        try:
            stream.read(position)
        except RecordError as error:
            errors.append((stream.key(position), error.reason))
    assert errors == [("rgb12", Reason.MISALIGNED)]


def test_that_no_pairs_are_an_error(tmp_path: Path) -> None:
    stream = join(write_rows(tmp_path, [row for row in ROWS if row[1] != "sar"], "tar"), "sar")
    with pytest.raises(UsageError, match="No two samples"):
        stream.read(0)
