"""Write the tables of docs/evaluate-radar.md: `python docs/make_radar_table.py [WORK]`.

Looks and entropy of real radar chips in ../shared/data, of built-in landscapes, and of radar that was drawn from RGB,
beside what the literature has; then copies of real chips that were filtered or whose scale is wrong, held against
the real ones by `evaluate: crossmodal`. WORK is the folder of docs/make_cross_modal_figures.py; without it, the rows of
landscapes and of drawn radar are left out.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.errors import NotGeoreferencedWarning

from earthloom.core.records import Modality
from earthloom.evaluate.config import PictureSet
from earthloom.evaluate.crossmodal.checks import CHECKS
from earthloom.evaluate.crossmodal.config import CrossModalRecipe
from earthloom.evaluate.evaluating import evaluate
from earthloom.evaluate.result import Result
from earthloom.metrics.radar import theory
from earthloom.metrics.radar.decibels import db_to_power, find_clipped, levels_to_db, power_to_db
from earthloom.metrics.radar.distribution import count_db, entropy_bits
from earthloom.metrics.radar.looks import common_looks, neighbour_correlation
from earthloom.metrics.radar.scale import speckle_skewness

PAGE = Path(__file__).parent / "evaluate-radar.md"
DATA = Path(__file__).parents[2] / "shared" / "data"
BEGIN, END = "<!-- {} -->", "<!-- end of {} -->"
SCALE = (-50.0, 20.0)
BIN_DB = 0.1
CLIP = (-25.0, 0.0)
CHIP = 128
SIDE = 64
STEPS = 25
Floats = npt.NDArray[np.float64]
Levels = npt.NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Chips:
    """A set of radar pictures in decibels, NaN where there is no data."""

    name: str
    decibels: Sequence[Floats]
    expected: str
    clipped: Sequence[npt.NDArray[np.bool_]] | None = None


def main(work: Path | None) -> None:
    """Measure everything and write the page's tables."""
    warnings.simplefilter("ignore", NotGeoreferencedWarning)
    sets = [*read_sentinel(), read_sen1_2(), read_umbra()]
    drawn: Result | None = None
    with TemporaryDirectory() as folder:
        if work is not None:
            true, painted = draw_pairs(work, Path(folder) / "drawn")
            sets += [make_chips("built-in landscapes (atlas)", true, "4 (set)"), painted_chips(painted)]
            drawn = hold(
                "drawn from RGB", Path(folder) / "drawn" / "true", Path(folder) / "drawn" / "painted"
            )
        rows = [describe(each) for each in sets]
        caught = list(try_copies(Path(folder)))
    if drawn is not None:
        caught.append(tell_checks("drawn from RGB, against its landscapes", drawn))
    write_block("statistics", tabulate(STATISTICS, rows))
    write_block("copies", tabulate(("copy", *CHECKS, "verdict"), caught))


STATISTICS = (
    "chips", "n", "ENL", "ENL, every second pixel", "expected", "neighbours' correlation", "skewness",
    "std, dB", "entropy, bits", "entropy of even ground",
)  # fmt: skip


def describe(chips: Chips) -> tuple[str, ...]:
    """One row of the table of statistics."""
    power = [db_to_power(each) for each in chips.decibels]
    whole, second = (common_looks(power, step=step, clipped=chips.clipped).value for step in (1, 2))
    counts = sum(count_db(each, *SCALE, round((SCALE[1] - SCALE[0]) / BIN_DB)) for each in chips.decibels)
    everything = np.concatenate([each[~np.isnan(each)] for each in chips.decibels])
    correlation = np.median([neighbour_correlation(fill(each)) for each in power])
    skewness = np.median([speckle_skewness(each) for each in chips.decibels])
    even = "" if whole is None else f"{float(theory.entropy_bits(whole, BIN_DB)):.2f}"
    return (
        chips.name,
        str(len(power)),
        "none" if whole is None else f"{whole:.2f}",
        "none" if second is None else f"{second:.2f}",
        chips.expected,
        f"{correlation:.2f}",
        f"{skewness:.2f}",
        f"{everything.std():.2f}",
        f"{float(entropy_bits(np.asarray(counts))):.2f}",
        even,
    )


def fill(power: Floats) -> Floats:
    """Its median where there is no power."""
    known = np.isfinite(power) & (power > 0)
    return np.where(known, power, np.median(power[known]))


def read_sentinel() -> Iterator[Chips]:
    """Sentinel-1 in decibels, float: two places, both polarisations."""
    for number, polarisation in enumerate(("VV", "VH")):
        bands = [read_band(DATA / "sentinel_spain/Spain_7370579_S1Hand.tif", number)]
        yield Chips(
            name=f"Sentinel-1 {polarisation}, Spain (Sen1Floods11)", decibels=bands, expected="4.3 to 4.4"
        )
        bands = [read_band(path, 0) for path in sorted((DATA / "amazon/sent1").glob(f"*_{polarisation}_*"))]
        yield Chips(
            name=f"Sentinel-1 {polarisation}, Amazon (MultiEarth)", decibels=bands, expected="4.3 to 4.4"
        )


def read_band(path: Path, number: int) -> Floats:
    """A band of a raster."""
    with rasterio.open(path) as file:
        return np.asarray(file.read(number + 1), np.float64)


def read_sen1_2() -> Chips:
    """Pictures of 8 bits, of which the publication does not say what the levels stand for."""
    paths = sorted((DATA / "sen1_2").rglob("s1_90/*.png"))
    return make_chips(
        "Sentinel-1 VV, SEN1-2, levels read as -25 to 0 dB", [read_grey(path) for path in paths], "4.3 to 4.4"
    )


def make_chips(name: str, levels: Sequence[Levels], expected: str) -> Chips:
    """Chips of levels over the common clip."""
    return Chips(
        name=name,
        decibels=[levels_to_db(each, *CLIP) for each in levels],
        expected=expected,
        clipped=[find_clipped(each) for each in levels],
    )


def painted_chips(levels: Sequence[Levels]) -> Chips:
    """What was drawn."""
    return make_chips(
        "drawn from RGB of landscapes that were not learnt from", levels, "4, as its landscapes"
    )


def read_umbra() -> Chips:
    """A spotlight picture: levels are amplitude; 0 is no data."""
    levels = read_band(DATA / "umbra/umbra_mount_yasur.tiff", 0)
    return Chips(
        name="Umbra spotlight, 0.6 m, levels read as amplitude",
        decibels=[power_to_db((levels / 255) ** 2)],
        expected="not stated",
    )


def read_grey(path: Path) -> Levels:
    """A picture of one channel."""
    grey = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    assert grey is not None, path
    return np.asarray(grey, np.uint8)


def draw_pairs(work: Path, folder: Path) -> tuple[list[Levels], list[Levels]]:
    """True and drawn radar of the landscapes that were held out, also as files of equal names."""
    from make_cross_modal_figures import RADAR, read_cases

    from earthloom.models.tiny.files import load_tiny
    from earthloom.models.tiny.painter import Request

    _, held = read_cases(RADAR, work)
    painter = load_tiny(work / RADAR.recipe / "weights" / "tiny.safetensors")
    requests = [Request(control=ground.rgb, key=str(number)) for number, ground in enumerate(held)]
    painted = [
        np.asarray(each[..., 0], np.uint8)
        for start in range(0, len(requests), 8)
        for each in painter.draw(requests[start : start + 8], steps=STEPS, guidance=1.0, seed=0)
    ]
    true = [ground.other for ground in held]
    write_pictures(folder / "true", true)
    write_pictures(folder / "painted", painted)
    return true, painted


def try_copies(folder: Path) -> Iterator[tuple[str, ...]]:
    """Hold copies of real chips against the chips."""
    chips = [chip for each in list(read_sentinel())[:2] for band in each.decibels for chip in cut(band)]
    write_pictures(folder / "real", [to_levels(chip, CLIP) for chip in chips])
    for name, make in COPIES.items():
        write_pictures(folder / name, [make(chip) for chip in chips])
        yield tell_checks(name, hold(name, folder / "real", folder / name))
    yield tell_checks("two dates against two others, nothing changed", hold_dates(folder))


def hold_dates(folder: Path) -> Result:
    """Real against real: two dates of the Amazon against two others."""
    bands = list(read_sentinel())[1].decibels
    for name, some in (("early", bands[:2]), ("late", bands[2:])):
        write_pictures(folder / name, [to_levels(chip, CLIP) for band in some for chip in cut(band)])
    return hold("dates", folder / "early", folder / "late")


def cut(band: Floats) -> list[Floats]:
    """Whole chips."""
    return [
        band[y : y + CHIP, x : x + CHIP]
        for y in range(0, band.shape[0] - CHIP + 1, CHIP)
        for x in range(0, band.shape[1] - CHIP + 1, CHIP)
    ]


def to_levels(decibels: Floats, clip: tuple[float, float]) -> Levels:
    """As tiles are written."""
    return np.rint(np.clip((decibels - clip[0]) / (clip[1] - clip[0]), 0, 1) * 255).astype(np.uint8)


def filter_lee(decibels: Floats, side: int, looks: float = 4.4) -> Floats:
    """Lee's filter of linear power (IEEE TPAMI 1980), in decibels again."""
    power = db_to_power(decibels)
    mean = cv2.blur(power, (side, side))
    variance = np.maximum(cv2.blur(power * power, (side, side)) - mean**2, 0)
    signal = np.maximum(0, (variance - mean**2 / looks) / (1 + 1 / looks))
    return power_to_db(mean + signal / np.maximum(variance, 1e-30) * (power - mean))


def stretch(values: Floats) -> Levels:
    """To the 99th percentile, as pictures are made for display."""
    return np.clip(np.rint(values / np.percentile(values, 99) * 255), 0, 255).astype(np.uint8)


COPIES: Mapping[str, Callable[[Floats], Levels]] = {
    "unchanged": lambda chip: to_levels(chip, CLIP),
    "Lee 3 x 3": lambda chip: to_levels(filter_lee(chip, 3), CLIP),
    "Lee 5 x 5": lambda chip: to_levels(filter_lee(chip, 5), CLIP),
    "Lee 7 x 7": lambda chip: to_levels(filter_lee(chip, 7), CLIP),
    "mean of 5 x 5 in dB": lambda chip: to_levels(cv2.blur(chip, (5, 5)), CLIP),
    "2 dB brighter": lambda chip: to_levels(chip + 2, CLIP),
    "stretched over -32 to -5 dB": lambda chip: to_levels(chip, (-32.0, -5.0)),
    "stretched over -20 to 0 dB": lambda chip: to_levels(chip, (-20.0, 0.0)),
    "stretched over -40 to 10 dB": lambda chip: to_levels(chip, (-40.0, 10.0)),
    "linear power, stretched": lambda chip: stretch(db_to_power(chip)),
    "amplitude, stretched": lambda chip: stretch(db_to_power(chip / 2)),
}


def hold(name: str, real: Path, copy: Path) -> Result:
    """One evaluation."""
    recipe = CrossModalRecipe(
        evaluate="crossmodal",
        name="copy",
        modality=Modality.SAR,
        real=PictureSet(folder=str(real)),
        generated=PictureSet(folder=str(copy)),
        clip_db=CLIP,
        resamples=200,
    )
    return evaluate(recipe, real.parent / f"evaluation of {name}")


def tell_checks(name: str, result: Result) -> tuple[str, ...]:
    """One row of the table of copies: values, bold where a bound is broken."""
    figures = [result.find(check) for check in CHECKS]
    cells = ["none" if f.value is None else f"{round(f.value, 2) + 0.0:.2f}" for f in figures]
    told = [
        f"**{cell}**" if figure.passed is False else cell for cell, figure in zip(cells, figures, strict=True)
    ]
    is_caught = any(figure.passed is False for figure in figures)
    return (name, *told, "caught" if is_caught else "passes")


def write_pictures(folder: Path, pictures: Sequence[Levels]) -> None:
    """PNG files of equal names for equal places."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, picture in enumerate(pictures):
        assert cv2.imwrite(str(folder / f"{number:04}.png"), picture)


def tabulate(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of Markdown."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write_block(name: str, text: str) -> None:
    """Put a table between its marks on the page, and print it."""
    page = PAGE.read_text(encoding="utf-8")
    begin, end = BEGIN.format(name), END.format(name)
    before, rest = page.split(begin)
    after = rest.split(end)[1]
    PAGE.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")
    print(f"\n{text}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
