"""What a comparison found, ready for JSON, a terminal and the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from earthloom.core.durations import format_seconds
from earthloom.evaluate.result import say_number
from earthloom.evaluate.scenes.classify import Crossed, Told
from earthloom.evaluate.scenes.gates import Gate
from earthloom.evaluate.scenes.keeping import Kept
from earthloom.evaluate.scenes.realism import Distance

FORMAT = "earthloom-scenes"
FORMAT_VERSION = 1
"""Raised when a field of `scenes.json` changes its meaning or goes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """One picture with an effect beside its clear original."""

    key: str
    severity: str | None
    kept: Kept
    gates: Mapping[str, float | None]
    """What each gate measured; None where it could not be."""
    failed: tuple[str, ...]
    """Names of the gates that this picture does not pass."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Spread:
    """One figure over many pictures."""

    median: float
    low: float
    high: float
    """5th and 95th percentile."""
    n: int


@dataclass(frozen=True, kw_only=True, slots=True)
class EffectReport:
    """All that was found of one effect."""

    effect: str
    n: int
    """Pictures with the effect that could be read."""
    n_paired: int
    """Of these, with their clear original at hand."""
    n_real: int
    n_clear: int
    clear_is_real: bool
    """False where the clear originals stood in for real clear pictures."""
    severities: Mapping[str, int]
    sides_px: Mapping[str, float]
    """Median side of the pictures of each set, pixels."""
    structure: Mapping[str, Mapping[str, Spread]]
    """Severity, and `all`, to figure to its spread."""
    gates: tuple[Gate, ...]
    distances: tuple[Distance, ...]
    crossed: tuple[Crossed, ...]
    told: tuple[Told, ...]
    """Of every encoder."""
    pictures: tuple[Measured, ...]

    @property
    def headline(self) -> Distance | None:
        """The distance that is quoted first: KID of the best encoder."""
        kids = [distance for distance in self.distances if distance.name == "kid"]
        return kids[-1] if kids else None


@dataclass(frozen=True, kw_only=True, slots=True)
class SceneReport:
    """All that was found."""

    folder: Path
    seconds: float
    effects: tuple[EffectReport, ...]
    encoders: tuple[str, ...]
    """Name and version of each."""
    refused: Mapping[str, Mapping[str, str]]
    """Pictures that could not be used: place to reason and detail."""
    settings: Mapping[str, Any]
    versions: Mapping[str, str]

    @property
    def page(self) -> Path:
        """The page."""
        return self.folder / "index.html"

    @property
    def numbers(self) -> Path:
        """All numbers."""
        return self.folder / "scenes.json"

    def to_json(self) -> dict[str, Any]:
        """As `scenes.json` holds it: equal pictures and settings give equal values."""
        return {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "settings": dict(self.settings),
            "versions": dict(self.versions),
            "encoders": list(self.encoders),
            "effects": [_plain(asdict(effect)) for effect in self.effects],
            "refused": {place: dict(told) for place, told in sorted(self.refused.items())},
        }

    def to_text(self) -> str:
        """As a few lines."""
        lines = [line for effect in self.effects for line in _describe(effect)]
        if self.refused:
            lines.append(f"set aside {len(self.refused):,} pictures: see {self.numbers}")
        lines.append(f"numbers   {self.numbers}")
        lines.append(f"page      {self.page}   ({format_seconds(self.seconds)})")
        return "\n".join(lines)


def _plain(value: Any) -> Any:
    """Numbers with as many digits as mean something, tuples as lists."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    return value


def _describe(effect: EffectReport) -> list[str]:
    failed = [gate.name for gate in effect.gates if gate.passed is False]
    n_judged = sum(gate.passed is not None for gate in effect.gates)
    gates = f"{n_judged - len(failed)} of {n_judged} gates" + (f", not {', '.join(failed)}" if failed else "")
    kept = effect.structure.get("all", {}).get("structure")
    structure = "no originals" if kept is None else f"structure {kept.median:.3f}"
    return [f"{effect.effect:10}{effect.n:,} pictures, {structure}, {gates}", f"{'':10}{say_skill(effect)}"]


def say_skill(effect: EffectReport) -> str:
    """The headline in words."""
    found = effect.headline
    if found is None:
        return "no real pictures given: structure and gates only"
    if found.score is None:
        return f"{found.encoder} {found.name}: not measured, {found.reason}"
    marks = f"{found.name} {found.score.value:.3g}" + (
        f" (real {found.floor.value:.3g}" if found.floor is not None else " ("
    )
    marks += f", clear {found.ceiling.value:.3g})" if found.ceiling is not None else ")"
    if found.skill is None:
        return f"{found.encoder} {marks}, no skill: {found.reason}"
    return f"{found.encoder} {marks}, skill {found.skill:.2f} [{found.skill_low:.2f}, {found.skill_high:.2f}]"


def say_measured(value: float) -> str:
    """What a gate measured, to three digits; below 1e-4 it is the rounding of pixels of 8 bits, and 0 to a reader."""
    return say_number(value, digits=3) if abs(value) >= 1e-4 else "0"


def say(name: str) -> str:
    """An effect or a gate in words."""
    return name.replace("_", " ")
