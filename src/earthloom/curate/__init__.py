"""Quality, duplicates, balance and splits: table in, table out; no image is opened here."""

from earthloom.curate.config import SPLITS, CurateSettings
from earthloom.curate.split import assign_split

CURATE_VERSION = "1"
"""Raised when equal input and settings would give other verdicts; makes finished verdicts stale."""

__all__ = ["CURATE_VERSION", "SPLITS", "CurateSettings", "assign_split"]
