"""Pairs as Parquet that Hugging Face `datasets`, GeoParquet readers and plain SQL all understand."""

from __future__ import annotations

import json
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from earthloom.store.shards import parquet_options

_GEOPARQUET_VERSION = "1.1.0"
_FEATURES = {"info": {"features": {"image": {"_type": "Image"}}}}
"""Tells Hugging Face `datasets` to decode the column; it derives the rest from the Arrow types."""


class ParquetSink:
    """Writes pairs to a Parquet file, a row group for every table."""

    def __init__(self, file: BinaryIO, schema: pa.Schema) -> None:
        self._schema = schema.with_metadata({"huggingface": json.dumps(_FEATURES)})
        self._writer = pq.ParquetWriter(file, self._schema, **parquet_options(schema))
        self._extent = _Extent()

    def write(self, pairs: pa.Table) -> None:
        """Append a row group."""
        self._writer.write_table(
            pairs.replace_schema_metadata(self._schema.metadata), row_group_size=pairs.num_rows
        )
        self._extent.add(pairs["footprint"])

    def close(self) -> None:
        """Write the footer."""
        self._writer.add_key_value_metadata({"geo": json.dumps(self._extent.to_geo(), sort_keys=True)})
        self._writer.close()


class _Extent:
    """What GeoParquet wants to know of the footprints, gathered while they go by."""

    def __init__(self) -> None:
        self._types: set[str] = set()
        self._bounds = np.full(4, np.nan)

    def add(self, footprints: pa.ChunkedArray) -> None:
        known = footprints.drop_null()
        if len(known) == 0:
            return
        shapes = shapely.from_wkb(known.to_numpy())
        self._types.update(shape.geom_type for shape in shapes)
        bounds = shapely.bounds(shapes)
        self._bounds[:2] = np.fmin(self._bounds[:2], bounds[:, :2].min(axis=0))
        self._bounds[2:] = np.fmax(self._bounds[2:], bounds[:, 2:].max(axis=0))

    def to_geo(self) -> dict[str, object]:
        """The `geo` value of GeoParquet 1.1.0; without `crs`, coordinates are OGC:CRS84 by its definition."""
        column: dict[str, object] = {"encoding": "WKB", "geometry_types": sorted(self._types)}
        if self._types:
            column["bbox"] = [float(v) for v in self._bounds]
        return {"version": _GEOPARQUET_VERSION, "primary_column": "footprint", "columns": {"footprint": column}}
