"""The kinds of sources, for people: a list, one of them in full, and settings given on the command line."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from earthloom.core.errors import UsageError
from earthloom.ingest import KINDS
from earthloom.run.compat import rules_of


@dataclass(frozen=True, kw_only=True)
class KindDescription:
    """One kind of source."""

    name: str
    title: str
    what: str
    layout: tuple[str, ...]
    whole: tuple[tuple[str, int], ...]
    licence: str | None
    terms: str | None
    credit: str | None
    example: str
    has_compat: bool
    """True for MMM-RS's nine, which `mode: compat` has rules for."""

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "kind": self.name,
            "title": self.title,
            "what": self.what,
            "layout": list(self.layout),
            "published": dict(self.whole),
            "licence": self.licence,
            "terms": self.terms,
            "credit": self.credit,
            "example": self.example,
            "compat": self.has_compat,
        }

    def to_text(self) -> str:
        """As a page for a person."""
        lines = [f"{self.name}: {self.title}", *textwrap.wrap(self.what, 100)]
        if self.layout:
            lines += ["", "layout", *(f"  {line}" for line in self.layout)]
        if self.whole:
            lines += ["", "whole     " + ", ".join(f"{n:,} {unit}" for unit, n in self.whole)]
        lines += ["", f"licence   {self.licence or 'none stated'}"]
        if self.terms:
            lines.append(f"terms     {self.terms}")
        if self.credit:
            lines.append(f"credit    {self.credit}")
        lines += ["", "in a recipe", textwrap.indent(self.example.rstrip(), "  ")]
        return "\n".join(lines)


@dataclass(frozen=True, kw_only=True)
class KindList:
    """All kinds of sources."""

    kinds: tuple[KindDescription, ...]

    def to_json(self) -> list[dict[str, Any]]:
        """As plain values."""
        return [kind.to_json() for kind in self.kinds]

    def to_text(self) -> str:
        """One line a kind."""
        width = max(len(kind.name) for kind in self.kinds)
        lines = [f"{kind.name:<{width}}  {kind.title}: {kind.what}" for kind in self.kinds]
        return "\n".join(
            [*lines, "", "earthloom sources show KIND says more; docs/recipe.md lists all settings."]
        )


def describe_kinds() -> KindList:
    """Describe every kind of source."""
    return KindList(kinds=tuple(describe_kind(name) for name in KINDS))


def describe_kind(name: str) -> KindDescription:
    """Describe one kind of source. Raises UsageError for one that is not known."""
    if name not in KINDS:
        raise UsageError(f"the kind {name!r} is not known; kinds are {', '.join(KINDS)}.")
    about = KINDS[name].about
    return KindDescription(
        name=name,
        title=about.title,
        what=about.what,
        layout=about.layout,
        whole=about.whole,
        licence=about.licence,
        terms=about.terms,
        credit=about.credit,
        example=about.example,
        has_compat=rules_of(name) is not None,
    )


def parse_settings(pairs: Sequence[str]) -> dict[str, Any]:
    """Read settings given as NAME=VALUE, each value as YAML. Raises UsageError."""
    settings: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise UsageError(f"--set {pair!r} has no value; wanted NAME=VALUE.")
        try:
            settings[name] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise UsageError(f"--set {pair!r}: the value is no YAML.") from error
    return settings
