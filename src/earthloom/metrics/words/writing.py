"""How tokens are written down: brackets, currencies, dashes and quotation marks by the names of the Penn Treebank."""

from __future__ import annotations

import re

_BRACKETS = {"(": "-lrb-", ")": "-rrb-", "[": "-lsb-", "]": "-rsb-", "{": "-lcb-", "}": "-rcb-"}
_FRACTIONS = {"¼": "1/4", "½": "1/2", "¾": "3/4", "⅓": "1/3", "⅔": "2/3"}
_CURRENCIES = {"\u0080": "$", "¤": "$", "₠": "$", "€": "$", "£": "#", "¢": "cents"}
_SIGNS = _BRACKETS | _FRACTIONS | _CURRENCIES | {"&amp;": "&", "…": "...", "\u0085": "..."}
_QUOTES = str.maketrans(
    {
        **dict.fromkeys("\u0091\u2018\u201b\u2039", "`"),
        **dict.fromkeys("\u0092\u2019\u203a", "'"),
        **dict.fromkeys("\u0093\u00ab\u201c", "``"),
        **dict.fromkeys("\u0094\u00bb\u201d", "''"),
    }
)
_APOSTROPHE = re.compile("[\u0091\u0092\u2018\u2019\u201b]|&apos;")


def join(text: str) -> str:
    """Without soft hyphens; one alone is a hyphen."""
    return text.replace("\u00ad", "").replace("&amp;", "&").lower() or "-"


def straighten(text: str) -> str:
    """Apostrophes of all kinds as the plain one."""
    return _APOSTROPHE.sub("'", text).lower()


def bind(text: str) -> str:
    """Spaces inside a token do not part it, until BLEU and CIDEr split at white space of any kind."""
    return name_round(text.replace(" ", "\u00a0"))


def name_round(text: str) -> str:
    """Round brackets by their names inside a token."""
    return text.replace("(", "-lrb-").replace(")", "-rrb-").lower()


def translate(sign: str) -> str:
    """A sign by its name."""
    return _SIGNS[sign]


def quote(text: str) -> str:
    """Two marks of different kinds are one token, which no list of punctuation knows."""
    return text.replace("&apos;", "'").translate(_QUOTES)


def shorten_dashes(text: str) -> str:
    """Two to four are a dash."""
    return "--" if 2 <= len(text) <= 4 else text
