"""The tiny painter as a generator."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from earthloom.core.errors import UsageError
from earthloom.models.generators.briefs import FACTS, About, Brief, Drawn
from earthloom.models.generators.choices import Device, Precision
from earthloom.models.generators.controls import find_faults_of_control
from earthloom.models.generators.devices import choose_device, explain_memory
from earthloom.models.stable.drawing import SAMPLER
from earthloom.models.tiny.files import EUROSAT, load_tiny
from earthloom.models.tiny.painter import Request, TinyPainter
from earthloom.models.weights.origins import Origin

_STEPS, _GUIDANCE = 30, 2.0
_BATCH = 64
"""Pictures at once on a GPU."""


def open_painter(path: str, *, device: Device, precision: Precision) -> PainterGenerator:
    """Open a file of a tiny painter's weights; the one that ships with the package where there is no path.

    Raises:
        UsageError: there is no such file, or it holds something else; another precision than float32 is wanted.

    """
    if precision not in {"auto", "float32"}:
        raise UsageError(f"--precision {precision}: tiny painters draw in float32.")
    where = choose_device(device)
    painter = load_tiny(path or EUROSAT, where)
    side = painter.shape.side
    recipe = painter.training.get("recipe", {})
    return PainterGenerator(
        painter=painter,
        about=About(
            kind="tiny",
            origins=(_make_origin(painter, recipe.get("name") or Path(path or EUROSAT).stem),),
            sampler=SAMPLER,
            precision="float32",
            device=where.type,
            steps=_STEPS,
            guidance=float(recipe.get("guidance", _GUIDANCE)),
            size=(side, side),
            batch=1 if where.type == "cpu" else _BATCH,
            # What was always withheld is noise to the network: it was taught by words alone.
            facts=frozenset() if recipe.get("drop_facts") == 1 else frozenset(FACTS),
            modality=painter.training.get("modality"),
            names={field: tuple(names) for field, names in painter.training.get("names", {}).items()},
            gsd_of="detail" if recipe.get("scale", True) else "record",
            control_channels=painter.shape.control_channels,
        ),
    )


@dataclass(frozen=True, kw_only=True)
class PainterGenerator:
    """Draws with a tiny painter."""

    about: About
    painter: TinyPainter

    def find_faults(self, brief: Brief, *, has_control: bool) -> list[str]:
        """Say what of a brief it cannot do: another size, names that it was never told."""
        return list(self._iter_faults(brief, has_control=has_control))

    def _iter_faults(self, brief: Brief, *, has_control: bool) -> Iterator[str]:
        side = self.painter.shape.side
        if (brief.width, brief.height) != (side, side):
            yield f"size: this painter draws {side}x{side} pixels alone, got {brief.width}x{brief.height}."
        if brief.negative:
            yield "negative: this painter knows no negative prompts; leave --negative out."
        if has_control and not self.about.control_channels:
            yield "control: this painter draws from words and facts alone."
        elif has_control:
            yield from find_faults_of_control(brief, self.about.control_channels, has_control=True)
        if strange := self._find_untaught(brief):
            yield f"{', '.join(strange)}: this painter was taught by words alone; say it in the prompt."
            return
        for field, name in self.painter.find_strangers(self._make_request(brief)).items():
            told = ", ".join(self.about.names.get(field, ())) or "none"
            yield f"{field}: this painter was never shown {name!r}; it knows {told}."

    def draw(self, briefs: Sequence[Brief], *, steps: int, guidance: float) -> list[Drawn]:
        """Draw pictures; on a CPU one by one, so that none depends on its neighbours by a rounding."""
        requests = [self._make_request(brief) for brief in briefs]
        n = 1 if self.about.device == "cpu" else max(1, len(requests))
        with explain_memory():
            pictures = [
                picture
                for start in range(0, len(requests), n)
                for picture in self.painter.draw(requests[start : start + n], steps=steps, guidance=guidance)
            ]
        return [
            Drawn(picture=picture, told=brief.prompt, is_cut=self.painter.count_cut(brief.prompt) > 0)
            for brief, picture in zip(briefs, pictures, strict=True)
        ]

    def _find_untaught(self, brief: Brief) -> list[str]:
        """Facts of a brief that it takes no notice of; that it draws what it draws is none."""
        given = [
            field for field in FACTS if getattr(brief, field) is not None and field not in self.about.facts
        ]
        return [field for field in given if (field, brief.modality) != ("modality", self.about.modality)]

    def _make_request(self, brief: Brief) -> Request:
        """The noise follows from the seed alone, which stands in for the key."""
        told = {name: getattr(brief, name) for name in ("prompt", "control", *self.about.facts)}
        return Request(key=str(brief.seed), **told)


def _make_origin(painter: TinyPainter, name: str) -> Origin:
    licence = painter.training.get("licence")
    return Origin(name=name, revision=None, licence=licence, fingerprint=painter.digest[:16])
