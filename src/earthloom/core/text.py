"""Texts of others, made fit for files and messages."""

from __future__ import annotations


def mend(text: str) -> str:
    """Replace halves of letters (lone surrogates), which JSON can hold and UTF-8 cannot; halves that fit are joined."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def to_line(text: str) -> str:
    """Put a text on one line: what cannot be printed becomes a space, and several spaces one."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
