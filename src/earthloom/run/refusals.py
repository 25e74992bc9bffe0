"""What a run refused, gathered from all stages into one table of the release."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from earthloom.core.records import Refused
from earthloom.store.atomic import open_atomic
from earthloom.store.layout import RELEASE_REFUSED, STAGES, WorkFolder
from earthloom.store.tables import iter_row_groups, schema_of


def write_refused(folder: WorkFolder) -> Path:
    """Write `release/refused.parquet`: every refusal with its stage, in the order of stages and shards."""
    path = folder.release / RELEASE_REFUSED
    schema = schema_of(Refused).insert(0, pa.field("stage", pa.string(), nullable=False))
    with open_atomic(path) as file, pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for stage in STAGES:
            for shard in sorted(folder.stage(stage).glob("*.refused.parquet")):
                for table in iter_row_groups(shard):
                    stages = pa.array([stage] * table.num_rows, pa.string())
                    writer.write_table(table.add_column(0, schema.field(0), stages).cast(schema))
    return path
