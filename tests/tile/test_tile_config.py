from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from earthloom.core.records import Modality
from earthloom.tile.config import Percentile, Radiometry, Range, TileOverrides, TileSettings


@pytest.mark.parametrize(
    "fields",
    [
        {"gsd_m": ("native", "native")},
        {"gsd_m": (10, 10.0)},
        {"gsd_m": ()},
        {"gsd_m": (0,)},
        {"gsd_m": ("coarse",)},
        {"size": 8},
        {"edges": "mirror"},
        {"min_valid": 1.5},
        {"sizes": 512},
        {"radiometry": {"rgb": {"percentile": (98, 2)}}},
        {"radiometry": {"sar": {"range": (0, -25)}}},
    ],
)
def test_what_cannot_be_meant_is_a_fault(fields):
    with pytest.raises(ValidationError):
        TileSettings(**fields)


def test_rules_are_read_from_plain_values():
    rules = TypeAdapter(Radiometry).validate_python(
        {"rgb": {"percentile": [1, 99], "joint": True}, "nir": "none", "sar": {"range": [[-20, 0]]}}
    )
    assert rules.of(Modality.RGB) == Percentile(percentile=(1, 99), joint=True)
    assert rules.of(Modality.NIR) == "none"
    assert rules.of(Modality.SAR).pairs() == ((-20, 0),)
    assert Range(range=(1, 2)).pairs() == ((1, 2),)


def test_a_source_overrides_only_what_it_sets():
    base = TileSettings(size=256, gsd_m=("native", 10.0), edges="drop")
    assert TileOverrides().apply(base) == base
    changed = TileOverrides(gsd_m=(20.0,), min_valid=0).apply(base)
    assert (changed.gsd_m, changed.min_valid) == ((20.0,), 0)
    assert (changed.size, changed.edges) == (256, "drop")
    assert changed.digest() != base.digest()
