"""What a request can cost, and what it did cost, by the price table of the recipe."""

from __future__ import annotations

from earthloom.caption.asking import Answer
from earthloom.caption.config import ChatSettings
from earthloom.caption.ledger.rows import Question

_MILLION = 1_000_000


def highest_cost(request: Question, settings: ChatSettings, factor: float = 1.0) -> float:
    """The most that a request can cost, in the currency of the prices: all that is reserved before it is sent.

    The tokens that it was estimated to read, times `factor` (`Ledger.factor`: how far the estimates for this model fell
    short, at most), and the longest answer. 0 for a model without a price, for which no budget can be kept.
    """
    return _price(request.model, settings, request.tokens_in * max(factor, 1.0), request.tokens_out)


def cost_of(request: Question, answer: Answer, settings: ChatSettings) -> float:
    """What an answer cost, by the tokens that the server counted; where it did not, by the estimate."""
    tokens_in = request.tokens_in if answer.tokens_in is None else answer.tokens_in
    tokens_out = request.tokens_out if answer.tokens_out is None else answer.tokens_out
    return _price(request.model, settings, tokens_in, tokens_out)


def _price(model: str, settings: ChatSettings, tokens_in: float, tokens_out: float) -> float:
    price = settings.prices.get(model)
    if price is None:
        return 0.0
    share = price.batch if settings.batch else 1.0
    return (tokens_in * price.input + tokens_out * price.output) * share / _MILLION


def show_money(amount: float | None) -> str:
    """Write an amount of money for people: cents from a tenth on, two digits that count below; `unknown` for None."""
    if amount is None:
        return "unknown"
    if amount == 0 or amount >= 0.1:
        return f"{amount:,.2f}"
    return f"{amount:.2g}" if amount >= 1e-4 else f"{amount:.1e}"
