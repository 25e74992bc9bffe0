"""The numbers of one effect, as cards of the page: gates, structure, distances, classifiers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from earthloom.core.markup import Html, element
from earthloom.evaluate.scenes.classify import Answers, Crossed, Told
from earthloom.evaluate.scenes.gates import Gate
from earthloom.evaluate.scenes.realism import Distance, Mark
from earthloom.evaluate.scenes.report import EffectReport, Spread, say_measured

_FIGURES = {
    "structure": "structure",
    "gradient_correlation": "gradients",
    "gmsd": "GMSD",
    "ssim": "SSIM",
}
_DISTANCES = {"kid": "KID", "frechet": "Fréchet distance"}


def list_cards(effect: EffectReport) -> list[Html]:
    """Those cards for which there is something to say."""
    cards = (
        _draw_gates(effect.gates),
        _draw_structure(effect),
        _draw_distances(effect),
        _draw_classifiers(effect),
    )
    return [card for card in cards if card is not None]


def _draw_gates(gates: Sequence[Gate]) -> Html | None:
    if not gates:
        return None
    items = [_draw_gate(gate) for gate in gates]
    return element("div", element("h3", "Gates"), element("ul", items, class_="gates"), class_="card")


def _draw_gate(gate: Gate) -> Html:
    sign, word = {True: ("✓", "passed"), False: ("✗", "failed"), None: ("–", "unjudged")}[gate.passed]
    verdict = {"passed": "passed", "failed": "not passed", "unjudged": "not judged"}[word]
    if gate.measured is None:
        told = gate.note or ""
    else:
        unit = f" {gate.unit}" if gate.unit else ""
        failing = f"{gate.n_failed:,} of {gate.n:,} fail" if gate.n_failed else f"{gate.n:,} judged"
        told = f"{say_measured(gate.measured)}{unit}, wanted {gate.bound}; {failing}" + (
            f"; {gate.note}" if gate.note else ""
        )
    return element(
        "li",
        element("b", sign, aria_hidden="true"),
        element("span", f"{gate.question}: ", element("span", verdict, class_="verdict")),
        element("small", told),
        class_=word,
    )


def _draw_structure(effect: EffectReport) -> Html | None:
    if not effect.structure:
        return None
    heads = [element("th", "strength"), *(element("th", name, class_="number") for name in _FIGURES.values())]
    rows = [
        element("tr", element("td", word), [_draw_spread(figures.get(name)) for name in _FIGURES])
        for word, figures in effect.structure.items()
    ]
    table = element("table", element("thead", element("tr", heads)), element("tbody", rows))
    note = element("p", "Medians, with 5th and 95th percentile.", class_="soft small")
    return element(
        "div",
        element("h3", "What is left of the ground"),
        element("div", table, class_="scroll"),
        note,
        class_="card",
    )


def _draw_spread(spread: Spread | None) -> Html:
    if spread is None:
        return element("td", "–", class_="number")
    return element(
        "td",
        f"{spread.median:.3f}",
        element("small", f"{spread.low:.2f} to {spread.high:.2f}"),
        class_="number",
    )


def _draw_distances(effect: EffectReport) -> Html | None:
    if not effect.distances:
        return None
    heads = [
        element("th", "distance"),
        *(element("th", name, class_="number") for name in ("real", "synthetic", "clear", "skill")),
    ]
    rows = [element("tr", _distance_cells(found)) for found in effect.distances]
    table = element("table", element("thead", element("tr", heads)), element("tbody", rows))
    return element(
        "div", element("h3", "Distance from real"), element("div", table, class_="scroll"), class_="card"
    )


def _distance_cells(found: Distance) -> list[Html]:
    size = f", {found.n_subsets} times {found.subset_size}" if found.subset_size else ""
    name = element("td", _DISTANCES[found.name], element("small", found.encoder + size))
    if found.reason is not None:
        marks = "" if found.score is None else f"{found.score.value:.3g} (real {_say_mark(found.floor)}): "
        return [
            name,
            element(
                "td", marks, element("span", f"no skill: {found.reason}"), class_="soft small", colspan=4
            ),
        ]
    skill = f"{found.skill:.2f}"
    cells = [_say_mark(found.floor), _say_mark(found.score), _say_mark(found.ceiling), skill]
    return [name, *(element("td", cell, class_="number") for cell in cells)]


def _say_mark(mark: Mark | None) -> str:
    return "–" if mark is None else f"{mark.value:.3g}"


def _draw_classifiers(effect: EffectReport) -> Html | None:
    if not effect.crossed and not effect.told:
        return None
    crossed = [row for found in effect.crossed for row in _iter_crossed(found)]
    told = [element("tr", _told_cells(found)) for found in effect.told]
    heads = element(
        "tr",
        element("th", "trained on → tested on"),
        element("th", "balanced accuracy", class_="number"),
        element("th", "AUC", class_="number"),
    )
    told_heads = element(
        "tr",
        element("th", "told from real"),
        *(element("th", name, class_="number") for name in ("real", "synthetic", "clear")),
    )
    return element(
        "div",
        element("h3", "Classifiers"),
        element("div", element("table", element("thead", heads), element("tbody", crossed)), class_="scroll"),
        element(
            "div", element("table", element("thead", told_heads), element("tbody", told)), class_="scroll"
        ),
        class_="card",
    )


def _iter_crossed(found: Crossed) -> Iterator[Html]:
    if found.reason is not None:
        words = element("td", f"not measured: {found.reason}", class_="soft small", colspan=2)
        yield element("tr", element("td", "real → synthetic", element("small", found.encoder)), words)
        return
    for name, answers in (
        ("real → real", found.real_to_real),
        ("real → synthetic", found.real_to_synthetic),
        ("synthetic → real", found.synthetic_to_real),
        ("synthetic → synthetic", found.synthetic_to_synthetic),
    ):
        assert answers is not None
        yield element("tr", element("td", name, element("small", found.encoder)), _answer_cells(answers))


def _answer_cells(answers: Answers) -> list[Html]:
    return [
        element("td", f"{answers.balanced_accuracy:.3f}", class_="number"),
        element("td", f"{answers.auc:.3f}", class_="number"),
    ]


def _told_cells(found: Told) -> list[Html]:
    name = element("td", "AUC", element("small", found.encoder))
    if found.reason is not None:
        return [name, element("td", f"not measured: {found.reason}", class_="soft small", colspan=3)]
    marks = ["–" if mark is None else f"{mark:.3f}" for mark in (found.floor, found.score, found.ceiling)]
    return [name, *(element("td", mark, class_="number") for mark in marks)]
