"""Captions: facts become statements, statements become words, and every word is checked against the facts."""

from earthloom.caption.captioner import AUTHOR, CAPTION_VERSION, caption_tile
from earthloom.caption.config import CaptionSettings

__all__ = ["AUTHOR", "CAPTION_VERSION", "CaptionSettings", "caption_tile"]
