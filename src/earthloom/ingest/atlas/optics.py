"""What a camera sees: the landscape's radiance, blurred and exposed, as 8-bit pictures."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from earthloom.ingest.atlas import exact
from earthloom.ingest.atlas.frame import Raster
from earthloom.ingest.atlas.landscape import Landscape
from earthloom.ingest.atlas.light import Sunlight
from earthloom.ingest.atlas.paint import Painter, Texture, make_texture
from earthloom.ingest.atlas.shading import Strip, strips

_BLUR = 0.55
"""Deviation of the optics' point spread, pixels: a modulation of 0.22 at the Nyquist frequency."""
_HALO = 3
"""Rows around a strip that its blur needs."""
_NIR_WHITE = 0.58
_GAMMA = 0.54
_NOISE = 1.2
"""Of the sensor, deviation in 8-bit steps."""


def take_pictures(scene: Landscape) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """RGB (size, size, 3) and near infrared (size, size), uint8."""
    size = scene.frame.size
    camera, rng = Camera(scene), scene.frame.rng("sensor")
    rgb, nir = np.empty((size, size, 3), np.uint8), np.empty((size, size), np.uint8)
    white = _find_white(camera, size)
    for strip in strips(size):
        wide = strip.widen(_HALO)
        planes = _expose(camera.look(wide), white, rng)[:, strip.within(wide)]
        rgb[strip.rows] = np.moveaxis(planes[:3], 0, -1)
        nir[strip.rows] = planes[3]
    return rgb, nir


class Camera:
    """Looks at strips of a landscape."""

    def __init__(self, scene: Landscape) -> None:
        self._scene = scene
        self._light = Sunlight(scene)
        self._texture: Texture = make_texture(scene.frame)

    def look(self, strip: Strip) -> Raster:
        """Radiance over that of a white level surface, (4, rows, size): red, green, blue, near infrared."""
        painter = Painter(self._scene, self._texture, strip)
        return painter.reflect(self._light.on(strip))


def _find_white(camera: Camera, size: int) -> float:
    """Radiance that becomes white: a little over the brightest of the scene, from a few of its rows."""
    tops = np.linspace(0, size - 4, 12).astype(int)
    thin = [camera.look(Strip(int(top), int(top) + 4, size))[:3].max(axis=0) for top in tops]
    return float(np.clip(1.1 * np.quantile(np.stack(thin), 0.985), 0.36, 0.66))


def _expose(radiance: Raster, white: float, rng: np.random.Generator) -> Raster:
    """Blur as a lens does, scale to white, bend by a display's gamma, add the sensor's noise; 0 to 255."""
    for band in range(len(radiance)):
        radiance[band] = cv2.GaussianBlur(radiance[band], (0, 0), _BLUR)
    radiance /= np.array([white, white, white, _NIR_WHITE], np.float32)[:, None, None]
    np.clip(radiance, 0, 1, out=radiance)
    bent = exact.power(radiance, _GAMMA)
    bent *= np.float32(1.1 * 255) - np.float32(0.1 * 255) * radiance
    noise = rng.standard_normal(radiance.shape[1:], dtype=np.float32) * np.float32(_NOISE) + np.float32(0.5)
    for band in range(len(bent)):
        bent[band] += np.roll(noise, 41 * band, axis=1)
    return np.clip(bent, 0, 255, out=bent)
