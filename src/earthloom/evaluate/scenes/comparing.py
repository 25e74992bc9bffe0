"""The comparison: synthetic weather beside real weather and beside the clear originals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from time import monotonic

import numpy as np

from earthloom.core.errors import RecordError, UsageError
from earthloom.core.light import to_light
from earthloom.core.records import SEVERITIES, Reason
from earthloom.evaluate.scenes.classify import cross_classify, tell_apart
from earthloom.evaluate.scenes.config import SceneSettings
from earthloom.evaluate.scenes.describe import Describer, choose_encoders, name_encoder
from earthloom.evaluate.scenes.gallery import make_gallery
from earthloom.evaluate.scenes.gates import judge_picture, judge_set
from earthloom.evaluate.scenes.keeping import measure_kept
from earthloom.evaluate.scenes.page import render_page
from earthloom.evaluate.scenes.pictures import Picture, Reader, Variant, Weather, gather
from earthloom.evaluate.scenes.readings import Case, Reading
from earthloom.evaluate.scenes.realism import measure_distance
from earthloom.evaluate.scenes.report import EffectReport, Measured, SceneReport, Spread
from earthloom.store.atomic import write_json, write_text
from earthloom.store.shown import Shown

EVALUATE_VERSION = "1"
"""Raised when the same pictures and settings give other numbers than before."""
_FIGURES = ("structure", "gradient_correlation", "gmsd", "ssim")
_LIBRARIES = ("earthloom", "numpy", "opencv-python-headless", "scipy")

Tell = Callable[[str], None]


def evaluate_scenes(
    settings: SceneSettings, folder: Path, *, base: Path = Path(), tell: Tell = lambda text: None
) -> SceneReport:
    """Measure synthetic weather and write `scenes.json` and `index.html` into a folder.

    Args:
        settings: what is compared with what.
        folder: where to write; made where it is not there.
        base: folder that the paths of the settings are relative to.
        tell: is told in a few words how far the work is.

    Raises:
        UsageError: for paths that hold nothing to compare, or an encoder that cannot be used.
        WriteError: where the folder cannot be written.

    """
    start = monotonic()
    reader = Reader()
    weathers = gather(settings, base)
    describer = Describer(choose_encoders(settings, base), reader)
    work = _Work(settings=settings, reader=reader, describer=describer, tell=tell)
    done = [work.evaluate(weather) for weather in weathers]
    tell("drawing the page")
    galleries = {w.effect: make_gallery(w, d.pictures, reader) for w, d in zip(weathers, done, strict=True)}
    report = SceneReport(
        folder=folder,
        seconds=monotonic() - start,
        effects=tuple(done),
        encoders=tuple(name_encoder(encoder) for encoder in describer.encoders),
        refused=reader.refused,
        settings=settings.model_dump(mode="json"),
        versions={"evaluate": EVALUATE_VERSION, **{name: version(name) for name in _LIBRARIES}},
    )
    write_json(report.numbers, report.to_json())
    write_text(report.page, render_page(report, galleries))
    return report


@dataclass(frozen=True, kw_only=True, slots=True)
class _Seen:
    """What was read of the pictures of one effect."""

    measured: list[Measured] = field(default_factory=list)
    readings: list[Mapping[str, Reading]] = field(default_factory=list)
    usable: list[Variant] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Work:
    """One comparison under way."""

    settings: SceneSettings
    reader: Reader
    describer: Describer
    tell: Tell

    def evaluate(self, weather: Weather) -> EffectReport:
        """Measure one effect."""
        seen = self._look(weather)
        if not seen.usable:
            raise UsageError(
                f"none of {len(weather.variants)} pictures with {weather.effect} can be used; the first: "
                f"{next(iter(self.reader.refused.values()))}."
            )
        report = EffectReport(
            effect=weather.effect,
            n=len(seen.usable),
            n_paired=len(seen.measured),
            n_real=0,
            n_clear=0,
            clear_is_real=weather.clear_is_real,
            severities=_count_severities(seen.usable),
            sides_px={},
            structure=_spread_structure(seen.measured),
            gates=judge_set(weather.effect, seen.readings),
            distances=(),
            crossed=(),
            told=(),
            pictures=tuple(seen.measured),
        )
        return self._compare(weather, seen, report) if weather.real else report

    def _look(self, weather: Weather) -> _Seen:
        """Read every picture with the effect and its original."""
        seen = _Seen()
        for number, variant in enumerate(weather.variants, 1):
            self.tell(f"{weather.effect}: picture {number:,} of {len(weather.variants):,}")
            after = self.reader.read(variant.after)
            if weather.real:
                self.describer.take(variant.after, after)
            if after is None:
                continue
            before = None if variant.before is None else self.reader.read(variant.before)
            if before is not None and before.shape != after.shape:
                self._refuse_pair(variant, before, after)
                continue
            seen.usable.append(variant)
            if variant.before is None or before is None:
                continue
            if weather.real:
                self.describer.take(variant.before, before)
            measured, readings = measure_picture(weather.effect, variant, before, after)
            seen.measured.append(measured)
            seen.readings.append(readings)
        return seen

    def _refuse_pair(self, variant: Variant, before: Picture, after: Picture) -> None:
        sizes = [f"{picture.shape[1]} x {picture.shape[0]}" for picture in (before, after)]
        detail = f"the size of its original, {sizes[0]}, wanted, got {sizes[1]}"
        self.reader.refuse(variant.after, RecordError(Reason.MISALIGNED, detail))

    def _compare(self, weather: Weather, seen: _Seen, report: EffectReport) -> EffectReport:
        """Set the pictures against real ones."""
        settings = self.settings
        for kind, pictures in (("real", weather.real), ("clear", weather.clear)):
            for number, shown in enumerate(pictures, 1):
                self.tell(f"{weather.effect}: {kind} picture {number:,} of {len(pictures):,}")
                self.describer.read(shown)
        self.tell(f"{weather.effect}: distances and classifiers")
        collect = self.describer.collect
        synthetic = collect((v.after, v.group) for v in seen.usable)
        originals = collect((before, group) for before, group in _list_originals(seen.usable))
        real = collect((shown, f"real {shown.group}") for shown in weather.real)
        clear = (
            collect((shown, f"clear {shown.group}") for shown in weather.clear)
            if weather.clear_is_real
            else originals
        )
        encoders = list(synthetic)
        counts = real[encoders[0]], clear[encoders[0]]
        return replace(
            report,
            n_real=len(counts[0]),
            n_clear=len(counts[1]),
            sides_px=self._find_sides(weather, seen),
            distances=tuple(
                measure_distance(
                    name,
                    encoder,
                    synthetic[encoder],
                    real[encoder],
                    clear[encoder],
                    subsets=settings.subsets,
                    seed=settings.seed,
                )
                for encoder in encoders
                for name in ("kid", "frechet")
            ),
            crossed=tuple(
                cross_classify(
                    encoder,
                    synthetic[encoder],
                    originals[encoder],
                    real[encoder],
                    clear[encoder],
                    folds=settings.folds,
                    seed=settings.seed,
                )
                for encoder in encoders
            ),
            told=tuple(
                tell_apart(
                    encoder,
                    synthetic[encoder],
                    real[encoder],
                    clear[encoder],
                    folds=settings.folds,
                    seed=settings.seed,
                )
                for encoder in encoders
            ),
        )

    def _find_sides(self, weather: Weather, seen: _Seen) -> dict[str, float]:
        """Set to the median side of its pictures."""
        sets = {
            "synthetic": [variant.after for variant in seen.usable],
            "real": list(weather.real),
            "clear": list(weather.clear),
        }
        found = {name: self.describer.find_side(pictures) for name, pictures in sets.items()}
        return {name: side for name, side in found.items() if side is not None}


def measure_picture(
    effect: str, variant: Variant, before: Picture, after: Picture
) -> tuple[Measured, dict[str, Reading]]:
    """Measure one picture with an effect against its clear original: figures, and what every gate read."""
    light = to_light(before), to_light(after)
    kept = measure_kept(effect, before, after, light)
    readings = judge_picture(
        Case(
            effect=effect,
            severity=variant.severity,
            record=variant.record,
            before=light[0],
            after=light[1],
            kept=kept,
            is_exposed_anew=variant.after.is_linear,
        )
    )
    measured = Measured(
        key=variant.after.key,
        severity=variant.severity,
        kept=kept,
        gates={name: reading.measured for name, reading in readings.items()},
        failed=tuple(name for name, reading in readings.items() if reading.passed is False),
    )
    return measured, readings


def _list_originals(variants: Iterable[Variant]) -> list[tuple[Shown, str]]:
    """Each original once, with its ground."""
    found = {v.before.key: (v.before, v.group) for v in variants if v.before is not None}
    return list(found.values())


def _count_severities(variants: Sequence[Variant]) -> dict[str, int]:
    counts = Counter(v.severity for v in variants if v.severity is not None)
    return {
        word: counts[word] for word in (*SEVERITIES, *sorted(set(counts) - set(SEVERITIES))) if counts[word]
    }


def _spread_structure(measured: Sequence[Measured]) -> dict[str, dict[str, Spread]]:
    """Strength, and `all`, to figure to its spread over the pictures."""
    sets: dict[str, list[Measured]] = {"all": list(measured)} if measured else {}
    for word in SEVERITIES:
        chosen = [one for one in measured if one.severity == word]
        if chosen:
            sets[word] = chosen
    return {word: _spread_figures(chosen) for word, chosen in sets.items()}


def _spread_figures(measured: Sequence[Measured]) -> dict[str, Spread]:
    found: dict[str, Spread] = {}
    for name in _FIGURES:
        values = [value for one in measured if (value := getattr(one.kept, name)) is not None]
        if values:
            low, median, high = (float(value) for value in np.percentile(values, (5, 50, 95)))
            found[name] = Spread(median=median, low=low, high=high, n=len(values))
    return found
