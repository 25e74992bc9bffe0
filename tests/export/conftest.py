"""A small release that several tests look at, written once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from release_inputs import Inputs, make_inputs, write_release

from earthloom.core.records import Modality


@dataclass(frozen=True)
class Small:
    """A release in both forms, and the records that it was made from."""

    folder: Path
    inputs: tuple[Inputs, ...]


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    """Twelve groups in RGB, NIR and SAR, four tiles a scene, from two tile shards; shards of 10 pairs."""
    root = tmp_path_factory.mktemp("small")
    inputs = (make_inputs(6, 4, tuple(Modality)), make_inputs(6, 4, tuple(Modality), first=6))
    return Small(folder=write_release(root, *inputs, shard_pairs=10), inputs=inputs)
