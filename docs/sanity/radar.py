"""Measures of radar under filters, more speckle, other scales and shifts."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.errors import NotGeoreferencedWarning

from earthloom.core.seeds import make_rng
from earthloom.metrics.paired import psnr, ssim_terms
from earthloom.metrics.radar.decibels import db_to_power, power_to_db
from earthloom.metrics.radar.distribution import count_db, entropy_bits, jensen_shannon_bits, wasserstein
from earthloom.metrics.radar.looks import common_looks
from earthloom.metrics.radar.scale import speckle_skewness
from earthloom.metrics.radar.texture import cooccurrence, quantise, spectrum_slope
from earthloom.metrics.radar.theory import radiometric_resolution_db
from earthloom.metrics.structure import gmsd
from sanity.rows import Row, Wanted

TITLE = "Radar"
INTRODUCTION = """\
Sentinel-1 VV in decibels: a chip of Spain and four dates of the Amazon, 256 pixels each. Distances are to the chips
unchanged; the looks are those of windows of 9 x 9 pixels.
"""
SIDE = 256
Decibels = npt.NDArray[np.float64]
Change = Callable[[Decibels, float], Decibels]
Chips = Sequence[Decibels]


def measure(data: Path) -> Iterator[Row]:
    """All rows."""
    yield from list_rows(read_chips(data))


def read_chips(data: Path) -> list[Decibels]:
    """The chips, H x W, dB."""
    paths = [
        data / "sentinel_spain/Spain_7370579_S1Hand.tif",
        *sorted((data / "amazon/sent1").glob("*_VV_*")),
    ]
    chips = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        for path in paths:
            with rasterio.open(path) as file:
                chips.append(np.asarray(file.read(1)[:SIDE, :SIDE], np.float64))
    return chips


def list_rows(chips: Chips) -> Iterator[Row]:
    """Rows of chips in decibels, H x W each, at least 64 pixels."""
    yield from _change(
        chips, "mean of 3 x 3 and 7 x 7 pixels of power", _filter, (3, 7),
        {
            "looks": "rises", "radiometric resolution, dB": "falls", "entropy, bits": "falls", "GLCM contrast": "falls",
            "GLCM homogeneity": "rises", "spectrum slope": "falls", "Wasserstein, dB": "rises", "SSIM": "falls",
        },
    )  # fmt: skip
    yield from _change(
        chips, "speckle of 4 looks and of 1 look over it", _add_speckle, (4, 1),
        {
            "looks": "falls", "radiometric resolution, dB": "rises", "entropy, bits": "rises", "GLCM contrast": "rises",
            "spectrum slope": "rises", "Wasserstein, dB": "rises", "PSNR, dB": "falls", "GMSD": "rises",
        },
    )  # fmt: skip
    yield from _change(
        chips, "1 dB and 3 dB brighter", lambda chip, by: chip + by, (1, 3),
        {"Wasserstein, dB": "rises", "Jensen-Shannon, bits": "rises", "PSNR, dB": "falls"},
    )  # fmt: skip
    yield from _change(
        chips, "1 dB and 3 dB brighter", lambda chip, by: chip + by, (1, 3),
        {"looks": "stays", "speckle skewness": "stays"}, within=0.01,
    )  # fmt: skip
    yield from _change(
        chips, "a scale read 1.2 and 2 times as wide", _widen, (1.2, 2),
        {"looks": "falls", "entropy, bits": "rises", "Wasserstein, dB": "rises", "Jensen-Shannon, bits": "rises"},
    )  # fmt: skip
    yield from _change(
        chips, "amplitude and power in place of decibels", lambda chip, by: 10 ** (chip * by / 20), (1, 2),
        {"speckle skewness": "rises"},
    )  # fmt: skip
    yield from _change(
        chips, "shifted by 1 and 8 pixels", lambda chip, by: np.roll(chip, int(by), (0, 1)), (1, 8),
        {"PSNR, dB": "falls"},
    )  # fmt: skip


def _change(
    chips: Chips,
    name: str,
    change: Change,
    strengths: Sequence[float],
    wanted: Mapping[str, Wanted],
    within: float = 0.0,
) -> Iterator[Row]:
    sets = [list(chips), *([change(chip, strength) for chip in chips] for strength in strengths)]
    for metric, way in wanted.items():
        values = tuple(_METRICS[metric](some, chips) for some in sets)
        yield Row(change=name, metric=metric, values=values, wanted=way, within=within)


def _filter(chip: Decibels, side: float) -> Decibels:
    return power_to_db(cv2.blur(db_to_power(chip), (int(side), int(side))))


def _add_speckle(chip: Decibels, looks: float) -> Decibels:
    return chip + power_to_db(make_rng(0, "sanity", "speckle").gamma(looks, 1 / looks, chip.shape))


def _widen(chip: Decibels, by: float) -> Decibels:
    return np.asarray(by * (chip - chip.mean()) + chip.mean())


def _looks(some: Chips, _: Chips) -> float:
    return common_looks([db_to_power(chip) for chip in some]).value or float("inf")


def _count(some: Chips) -> npt.NDArray[np.float64]:
    return np.sum([count_db(chip, -60, 30, 900) for chip in some], axis=0)


def _mean(measure_one: Callable[[Decibels, Decibels], float]) -> Callable[[Chips, Chips], float]:
    return lambda some, chips: float(np.mean([measure_one(a, b) for a, b in zip(some, chips, strict=True)]))


def _scale(chip: Decibels) -> Decibels:
    return np.clip((chip + 30) / 35, 0, 1)


_METRICS: Mapping[str, Callable[[Chips, Chips], float]] = {
    "looks": _looks,
    "radiometric resolution, dB": lambda some, chips: float(radiometric_resolution_db(_looks(some, chips))),
    "entropy, bits": lambda some, _: float(entropy_bits(_count(some))),
    "speckle skewness": _mean(lambda a, _: speckle_skewness(a)),
    "GLCM contrast": _mean(lambda a, _: cooccurrence(quantise(a, -30, 5)).contrast),
    "GLCM homogeneity": _mean(lambda a, _: cooccurrence(quantise(a, -30, 5)).homogeneity),
    "spectrum slope": _mean(lambda a, _: spectrum_slope(a)),
    "Wasserstein, dB": lambda some, chips: wasserstein(np.stack(some), np.stack(chips)),
    "Jensen-Shannon, bits": lambda some, chips: float(jensen_shannon_bits(_count(some), _count(chips))),
    "PSNR, dB": _mean(lambda a, b: min(psnr(a, b, data_range=25), 100.0)),
    "SSIM": _mean(lambda a, b: ssim_terms(_scale(a), _scale(b)).ssim),
    "GMSD": _mean(lambda a, b: gmsd(_scale(a), _scale(b))),
}
