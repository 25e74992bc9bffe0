"""What prompts mention: distance, modality, weather, counts, ... told by words, not understood."""

from __future__ import annotations

import re
from functools import cache

from earthloom.evaluate.tables import read_table


def name_mentions() -> str:
    """The table and its version, for a protocol."""
    return f"mentions@{read_table('mentions')['version']}"


def list_topics() -> tuple[str, ...]:
    """What is looked for."""
    return tuple(_compile())


def find_mentions(text: str) -> frozenset[str]:
    """The topics that a text has a word of."""
    lower = text.lower()
    return frozenset(topic for topic, pattern in _compile().items() if pattern.search(lower))


@cache
def _compile() -> dict[str, re.Pattern[str]]:
    return {topic: re.compile(pattern) for topic, pattern in read_table("mentions")["patterns"].items()}
