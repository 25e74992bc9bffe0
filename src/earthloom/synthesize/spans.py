"""Least and most of what is drawn for each place, as a recipe writes it: `airlight: [0.75, 1.0]`."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field


def _check_order(span: tuple[float, float]) -> tuple[float, float]:
    if span[0] > span[1]:
        raise ValueError(f"wants [least, most], got {list(span)}: write the smaller number first.")
    return span


_Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_Share = Annotated[float, Field(ge=0, le=1)]

Span = Annotated[tuple[_Amount, _Amount], AfterValidator(_check_order)]
"""Two numbers of at least 0, between which one is drawn evenly."""
PositiveSpan = Annotated[tuple[_Positive, _Positive], AfterValidator(_check_order)]
"""The same above 0."""
ShareSpan = Annotated[tuple[_Share, _Share], AfterValidator(_check_order)]
"""The same from 0 to 1."""
