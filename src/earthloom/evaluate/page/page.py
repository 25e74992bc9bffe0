"""The page of a result: one file that shows the figures, the pictures behind them and the protocol in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from earthloom.core.durations import format_seconds
from earthloom.core.markup import Html, element, join
from earthloom.evaluate.page.charts import draw_curve
from earthloom.evaluate.page.figures import draw_checks, draw_groups, draw_whole
from earthloom.evaluate.page.frame import lay_out
from earthloom.evaluate.page.glossary import draw_glossary
from earthloom.evaluate.page.grids import draw_grids
from earthloom.evaluate.page.protocol import draw_protocol, draw_refused
from earthloom.evaluate.page.tables import draw_table
from earthloom.evaluate.result import Result, SetInfo
from earthloom.evaluate.work import Grid

TITLES = {
    "generation": "How near generated pictures are to real ones",
    "alignment": "How well pictures show what was asked for",
    "crossmodal": "How true pictures of another modality are",
    "scenes": "How real synthetic weather looks",
    "classification": "How well classes are told apart",
    "retrieval": "How well pictures and texts find each other",
    "captioning": "How near captions are to those of people",
}
Section = tuple[str, str, Html]
"""Anchor, name in the navigation, content."""


def render_page(result: Result, grids: Sequence[Grid] = ()) -> str:
    """The page as text; equal results and pictures give equal pages."""
    sections = list(_iter_sections(result, grids))
    links = [element("a", name, href=f"#{anchor}") for anchor, name, _ in sections]
    body = join(
        _draw_header(result),
        element("nav", element("div", links), aria_label="Sections"),
        element("main", [element("section", content, id=anchor) for anchor, _, content in sections]),
        _draw_footer(result),
    )
    return lay_out(f"{result.name}: {result.kind}", body)


def _iter_sections(result: Result, grids: Sequence[Grid]) -> Iterator[Section]:
    yield "figures", "Figures", join(element("h2", "Figures"), _draw_notes(result), draw_whole(result))
    checks = draw_checks(result)
    if checks:
        yield "checks", "Checks", join(element("h2", "Checks"), checks)
    if grids:
        yield "pictures", "Pictures", join(element("h2", "Pictures"), draw_grids(grids))
    groups = draw_groups(result)
    if groups:
        yield "groups", "By group", join(element("h2", "By group"), groups)
    if result.curves:
        yield "curves", "Curves", join(element("h2", "Curves"), _wrap([draw_curve(c) for c in result.curves]))
    if result.tables:
        yield (
            "tables",
            "Tables",
            join(element("h2", "Tables"), [draw_table(table) for table in result.tables]),
        )
    yield "protocol", "Protocol", join(element("h2", "Protocol"), draw_protocol(result))
    glossary = draw_glossary(result)
    if glossary:
        yield "meaning", "What it means", join(element("h2", "What it means"), glossary)
    if result.refused:
        yield (
            "refused",
            "Set aside",
            join(element("h2", "Set aside"), draw_refused(result.refused, "result.json")),
        )


def _wrap(cards: list[Html]) -> Html:
    return element("div", cards, class_="grid")


def _draw_header(result: Result) -> Html:
    return element(
        "header",
        element(
            "div",
            element("p", f"Evaluation: {result.kind}", class_="eyebrow"),
            element("h1", result.name),
            element("p", _say_what(result), class_="lead"),
        ),
    )


def _say_what(result: Result) -> str:
    counts = "; ".join(_say_set(each) for each in result.sets)
    title = TITLES.get(result.kind)
    return ". ".join(part for part in (title, counts) if part) + "."


def _say_set(chosen: SetInfo) -> str:
    kind = " generated" if chosen.is_generated and chosen.name != "generated" else ""
    refused = f", {chosen.n_refused:,} set aside" if chosen.n_refused else ""
    return f"{chosen.name}: {chosen.n:,}{kind}{refused}"


def _draw_notes(result: Result) -> Html:
    if not result.notes:
        return join()
    return element("ul", [element("li", note) for note in result.notes], class_="notes", role="note")


def _draw_footer(result: Result) -> Html:
    versions = ", ".join(f"{name} {number}" for name, number in sorted(result.versions.items()))
    told = (
        f"protocol {result.protocol.version} · seed {result.protocol.seed} · {format_seconds(result.seconds)} · "
        f"{versions}. All figures: result.json."
    )
    return element("footer", element("p", told))
