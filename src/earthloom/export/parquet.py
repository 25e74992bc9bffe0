"""Pairs as Parquet that Hugging Face `datasets`, GeoParquet readers and plain SQL all understand."""

from __future__ import annotations

import contextlib
import json
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from earthloom.store.shards import parquet_options

_FEATURES = {"info": {"features": {"image": {"_type": "Image"}}}}
"""Tells Hugging Face `datasets` to decode the column; it derives the rest from the Arrow types."""

_GEO = {
    "version": "1.1.0",
    "primary_column": "footprint",
    "columns": {"footprint": {"encoding": "WKB", "geometry_types": ["Polygon", "MultiPolygon"]}},
}
"""GeoParquet 1.1.0, https://geoparquet.org; without `crs`, coordinates are OGC:CRS84 by its definition."""


class ParquetSink:
    """Writes pairs to a Parquet file, a row group for every table."""

    def __init__(self, file: BinaryIO, schema: pa.Schema) -> None:
        self._metadata = {"huggingface": json.dumps(_FEATURES), "geo": json.dumps(_GEO)}
        self._writer = pq.ParquetWriter(file, schema.with_metadata(self._metadata), **parquet_options(schema))

    def write(self, pairs: pa.Table) -> None:
        """Append a row group."""
        self._writer.write_table(pairs.replace_schema_metadata(self._metadata), row_group_size=pairs.num_rows)

    def close(self) -> None:
        """Write the footer."""
        self._writer.close()

    def abandon(self) -> None:
        """Let go of the file without a usable footer."""
        with contextlib.suppress(OSError, ValueError, pa.ArrowException):
            self._writer.close()
