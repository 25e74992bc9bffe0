"""Dates as writers abbreviate them, spelt out, so that the checks of dates have one spelling to read."""

from __future__ import annotations

import re

from earthloom.caption.language.english import MONTHS

_SHORT = {month[:3]: month for month in MONTHS} | {"Sept": "September"}
_ABBREVIATED = "|".join(sorted(_SHORT, key=len, reverse=True))
_MONTH = re.compile(rf"\b({_ABBREVIATED})\b\.?(?=,? \d)|(?<=\d )({_ABBREVIATED})\b\.?")
_FIGURES = re.compile(r"(?<![\d.,/])(\d{1,2})([./])(\d{1,2})\2(\d{4})(?![\d/])")

Date = tuple[int | None, int | None, int | None]
"""Year, month, day."""


def spell_dates(text: str, known: Date) -> str:
    """Write `Jun. 2022` as `June 2022` and `17.11.2022` as `2022-11-17`.

    `3/4/2022` is 4 March to some and 3 April to others: it is read as the date of the image where it can be.
    """
    if not any(map(str.isdigit, text)):
        return text
    text = _MONTH.sub(lambda found: _SHORT[found[1] or found[2]], text)
    return _FIGURES.sub(lambda found: _spell_figures(found, known), text)


def _spell_figures(found: re.Match[str], known: Date) -> str:
    first, second, year = int(found[1]), int(found[3]), int(found[4])
    readings = [(year, second, first)] if found[2] == "." else [(year, first, second), (year, second, first)]
    readings = [(y, month, day) for y, month, day in readings if 1 <= month <= 12 and 1 <= day <= 31]
    if not readings:
        return found[0]
    y, month, day = next((reading for reading in readings if reading == known), readings[0])
    return f"{y}-{month:02d}-{day:02d}"
