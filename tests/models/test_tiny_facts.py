"""Facts as numbers: unknown is not zero, and what lies near is near."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from earthloom.models.tiny.conditions import FactEncoder, drop_facts
from earthloom.models.tiny.facts import FACTS, MEASURE_SIZES, Facts, encode_facts, find_month


def vector(encoder: FactEncoder, facts: Facts) -> torch.Tensor:
    encoded = encode_facts(facts)
    with torch.no_grad():
        return encoder(
            *(torch.from_numpy(array)[None] for array in (encoded.names, encoded.measures, encoded.known))
        )[0]


@pytest.fixture
def encoder() -> FactEncoder:
    torch.manual_seed(0)
    return FactEncoder(64)


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        (Facts(modality="rgb"), "modality"),
        (Facts(scene="clear"), "scene"),
        (Facts(label="forest"), "label"),
        (Facts(gsd_m=1.0), "gsd"),
        (Facts(lon=0.0, lat=0.0), "place"),
        (Facts(date="2020-06"), "month"),
        (Facts(cloud_share=0.5), "cloud_share"),
    ],
)
def test_each_fact_is_known_by_itself_and_told(encoder: FactEncoder, facts: Facts, name: str) -> None:
    encoded = encode_facts(facts)
    assert [fact for fact, known in zip(FACTS, encoded.known, strict=True) if known] == [name]
    assert encoded.measures.shape == (sum(MEASURE_SIZES),)
    assert (vector(encoder, facts) - vector(encoder, Facts())).abs().max() > 0.01


def test_unknown_is_not_zero(encoder: FactEncoder) -> None:
    """A half-clouded sky is told by the number 0, and so is nothing: only `known` differs."""
    half, unknown = encode_facts(Facts(cloud_share=0.5)), encode_facts(Facts())
    assert np.array_equal(half.measures, unknown.measures)
    assert (vector(encoder, Facts(cloud_share=0.5)) - vector(encoder, Facts())).abs().max() > 0.01


def test_names_are_one_however_they_are_written_and_belong_to_their_fact() -> None:
    def rows(**facts: str) -> list[tuple[int, ...]]:
        return [tuple(row) for row in encode_facts(Facts(**facts)).names]

    assert rows(label="Sea_Lake") == rows(label="sea lake")
    assert rows(label="clear")[2] != rows(scene="clear")[1]


def test_no_jump_at_the_date_line_and_at_new_year() -> None:
    def distance(first: Facts, second: Facts) -> float:
        return float(np.linalg.norm(encode_facts(first).measures - encode_facts(second).measures))

    assert distance(Facts(lon=-180.0, lat=10.0), Facts(lon=179.9, lat=10.0)) < 0.01
    assert distance(Facts(lon=-180.0, lat=10.0), Facts(lon=0.0, lat=10.0)) > 1
    winter = distance(Facts(date="2019-12-31"), Facts(date="2020-01-01"))
    assert winter == pytest.approx(distance(Facts(date="2020-06"), Facts(date="2020-07")))
    assert winter < 0.6 * distance(Facts(date="2020-01"), Facts(date="2020-07"))


@pytest.mark.parametrize(
    ("date", "month"),
    [("2019", None), (None, None), ("2019-09", 9), ("2019-12-04T17:01:02Z", 12), ("2019-13", None), ("soon", None)],
)  # fmt: skip
def test_month_of_dates(date: str | None, month: int | None) -> None:
    assert find_month(date) == month


@given(
    gsd_m=st.floats(1e-3, 1e5),
    lon=st.floats(-180, 180),
    lat=st.floats(-90, 90),
    cloud_share=st.floats(0, 1),
)
def test_numbers_stay_small(gsd_m: float, lon: float, lat: float, cloud_share: float) -> None:
    encoded = encode_facts(Facts(gsd_m=gsd_m, lon=lon, lat=lat, cloud_share=cloud_share))
    assert np.abs(encoded.measures).max() <= 2


def test_facts_are_dropped_one_by_one_and_all_at_once() -> None:
    torch.manual_seed(0)
    known = torch.ones(20_000, 7, dtype=torch.bool)
    known[:, 3] = False
    kept = drop_facts(known, 0.1, 0.3)
    assert not kept[:, 3].any()
    assert kept[:, 0].float().mean().item() == pytest.approx(0.9 * 0.7, abs=0.02)
    none_left = ~kept.any(1)
    assert none_left.float().mean().item() == pytest.approx(0.3, abs=0.02)
