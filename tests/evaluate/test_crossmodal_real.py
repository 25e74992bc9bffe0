"""Real Sentinel-1 chips: they pass against each other, and are caught once filtered or wrongly scaled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import rasterio

from earthloom.core.records import Modality
from earthloom.evaluate.config import PictureSet
from earthloom.evaluate.crossmodal.config import CrossModalRecipe
from earthloom.evaluate.evaluating import evaluate
from earthloom.evaluate.result import Result
from earthloom.metrics.radar.decibels import db_to_power
from earthloom.metrics.radar.looks import common_looks

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
CHIP = 128


def read_bands(real_data: Path, polarisation: str) -> Iterator[np.ndarray]:
    """Chips in decibels, of two places."""
    with rasterio.open(real_data / "sentinel_spain/Spain_7370579_S1Hand.tif") as file:
        yield file.read(1 if polarisation == "VV" else 2).astype(np.float64)
    for path in sorted((real_data / "amazon/sent1").glob(f"*_{polarisation}_*.tiff")):
        with rasterio.open(path) as file:
            yield file.read(1).astype(np.float64)


def write_chips(folder: Path, bands: list[np.ndarray], alter: Callable[[np.ndarray], np.ndarray]) -> None:
    folder.mkdir()
    for number, band in enumerate(bands):
        for y in range(0, 256, CHIP):
            for x in range(0, 256, CHIP):
                picture = alter(band[y : y + CHIP, x : x + CHIP])
                assert cv2.imwrite(str(folder / f"{number}-{y}-{x}.png"), picture)


def to_levels(decibels: np.ndarray, low: float = -25, high: float = 0) -> np.ndarray:
    return np.rint(np.clip((decibels - low) / (high - low), 0, 1) * 255).astype(np.uint8)


def hold(folder: Path, name: str) -> Result:
    recipe = CrossModalRecipe(
        evaluate="crossmodal",
        name=name,
        modality=Modality.SAR,
        real=PictureSet(folder="real"),
        generated=PictureSet(folder=name),
        clip_db=(-25, 0),
        resamples=100,
    )
    return evaluate(recipe, folder / f"out-{name}", base=folder)


@pytest.mark.parametrize("polarisation", ["VV", "VH"])
def test_that_real_chips_have_the_looks_of_the_literature(real_data: Path, polarisation: str) -> None:
    """4.3 to 4.4 for ground range detected products of the interferometric wide swath at 10 m."""
    power = [db_to_power(band) for band in read_bands(real_data, polarisation)]
    whole, second = (common_looks(power, step=step).value for step in (1, 2))
    assert whole is not None
    assert second is not None
    assert 3.9 < second < whole < 4.9


def test_that_filtered_and_wrongly_scaled_chips_are_caught(real_data: Path, tmp_path: Path) -> None:
    bands = list(read_bands(real_data, "VV"))
    write_chips(tmp_path / "real", bands, to_levels)
    copies: dict[str, tuple[Callable[[np.ndarray], np.ndarray], set[str]]] = {
        "unchanged": (to_levels, set()),
        "filtered": (
            lambda chip: to_levels(10 * np.log10(cv2.blur(db_to_power(chip), (3, 3)))),
            {"looks_ratio"},
        ),
        "scaled": (lambda chip: to_levels(chip, -32, -5), {"mean_shift_db", "saturation_shift"}),
        "power": (
            lambda chip: np.clip(255 * db_to_power(chip) / 0.5, 0, 255).astype(np.uint8),
            {"looks_ratio", "mean_shift_db", "decibels_skewness"},
        ),
    }
    for name, (alter, expected) in copies.items():
        write_chips(tmp_path / name, bands, alter)
        caught = {figure.name for figure in hold(tmp_path, name).figures if figure.passed is False}
        assert expected <= caught, name
        assert bool(caught) == bool(expected), name


def test_that_other_dates_of_a_ground_pass(real_data: Path, tmp_path: Path) -> None:
    dates = list(read_bands(real_data, "VV"))[1:]
    write_chips(tmp_path / "real", dates[:2], to_levels)
    write_chips(tmp_path / "later", dates[2:], to_levels)
    assert not any(figure.passed is False for figure in hold(tmp_path, "later").figures)
