"""The frame that the pages of evaluations share: one sheet for all, then the page's own."""

from __future__ import annotations

from importlib.resources import files
from string import Template

from earthloom.core.markup import Html, join

_TEMPLATES = files("earthloom.evaluate.page") / "templates"


def lay_out(title: str, body: Html, sheet: str | None = None) -> str:
    """A body as a whole page.

    Args:
        title: in words; it is escaped.
        body: header, sections and footer.
        sheet: style of this page alone, which comes after the shared one; that of results where none is given.

    """
    own = (_TEMPLATES / "result.css").read_text(encoding="utf-8") if sheet is None else sheet
    style = (_TEMPLATES / "base.css").read_text(encoding="utf-8") + own
    page = Template((_TEMPLATES / "frame.html").read_text(encoding="utf-8"))
    return page.substitute(title=join(title), style=style, body=body)
