"""What a generator is asked for, what it gives, and what it says of itself. No torch here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from earthloom.models.weights.origins import Origin

Picture = npt.NDArray[np.uint8]
"""H x W x C, 8 bits; C is 1 for near infrared and radar, 3 for RGB."""

GsdOf = Literal["record", "detail", "pixel"]
"""Ground sample distances of a picture that was scaled: as it was before; as far as detail goes, which scaling up does
not add; from one pixel to the next."""

FACTS = ("label", "modality", "gsd_m", "scene", "lon", "lat", "date", "cloud_share")
"""Fields of a brief that say what is known of the ground and of how it is seen."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Brief:
    """One picture that is asked for. What is None is left open."""

    key: str
    """Its name; nothing of the picture depends on it."""
    prompt: str
    negative: str = ""
    """What to lead away from."""
    seed: int
    """0 to 2^63 - 1: the noise that the picture is made of follows from it alone."""
    width: int
    height: int
    """Pixels."""
    gsd_m: float | None = None
    """Ground sample distance, metres."""
    modality: str | None = None
    """`rgb`, `nir` or `sar`."""
    scene: str | None = None
    """Weather or light, such as `fog`; `clear` for none."""
    label: str | None = None
    """Class of the whole picture, such as `forest`."""
    lon: float | None = None
    lat: float | None = None
    """Degrees, WGS 84."""
    date: str | None = None
    """ISO 8601, as precise as wanted."""
    cloud_share: float | None = None
    """0 to 1."""
    control: Picture | None = None
    """A picture of the same ground to draw from."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawn:
    """One picture that was drawn."""

    picture: Picture
    told: str
    """The prompt as the model was told it: where it knows facts only as words, they stand in it."""
    is_cut: bool
    """Whether it was longer than the model reads, and lost its end."""


@dataclass(frozen=True, kw_only=True, slots=True)
class About:
    """What a generator says of itself."""

    kind: str
    """`tiny`, or `stable diffusion`."""
    origins: tuple[Origin, ...]
    """Its weights, and those that lie over them."""
    sampler: str
    """As web interfaces call it."""
    precision: str
    """`float32`, `bfloat16` or `float16`."""
    device: str
    """`cpu` or `cuda`."""
    steps: int
    """Steps where nothing else is asked for."""
    guidance: float
    """Scale of guidance where nothing else is asked for."""
    size: tuple[int, int]
    """Width and height, pixels, where nothing else is asked for."""
    batch: int
    """Pictures drawn at once where nothing else is asked for."""
    facts: frozenset[str]
    """Which of `FACTS` it was trained with; the others are told as words."""
    modality: str | None
    """Of all that it draws, where it was trained so."""
    names: Mapping[str, tuple[str, ...]]
    """Names that it was shown, of those facts of which it does not know others."""
    gsd_of: GsdOf
    """Which distance it was told of a picture that was scaled."""
    control_channels: int
    """Of the picture that it draws from: 0 where it takes none."""
    notes: tuple[str, ...] = field(default=())
    """What its user should know before it draws."""


class Generator(Protocol):
    """Draws pictures: each depends on the weights, its brief, steps and guidance, not on what is drawn with it.

    On a CPU that holds for every bit, on a GPU as far as it rounds alike in batches of different sizes.
    """

    @property
    def about(self) -> About:
        """What it is."""
        ...

    def find_faults(self, brief: Brief, *, has_control: bool) -> list[str]:
        """Say what of a brief it cannot do, with the remedy; `control` need not be there yet."""
        ...

    def draw(self, briefs: Sequence[Brief], *, steps: int, guidance: float) -> list[Drawn]:
        """Draw pictures without faults, all of one size.

        Raises:
            RunError: memory did not suffice, or a picture has values that are no numbers.

        """
        ...
