"""What a model says an image shows, as an MMM-RS prompt can hold it."""

from __future__ import annotations

import re

_COMMA = re.compile(r"\s*[,;]\s*")
_ARTICLES = frozenset({"a", "an", "the", "some", "several", "many", "few", "one", "two", "three", "four"})
"""What begins another item of a list."""


def clean_inner(caption: str) -> str:
    """Put a caption into the form of MMM-RS: one line, no commas, no full stop at its end, a small first letter.

    `A satellite image of a park, a road, and a lake.` becomes `a satellite image of a park and a road and a lake`.
    """
    line = " ".join(caption.split()).strip(" .!,;")
    text, *rest = _COMMA.split(line)
    for part in rest:
        joiner = " and " if part.partition(" ")[0].lower() in _ARTICLES else " "
        text += joiner + part if part else ""
    first = text.partition(" ")[0]
    return text if first[1:] != first[1:].lower() else text[:1].lower() + text[1:]
