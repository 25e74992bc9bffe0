"""Names of records as captions can hold them."""

from __future__ import annotations

import re

from earthloom.caption.language.english import FUNCTION_WORDS
from earthloom.caption.language.lexicon import is_informative

_MAX_LENGTH = 48
_MAX_WORDS = 6
_MARKUP = re.compile(
    r"[{}<>\[\]|\\^~`@]|&#?\w+;|&[a-z]{2,6}$|\w\(\)|=[=>]|\*\*|^[-*•#]|^\d+[.)] |https?:|www\.", re.IGNORECASE
)
"""What stands in code, markup and addresses, and in no name."""
_LETTERS = re.compile(r"[^\W\d_]+")


def clean_name(name: str | None) -> str | None:
    """Give a name as a caption can hold it, or None: one line, printable, short, with a letter, no `of`, no markup."""
    if name is None:
        return None
    name = " ".join(name.replace("_", " ").split())
    fits = len(name) <= _MAX_LENGTH and name.count(" ") < _MAX_WORDS and name.isprintable()
    fits = fits and '"' not in name and not _MARKUP.search(name)
    says = not FUNCTION_WORDS.issuperset(_LETTERS.findall(name.lower()))
    return name if fits and says else None


def clean_class(name: str) -> str | None:
    """Give the name of a class as a caption can hold it; None for one that says nothing, such as `background`."""
    cleaned = clean_name(name)
    return cleaned if cleaned is not None and is_informative(cleaned) else None
