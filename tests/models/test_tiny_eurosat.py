"""The weights that come with the package draw what they are asked for, offline."""

from __future__ import annotations

import tarfile
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from earthloom.core.images import decode_image
from earthloom.metrics.probe import Probe, fit_probe
from earthloom.models.tiny.files import EUROSAT, load_tiny
from earthloom.models.tiny.painter import Request, TinyPainter

CLASSES = {
    "AnnualCrop": "annual crops",
    "Forest": "a forest",
    "HerbaceousVegetation": "herbaceous vegetation",
    "Highway": "a highway",
    "Industrial": "industrial buildings",
    "Pasture": "a pasture",
    "PermanentCrop": "permanent crops",
    "Residential": "a residential area",
    "River": "a river",
    "SeaLake": "a sea or a lake",
}


@pytest.fixture(scope="module")
def painter() -> TinyPainter:
    return load_tiny(EUROSAT)


def test_they_are_small_and_say_what_they_come_from(painter: TinyPainter) -> None:
    assert EUROSAT.stat().st_size < 25e6
    assert painter.training["licence"] == "MIT"
    assert "Helber" in painter.training["credit"]
    assert "Copernicus" in painter.training["credit"]
    assert "rsicd" not in str(painter.training).lower()
    assert len(painter.training["names"]["label"]) == 10


def test_words_decide_what_is_seen(painter: TinyPainter) -> None:
    asked = [
        Request(prompt=f"A satellite image of {what}.", key=str(k))
        for what in ("a forest", "industrial buildings")
        for k in range(4)
    ]
    drawn = painter.draw(asked, steps=10).astype(float)
    forest, industry = drawn[:4], drawn[4:]
    assert industry.mean() > 1.3 * forest.mean()
    assert industry.std((1, 2)).mean() > 1.5 * forest.std((1, 2)).mean()


@pytest.mark.slow
def test_a_probe_of_real_pictures_recognises_the_classes(painter: TinyPainter, real_data: Path) -> None:
    """A linear probe on colours and contrasts of 100 real pictures a class, against a chance of one in ten."""
    real = read_pictures(real_data / "eurosat" / "eurosat_rgb.tar", 150)
    learnt = fit_on({name: pictures[:100] for name, pictures in real.items()})
    of_real = score(learnt, {name: pictures[100:] for name, pictures in real.items()})
    drawn = {
        name: list(
            painter.draw(
                [Request(prompt=f"A satellite image of {what}.", key=str(k)) for k in range(8)], steps=15
            )
        )
        for name, what in CLASSES.items()
    }
    assert of_real > 0.6
    assert score(learnt, drawn) > 0.35


def read_pictures(path: Path, n: int) -> dict[str, list[npt.NDArray[np.uint8]]]:
    """n pictures of each class, halved to 32 pixels as the painter saw them, evenly from the archive."""
    members: dict[str, list[tarfile.TarInfo]] = {name: [] for name in CLASSES}
    with tarfile.open(path) as archive:
        for member in archive:
            if member.isfile():
                members[Path(member.name).parent.name].append(member)
        found = {}
        for name, each in members.items():
            contents = [archive.extractfile(member) for member in each[:: len(each) // n][:n]]
            found[name] = [
                cv2.resize(decode_image(content.read()), (32, 32), interpolation=cv2.INTER_AREA)
                for content in contents
                if content is not None
            ]
    return found


def describe(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """Quartiles of each channel and contrast at three scales."""
    levels = picture.astype(np.float32)
    quartiles = np.percentile(levels, [5, 25, 50, 75, 95], axis=(0, 1)).ravel()
    grey = levels.mean(2)
    blurred = [cv2.GaussianBlur(grey, (0, 0), sigma) for sigma in (1, 2, 4)]
    bands = [(fine - coarse).std() for fine, coarse in zip([grey, *blurred[:-1]], blurred, strict=True)]
    return np.array([*quartiles, *np.log1p(bands)], np.float64)


def fit_on(pictures: dict[str, list[npt.NDArray[np.uint8]]]) -> Probe:
    names = [name for name, each in pictures.items() for _ in each]
    return fit_probe(np.stack([describe(one) for each in pictures.values() for one in each]), names)


def score(probe: Probe, pictures: dict[str, list[npt.NDArray[np.uint8]]]) -> float:
    """Mean over the classes of the share that is taken for its own."""
    return float(
        np.mean(
            [
                np.mean(probe.predict(np.stack([describe(one) for one in each])) == name)
                for name, each in pictures.items()
            ]
        )
    )
