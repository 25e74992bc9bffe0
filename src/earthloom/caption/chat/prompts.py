"""Prompts: versioned files that can be read, and replaced by one's own.

A version is a folder with `summary.md`, `captions.md` and `repair.md`. Each file has a part under `# System`, which
is the same for all pictures, so that servers can keep it cached, and a part under `# User`, in which `{{facts}}` and
the like stand for what belongs to one picture. `repair.md` has no system part: that of `captions.md` goes before it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from earthloom.core.errors import UsageError
from earthloom.core.ids import hash_json

NAMES = ("summary", "captions", "repair")
_MAX_FILE_BYTES = 100_000
_PLACEHOLDER = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_HEADING = re.compile(r"^# (System|User)[ \t]*$", re.MULTILINE)
_NOT_IN_NAMES = re.compile(r"[^\w.\-]+", re.ASCII)

_SYSTEM_HOLDS = {
    "summary": frozenset[str](),
    "captions": frozenset({"min_words", "max_words"}),
    "repair": frozenset[str](),
}
_USER_NEEDS = {
    "summary": frozenset({"texts"}),
    "captions": frozenset({"facts", "texts", "form"}),
    "repair": frozenset({"facts", "faults", "roles", "attempt", "form"}),
}
_USER_HOLDS = {
    "summary": frozenset({"texts"}),
    "captions": frozenset({"facts", "texts", "form", "min_words", "max_words"}),
    "repair": frozenset({"facts", "texts", "faults", "roles", "attempt", "form", "min_words", "max_words"}),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Prompt:
    """What is said in one request, with placeholders for what belongs to one picture."""

    system: str
    user: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Prompts:
    """One version of the prompts."""

    version: str
    """Name of a version that ships with earthloom, or the name of a folder and a hash of its files."""
    summary: Prompt
    captions: Prompt
    repair: Prompt


def read_prompts(name_or_folder: str) -> Prompts:
    """Read a version that ships with earthloom by its name, or files of one's own from a folder.

    Raises UsageError where a file is missing or cannot be read, and for placeholders that are unknown or missing.
    """
    built_in = files("earthloom.caption") / "prompts"
    versions = sorted(entry.name for entry in built_in.iterdir() if entry.is_dir())
    if name_or_folder in versions:
        return _parse_all(_read_all(built_in / name_or_folder), version=name_or_folder)
    folder = Path(name_or_folder)
    if not folder.is_dir():
        raise UsageError(
            f"prompt: wanted {' or '.join(versions)}, or a folder with {_list_files()}, got {name_or_folder!r}. "
            "Give the path of an existing folder, or leave `prompt` out."
        )
    texts = _read_all(folder)
    name = _NOT_IN_NAMES.sub("-", folder.resolve().name).strip("-") or "prompts"
    return _parse_all(texts, version=f"{name}-{hash_json(texts)[:8]}")


def fill(template: str, values: Mapping[str, str]) -> str:
    """Put values in the place of placeholders, in one pass: what looks like a placeholder in a value stays."""
    return _PLACEHOLDER.sub(lambda found: values[found[1].strip()], template)


def _list_files() -> str:
    return ", ".join(f"{name}.md" for name in NAMES)


def _read_all(folder: Traversable) -> dict[str, str]:
    return {name: _read_file(folder / f"{name}.md") for name in NAMES}


def _read_file(file: Traversable) -> str:
    if not file.is_file():
        raise UsageError(
            f"prompt: wanted {_list_files()} in the folder; {file} is missing. Copy those of gaia-1."
        )
    try:
        data = file.read_bytes()
        text = data.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"prompt: {file} cannot be read as UTF-8 text ({error}). Save it anew.") from error
    if len(data) > _MAX_FILE_BYTES:
        raise UsageError(
            f"prompt: {file} has {len(data)} bytes, at most {_MAX_FILE_BYTES} are sent. Shorten it."
        )
    return text.replace("\r\n", "\n")


def _parse_all(texts: Mapping[str, str], *, version: str) -> Prompts:
    parts = {name: _split(name, text) for name, text in texts.items()}
    repair = Prompt(system=parts["captions"].system, user=parts["repair"].user)
    return Prompts(version=version, summary=parts["summary"], captions=parts["captions"], repair=repair)


def _split(name: str, text: str) -> Prompt:
    """Take a file apart by its two headings and check each part."""
    before, *pieces = _HEADING.split(text)
    wanted = ["User"] if name == "repair" else ["System", "User"]
    if pieces[::2] != wanted or before.strip():
        headings = " and ".join(f"`# {heading}`" for heading in wanted)
        raise UsageError(
            f"prompt: {name}.md wants its text under {headings}, in this order, and nothing before."
        )
    parts = dict(zip(pieces[::2], (piece.strip() for piece in pieces[1::2]), strict=True))
    system, user = parts.get("System", ""), parts["User"]
    _check(f"{name}.md, # System", system, frozenset(), _SYSTEM_HOLDS[name])
    _check(f"{name}.md, # User", user, _USER_NEEDS[name], _USER_HOLDS[name])
    return Prompt(system=system, user=user)


def _check(place: str, text: str, needs: frozenset[str], holds: frozenset[str]) -> None:
    found = {name.strip() for name in _PLACEHOLDER.findall(text)}
    known = ", ".join(f"{{{{{name}}}}}" for name in sorted(holds)) or "none"
    if unknown := sorted(found - holds):
        raise UsageError(
            f"prompt: {place}: {{{{{unknown[0][:40]}}}}} means nothing here; it can hold {known}."
        )
    if missing := sorted(needs - found):
        raise UsageError(
            f"prompt: {place}: {{{{{missing[0]}}}}} is missing; put it where it shall be filled in."
        )
