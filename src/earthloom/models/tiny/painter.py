"""A trained network at work: requests in, pictures out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from earthloom.core.errors import UsageError
from earthloom.models.diffusion.sampling import draw_noise
from earthloom.models.tiny.drawing import draw_pictures
from earthloom.models.tiny.facts import NAMES, Facts, encode_facts, plain_name
from earthloom.models.tiny.network import TinyUNet, Told
from earthloom.models.tiny.shape import TinyShape
from earthloom.models.tiny.text import read_text

Picture = npt.NDArray[np.uint8]
"""H x W x C."""
_AT_ONCE = 16
"""Pictures that are drawn together."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What one picture is to show; None for what is left to the painter."""

    prompt: str = ""
    modality: str | None = None
    """`rgb`, `nir` or `sar`."""
    scene: str | None = None
    """A synthetic effect, such as `fog`; `clear` for none."""
    label: str | None = None
    """The class of the whole picture, such as `sea lake`."""
    gsd_m: float | None = None
    """Ground sample distance, metres, more than 0."""
    lon: float | None = None
    lat: float | None = None
    """Degrees, WGS 84."""
    date: str | None = None
    """ISO 8601, as precise as wanted."""
    cloud_share: float | None = None
    """0 to 1."""
    control: Picture | None = None
    """Another picture of the same ground to draw from, of any size: it is scaled to the painter's."""
    key: str = ""
    """Name of the picture: with the seed, it decides the noise that drawing begins with."""

    def facts(self) -> Facts:
        """All but words, picture and key."""
        return Facts(**{name: getattr(self, name) for name in Facts.__dataclass_fields__})


@dataclass(frozen=True, kw_only=True)
class TinyPainter:
    """A network and what is known of its training."""

    network: TinyUNet
    digest: str
    """SHA-256 of the file of its weights."""
    training: dict[str, Any]
    """How it was trained: on what, how long, which names it was told, licence and credit."""

    @property
    def shape(self) -> TinyShape:
        """Side and channels of what it draws, and all other measures."""
        return self.network.shape

    def draw(
        self, requests: Sequence[Request], *, steps: int = 30, guidance: float = 2.0, seed: int = 0
    ) -> Picture:
        """Draw one picture for each request: N x side x side x channels, 8 bits.

        A picture depends on its request and the seed; requests with one key begin with the same noise. On a CPU equal
        requests in equal company give equal bytes (one thread computes: sums of several end in different bits); in
        other company a picture may differ by a level.

        Args:
            requests: what to draw.
            steps: predictions for each picture, 1 to 1,000.
            guidance: how far to go beyond what is asked for; 1 for no guidance, which takes half the time.
            seed: another seed, other pictures.

        Raises:
            UsageError: a picture to draw from where the painter takes none, or one of the wrong channels; a ground
                sample distance that is no length; more or fewer steps than there can be.

        """
        if not 1 <= steps <= 1000:
            raise UsageError(f"steps: wants 1 to 1000, got {steps}.")
        shape = self.shape
        drawn = np.empty((len(requests), shape.side, shape.side, shape.channels), np.uint8)
        with torch.inference_mode(), _one_thread():
            for start in range(0, len(requests), _AT_ONCE):
                part = requests[start : start + _AT_ONCE]
                drawn[start : start + len(part)] = self._draw(part, steps, guidance, seed)
        return drawn

    def count_cut(self, prompt: str) -> int:
        """How many words of a prompt are behind the end of what is read."""
        return read_text(prompt, self.shape.text_length, self.shape.buckets).n_cut

    def find_strangers(self, request: Request) -> dict[str, str]:
        """Names in a request that the painter was not told in training, by their facts: it will guess at them."""
        known = self.training.get("names", {})
        given = {field: getattr(request, field) for field in NAMES}
        return {
            field: name
            for field, name in given.items()
            if name is not None
            and plain_name(name) not in {plain_name(each) for each in known.get(field, ())}
        }

    def _draw(self, requests: Sequence[Request], steps: int, guidance: float, seed: int) -> Picture:
        shape = self.shape
        device = next(self.network.parameters()).device
        told = self._tell(requests, device)
        noise = draw_noise(
            [request.key for request in requests],
            (shape.channels, shape.side, shape.side),
            seed,
            device=device,
        )
        images = draw_pictures(self.network, told, noise, steps=steps, guidance=guidance)
        levels = ((images + 1.0) * 127.5).round().to(torch.uint8)
        return np.asarray(levels.permute(0, 2, 3, 1).cpu().contiguous().numpy())

    def _tell(self, requests: Sequence[Request], device: torch.device) -> Told:
        shape = self.shape
        facts = [encode_facts(_check(request).facts()) for request in requests]
        texts = [read_text(request.prompt, shape.text_length, shape.buckets) for request in requests]
        controls = [self._fit_control(request.control) for request in requests]

        def to_tensor(arrays: Sequence[npt.NDArray[Any]]) -> Tensor:
            return torch.from_numpy(np.stack(arrays)).to(device)

        return Told(
            tokens=to_tensor([text.tokens for text in texts]),
            names=to_tensor([each.names for each in facts]),
            measures=to_tensor([each.measures for each in facts]),
            known=to_tensor([each.known for each in facts]),
            control=None if not shape.control_channels else to_tensor([image for image, _ in controls]),
            has_control=torch.tensor([is_given for _, is_given in controls], device=device),
        )

    def _fit_control(self, picture: Picture | None) -> tuple[npt.NDArray[np.float32], bool]:
        """The picture to draw from as the network takes it, C x side x side, and whether there is one."""
        side, wanted = self.shape.side, self.shape.control_channels
        if picture is None:
            return np.zeros((wanted, side, side), np.float32), False
        image = picture if picture.ndim == 3 else picture[..., None]
        if image.shape[2] != wanted:
            told = f"of {wanted} channels" if wanted else "of none: it draws from words and facts alone"
            raise UsageError(
                f"control: this painter draws from a picture {told}, got one of {image.shape[2]} channels."
            )
        levels = scale_picture(image, side).astype(np.float32) / 127.5 - 1.0
        return np.ascontiguousarray(levels.transpose(2, 0, 1)), True


def scale_picture(picture: Picture, side: int) -> Picture:
    """Scale the largest centred square of H x W x C to a side: by area where it shrinks, by a cubic where it grows."""
    height, width, channels = picture.shape
    edge = min(height, width)
    top, left = (height - edge) // 2, (width - edge) // 2
    square = picture[top : top + edge, left : left + edge]
    if edge == side:
        return np.ascontiguousarray(square)
    how = cv2.INTER_AREA if side < edge else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(square, (side, side), interpolation=how)).reshape(side, side, channels)


def _check(request: Request) -> Request:
    """Refuse what no picture can be of."""
    if request.gsd_m is not None and not 0 < request.gsd_m < np.inf:
        raise UsageError(
            f"gsd_m: wants a ground sample distance in metres, more than 0, got {request.gsd_m}."
        )
    return request


@contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
