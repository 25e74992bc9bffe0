"""Texts of others inside a request: made harmless, cut, and fenced as quotations.

An article can hold anything: instructions to the model, markers that a chat template takes for the end of the user's
turn, invisible letters that carry hidden text. No wording makes a model immune, so the checks judge what it writes;
fencing keeps honest texts from being mistaken for the request, and templates from being torn.
"""

from __future__ import annotations

from dataclasses import dataclass

from earthloom.core.ids import hash_bytes
from earthloom.core.records import Scene

MAX_ARTICLE = 12_000
"""Letters of an article that are read; some 2,500 words."""
MAX_TITLE = 300
_MAX_RAW = 4 * MAX_ARTICLE
"""Letters of a text that are looked at before it is made harmless and cut."""
_BRACKETS = str.maketrans({"<": "‹", ">": "›", "[": "(", "]": ")"})
"""What chat templates write their markers with: `<|im_end|>`, `</s>`, `[INST]`. Nothing is lost by the change."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Texts:
    """What was published with a picture, as it may be quoted."""

    title: str = ""
    alt: str = ""
    article: str = ""

    @property
    def given(self) -> tuple[str, ...]:
        """Those that are there."""
        return tuple(text for text in (self.title, self.alt, self.article) if text)


def take_texts(scene: Scene) -> Texts:
    """Take title, alternative text and article of a scene; captions of the source are no part of it."""
    return Texts(
        title=_join(scene, "title", MAX_TITLE),
        alt=_join(scene, "alt", MAX_TITLE),
        article=_join(scene, "article", MAX_ARTICLE),
    )


def tame(text: str, longest: int) -> str:
    """Make a text harmless in a request: one line, no control or invisible letters, no markers, at most `longest`."""
    text = text[:_MAX_RAW].translate(_BRACKETS)
    if not text.isprintable():
        text = "".join(letter for letter in text if letter.isprintable() or letter.isspace())
    return " ".join(text.split())[:longest].rstrip()


def quote(kind: str, text: str) -> str:
    """Fence a tamed text with marks that it cannot hold: they are made from its own hash."""
    mark = hash_bytes(text.encode())[:16]
    inside = text.replace(mark, "")
    return f"[quoted {kind} {mark}]\n{inside}\n[end of quoted {kind} {mark}]"


def _join(scene: Scene, role: str, longest: int) -> str:
    return tame("\n".join(text.text[:_MAX_RAW] for text in scene.texts if text.role == role), longest)
