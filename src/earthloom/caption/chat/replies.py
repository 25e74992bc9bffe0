"""What a model answered, taken apart: captions by role, metadata, and what is wrong with the answer's form."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from earthloom.caption.asking import Answer
from earthloom.caption.chat.schema import Metadata
from earthloom.caption.rules.frames import Role

_MAX_ANSWER = 60_000
"""Letters; no honest answer comes near."""
_MAX_CAPTION = 1_000
"""Letters; some 160 words, well over any caption that could pass."""
_MIN_SUMMARY = 20
MAX_SUMMARY = 2_000
"""Letters; 120 words are some 800."""
_REFUSALS = (
    "i'm sorry",
    "i am sorry",
    "sorry,",
    "i can't",
    "i cannot",
    "i'm unable",
    "i am unable",
    "as an ai",
)
_OURS = re.compile(r'\{\s*"(?:metadata|captions)"')


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """An answer, as far as it can be used."""

    captions: dict[Role, str] = field(default_factory=dict)
    """One line each, not checked yet."""
    faulty: dict[Role, tuple[str, str]] = field(default_factory=dict)
    """Roles that were asked for and have no usable text: what stands there, and what is wrong with it."""
    metadata: Metadata | None = None
    notes: tuple[str, ...] = ()
    """What else is wrong; it costs no caption."""
    useless: str | None = None
    """Why nothing of the answer can be used."""
    is_from_server: bool = False
    """True where `useless` is what the server said; it is not repeated to the model, as it may differ by the try."""
    is_parroted: bool = False
    """True where many other pictures got this very answer, so that it speaks of none."""


def read_reply(answer: Answer, roles: Sequence[Role]) -> Reply:
    """Take an answer apart that was to hold captions for some roles. Never raises, whatever the answer holds."""
    if answer.finish != "stop":
        return Reply(useless=_explain_finish(answer))
    if len(answer.text) > _MAX_ANSWER:
        return Reply(useless=f"wanted a short JSON object, got over {_MAX_ANSWER} letters")
    document = _find_object(answer.text)
    if document is None:
        return Reply(useless=f"wanted one whole JSON object with each field once, got {show(answer.text)}")
    captions = document.get("captions")
    if not isinstance(captions, dict):
        return Reply(useless=f"wanted an object `captions`, got {_name(captions)}")
    metadata, notes = _read_metadata(document)
    if unasked := [show(name) for name in captions if name not in set(roles)]:
        notes += (f"captions for roles that were not asked for: {', '.join(unasked[:5])}",)
    texts = {role: captions.get(role.value) for role in roles}
    faults = {role: fault for role, text in texts.items() if (fault := _find_fault(text)) is not None}
    return Reply(
        captions={role: " ".join(str(text).split()) for role, text in texts.items() if role not in faults},
        faulty={role: (_cut(texts[role]), fault) for role, fault in faults.items()},
        metadata=metadata,
        notes=notes,
    )


def read_summary(answer: Answer) -> tuple[str, str | None]:
    """Take the summary out of an answer and say why it is no use; NONE is a good answer, and empty."""
    text = " ".join(answer.text[:_MAX_ANSWER].split())
    if answer.finish != "stop":
        return "", _explain_finish(answer)
    if text.strip(".\"'` ").upper() == "NONE":
        return "", None
    if not _MIN_SUMMARY <= len(text) <= MAX_SUMMARY:
        return "", f"wanted a summary of {_MIN_SUMMARY} to {MAX_SUMMARY} letters, got {len(text)}"
    if text.lower().replace("’", "'").startswith(_REFUSALS):
        return "", f"wanted a summary, got a refusal: {show(text)}"
    return text, None


def show(text: object, longest: int = 80) -> str:
    """The beginning of a text on one line, in quotation marks."""
    line = " ".join(str(text)[: 4 * longest].split())
    line = "".join(letter for letter in line if letter.isprintable())
    return f"'{line[:longest]}{'…' if len(line) > longest else ''}'"


def _explain_finish(answer: Answer) -> str:
    match answer.finish:
        case "length":
            return "wanted a whole answer, got one that was cut off at the greatest length"
        case "refusal" | "content_filter":
            return f"wanted captions, got a refusal ({answer.finish}): {show(answer.text)}"
        case other:
            return f"wanted an answer that ends by itself, got one that ended with {show(other, 40)}"


def _find_object(text: str) -> dict[str, Any] | None:
    """Read the JSON object in a text, also inside a fence or after a model's thoughts; None where there is none.

    What a decoder has to say is not passed on: it differs by the version of Python, and requests must not.
    """
    found = None
    starts = (text.find("{"), _find_last_start(text))
    for start in (start for start in dict.fromkeys(starts) if start >= 0):
        try:
            document, _ = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        if isinstance(document, dict) and (found is None or "captions" in document):
            found = document
    return found


def _find_last_start(text: str) -> int:
    """Where the last object begins whose first field is one of ours; -1 where none does."""
    return max((found.start() for found in _OURS.finditer(text)), default=-1)


def _take_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse an object that has a field twice: which one is meant is unknown."""
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a field stands in it twice")
    return fields


_DECODER = json.JSONDecoder(object_pairs_hook=_take_pairs)


def _read_metadata(document: dict[str, Any]) -> tuple[Metadata | None, tuple[str, ...]]:
    if document.get("metadata") is None:
        return None, ()
    try:
        return Metadata.model_validate(document["metadata"]), ()
    except ValidationError as error:
        fields = {
            ".".join(map(str, fault["loc"][:1])) or "metadata" for fault in error.errors(include_input=False)
        }
        return None, (f"metadata of the wrong type: {', '.join(sorted(fields))}",)


def _find_fault(text: object) -> str | None:
    """What keeps the value of a role from being a text that can be checked."""
    if text is None:
        return "no caption was given"
    if not isinstance(text, str):
        return f"wanted a text, got {_name(text)}"
    if len(text) > _MAX_CAPTION:
        return f"{len(text)} letters are far too long"
    if not text.strip():
        return "no caption was given"
    if not all(letter.isprintable() or letter in "\n\t\r" for letter in text):
        return "control characters or invisible letters stand in it"
    return None


def _cut(text: object) -> str:
    return text[:_MAX_CAPTION] if isinstance(text, str) else ""


def _name(value: object) -> str:
    names: dict[type, str] = {dict: "an object", list: "a list", str: "a text", bool: "true or false"}
    return "nothing" if value is None else names.get(type(value), "a number")
