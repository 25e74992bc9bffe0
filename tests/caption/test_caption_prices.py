"""Prices: what is reserved is never less than what is paid, and a budget is met to one request."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledger_requests import MODEL, make_answer, make_request, make_settings

from earthloom.caption.config import Limits, Price
from earthloom.caption.ledger import Ledger
from earthloom.caption.ledger.prices import cost_of, highest_cost, show_money


def test_costs_are_those_of_the_price_list() -> None:
    request = make_request(1)  # 1,000 tokens in, at most 100 out; 2.50 and 10.00 for a million
    settings = make_settings()
    assert highest_cost(request, settings) == pytest.approx(0.0025 + 0.001)
    assert highest_cost(request, settings, 1.2) == pytest.approx(0.003 + 0.001)
    assert highest_cost(request, settings, 0.5) == highest_cost(request, settings)
    answer = make_answer(tokens_in=800, tokens_out=40)
    assert cost_of(request, answer, settings) == pytest.approx(0.002 + 0.0004)


def test_batches_cost_their_share() -> None:
    request, answer = make_request(1), make_answer()
    live, batch = make_settings(), make_settings(batch=True)
    assert highest_cost(request, batch) == pytest.approx(highest_cost(request, live) / 2)
    assert cost_of(request, answer, batch) == pytest.approx(cost_of(request, answer, live) / 2)
    free = make_settings(batch=True, prices={MODEL: Price(input=1, output=1, batch=0)})
    assert highest_cost(request, free) == 0


def test_what_the_server_did_not_count_is_charged_as_estimated() -> None:
    request, settings = make_request(1), make_settings()
    assert cost_of(request, make_answer(tokens_in=None, tokens_out=None), settings) == highest_cost(
        request, settings
    )
    assert cost_of(request, make_answer(tokens_in=None, tokens_out=0), settings) == pytest.approx(0.0025)


def test_a_model_without_a_price_costs_nothing_and_can_have_no_budget() -> None:
    settings = make_settings(prices={})
    assert highest_cost(make_request(1), settings) == 0
    with pytest.raises(ValueError, match="wants a price"):
        make_settings(prices={}, limits=Limits(budget=1))


@given(
    estimated=st.integers(1, 50_000),
    counted=st.lists(st.integers(0, 100_000), min_size=1, max_size=4),
    tokens_out=st.integers(0, 100),
)
def test_a_reservation_with_the_factor_bounds_what_was_seen_before(
    estimated: int, counted: list[int], tokens_out: int
) -> None:
    settings = make_settings()
    request = make_request(1, tokens_in=estimated)
    factor = max([1.0, *(count / estimated for count in counted)])
    for count in counted:
        paid = cost_of(request, make_answer(tokens_in=count, tokens_out=tokens_out), settings)
        assert paid <= highest_cost(request, settings, factor) * (1 + 1e-12)


@pytest.mark.parametrize("share", [0.3, 1.0, 1.6])
def test_a_run_spends_its_budget_to_the_last_request_it_can_afford(tmp_path: Path, share: float) -> None:
    """Tokens are counted at a stated share of the estimates; over 1, the factor learnt from the first answer holds."""
    settings = make_settings(limits=Limits(budget=0.1))
    n_in = round(1000 * share)
    with Ledger(tmp_path / "l") as ledger:
        index = 0
        while True:
            request = make_request(index)
            most = highest_cost(request, settings, ledger.factor(MODEL))
            if not ledger.reserve(request, most, settings.limits):
                break
            answer = make_answer(tokens_in=n_in, tokens_out=index % 101)
            paid = cost_of(request, answer, settings)
            assert index == 0 or paid <= most
            ledger.finish(request, answer, cost=paid, seconds=0, tries=1)
            index += 1
        spent = ledger.totals().spent
    exact = sum((Fraction(n_in) * Fraction("2.5") + (i % 101) * Fraction(10)) / 10**6 for i in range(index))
    assert spent == pytest.approx(float(exact), abs=1e-9)
    assert spent <= 0.1 < spent + most


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (None, "unknown"),
        (0.0, "0.00"),
        (0.000012, "1.2e-05"),
        (0.0035, "0.0035"),
        (0.123, "0.12"),
        (0.999, "1.00"),
        (0.5, "0.50"),
        (0.0996, "0.1"),
        (1.005, "1.00"),
        (12345.678, "12,345.68"),
    ],
)
def test_money_for_people(amount: float | None, text: str) -> None:
    assert show_money(amount) == text
