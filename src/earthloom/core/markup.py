"""HTML that is safe by construction: text becomes markup only through `element`, which escapes it."""

from __future__ import annotations

import html
from collections.abc import Iterable

_VOID = frozenset({"img", "meta", "rect", "circle", "line", "path", "polygon"})


class Html(str):
    """A string that is markup already. Made by the functions of this module, never from data."""

    __slots__ = ()


def element(tag: str, *children: Html | str | Iterable[Html], **attributes: str | float | None) -> Html:
    """An HTML or SVG element. Children that are plain strings, and all attribute values, are escaped.

    An underscore at the end of an attribute's name is dropped (`class_`), one within becomes a hyphen
    (`aria_label`); an attribute that is None is left out.
    """
    pairs = ((name.rstrip("_").replace("_", "-"), value) for name, value in attributes.items())
    opening = "".join(f' {name}="{html.escape(_plain(v))}"' for name, v in pairs if v is not None)
    if tag in _VOID and not children:
        return Html(f"<{tag}{opening}>" if tag in {"img", "meta"} else f"<{tag}{opening}/>")
    return Html(f"<{tag}{opening}>{join(*children)}</{tag}>")


def join(*parts: Html | str | Iterable[Html]) -> Html:
    """Parts after each other; plain strings are escaped."""
    return Html("".join(_render(part) for part in parts))


def _render(part: Html | str | Iterable[Html]) -> str:
    if isinstance(part, Html):
        return part
    return html.escape(part) if isinstance(part, str) else join(*part)


def _plain(value: str | float) -> str:
    """Numbers as short as a drawing needs them, and the same on every machine."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
