"""Releases."""
from earthloom.export.config import ExportSettings
from earthloom.export.join import Segment, iter_pairs, join_segments, pair_schema
from earthloom.export.shards import ReleaseShard, TileShard, split_plan, write_release_shard
EXPORT_VERSION = "1"
