"""Texts of others, made fit for files and messages."""

from __future__ import annotations


def find_half(text: str) -> str | None:
    """Find the first half of a letter: a lone surrogate, as of an emoji that was cut, which UTF-8 cannot hold."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return text[error.start]
    return None


def is_whole(text: str) -> bool:
    """Tell whether UTF-8 can hold a text."""
    return find_half(text) is None


def mend(text: str) -> str:
    """Replace halves of letters, so that UTF-8 can hold the text; halves that fit are joined."""
    if is_whole(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def to_line(text: str) -> str:
    """Put a text on one line: what cannot be printed becomes a space, and several spaces one."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
