"""Results side by side: figures in line, their differences, and what speaks against comparing them."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from earthloom.core.errors import UsageError
from earthloom.core.markup import Html, element, join
from earthloom.evaluate.differing import list_differences, name_apart
from earthloom.evaluate.page.choosing import MOST
from earthloom.evaluate.page.frame import lay_out
from earthloom.evaluate.page.glossary import name_figure
from earthloom.evaluate.page.scales import draw_scale, find_domain
from earthloom.evaluate.result import Figure, Result, align, find_result, read_result, say_number
from earthloom.store.atomic import write_json, write_text


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """One figure over all results."""

    name: str
    encoder: str | None
    group: str | None
    figures: tuple[Figure | None, ...]
    """In the order of the results; None where one lacks it."""
    difference: float | None
    """Last less first; None where either was not measured."""
    apart: bool | None
    """Whether the difference is larger than chance makes it at the level of the intervals, taking the two as
    independent: |difference| > sqrt(h1^2 + h2^2) with half-widths h. None without intervals."""
    better: int | None
    """Number of the result with the best value, by the figure's own direction; None without one, or where all tie."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """Results side by side."""

    names: tuple[str, ...]
    rows: tuple[Compared, ...]
    warnings: tuple[str, ...]
    """What speaks against comparing them, a sentence each."""

    def to_json(self) -> dict[str, Any]:
        """Everything, as plain values."""
        return asdict(self)

    def to_text(self) -> str:
        """A table for a terminal."""
        heads = ("", *self.names, "difference")
        rows = [heads, *(self._tell(row) for row in self.rows)]
        lines = [f"warning: {warning}" for warning in self.warnings]
        return "\n".join([*lines, *align(rows)])

    def _tell(self, row: Compared) -> tuple[str, ...]:
        label = _say_key((row.name, row.encoder, row.group))
        cells = tuple(_say_value(figure) for figure in row.figures)
        return (label, *cells, _say_difference(row))


def compare(results: Sequence[Result]) -> Comparison:
    """Line up the figures of two results or more.

    Figures are the same where name, group and encoder are; of an encoder its version counts too.

    Raises:
        UsageError: there are fewer than two, or they are of different kinds.

    """
    if len(results) < 2:
        raise UsageError("Two results or more were wanted to compare.")
    kinds = sorted({result.kind for result in results})
    if len(kinds) > 1:
        raise UsageError(f"Results of one kind were wanted, got {' and '.join(kinds)}.")
    keys = dict.fromkeys(_key(figure) for result in results for figure in result.figures)
    found = [{_key(figure): figure for figure in reversed(result.figures)} for result in results]
    names = name_apart(results)
    return Comparison(
        names=names,
        rows=tuple(_line_up(key, [figures.get(key) for figures in found]) for key in keys),
        warnings=(*_list_doubles(names, results), *list_differences(names, results)),
    )


def write_comparison(paths: Sequence[Path], output: Path | None = None) -> Comparison:
    """Compare results by the paths of their files or folders; write a page, and JSON beside it, where one is named.

    Raises:
        UsageError: as `compare` and `read_result`; or the page would lie in the place of a folder or a result.
        WriteError: the page cannot be written.

    """
    places = None if output is None else _choose_places(output, paths)
    found = compare([read_result(path) for path in paths])
    if places is not None:
        page, plain = places
        write_json(plain, found.to_json())
        write_text(page, render_comparison(found))
    return found


def _choose_places(output: Path, paths: Sequence[Path]) -> tuple[Path, Path]:
    """Where the page and its JSON go; never over a result that is compared."""
    if output.is_dir() or not output.name:
        raise UsageError(
            f"{output} is a folder: name the page to write, such as {output / 'comparison.html'}."
        )
    stem = output.name.removesuffix(output.suffix) if output.suffix in {".html", ".json"} else output.name
    page, plain = output.with_name(f"{stem}.html"), output.with_name(f"{stem}.json")
    read = {find_result(path).resolve() for path in paths}
    if plain.resolve() in read:
        raise UsageError(f"{plain} is a result that is compared, and would be lost: name another page.")
    return page, plain


_Key = tuple[str, str | None, str | None]
"""Name, encoder and group."""
_TOLD = 3
"""Figures that a warning names."""


def _key(figure: Figure) -> _Key:
    return figure.name, figure.encoder, figure.group


def _list_doubles(names: Sequence[str], results: Sequence[Result]) -> Iterator[str]:
    """One sentence for each result that holds figures of which only the first is compared."""
    for name, result in zip(names, results, strict=True):
        counts = Counter(_key(figure) for figure in result.figures)
        doubles = [key for key, n in counts.items() if n > 1]
        if doubles:
            told = ", ".join(_say_key(key) for key in doubles[:_TOLD])
            more = f" and {len(doubles) - _TOLD:,} more" if len(doubles) > _TOLD else ""
            yield f"{name} holds several figures {told}{more}: the first of each is taken."


def _say_key(key: _Key) -> str:
    name, encoder, group = key
    return " ".join(part for part in (name, group, encoder and f"[{encoder}]") if part)


def _line_up(key: _Key, figures: Sequence[Figure | None]) -> Compared:
    name, encoder, group = key
    first, last = figures[0], figures[-1]
    difference = None if first is None or last is None else _subtract(last.value, first.value)
    return Compared(
        name=name,
        encoder=encoder,
        group=group,
        figures=tuple(figures),
        difference=difference,
        apart=None
        if difference is None or first is None or last is None
        else _is_apart(difference, first, last),
        better=_find_best(figures),
    )


def _subtract(value: float | None, other: float | None) -> float | None:
    return None if value is None or other is None else value - other


def _is_apart(difference: float, first: Figure, last: Figure) -> bool | None:
    halves = [
        (figure.high - figure.low) / 2
        for figure in (first, last)
        if figure.low is not None and figure.high is not None
    ]
    return abs(difference) > math.hypot(*halves) if len(halves) == 2 else None


def _find_best(figures: Sequence[Figure | None]) -> int | None:
    directions = {figure.better for figure in figures if figure is not None}
    values = [None if figure is None else figure.value for figure in figures]
    if directions not in ({"higher"}, {"lower"}) or len({value for value in values if value is not None}) < 2:
        return None
    sign = 1 if directions == {"higher"} else -1
    return max(range(len(values)), key=lambda i: -math.inf if (value := values[i]) is None else sign * value)


def _say_value(figure: Figure | None) -> str:
    span = _say_span(figure)
    return _say_middle(figure) + (f" ({span})" if span else "")


def _say_middle(figure: Figure | None) -> str:
    if figure is None:
        return "–"
    return "not measured" if figure.value is None else say_number(figure.value)


def _say_span(figure: Figure | None) -> str:
    if figure is None or figure.value is None or figure.low is None or figure.high is None:
        return ""
    return f"{say_number(figure.low)} to {say_number(figure.high)}"


def _say_difference(row: Compared) -> str:
    if row.difference is None:
        return ""
    sure = {True: "", False: ", within chance", None: ""}[row.apart]
    return f"{row.difference:+.4g}{sure}"


def render_comparison(found: Comparison) -> str:
    """The page of a comparison."""
    warnings = [element("li", warning) for warning in found.warnings]
    heads = [element("th", "figure"), *(element("th", name, class_="number") for name in found.names)]
    heads += [element("th", "difference", class_="number"), element("th", "on one scale, in this order")]
    shown = _choose_rows(found.rows)
    rows = [element("tr", _list_cells(row)) for row in shown]
    table = element("table", element("thead", element("tr", heads)), element("tbody", rows))
    title = " beside ".join(found.names) if len(found.names) == 2 else f"{len(found.names)} results"
    body = join(
        element(
            "header",
            element("div", element("p", "Comparison", class_="eyebrow"), element("h1", title)),
        ),
        element(
            "main",
            element("ul", warnings, class_="notes", role="note") if warnings else "",
            element(
                "section",
                element("div", element("div", table, class_="scroll"), class_="card"),
                _tell_left_out(len(found.rows) - len(shown)),
                element("p", _MEANING, class_="soft small"),
            ),
        ),
    )
    return lay_out(title, body)


_MEANING = (
    "The best value of a row is in bold. A difference is within chance where it is smaller than the root of the sum of "
    "the squared half-widths of both intervals, which takes the results as independent: for the same pictures a paired "
    "difference, where there is one, says more. A ring is the value at the count of pictures that its floor or ceiling "
    "was taken of, the bracket what lies between the two."
)


def _choose_rows(rows: Sequence[Compared]) -> list[Compared]:
    """All rows, but of the groups of one figure no more than a page has room for: those that differ most."""
    groups: dict[tuple[str, str | None], list[Compared]] = defaultdict(list)
    for row in rows:
        if row.group is not None:
            groups[row.name, row.encoder].append(row)
    left_out = {id(row) for each in groups.values() for row in sorted(each, key=_rate_sameness)[MOST:]}
    return [row for row in rows if id(row) not in left_out]


def _rate_sameness(row: Compared) -> float:
    return math.inf if row.difference is None else -abs(row.difference)


def _tell_left_out(n: int) -> Html:
    told = f"{n:,} groups that differ least are left out; the JSON beside this page has all."
    return element("p", told, class_="soft small") if n else join()


def _draw_value(figure: Figure | None, *, is_best: bool) -> list[Html]:
    span = _say_span(figure)
    value = element("strong" if is_best else "span", _say_middle(figure))
    return [value, element("small", span)] if span else [value]


def _list_cells(row: Compared) -> list[Html]:
    under = [element("small", part) for part in (row.group, row.encoder) if part]
    domain = find_domain([figure for figure in row.figures if figure is not None])
    values = [
        element("td", *_draw_value(figure, is_best=i == row.better), class_="number")
        for i, figure in enumerate(row.figures)
    ]
    scales = [
        element("div", draw_scale(figure, domain))
        for figure in row.figures
        if figure is not None and figure.value is not None
    ]
    return [
        element("th", name_figure(row.name), under, scope="row"),
        *values,
        element("td", _say_difference(row), class_="number"),
        element("td", scales),
    ]
