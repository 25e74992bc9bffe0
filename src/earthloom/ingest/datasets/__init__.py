"""Published datasets in the layouts that people download: each module states the facts of one format."""

from __future__ import annotations

from earthloom.ingest.datasets.adapter import Adapter, DatasetSettings, Strays, list_dataset

__all__ = ["Adapter", "DatasetSettings", "Strays", "list_dataset"]
