"""Releases: WebDataset and Parquet, the dataset card, the report, and a look at what is there."""

from earthloom.export.card import write_card
from earthloom.export.config import ExportSettings
from earthloom.export.inspect import Description, describe, find_release
from earthloom.export.join import Segment, iter_pairs, join_segments, pair_schema
from earthloom.export.report import write_report
from earthloom.export.shards import ReleaseShard, TileShard, split_plan, write_release_shard
from earthloom.export.statistics import Statistics
from earthloom.export.tally import collect_statistics

EXPORT_VERSION = "3"
"""Raised when equal pairs and settings would give other files; makes finished shards of a release stale."""

__all__ = [
    "EXPORT_VERSION",
    "Description",
    "ExportSettings",
    "ReleaseShard",
    "Segment",
    "Statistics",
    "TileShard",
    "collect_statistics",
    "describe",
    "find_release",
    "iter_pairs",
    "join_segments",
    "pair_schema",
    "split_plan",
    "write_card",
    "write_release_shard",
    "write_report",
]
