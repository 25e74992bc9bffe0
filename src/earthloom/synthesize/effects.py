"""The effects by name: what each is called, drawn and laid over by."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from earthloom.core.ids import fingerprint_file, hash_json
from earthloom.core.records import Modality
from earthloom.synthesize.cirrus import check_fields
from earthloom.synthesize.cloud import CloudSettings, add_cloud, draw_cloud
from earthloom.synthesize.config import EffectSettings, Severity
from earthloom.synthesize.dust import DustSettings, add_dust, draw_dust
from earthloom.synthesize.fog import FogSettings, add_fog, draw_fog
from earthloom.synthesize.haze import HazeSettings, add_haze, draw_haze
from earthloom.synthesize.low_light import LowLightSettings, add_low_light, draw_low_light
from earthloom.synthesize.rain import RainSettings, add_rain, draw_rain
from earthloom.synthesize.smoke import SmokeSettings, add_smoke, draw_smoke
from earthloom.synthesize.snow import SnowSettings, add_snow, draw_snow
from earthloom.synthesize.stack import Outcome, Stack, View
from earthloom.synthesize.translation import (
    TranslationSettings,
    add_translation,
    check_translation,
    draw_translation,
)

AnyEffect = Annotated[
    FogSettings
    | HazeSettings
    | CloudSettings
    | SnowSettings
    | LowLightSettings
    | RainSettings
    | DustSettings
    | SmokeSettings
    | TranslationSettings,
    Field(discriminator="effect"),
]
"""The settings of one effect, told apart by `effect`."""


OPTICAL = frozenset({Modality.RGB, Modality.NIR})
"""What weather and light change. Radar looks through both: its pixels stay as they are."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EffectKind:
    """One effect."""

    name: str
    settings: type[EffectSettings]
    draw: Callable[[Any, View, Severity, np.random.Generator], Any]
    """Settings, view and strength to the parameters of one place."""
    add: Callable[[Stack, Any, np.random.Generator], Outcome]
    """Stack and parameters to what became of it."""
    check: Callable[[Any], None] = lambda settings: None
    """Raises UsageError where a file that settings (resolved) name cannot be used."""
    darkens: bool = False
    """True where the picture becomes so dark that a camera would be exposed longer."""
    is_at_detail: bool = True
    """False for an effect that wants enlarged pictures as they are, since it has learned from such."""
    modalities: frozenset[Modality] = OPTICAL
    """Of which pictures it can say how they look."""
    needs_weights: bool = False
    """True for an effect that was learned: it is nothing without the file of its weights."""

    @property
    def example(self) -> str:
        """An entry of `synthesize` in YAML."""
        weights = ", weights: look.safetensors, word: autumn" if self.needs_weights else ""
        return f"{{effect: {self.name}{weights}, share: 0.1}}\n"

    @property
    def summary(self) -> str:
        """What it is, in a line."""
        return (inspect.getdoc(self.settings) or "").partition("\n")[0]


def _check_fields(settings: FogSettings | HazeSettings) -> None:
    if settings.fields is not None:
        check_fields(Path(settings.fields))


_KINDS = (
    EffectKind(name="fog", settings=FogSettings, draw=draw_fog, add=add_fog, check=_check_fields),
    EffectKind(name="haze", settings=HazeSettings, draw=draw_haze, add=add_haze, check=_check_fields),
    EffectKind(name="cloud", settings=CloudSettings, draw=draw_cloud, add=add_cloud),
    EffectKind(name="snow", settings=SnowSettings, draw=draw_snow, add=add_snow),
    EffectKind(
        name="low_light",
        settings=LowLightSettings,
        draw=draw_low_light,
        add=add_low_light,
        darkens=True,
    ),
    EffectKind(name="rain", settings=RainSettings, draw=draw_rain, add=add_rain),
    EffectKind(name="dust", settings=DustSettings, draw=draw_dust, add=add_dust),
    EffectKind(name="smoke", settings=SmokeSettings, draw=draw_smoke, add=add_smoke),
    EffectKind(
        name="translation",
        settings=TranslationSettings,
        draw=draw_translation,
        add=add_translation,
        check=check_translation,
        is_at_detail=False,
        modalities=frozenset({Modality.RGB}),
        needs_weights=True,
    ),
)
EFFECTS = {kind.name: kind for kind in _KINDS}


def find_effect(settings: AnyEffect) -> EffectKind:
    """The effect that settings are for."""
    return EFFECTS[settings.effect]


def check_effect(settings: AnyEffect) -> None:
    """Raise UsageError where a file that the (resolved) settings name cannot be used."""
    find_effect(settings).check(settings)


EFFECT_PATHS = ("fields", "weights")
"""Fields of effects that name files or folders."""


def resolve_effect(settings: AnyEffect, base: Path) -> AnyEffect:
    """Settings with absolute paths: a job knows no recipe."""
    paths = {name: getattr(settings, name, None) for name in EFFECT_PATHS}
    return settings.model_copy(update={name: str(base / path) for name, path in paths.items() if path})


def fingerprint_effect(settings: AnyEffect) -> str:
    """Hash what resolved settings make of a place: files by their content, and not how many places get it."""
    paths = [path for name in EFFECT_PATHS if (path := getattr(settings, name, None)) is not None]
    files = [file for path in paths for file in _list_files(Path(path))]
    plain = json.loads(settings.model_dump_json(exclude={"share", "count", "balance", *EFFECT_PATHS}))
    return hash_json([plain, [[file.name, fingerprint_file(file)] for file in files]])


def _list_files(path: Path) -> list[Path]:
    found = path.iterdir() if path.is_dir() else path.parent.glob(path.name)
    return sorted(file for file in found if file.is_file())
