"""A result as one page, with its pictures. No script, no network."""

from __future__ import annotations

from earthloom.evaluate.page.page import render_page

__all__ = ["render_page"]
