"""Where weights come from, for the record of what is made with them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

_CARD = "README.md"
_RULE = "---"
_MAX_CARD = 2**18
"""Bytes of a model card that are looked through: its front matter comes first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """Of which model weights are."""

    name: str
    """On the Hub, or of the folder."""
    revision: str | None
    """Commit on the Hub, as it was downloaded."""
    licence: str | None
    """As its card names it, such as `creativeml-openrail-m`; else the name of the licence's file."""
    fingerprint: str
    """16 hexadecimal digits of the files that were used."""

    def to_json(self) -> dict[str, str | None]:
        """The fields by their names."""
        return asdict(self)


def find_licence(folder: Path) -> str | None:
    """The licence of a model: what its card says, else the name of a file LICENSE; None where there is neither."""
    named = _read_card(folder / _CARD)
    if named is not None:
        return named
    files = sorted(path.name for path in folder.iterdir() if path.is_file())
    return next((name for name in files if name.upper().startswith(("LICENSE", "LICENCE"))), None)


def _read_card(path: Path) -> str | None:
    """`license` of the YAML between the first two rules; with `other` the name that stands beside it."""
    front = _read_front_matter(path)
    named = front.get("license")
    if isinstance(named, list):
        named = ", ".join(str(entry) for entry in named)
    if not isinstance(named, str) or not named.strip():
        return None
    own = front.get("license_name")
    return f"{named}: {own}" if named == "other" and isinstance(own, str) else named


def _read_front_matter(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            lines = file.read(_MAX_CARD).decode("utf-8", "replace").lstrip("\ufeff").splitlines()
        if not lines or lines[0].strip() != _RULE:
            return {}
        stop = next((i for i, line in enumerate(lines[1:], 1) if line.strip() == _RULE), 0)
        front = yaml.safe_load("\n".join(lines[1:stop]))
    except (OSError, yaml.YAMLError, RecursionError, ValueError):
        return {}
    return front if isinstance(front, dict) else {}
