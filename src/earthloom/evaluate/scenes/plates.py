"""The pictures of one effect on the page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from earthloom.core.markup import Html, element, join
from earthloom.evaluate.scenes.gallery import Gallery, Plate
from earthloom.evaluate.scenes.report import EffectReport, Measured, say, say_measured

_SAID = frozenset({"structure", "edges"})
"""Gates whose figures stand there already."""


def draw_plates(effect: EffectReport, gallery: Gallery) -> Html:
    """Before and after, or the pictures alone where no originals are at hand."""
    if gallery.plates:
        plates = [_draw_plate(effect.effect, plate) for plate in gallery.plates]
        return join(
            element("h3", "Before and after", class_="subhead"), element("div", plates, class_="plates")
        )
    name = f"Synthetic {say(effect.effect)}"
    return draw_strip(f"{name}; no clear originals at hand", name, gallery.unpaired)


def _draw_plate(effect: str, plate: Plate) -> Html:
    one = plate.measured
    severity = f"{one.severity} " if one.severity else ""
    why = element("strong", plate.why[:1].upper() + plate.why[1:], class_="bad" if plate.is_failure else None)
    strength = f" ({one.severity})" if one.severity else ""
    return element(
        "figure",
        element(
            "div",
            element("img", src=plate.before, alt=f"Clear original {one.key}"),
            element("img", src=plate.after, alt=f"The same with {severity}{say(effect)}"),
            class_="pair",
        ),
        element("figcaption", why, strength, f": {', '.join(_iter_numbers(one))} ", element("code", one.key)),
    )


def _iter_numbers(one: Measured) -> Iterator[str]:
    kept = one.kept
    if kept.structure is None:
        yield "nothing of the ground left to compare"
    else:
        seen = f" in {kept.seen_share:.0%} of it" if kept.seen_share < 1 else ""
        yield f"structure {kept.structure:.3f}{seen}"
    if kept.gradient_correlation is not None:
        yield f"gradients {kept.gradient_correlation:.3f}"
    yield f"GMSD {kept.gmsd:.3f}"
    for name, value in one.gates.items():
        if value is not None and name not in _SAID:
            yield f"{say(name)} {say_measured(value)}"


def draw_strip(title: str, alt: str, pictures: Sequence[str]) -> Html:
    """Pictures in a row; nothing where there are none."""
    if not pictures:
        return join()
    images = [element("img", src=uri, alt=f"{alt}, {i}") for i, uri in enumerate(pictures, 1)]
    return join(element("h3", title, class_="subhead"), element("div", images, class_="strip"))
