"""Draw one modality from another and measure it: `python docs/make_cross_modal_figures.py WORK`.

Builds examples/cross_modal.yaml and trains examples/cross_modal_*.yaml below WORK, going on from what is there, draws
the ground that was held out, prints how right it is, and writes docs/images/cross_modal_*.png. Painters are given the
RGB picture alone: no words, no facts, no guidance.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import yaml
from PIL import Image, ImageDraw, ImageFont
from pydantic import TypeAdapter

from earthloom import build, load_recipe
from earthloom.metrics.bootstrap import Interval, bootstrap
from earthloom.metrics.radar.decibels import from_levels
from earthloom.metrics.radar.looks import find_common_looks, map_looks
from earthloom.models.tiny.files import load_tiny
from earthloom.models.tiny.painter import Request, TinyPainter
from earthloom.train.kinds import TrainingRecipe
from earthloom.train.training import train

HERE = Path(__file__).parent
EXAMPLES = HERE.parent / "examples"
RELEASE = "cross-modal"
SIDE = 64
COLUMNS = ["pair_id", "source", "split", "image", "stretch", "acquired", "group", "crop"]
DRAWS, STEPS, SAR_STEPS = 8, 10, 25
"""Drawings that are averaged; predictions for a drawing of near infrared, which few serve well, and of radar."""
RESAMPLES = 500
BEST = "regression on 3 x 3 pixels"
"""What painters are compared with."""
Picture = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]
Predict = Callable[[Picture], Floats]


@dataclass(frozen=True)
class Ground:
    """Two pictures of one ground."""

    rgb: Picture
    other: Picture
    """H x W."""
    low: float
    high: float
    """What 0 and 255 stand for."""
    date: str
    place: str
    """Pictures of one place depend on each other."""


@dataclass(frozen=True)
class Case:
    """One painter, and what it is tried on."""

    recipe: str
    title: str
    modality: str
    learnt: Callable[[dict[str, Any]], bool]
    held: Callable[[dict[str, Any]], bool]
    n_learnt: int
    """Pairs that the regressions are fitted to, at most."""
    n_held: int
    """Pairs that are drawn, at most."""
    place: Callable[[dict[str, Any]], str]
    """By which intervals draw what is held out."""


AERIAL = Case(
    recipe="cross_modal_nir_aerial",
    title="aerial pictures",
    modality="nir",
    learnt=lambda row: row["source"] == "naip-west",
    held=lambda row: row["source"] == "naip-east",
    n_learnt=180,
    n_held=30,
    place=lambda row: f"{row['crop']['col']} {row['crop']['row']}",
)
LANDSCAPES, RADAR = (
    Case(
        recipe=recipe,
        title="landscapes",
        modality=modality,
        learnt=lambda row: row["source"] == "atlas" and row["split"] == "train",
        held=lambda row: row["source"] == "atlas" and row["split"] == "test",
        n_learnt=300,
        n_held=30,
        place=lambda row: row["group"],
    )
    for recipe, modality in (("cross_modal_nir", "nir"), ("cross_modal_sar", "sar"))
)


def main(work: Path) -> None:
    """Build, train, draw, measure."""
    build(load_recipe(EXAMPLES / "cross_modal.yaml"), work / RELEASE, base=EXAMPLES)
    strips = []
    for case in (AERIAL, LANDSCAPES):
        strips += measure_nir(case, work)
    columns = ("RGB", "drawn", f"mean of {DRAWS}", "regression 3 x 3", "true")
    write_figure("nir", columns, strips, (AERIAL.title, LANDSCAPES.title))
    columns = ("RGB", "drawn", "drawn again", "regression 3 x 3", "true")
    write_figure("sar", columns, measure_sar(RADAR, work), (RADAR.title, RADAR.title))


def measure_nir(case: Case, work: Path) -> list[list[Picture]]:
    """Print correlations of near infrared; give some rows of pictures."""
    learnt, held = read_cases(case, work)
    painter = get_painter(case, work)
    drawn = draw(painter, held, DRAWS, STEPS).astype(np.float64)
    true = np.stack([ground.other for ground in held]).astype(np.float64)
    guesses = {
        "regression on the pixel": predict_all(fit_regression(learnt, 1), held),
        BEST: predict_all(fit_regression(learnt, 3), held),
        "the same, one for each date": predict_by_date(learnt, held),
        "painter, one drawing": drawn[0],
        f"painter, mean of {DRAWS}": drawn.mean(0),
        "painter, one prediction": draw(painter, held, 1, 1)[0].astype(np.float64),
    }
    places = [ground.place for ground in held]
    print(
        f"\nNear infrared of {case.title}: {len(held)} squares of {SIDE} px of ground that was not learnt from, "
        f"{len(set(places))} places"
    )
    sums = {name: sum_products(guess, true) for name, guess in guesses.items()}
    everything = np.arange(len(held))
    for name, guess in guesses.items():
        squares = np.mean([correlate(sums[name], each) for each in everything[:, None]])
        print(
            f"  {name:28} correlation {correlate(sums[name], everything):.3f}, "
            f"more than {BEST} by {find_gain(sums[name], sums[BEST], places)}, "
            f"mean of squares {squares:.3f}, RMSE {np.sqrt(np.mean((guess - true) ** 2)):.1f} of 255"
        )
    chosen = np.linspace(0, len(held) - 1, 4).round().astype(int)
    return [[held[i].rgb, drawn[0, i], drawn[:, i].mean(0), guesses[BEST][i], true[i]] for i in chosen]


def sum_products(guess: Floats, true: Floats) -> Floats:
    """What correlations of some of N squares are made of: N x 6."""
    a, b = (stack.reshape(len(stack), -1) for stack in (guess, true))
    each = [np.full(len(a), a.shape[1]), a.sum(1), b.sum(1), (a * a).sum(1), (b * b).sum(1), (a * b).sum(1)]
    return np.stack(each, axis=1).astype(np.float64)


def correlate(sums: Floats, chosen: npt.NDArray[np.int64]) -> float:
    """Correlation over all pixels of the squares chosen; 0 where either is flat."""
    n, a, b, aa, bb, ab = sums[chosen].sum(0)
    spread = (n * aa - a * a) * (n * bb - b * b)
    return float((n * ab - a * b) / np.sqrt(spread)) if spread > 0 else 0.0


def find_gain(sums: Floats, other: Floats, places: Sequence[str]) -> str:
    """How much higher one correlation is than another, with 95 % of what other places would have given."""

    def gain(chosen: npt.NDArray[np.int64]) -> float:
        return correlate(sums, chosen) - correlate(other, chosen)

    return tell(gain(np.arange(len(sums))), bootstrap(gain, len(sums), groups=places, resamples=RESAMPLES))


def tell(value: float, interval: Interval) -> str:
    """A number and where it lies."""
    return f"{value:+.3f} ({interval.low:+.3f} to {interval.high:+.3f})"


def measure_sar(case: Case, work: Path) -> list[list[Picture]]:
    """Print statistics of radar; give some rows of pictures."""
    learnt, held = read_cases(case, work)
    drawn = draw(get_painter(case, work), held, 2, SAR_STEPS)
    guess = np.clip(predict_all(fit_regression(learnt, 3), held), 0, 255).round().astype(np.uint8)
    true = np.stack([ground.other for ground in held])
    print(
        f"\nRadar of {case.title}: {len(held)} squares of {SIDE} px of landscapes that were not learnt from"
    )
    print(f"  {'':28}{'ENL':>8}{'mean dB':>10}{'dB of mean':>12}{'at 0 or 255':>13}{'r of 9 x 9 means':>18}")
    for name, levels in (
        ("true", true),
        ("painter, one drawing", drawn[0]),
        ("painter, another", drawn[1]),
        (BEST, guess),
    ):
        print(f"  {name:28}{describe_speckle(levels, true, held[0])}")
    tell_differences(drawn[0], true, held)
    chosen = np.linspace(0, len(held) - 1, 8).round().astype(int)
    return [[held[i].rgb, drawn[0, i], drawn[1, i], guess[i], true[i]] for i in chosen]


def describe_speckle(levels: Picture, true: Picture, ground: Ground) -> str:
    """One row of the table of radar."""
    power = from_levels(levels, ground.low, ground.high)
    looks = find_common_looks(np.stack([map_looks(each) for each in power]))
    decibels = 10 * np.log10(power)
    blurred, wanted = (
        np.stack([cv2.blur(each.astype(np.float64), (9, 9)) for each in stack]).ravel()
        for stack in (levels, true)
    )
    return (
        f"{looks:8.2f}{decibels.mean():10.2f}{10 * np.log10(power.mean()):12.2f}"
        f"{np.mean((levels == 0) | (levels == 255)):13.1%}{np.corrcoef(blurred, wanted)[0, 1]:18.3f}"
    )


def tell_differences(drawn: Picture, true: Picture, held: Sequence[Ground]) -> None:
    """Print how far a drawing is from the truth, with 95 % of what other landscapes would have given."""
    power = [from_levels(levels, held[0].low, held[0].high) for levels in (drawn, true)]
    looks = [np.stack([map_looks(each) for each in stack]) for stack in power]
    decibels = [10 * np.log10(stack).mean((1, 2)) for stack in power]

    def compare_looks(chosen: npt.NDArray[np.int64]) -> float:
        return find_common_looks(looks[0][chosen]) / find_common_looks(looks[1][chosen]) - 1

    def compare_decibels(chosen: npt.NDArray[np.int64]) -> float:
        return float((decibels[0] - decibels[1])[chosen].mean())

    places = [ground.place for ground in held]
    for name, compare in (("looks, share", compare_looks), ("mean, dB", compare_decibels)):
        interval = bootstrap(compare, len(held), groups=places, resamples=RESAMPLES)
        print(f"  drawn beside true, {name}: {tell(compare(np.arange(len(held))), interval)}")
    print(f"  ({len(set(places))} landscapes)")


def get_painter(case: Case, work: Path) -> TinyPainter:
    """Load a painter, trained before if it is not yet."""
    plain = yaml.safe_load((EXAMPLES / f"{case.recipe}.yaml").read_text())
    recipe = TypeAdapter(TrainingRecipe).validate_python(plain)
    weights = work / case.recipe / "weights" / "tiny.safetensors"
    if not weights.is_file():
        train(recipe, work / case.recipe, base=work / "examples")
    return load_tiny(weights)


def draw(painter: TinyPainter, held: Sequence[Ground], n: int, steps: int) -> Picture:
    """Draw every ground `n` times: n x N x side x side. One prediction gives what is to be expected, drawn softly."""
    requests = [Request(control=ground.rgb, key=str(number)) for number, ground in enumerate(held)]
    return np.stack(
        [painter.draw(requests, steps=steps, guidance=1.0, seed=seed)[..., 0] for seed in range(n)]
    )


def read_cases(case: Case, work: Path) -> tuple[list[Ground], list[Ground]]:
    """Pairs to fit regressions to, and squares to draw."""
    data = work / RELEASE / "release" / "data"
    rgb, other = ({row["pair_id"]: row for row in read_rows(data, name)} for name in ("rgb", case.modality))
    learnt = [key for key, row in sorted(rgb.items()) if key in other and case.learnt(row)]
    held = [key for key, row in sorted(rgb.items()) if key in other and case.held(row)]
    fitted = [make_ground(rgb[key], other[key], case) for key in learnt[:: -(-len(learnt) // case.n_learnt)]]
    drawn = [make_ground(rgb[key], other[key], case) for key in held[:: -(-len(held) // case.n_held)]]
    return fitted, [square for ground in drawn for square in cut_squares(ground)]


def read_rows(data: Path, modality: str) -> Iterator[dict[str, Any]]:
    """Records of one modality."""
    for path in sorted(data.glob(f"*-{modality}-*.parquet")):
        yield from pq.read_table(path, columns=COLUMNS).to_pylist()


def make_ground(rgb: dict[str, Any], other: dict[str, Any], case: Case) -> Ground:
    """Decode a pair."""
    levels = decode(other, cv2.IMREAD_GRAYSCALE)
    (low,), (high,) = other["stretch"]["low"], other["stretch"]["high"]
    picture = decode(rgb, cv2.IMREAD_COLOR)[:, :, ::-1]
    return Ground(picture, levels, low, high, date=rgb["acquired"], place=case.place(rgb))


def decode(row: dict[str, Any], how: int) -> Picture:
    """The picture of a record."""
    picture = cv2.imdecode(np.frombuffer(row["image"]["bytes"], np.uint8), how)
    assert picture is not None
    return np.asarray(picture, np.uint8)


def cut_squares(ground: Ground) -> Iterator[Ground]:
    """All whole squares of the painter's size, at their own scale."""
    height, width = ground.other.shape
    for y in range(0, height - SIDE + 1, SIDE):
        for x in range(0, width - SIDE + 1, SIDE):
            window = np.s_[y : y + SIDE, x : x + SIDE]
            yield replace(ground, rgb=ground.rgb[window], other=ground.other[window])


def fit_regression(grounds: Sequence[Ground], side: int) -> Predict:
    """Least squares from the RGB values around each pixel, `side` x `side` of them, to the other modality."""
    rows = [gather(ground.rgb, side) for ground in grounds]
    values = [ground.other.reshape(-1).astype(np.float64) for ground in grounds]
    total = sum(row.T @ row for row in rows)
    weights = np.linalg.solve(total, sum(row.T @ value for row, value in zip(rows, values, strict=True)))
    return lambda rgb: np.asarray((gather(rgb, side) @ weights).reshape(rgb.shape[:2]), np.float64)


def gather(rgb: Picture, side: int) -> Floats:
    """For each pixel the values around it and a 1; borders are continued."""
    edge = side // 2
    wide = np.pad(rgb.astype(np.float64) / 255, ((edge, edge), (edge, edge), (0, 0)), mode="edge")
    height, width, _ = rgb.shape
    near = [wide[y : y + height, x : x + width] for y in range(side) for x in range(side)]
    return np.concatenate([*near, np.ones((height, width, 1))], axis=2).reshape(height * width, -1)


def predict_all(predict: Predict, held: Sequence[Ground]) -> Floats:
    """N x side x side."""
    return np.stack([predict(ground.rgb) for ground in held])


def predict_by_date(learnt: Sequence[Ground], held: Sequence[Ground]) -> Floats:
    """With a regression on 3 x 3 pixels for every date that was learnt from, and for other dates that of all."""
    dates = {ground.date for ground in learnt} & {ground.date for ground in held}
    own = {date: fit_regression([each for each in learnt if each.date == date], 3) for date in dates}
    general = fit_regression(learnt, 3)
    return np.stack([own.get(ground.date, general)(ground.rgb) for ground in held])


def write_figure(
    name: str, columns: Sequence[str], rows: Sequence[Sequence[npt.NDArray[Any]]], titles: Sequence[str]
) -> None:
    """Rows of pictures, doubled, in two blocks side by side, under their names."""
    cell, gap, head = 2 * SIDE, 4, 34
    half = -(-len(rows) // 2)
    block = len(columns) * (cell + gap) + 12
    sheet = Image.new("RGB", (2 * block - 12 + gap, head + half * (cell + gap)), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(12)
    for side, title in enumerate(titles):
        left = gap + side * block
        pen.text((left, 2), title, fill="black", font=font)
        for column, text in enumerate(columns):
            pen.text((left + column * (cell + gap), 18), text, fill="black", font=font)
    for number, row in enumerate(rows):
        left, top = gap + number // half * block, head + number % half * (cell + gap)
        for column, picture in enumerate(row):
            levels = np.clip(np.asarray(picture).round(), 0, 255).astype(np.uint8)
            shown = Image.fromarray(levels).convert("RGB").resize((cell, cell), Image.Resampling.NEAREST)
            sheet.paste(shown, (left + column * (cell + gap), top))
    sheet.save(HERE / "images" / f"cross_modal_{name}.png", optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
