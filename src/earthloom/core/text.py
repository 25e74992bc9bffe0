"""Texts of others, made fit for files and messages."""

from __future__ import annotations


def is_whole(text: str) -> bool:
    """Tell whether UTF-8 can hold a text: it has no halves of letters (lone surrogates), which JSON can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def mend(text: str) -> str:
    """Replace halves of letters, so that UTF-8 can hold the text; halves that fit are joined."""
    if is_whole(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def to_line(text: str) -> str:
    """Put a text on one line: what cannot be printed becomes a space, and several spaces one."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
