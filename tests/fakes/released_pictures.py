"""Small encoded pictures, and answers of a web server that serves them."""

from __future__ import annotations

import io

import numpy as np
from fakes.fields import draw_picture
from loopback_server import Answer, Loopback
from PIL import Image


def encode(seed: int, side: int = 64, form: str = "PNG") -> bytes:
    """Give a textured RGB picture, side x side, encoded by Pillow."""
    file = io.BytesIO()
    Image.fromarray(draw_picture(seed, side, side)).save(file, form, quality=95)
    return file.getvalue()


def decode(data: bytes) -> np.ndarray:
    """Give the pixels of a picture, H x W x 3 or H x W."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image)


def serve_faults(web: Loopback) -> dict[str, str]:
    """Let a server have an answer of every kind that is no picture; gives reason to URL."""
    web.answer("/robots.txt", Answer(status=404))
    web.put("/noai.png", encode(1), headers={"X-Robots-Tag": "noai"})
    web.put("/page.jpg", b"<!doctype html><title>gone</title>", "image/jpeg")
    web.answer("/down.png", Answer(status=503))
    return {
        "missing": f"{web.url}/gone.png",
        "disallowed": f"{web.url}/noai.png",
        "not_an_image": f"{web.url}/page.jpg",
        "unreachable": f"{web.url}/down.png",
    }
