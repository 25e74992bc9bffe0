"""Captions that failed a check, as they are kept beside those that passed."""

from __future__ import annotations

from earthloom.core.records import Dropped
from earthloom.core.text import mend

MAX_LETTERS = 500
"""Letters of a failed caption that are kept."""


def drop(text: str, *, style: str, role: str, author: str, check: str, evidence: str) -> Dropped:
    """Note a caption that failed, cut and in letters that a table can hold."""
    return Dropped(
        text=mend(text[:MAX_LETTERS]),
        style=style,
        role=role,
        author=author,
        check=check,
        evidence=mend(evidence),
    )
