"""Captions: facts become statements, statements become words, and every word is checked against the facts."""

from earthloom.caption.asking import Answer, Asked, Request, Talk
from earthloom.caption.authors import Model, ModelAuthors, find_faults_of_models, open_authors, resolve_paths
from earthloom.caption.captioner import AUTHOR, CAPTION_VERSION, caption_tile
from earthloom.caption.config import CaptionSettings

__all__ = [
    "AUTHOR",
    "CAPTION_VERSION",
    "Answer",
    "Asked",
    "CaptionSettings",
    "Model",
    "ModelAuthors",
    "Request",
    "Talk",
    "caption_tile",
    "find_faults_of_models",
    "open_authors",
    "resolve_paths",
]
