"""The page of a comparison: one file that shows the numbers and the pictures behind them. No script, no network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from string import Template

from earthloom.core.markup import Html, element, join
from earthloom.evaluate.bars import draw_skill
from earthloom.evaluate.classify import Answers, Crossed, Told
from earthloom.evaluate.gallery import Gallery, Plate
from earthloom.evaluate.gates import Gate
from earthloom.evaluate.realism import Distance, Mark
from earthloom.evaluate.report import EffectReport, SceneReport, Spread

_ALL = "all"
_REFUSED_SHOWN = 20
_FIGURES = {
    "structure": "structure",
    "gradient_correlation": "gradient correlation",
    "gmsd": "GMSD",
    "ssim": "SSIM",
}
_DISTANCES = {"kid": "KID", "frechet": "Fréchet distance"}
_MEANINGS = (
    (
        "Real, clear and the score between",
        "Real pictures are compared with each other (the floor) and with clear ones (the ceiling). A score means "
        "nothing by itself: what counts is where it lies between these two.",
    ),
    (
        "Skill",
        "1 means that the synthetic pictures lie as near to the real ones as these lie to each other, 0 that clear "
        "pictures would do as well. The range is from the 5th to the 95th percentile over random halves.",
    ),
    (
        "KID and Fréchet distance",
        "Distances between two sets of features: KID is unbiased and serves small sets, the Fréchet distance (FID's) "
        "wants more pictures than features. Features called classical are colour, tone and texture, and their values "
        "must not be compared with those of a network.",
    ),
    (
        "Structure and gradient correlation",
        "How alike the patterns are in small windows of linear light, whatever their contrast: an even veil leaves both "
        "at 1, another place brings them near 0. Under cloud and snow only what is still seen is looked at.",
    ),
    (
        "GMSD and SSIM",
        "GMSD is 0 for equal pictures and grows as edges fade unevenly. SSIM also falls with contrast and brightness, "
        "as it must in fog, and is given for comparison only.",
    ),
    (
        "Gates",
        "What must be so in weather seen from above, such as the transmission that the record states or water that "
        "stays free of snow. An effect passes a gate when at least nine in ten of its pictures do.",
    ),
    (
        "Trained here, tested there",
        "A linear classifier learns {clear, weather} from real pictures and is tested on synthetic ones, and the "
        "reverse. One half is guessing; the same test within each kind is the most to hope for.",
    ),
    (
        "Told from real",
        "How often a linear classifier rates a real picture above a synthetic one: 0.5 is best, 1 means that it always "
        "knows. Other ground or another sensor gives synthetic pictures away as surely as bad weather does.",
    ),
)


def render_page(report: SceneReport, galleries: Mapping[str, Gallery]) -> str:
    """The page as text.

    Args:
        report: the numbers.
        galleries: effect to its pictures.

    """
    sections = list(_iter_sections(report, galleries))
    links = [element("a", name, href=f"#{anchor}") for anchor, name, _ in sections]
    body = join(
        _draw_header(report),
        element("nav", element("div", links), aria_label="Sections"),
        element("main", [element("section", content, id=anchor) for anchor, _, content in sections]),
        _draw_footer(report),
    )
    templates = files("earthloom.evaluate") / "templates"
    page = Template((templates / "scenes.html").read_text(encoding="utf-8"))
    style = (templates / "scenes.css").read_text(encoding="utf-8")
    return page.substitute(title="How real the weather looks", style=style, body=body)


def _iter_sections(report: SceneReport, galleries: Mapping[str, Gallery]) -> Iterator[tuple[str, str, Html]]:
    """(anchor, name in the navigation, content)."""
    yield "overview", "Overview", _draw_overview(report)
    for effect in report.effects:
        yield f"effect-{effect.effect}", say(effect.effect), _draw_effect(effect, galleries[effect.effect])
    yield "meaning", "What it means", _draw_meanings()
    if report.refused:
        yield "refused", "Set aside", _draw_refused(report.refused)


def _draw_header(report: SceneReport) -> Html:
    n = sum(effect.n for effect in report.effects)
    n_real = sum(effect.n_real for effect in report.effects)
    beside = (
        f"beside {n_real:,} real ones and their clear originals" if n_real else "beside their clear originals"
    )
    names = ", ".join(say(effect.effect) for effect in report.effects)
    return element(
        "header",
        element(
            "div",
            element("p", "Scene evaluation", class_="eyebrow"),
            element("h1", "How real the weather looks"),
            element("p", f"{n:,} pictures with synthetic {names}, {beside}.", class_="lead"),
        ),
    )


def _draw_overview(report: SceneReport) -> Html:
    heads = [
        element("th", "effect"),
        element("th", "pictures", class_="number"),
        element("th", "from clear to real"),
        element("th", "skill", class_="number"),
        element("th", "structure", class_="number"),
        element("th", "gates"),
    ]
    rows = [element("tr", _overview_cells(effect)) for effect in report.effects]
    table = element("table", element("thead", element("tr", heads)), element("tbody", rows))
    return join(
        element("h2", "Overview"), element("div", element("div", table, class_="scroll"), class_="card")
    )


def _overview_cells(effect: EffectReport) -> list[Html]:
    found = effect.headline
    structure = effect.structure.get(_ALL, {}).get("structure")
    failed = [gate for gate in effect.gates if gate.passed is False]
    n_judged = sum(gate.passed is not None for gate in effect.gates)
    verdict = f"{n_judged - len(failed)} of {n_judged} passed"
    names = (
        element("small", "not " + ", ".join(say(gate.name) for gate in failed), class_="bad")
        if failed
        else ""
    )
    none = element("span", "no real pictures given: structure and gates only", class_="soft small")
    return [
        element("td", element("a", say(effect.effect), href=f"#effect-{effect.effect}")),
        element("td", f"{effect.n:,}", class_="number"),
        element("td", none if found is None else draw_skill(found)),
        element("td", _say_skill(found), class_="number"),
        element("td", "–" if structure is None else f"{structure.median:.3f}", class_="number"),
        element("td", verdict if n_judged else "not judged", names),
    ]


def _say_skill(found: Distance | None) -> Html:
    if found is None or found.skill is None:
        return join("–")
    return join(f"{found.skill:.2f}", element("small", f"{found.skill_low:.2f} to {found.skill_high:.2f}"))


def _draw_effect(effect: EffectReport, gallery: Gallery) -> Html:
    cards = [
        _draw_gates(effect.gates),
        _draw_structure(effect),
        _draw_distances(effect),
        _draw_classifiers(effect),
    ]
    return join(
        element("h2", say(effect.effect)),
        element("p", _say_counts(effect), class_="soft"),
        element("div", [card for card in cards if card is not None], class_="grid"),
        _draw_plates(effect, gallery),
        _draw_strip(
            f"Real {say(effect.effect)}, to set beside them", f"Real {say(effect.effect)}", gallery.real
        ),
    )


def _say_counts(effect: EffectReport) -> str:
    severities = ", ".join(f"{n:,} {word}" for word, n in effect.severities.items())
    words = [f"{effect.n:,} pictures" + (f" ({severities})" if severities else "")]
    words.append(f"{effect.n_paired:,} with their clear original")
    if effect.n_real:
        kind = "real clear ones" if effect.clear_is_real else "clear originals"
        words.append(f"against {effect.n_real:,} real ones and {effect.n_clear:,} {kind}")
    sides = set(effect.sides_px.values())
    if len(sides) > 1:
        told = ", ".join(f"{name} {side:g} px" for name, side in effect.sides_px.items())
        words.append(f"sides differ ({told})")
    return ", ".join(words) + "."


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
        told = f"{gate.measured:.3g}{unit}, wanted {gate.bound}; {failing}" + (
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
        marks = "" if found.score is None else f"{found.score.value:.4g} (real {_say_mark(found.floor)}): "
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
    return "–" if mark is None else f"{mark.value:.4g}"


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


def _draw_plates(effect: EffectReport, gallery: Gallery) -> Html:
    if gallery.plates:
        plates = [_draw_plate(effect.effect, plate) for plate in gallery.plates]
        return join(
            element("h3", "Before and after", class_="subhead"), element("div", plates, class_="plates")
        )
    name = f"Synthetic {say(effect.effect)}"
    return _draw_strip(f"{name}; no clear originals at hand", name, gallery.unpaired)


def _draw_plate(effect: str, plate: Plate) -> Html:
    one = plate.measured
    severity = f"{one.severity} " if one.severity else ""
    kept = one.kept
    numbers = [
        "nothing of the ground left to compare"
        if kept.structure is None
        else f"structure {kept.structure:.3f}"
        + (f" in {kept.seen_share:.0%} of it" if kept.seen_share < 1 else ""),
        "" if kept.gradient_correlation is None else f"gradients {kept.gradient_correlation:.3f}",
        f"GMSD {kept.gmsd:.3f}",
        *(
            f"{say(name)} {value:.3g}"
            for name, value in one.gates.items()
            if value is not None and name != "structure"
        ),
    ]
    why = element("strong", plate.why[:1].upper() + plate.why[1:], class_="bad" if plate.is_failure else None)
    return element(
        "figure",
        element(
            "div",
            element("img", src=plate.before, alt=f"Clear original {one.key}"),
            element("img", src=plate.after, alt=f"The same with {severity}{say(effect)}"),
            class_="pair",
        ),
        element(
            "figcaption",
            why,
            f" · {severity}",
            ", ".join(filter(None, numbers)),
            " ",
            element("code", one.key),
        ),
    )


def _draw_strip(title: str, alt: str, pictures: Sequence[str]) -> Html:
    if not pictures:
        return join()
    images = [element("img", src=uri, alt=f"{alt}, {i}") for i, uri in enumerate(pictures, 1)]
    return join(element("h3", title, class_="subhead"), element("div", images, class_="strip"))


def _draw_meanings() -> Html:
    entries = [element("div", element("dt", name), element("dd", text)) for name, text in _MEANINGS]
    return join(element("h2", "What it means"), element("dl", entries, class_="meanings"))


def _draw_refused(refused: Mapping[str, Mapping[str, str]]) -> Html:
    shown = list(sorted(refused.items()))[:_REFUSED_SHOWN]
    items = [
        element(
            "li",
            element("b", "✗", aria_hidden="true"),
            element("code", place),
            element("small", f"{told['reason']}: {told['detail']}"),
        )
        for place, told in shown
    ]
    rest = len(refused) - len(shown)
    more = (
        element("p", f"And {rest:,} more, all of them in scenes.json.", class_="soft small") if rest else ""
    )
    note = element(
        "p", f"{len(refused):,} pictures could not be used and count nowhere above.", class_="soft"
    )
    return join(element("h2", "Set aside"), note, element("ul", items, class_="gates"), more)


def _draw_footer(report: SceneReport) -> Html:
    versions = ", ".join(f"{name} {number}" for name, number in report.versions.items())
    told = f"{', '.join(report.encoders)} · seed {report.settings['seed']} · {versions}. All numbers: scenes.json."
    return element("footer", element("p", told))


def say(name: str) -> str:
    """An effect or a gate in words."""
    return name.replace("_", " ")
