"""Figures as tables: of the whole, of groups, and those that are checks with a bound."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from earthloom.core.markup import Html, element, join
from earthloom.evaluate.page.choosing import Part, choose_checks, choose_groups
from earthloom.evaluate.page.glossary import name_figure
from earthloom.evaluate.page.scales import Domain, draw_scale, find_domain
from earthloom.evaluate.result import MARKS, Figure, Mark, Result, say_number

_ARROWS = {"higher": "↑", "lower": "↓", "nearer": "→"}
_WORDS = {"higher": "higher is better", "lower": "lower is better", "nearer": "nearer to real is better"}


def draw_whole(result: Result) -> Html:
    """Figures of the whole set, one a row."""
    figures = [figure for figure in result.figures if figure.group is None and figure.passed is None]
    if not figures:
        return join()
    heads = [_head("figure"), _head("value", is_number=True), _head("between its marks")]
    heads += [_head(mark, is_number=True) for mark in MARKS] + [_head("pictures", is_number=True)]
    rows = [element("tr", _whole_cells(figure)) for figure in figures]
    table = element(
        "table", element("thead", element("tr", heads)), element("tbody", rows), class_="overview"
    )
    return element("div", element("div", table, class_="scroll"), _draw_legend(figures), class_="card")


_LEGEND = (
    "The dot is the value, the bar its interval. Floor: real pictures against other real ones. Null: the same with "
    "nothing in it, such as shuffled captions or chance. Ceiling: the most to hope for."
)
_LEVELS = (
    " A mark that is of fewer pictures than the value has the value at that count beside it, a ring in the drawing: "
    "the bracket between mark and ring spans what compares, and the mark may lie on either side of the dot."
)


def _draw_legend(figures: Sequence[Figure]) -> Html:
    has_levels = any(mark.at_n is not None for figure in figures for mark in figure.marks)
    return element("p", _LEGEND + (_LEVELS if has_levels else ""), class_="soft small")


def _whole_cells(figure: Figure) -> list[Html]:
    if figure.value is None:
        why = element("span", figure.reason or "no reason given", class_="soft small")
        return [_name_cell(figure), element("td", "not measured: ", why, colspan=6)]
    marks = {mark.name: mark for mark in figure.marks}
    return [
        _name_cell(figure),
        _value_cell(figure),
        element("td", draw_scale(figure), data_label="between its marks"),
        *(_mark_cell(name, marks.get(name)) for name in MARKS),
        element("td", _say_counts(figure), class_="number", data_label="pictures"),
    ]


def _name_cell(figure: Figure) -> Html:
    arrow = "" if figure.better is None else f" {_ARROWS[figure.better]}"
    title = None if figure.better is None else _WORDS[figure.better]
    small = [element("small", figure.encoder)] if figure.encoder else []
    note = (
        [element("small", figure.reason, class_="bad")] if figure.reason and figure.value is not None else []
    )
    return element(
        "th", element("span", name_figure(figure.name) + arrow, title=title), small, note, scope="row"
    )


def _value_cell(figure: Figure) -> Html:
    assert figure.value is not None
    unit = f" {figure.unit}" if figure.unit else ""
    span: list[Html] = []
    if figure.low is not None and figure.high is not None:
        told = f"{say_number(figure.low)} to {say_number(figure.high)}"
        span = [element("small", told, title=figure.interval)]
    value = element("strong", say_number(figure.value) + unit)
    return element("td", value, span, class_="number", data_label="value")


def _mark_cell(name: str, mark: Mark | None) -> Html:
    if mark is None:
        return element("td", "–", class_="number none", data_label=name)
    level: list[Html] = []
    if mark.at_n is not None:
        level = [element("small", f"value at {mark.n:,}: ", element("b", say_number(mark.at_n)))]
    return element("td", say_number(mark.value), level, class_="number", data_label=name)


def _say_counts(figure: Figure) -> Html:
    parts = [] if figure.n is None else [f"{figure.n:,}"]
    real = [] if figure.n_real is None else [element("small", f"{figure.n_real:,} real")]
    return join(*parts, real)


def draw_groups(result: Result) -> Html:
    """Figures of parts, such as classes: a card for each name, all of its groups on one scale."""
    by_name: dict[tuple[str, str | None], list[Figure]] = defaultdict(list)
    for figure in result.figures:
        if figure.group is not None and figure.passed is None:
            by_name[figure.name, figure.encoder].append(figure)
    cards = [_draw_group(name, encoder, figures) for (name, encoder), figures in by_name.items()]
    return element("div", cards, class_="grid") if cards else join()


def _draw_group(name: str, encoder: str | None, figures: Sequence[Figure]) -> Html:
    parts = choose_groups(figures)
    domain = find_domain([figure for part in parts for figure in part.figures])
    table = element("table", [_draw_part(part, domain) for part in parts], class_="groups")
    under = [element("p", encoder, class_="soft small")] if encoder else []
    return element(
        "div",
        element("h3", name_figure(name)),
        under,
        element("div", table, class_="scroll"),
        _tell_left_out(figures, parts),
        class_="card",
    )


def _draw_part(part: Part, domain: Domain) -> Html:
    rows = [
        element(
            "tr",
            element("th", figure.group or "", scope="row"),
            _group_value(figure),
            element("td", "" if figure.value is None else draw_scale(figure, domain)),
        )
        for figure in part.figures
    ]
    head = [] if part.title is None else [element("th", part.title, colspan=3, scope="rowgroup")]
    return element("tbody", element("tr", head) if head else "", rows)


def _tell_left_out(figures: Sequence[Figure], parts: Sequence[Part]) -> Html:
    """How many groups are not shown, and how many of them were not measured; nothing where all are."""
    rest = len(figures) - sum(len(part.figures) for part in parts)
    if not rest:
        return join()
    n_unknown = sum(figure.value is None for figure in figures)
    unknown = f", {n_unknown:,} of them not measured" if n_unknown else ""
    told = f"{rest:,} of {len(figures):,} groups are left out{unknown}; result.json has all."
    return element("p", told, class_="soft small")


def _group_value(figure: Figure) -> Html:
    if figure.value is None:
        return element("td", figure.reason or "not measured", class_="soft small")
    return _value_cell(figure)


def draw_checks(result: Result) -> Html:
    """Figures with a bound, and whether it holds."""
    checks = [figure for figure in result.figures if figure.passed is not None]
    if not checks:
        return join()
    shown = choose_checks(checks)
    items = element("ul", [_draw_check(check) for check in shown], class_="gates")
    return element("div", items, _tell_checks(checks, shown), class_="card")


def _tell_checks(checks: Sequence[Figure], shown: Sequence[Figure]) -> Html:
    rest = len(checks) - len(shown)
    if not rest:
        return join()
    n_failed = sum(not check.passed for check in checks)
    told = (
        f"{n_failed:,} of {len(checks):,} checks failed. {rest:,} are left out, those that passed before those that "
        "failed; result.json has all."
    )
    return element("p", told, class_="soft small")


def _draw_check(check: Figure) -> Html:
    word, sign = ("passed", "✓") if check.passed else ("failed", "✗")
    value = "" if check.value is None else say_number(check.value) + (f" {check.unit}" if check.unit else "")
    told = "; ".join(
        part for part in (value, f"wanted {check.bound}" if check.bound else "", check.reason) if part
    )
    group = f", {check.group}" if check.group else ""
    verdict = element("span", "passed" if check.passed else "not passed", class_="verdict")
    return element(
        "li",
        element("b", sign, aria_hidden="true"),
        element("span", f"{name_figure(check.name)}{group}: ", verdict),
        element("small", told),
        class_=word,
    )


def _head(text: str, *, is_number: bool = False) -> Html:
    return element("th", text, scope="col", class_="number" if is_number else None)
