"""Times and intervals as STAC writes them: RFC 3339, `/` between two, `..` for an open end."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime, timedelta

_PARTIAL = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")
_LAST = timedelta(microseconds=1)

Interval = tuple[datetime | None, datetime | None]
"""First and last moment, both within; None for an open end."""


def parse_time(text: str) -> datetime:
    """Parse a moment with its zone (RFC 3339); raises ValueError."""
    moment = datetime.fromisoformat(text.strip().upper())
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} does not say its time zone; wanted one such as 2020-05-01T10:00:00Z")
    return moment.astimezone(UTC)


def parse_interval(text: str) -> Interval:
    """Parse what may stand in `datetime` of a search: a moment, a year, month or day, or two of them with `/`.

    `2020`, `2020-05` and `2020-05-17` stand for all moments in them; `..` or nothing is an open end. Raises
    ValueError.
    """
    ends = text.strip().split("/")
    if len(ends) == 1:
        return _span(ends[0])
    if len(ends) != 2 or not any(end.strip(". ") for end in ends):
        raise ValueError(
            f"{text!r} is no interval; wanted one such as 2020-05-01/2020-06-30, 2020-05 or 2020/.."
        )
    first = None if ends[0].strip() in {"", ".."} else _span(ends[0])[0]
    last = None if ends[1].strip() in {"", ".."} else _span(ends[1])[1]
    if first is not None and last is not None and first > last:
        raise ValueError(f"{text!r} ends before it begins")
    return first, last


def format_interval(interval: Interval) -> str:
    """Write an interval as every server understands it."""
    first, last = (".." if end is None else _format(end) for end in interval)
    return first if first == last else f"{first}/{last}"


def _format(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _span(text: str) -> tuple[datetime, datetime]:
    text = text.strip()
    partial = _PARTIAL.fullmatch(text)
    if partial is None:
        moment = parse_time(text)
        return moment, moment
    year, month, day = (int(part) if part else None for part in partial.groups())
    assert year is not None  # the expression wants four digits
    first = datetime(year, month or 1, day or 1, tzinfo=UTC)
    last_month = month or 12
    last_day = day or calendar.monthrange(year, last_month)[1]
    return first, datetime(year, last_month, last_day, tzinfo=UTC) + timedelta(days=1) - _LAST
