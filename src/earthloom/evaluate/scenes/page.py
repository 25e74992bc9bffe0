"""The page of a comparison: one file that shows the numbers and the pictures behind them. No script, no network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files

from earthloom.core.markup import Html, element, join
from earthloom.evaluate.page.frame import lay_out
from earthloom.evaluate.page.protocol import draw_refused
from earthloom.evaluate.scenes.bars import draw_skill
from earthloom.evaluate.scenes.cards import list_cards
from earthloom.evaluate.scenes.gallery import Gallery
from earthloom.evaluate.scenes.plates import draw_plates, draw_strip
from earthloom.evaluate.scenes.realism import Distance
from earthloom.evaluate.scenes.report import EffectReport, SceneReport, say

_ALL = "all"
_NO_REAL = "no real pictures given: structure and gates only"
_COLUMNS = (
    ("effect", False),
    ("pictures", True),
    ("from clear to real", False),
    ("skill", True),
    ("structure", True),
    ("gates", False),
)
"""Of the overview: heading, and whether numbers stand under it."""
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
        "How alike the patterns are in small windows of linear light, whatever their contrast: an even veil leaves "
        "both at 1, another place brings the second to 0. Under cloud and snow only what is still seen is looked at.",
    ),
    (
        "GMSD and SSIM",
        "GMSD is 0 for equal pictures and grows as edges fade unevenly. SSIM also falls with contrast and brightness, "
        "as it must in fog, and is given for comparison only.",
    ),
    (
        "Gates",
        "What must be so in weather seen from above, such as the transmission that the record states or water that "
        "stays free of snow. An effect passes a gate when nine in ten of its pictures do, or all but one.",
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
    sheet = files("earthloom.evaluate.scenes") / "templates" / "scenes.css"
    return lay_out("How real the weather looks", body, sheet.read_text(encoding="utf-8"))


def _iter_sections(report: SceneReport, galleries: Mapping[str, Gallery]) -> Iterator[tuple[str, str, Html]]:
    """(anchor, name in the navigation, content)."""
    yield "overview", "Overview", _draw_overview(report)
    for effect in report.effects:
        yield f"effect-{effect.effect}", say(effect.effect), _draw_effect(effect, galleries[effect.effect])
    yield "meaning", "What it means", _draw_meanings()
    if report.refused:
        refused = draw_refused(report.refused, "scenes.json")
        yield "refused", "Set aside", join(element("h2", "Set aside"), refused)


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
    heads = [element("th", name, class_="number" if is_number else None) for name, is_number in _COLUMNS]
    rows = [element("tr", _overview_cells(effect)) for effect in report.effects]
    table = element(
        "table", element("thead", element("tr", heads)), element("tbody", rows), class_="overview"
    )
    return join(
        element("h2", "Overview"), element("div", element("div", table, class_="scroll"), class_="card")
    )


def _overview_cells(effect: EffectReport) -> list[Html]:
    found = effect.headline
    structure = effect.structure.get(_ALL, {}).get("structure")
    cells: list[Html] = [
        element("a", say(effect.effect), href=f"#effect-{effect.effect}"),
        join(f"{effect.n:,}"),
        element("span", _NO_REAL, class_="soft small") if found is None else draw_skill(found),
        _say_skill(found),
        join("–" if structure is None else f"{structure.median:.3f}"),
        _say_gates(effect),
    ]
    return [
        element("td", cell, class_="number" if is_number else None, data_label=name)
        for cell, (name, is_number) in zip(cells, _COLUMNS, strict=True)
    ]


def _say_gates(effect: EffectReport) -> Html:
    failed = [say(gate.name) for gate in effect.gates if gate.passed is False]
    n_judged = sum(gate.passed is not None for gate in effect.gates)
    if not n_judged:
        return join("not judged")
    names = element("small", f"not {', '.join(failed)}", class_="bad") if failed else ""
    return join(f"{n_judged - len(failed)} of {n_judged} passed", names)


def _say_skill(found: Distance | None) -> Html:
    if found is None or found.skill is None:
        return join("–")
    return join(f"{found.skill:.2f}", element("small", f"{found.skill_low:.2f} to {found.skill_high:.2f}"))


def _draw_effect(effect: EffectReport, gallery: Gallery) -> Html:
    return join(
        element("h2", say(effect.effect)),
        element("p", _say_counts(effect), class_="soft"),
        element("div", list_cards(effect), class_="grid"),
        draw_plates(effect, gallery),
        draw_strip(
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


def _draw_meanings() -> Html:
    entries = [element("div", element("dt", name), element("dd", text)) for name, text in _MEANINGS]
    return join(element("h2", "What it means"), element("dl", entries, class_="meanings"))


def _draw_footer(report: SceneReport) -> Html:
    versions = ", ".join(f"{name} {number}" for name, number in report.versions.items())
    told = f"{', '.join(report.encoders)} · seed {report.settings['seed']} · {versions}. All numbers: scenes.json."
    return element("footer", element("p", told))
