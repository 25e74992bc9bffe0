"""What an evaluation gives: figures that say how they were taken, so that they can be compared and believed."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from earthloom.core.durations import format_seconds
from earthloom.core.errors import UsageError

PROTOCOL_VERSION = "2"
"""Raised when the same sets and settings give other figures than before.

2: shares have Wilson's intervals; CLIP scores of empty and of long texts, and which texts are dealt for their nulls;
probes end sooner at the same minimum.
"""
FORMAT = 1
"""Of the file. A reader refuses others."""

MARKS = ("floor", "null", "ceiling")
"""What a value is read beside: real against real, nothing in it, the most to hope for."""
Better = Literal["higher", "lower", "nearer"]
"""Which values are good: `nearer` means near the floor, or the truth where there is no floor."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """What a value is read beside, and the same figure at the mark's own count where that is another one."""

    name: str
    """`floor`, `null` or `ceiling`."""
    value: float
    n: int | None = None
    """Pictures of each side that the mark was taken of; None where it is of as many as the value."""
    at_n: float | None = None
    """The figure itself at that count: this and not the value is what compares with the mark."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One number with what is needed to read it. What does not apply or is not known is None."""

    name: str
    """What it is, such as `kid` or `to_text@1`; stable, so that results can be lined up."""
    value: float | None
    """None where it could not be measured; `reason` says why."""
    unit: str | None = None
    """Such as `dB`; None for numbers without one. Shares are 0 to 1 and have none."""
    better: Better | None = None
    encoder: str | None = None
    """`name@version` of what described the pictures; figures of different encoders do not compare."""
    group: str | None = None
    """The part that it is of, such as a class or a scene; None for the whole."""
    low: float | None = None
    """Lower end of the interval."""
    high: float | None = None
    """Upper end."""
    interval: str | None = None
    """How the interval was taken, such as `bootstrap over 300 groups`."""
    floor: float | None = None
    """The same of real pictures against other real ones: no generator can be expected to do better."""
    null: float | None = None
    """The same with nothing in it: shuffled captions, chance."""
    ceiling: float | None = None
    """The most to hope for, such as a probe's own accuracy on real pictures."""
    n: int | None = None
    """Pictures or texts that were measured."""
    n_real: int | None = None
    """Real ones that they were compared with."""
    passed: bool | None = None
    """Of a check with a bound: whether it holds."""
    bound: str | None = None
    """That bound in words, such as `within 10 % of real`."""
    reason: str | None = None
    """Why there is no value, or what speaks against reading much into it."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """More of the same measurement: subsets, splits, spread. Where a mark was taken of another count than the value,
    `floor_n` (or `ceiling_n`) is that count and `at_floor_n` the figure at it."""

    @property
    def marks(self) -> tuple[Mark, ...]:
        """Floor, null and ceiling, those that there are."""
        return tuple(
            Mark(name=name, value=value, **self._find_level(name))
            for name in MARKS
            if (value := getattr(self, name)) is not None
        )

    def _find_level(self, name: str) -> dict[str, Any]:
        """Count of a mark and the figure at it; nothing where that is the value again."""
        n, at_n = self.details.get(f"{name}_n"), self.details.get(f"at_{name}_n")
        if not isinstance(n, int) or not isinstance(at_n, int | float):
            return {}
        is_again = n == self.n and self.value is not None and math.isclose(at_n, self.value, rel_tol=1e-6)
        return {} if is_again else {"n": n, "at_n": float(at_n)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """Numbers in rows, such as a confusion matrix."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | float | int | None, ...], ...]
    note: str | None = None
    is_matrix: bool = False
    """Whether cells are shades of one quantity, 0 to 1, to be drawn as such."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line of a plot."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...] | None = None
    high: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for rows of different lengths."""
        lengths = [len(row) for row in (self.x, self.y, self.low, self.high) if row is not None]
        if len(set(lengths)) > 1:
            raise ValueError(f"Rows of equal length were wanted for a line, got {lengths}.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Curve:
    """A plot: lines over one axis."""

    title: str
    x_label: str
    y_label: str
    lines: tuple[Line, ...]
    note: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SetInfo:
    """A set of pictures or texts that was measured."""

    name: str
    """Its place in the recipe, such as `real`."""
    place: str
    """Folder or release as in the recipe; of a generator its model."""
    n: int
    """What was measured of it."""
    n_refused: int = 0
    is_generated: bool = False
    identity: str | None = None
    """Hash of the contents that were measured, in a stable order; equal sets have equal ones."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """Sides in pixels, splits, the recipe of the generator."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Protocol:
    """How the figures were taken. Results compare where protocols are equal."""

    version: str
    encoders: Mapping[str, str]
    """`name@version` to how pictures were brought to it: the resize rule."""
    rules: Mapping[str, str]
    """Whatever else a figure depends on, in words by name: tokenizer, ties, templates, subsets, splits."""
    seed: int
    resamples: int
    level: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """All that an evaluation found."""

    kind: str
    """`generation`, `alignment`, ..."""
    name: str
    protocol: Protocol
    sets: tuple[SetInfo, ...]
    figures: tuple[Figure, ...]
    tables: tuple[Table, ...] = ()
    curves: tuple[Curve, ...] = ()
    notes: tuple[str, ...] = ()
    """What a reader has to know, a sentence each: too few pictures, sets that differ."""
    refused: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Place of a picture or text that could not be used, to reason and detail."""
    recipe: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    """Of the libraries that computed it."""
    seconds: float = 0.0

    def find(self, name: str, *, encoder: str | None = None, group: str | None = None) -> Figure:
        """The first figure of a name. Raises KeyError."""
        for figure in self.figures:
            if (
                figure.name == name
                and figure.group == group
                and (encoder is None or (figure.encoder or "").startswith(encoder))
            ):
                return figure
        raise KeyError(name)

    def to_json(self) -> dict[str, Any]:
        """Everything, as plain values."""
        return {"format": FORMAT, **asdict(self)}

    def to_text(self) -> str:
        """A line for each figure, and what has to be known to read them."""
        counts = ", ".join(f"{each.n:,} {each.name}" for each in self.sets)
        lines = [f"{self.name}: {self.kind}, {counts}, {format_seconds(self.seconds)}"]
        lines += [f"  {line}" for line in align([_tell(figure) for figure in self.figures])]
        lines += [f"note: {note}" for note in self.notes]
        if self.refused:
            lines.append(f"set aside: {len(self.refused):,}, see result.json")
        return "\n".join(lines)


def _tell(figure: Figure) -> tuple[str, ...]:
    """The columns of a figure in a terminal."""
    name = figure.name if figure.group is None else f"{figure.name} {figure.group}"
    if figure.value is None:
        return name, figure.encoder or "", "not measured", figure.reason or ""
    value = say_number(figure.value) + (f" {figure.unit}" if figure.unit else "")
    if figure.low is not None and figure.high is not None:
        value += f" ({say_number(figure.low)} to {say_number(figure.high)})"
    if figure.passed is not None:
        value += ", passed" if figure.passed else ", NOT passed"
    return name, figure.encoder or "", value, ", ".join(map(say_mark, figure.marks))


def say_mark(mark: Mark) -> str:
    """A mark in words, and what to compare it with: `floor 0.02 (value at 500: 0.03)`."""
    level = "" if mark.at_n is None else f" (value at {mark.n:,}: {say_number(mark.at_n)})"
    return f"{mark.name} {say_number(mark.value)}{level}"


def say_number(value: float, digits: int = 4) -> str:
    """So many significant digits, but all that stand before the point; an exponent below 1e-4 and from 1e9 only."""
    value = value + 0.0  # no -0
    has_no_fraction = value.is_integer() or abs(float(f"{value:.{digits}g}")) >= 10 ** (digits - 1)
    return f"{value:,.0f}" if has_no_fraction and abs(value) < 1e9 else f"{value:.{digits}g}"


def align(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Rows of equal length as lines with their columns below each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def find_result(path: Path) -> Path:
    """The file of a result, from itself or the folder of the evaluation; it need not be there."""
    return path / "result.json" if path.is_dir() else path


def read_result(path: Path) -> Result:
    """Read a result that an evaluation wrote, from its file or the folder of the evaluation.

    Raises:
        UsageError: it is not there, or is no result.

    """
    file = find_result(path)
    try:
        plain = json.loads(file.read_bytes(), parse_constant=_refuse_constant)
        if plain.pop("format", None) != FORMAT:
            raise ValueError(f"format {FORMAT} was wanted")
        return TypeAdapter(Result).validate_python(plain)
    except ValidationError as error:
        raise UsageError(f"{file} is no result of an evaluation: {_say_fault(error)}.") from error
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror or error}.") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise UsageError(f"{file} is no result of an evaluation: {error}.") from error


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is no number of JSON")


def _say_fault(error: ValidationError) -> str:
    """Place and problem of the first of them."""
    first = error.errors(include_url=False)[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
