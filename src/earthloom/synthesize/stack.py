"""What an effect is given and what it gives back: the co-registered pictures of one place in linear light.

One call of an effect treats all pictures of a stack at once, so that one fog, one cloud and one blanket of snow lie
over RGB and near infrared alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from earthloom.core.light import Light
from earthloom.core.records import Modality

Plane = npt.NDArray[np.float32]
"""H x W, float32."""
Mask = npt.NDArray[np.bool_]
"""H x W."""
Measured = Mapping[str, float | int | str | bool | None]
"""What was measured of an effect, ready for JSON; names carry the unit."""

RED_UM, GREEN_UM, BLUE_UM, NIR_UM = 0.655, 0.5625, 0.4825, 0.865
"""Centres of Landsat 8's bands, which stand for pictures whose bands are not known (RS-Haze, IEEE TIP 2023)."""
DISPLAY_UM: Mapping[Modality, tuple[float, ...]] = {
    Modality.RGB: (RED_UM, GREEN_UM, BLUE_UM),
    Modality.NIR: (NIR_UM,),
}
"""Wavelengths of the channels of a picture, micrometres, in display order."""


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """What is known of how the place is seen; the same for every picture of a stack."""

    height: int
    width: int
    """Pixels."""
    pixel_m: float | None = None
    """Ground distance between neighbouring pixels; None where unknown."""
    sun_azimuth_deg: float | None = None
    """Direction to the sun, degrees clockwise from the top of the picture; None where unknown."""
    sun_elevation_deg: float | None = None
    """Degrees above the horizon; None where unknown."""
    lat: float | None = None
    """Of the centre, degrees; None where unknown."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Layer:
    """One optical picture of a stack."""

    modality: Modality
    """`rgb` or `nir`; never `sar`: radar looks through weather and needs no light."""
    light: Light
    """H x W x C, linear, 0 to 1, where 1 is the display's white; read only."""
    wavelengths_um: tuple[float, ...]
    """Of each channel."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stack:
    """Co-registered pictures of one place at one time."""

    view: View
    layers: tuple[Layer, ...]
    """At least one; RGB before NIR where both are there."""
    valid: Mask | None = None
    """True where every layer holds data; None where all do. What an effect makes of other pixels is not used."""
    classes: Mapping[str, Mask] | None = None
    """Where each class of the scene's mask lies, by its name in plain words; None where there is no mask."""

    def find(self, modality: Modality) -> Layer | None:
        """The layer of a modality, or None."""
        return next((layer for layer in self.layers if layer.modality is modality), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What an effect made of a stack."""

    layers: tuple[Light, ...]
    """H x W x C of each layer, in the order of the stack; values beyond 0 to 1 are clipped when they are stored."""
    measured: Measured
    """What the effect came to in this picture, such as the mean transmission: always measured, never asked for."""
    severity: str
    """`light`, `moderate` or `heavy`, from what was measured."""
    visible: Plane | None = None
    """Share of the ground's own light that still reaches the sensor, 0 to 1; None where everything is seen as before.
    Labels of what can no longer be seen are taken away by it."""
