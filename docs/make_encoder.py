"""Train the feature network that comes with the package: `python docs/make_encoder.py WORK`.

Builds docs/encoder.yaml below WORK (ten minutes on two cores; goes on from what is there), trains the network of
`earthloom.models.loom` with five heads at once, measures each head on ground that was held out, and writes
src/earthloom/models/loom/weights/earthloom-features-1.safetensors. Some 12 minutes of one core.

What each head learns to tell, and from what:

    cover      the ten classes of EuroSAT
    weather    clear, or fog, cloud, snow, low light laid over clear ground by `earthloom.synthesize`
    modality   RGB, near infrared, radar
    distance   ground sample distance at 64 x 64 pixels, in octaves: what a picture shows, by what it was cut from
    detail     octaves of detail that are missing, since the picture was enlarged from fewer pixels

RSICD is never among it: what ships must be free of terms for research only.
"""

from __future__ import annotations

import argparse
import io
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from earthloom import build, load_recipe
from earthloom.core.seeds import make_rng
from earthloom.models.loom.files import SHIPPED, save_loom
from earthloom.models.loom.network import SIDE, LoomNet

HERE = Path(__file__).parent
RECIPE = HERE / "encoder.yaml"
WIDTHS, BLOCKS = (32, 64, 128, 192), (1, 2, 2, 1)
STEPS, BATCH, RATE, DECAY, SEED = 1200, 128, 4e-3, 2e-2, 7
SMOOTHING = 0.05
PARTS = 16
"""Of a batch, each varied in its own way."""
COVERS = (
    "annual crop", "forest", "herbaceous vegetation", "highway", "industrial", "pasture", "permanent crop",
    "residential", "river", "sea lake",
)  # fmt: skip
WEATHERS = ("clear", "fog", "cloud", "snow", "low_light")
MODALITIES = ("rgb", "nir", "sar")
OCTAVES = range(-4, 9)
DETAILS = ("full", "half", "quarter", "eighth")
ANSWERS: dict[str, tuple[str, ...]] = {
    "cover": COVERS,
    "weather": WEATHERS,
    "modality": MODALITIES,
    "distance": tuple(f"{2.0**octave:g} m" for octave in OCTAVES),
    "detail": DETAILS,
}
CLEAR_SOURCES = frozenset({"eurosat", "naip", "atlas", "neon-florida", "sen1floods11-s2"})
"""Whose pictures are known to show no weather; others may: their clouds are real, and nobody has named them."""
GROUPED = frozenset({"eurosat", "atlas", "sen1-2-s1", "sen1-2-s2"})
"""Of many places, so that whole places are held out. Of the others the southern quarter of each scene is."""
HELD = 0.75
UNKNOWN = -1
COLUMNS = ["source", "modality", "gsd_m", "split", "effect", "labels", "scene_id", "crop", "image"]

Labels = dict[str, npt.NDArray[np.int64]]


@dataclass(frozen=True, kw_only=True)
class Set:
    """Pictures with what is known of them."""

    pictures: npt.NDArray[np.uint8]
    """N x 3 x 64 x 64."""
    cover: npt.NDArray[np.int64]
    weather: npt.NDArray[np.int64]
    modality: npt.NDArray[np.int64]
    octave: npt.NDArray[np.float64]
    """Logarithm to base 2 of the ground sample distance in metres; NaN where it is unknown."""
    source: npt.NDArray[np.str_]

    def take(self, places: npt.NDArray[np.int64]) -> Set:
        """Some of them."""
        names = ("pictures", "cover", "weather", "modality", "octave", "source")
        return Set(**{name: getattr(self, name)[places] for name in names})


def main(work: Path, target: Path, steps: int) -> None:
    """Build, train, measure, write."""
    build(load_recipe(RECIPE), work, base=HERE)
    learnt, held = read_sets(work)
    print(f"{len(learnt.pictures):,} pictures to learn from, {len(held.pictures):,} held out", flush=True)
    network = train(learnt, steps)
    network.half().float()  # as it is stored
    scores = measure(network, held)
    print_scores(scores)
    training = {
        "made_by": "docs/make_encoder.py",
        "recipe": "docs/encoder.yaml",
        "licence": "Apache-2.0",
        "credit": list_credits(work),
        "learnt": {name: int(n) for name, n in sorted(Counter(learnt.source.tolist()).items())},
        "steps": steps,
        "batch": BATCH,
        "rate": RATE,
        "seed": SEED,
        "held_out": scores,
    }
    save_loom(target, network, widths=WIDTHS, blocks=BLOCKS, answers=ANSWERS, training=training)
    print(f"{target}: {target.stat().st_size / 1e6:.1f} MB")


def read_sets(work: Path) -> tuple[Set, Set]:
    """What is learnt from, and what is held out."""
    rows = list(read_rows(work))
    heights: dict[str, float] = {}
    for row in rows:
        crop = row["crop"]
        heights[row["scene_id"]] = max(heights.get(row["scene_id"], 0.0), crop["row"] + crop["height"])
    sides = [find_side(row, heights[row["scene_id"]]) for row in rows]
    learnt, held = (
        [row for row, side in zip(rows, sides, strict=True) if side == name] for name in ("train", "test")
    )
    return make_set(learnt), make_set(held)


def read_rows(work: Path) -> Iterator[dict[str, Any]]:
    """Records of the release in the order of their files; radar under an effect repeats its base and is left out."""
    for path in sorted((work / "release" / "data").glob("*.parquet")):
        for batch in pq.ParquetFile(path).iter_batches(2000, columns=COLUMNS):
            for row in batch.to_pylist():
                if row["effect"] is None or row["modality"] != "sar":
                    row["picture"] = decode(row.pop("image")["bytes"])
                    yield row


def decode(data: bytes) -> npt.NDArray[np.uint8]:
    """3 x 64 x 64."""
    with Image.open(io.BytesIO(data)) as image:
        assert image.size == (SIDE, SIDE)
        return np.asarray(image.convert("RGB"), np.uint8).transpose(2, 0, 1)


def find_side(row: Mapping[str, Any], height: float) -> str | None:
    """`train`, `test`, or None for what would show ground of both."""
    if row["source"] in GROUPED:
        return str(row["split"])
    top, bottom = row["crop"]["row"], row["crop"]["row"] + row["crop"]["height"]
    if bottom <= HELD * height:
        return "train"
    return "test" if top >= HELD * height else None


def make_set(rows: list[dict[str, Any]]) -> Set:
    """Answers where they are known."""
    return Set(
        pictures=np.stack([row["picture"] for row in rows]),
        cover=np.array([find_cover(row) for row in rows]),
        weather=np.array([find_weather(row) for row in rows]),
        modality=np.array([MODALITIES.index(row["modality"]) for row in rows]),
        octave=np.array([math.log2(row["gsd_m"]) if row["gsd_m"] else math.nan for row in rows]),
        source=np.array([f"{row['source']} {row['modality']}" for row in rows]),
    )


def find_cover(row: Mapping[str, Any]) -> int:
    """Place in `COVERS`; unknown where clouds hide it, and outside of EuroSAT."""
    labels = row["labels"] if row["source"] == "eurosat" else ()
    return COVERS.index(labels[0]["name"]) if labels else UNKNOWN


def find_weather(row: Mapping[str, Any]) -> int:
    """Place in `WEATHERS`."""
    if row["modality"] == "sar" or row["source"] not in CLEAR_SOURCES:
        return UNKNOWN
    return WEATHERS.index("clear" if row["effect"] is None else row["effect"]["name"])


def train(learnt: Set, steps: int) -> LoomNet:
    """All heads at once, by one sum of their losses."""
    torch.manual_seed(SEED)
    network = LoomNet(WIDTHS, BLOCKS, {head: len(names) for head, names in ANSWERS.items()})
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps, pct_start=0.15)
    chances = find_chances(learnt.source)
    rng = make_rng(SEED, "encoder")
    for step in range(steps):
        places = rng.choice(len(chances), BATCH, p=chances)
        pictures, labels = vary(learnt.take(places), rng)
        with torch.autocast("cpu", torch.bfloat16):
            features = network(pictures)
        losses = find_losses(network.ask(features.float()), labels)
        optimizer.zero_grad()
        torch.stack(list(losses.values())).sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        if step % 100 == 99:
            print(step + 1, {head: round(float(loss), 3) for head, loss in losses.items()}, flush=True)
    return network.eval()


def find_chances(source: npt.NDArray[np.str_]) -> npt.NDArray[np.float64]:
    """Chance of each picture: half of all are of EuroSAT, whose classes are the hardest to learn.

    Of the other half a source of four times as many pictures is seen twice as often, not four times.
    """
    _, number, counts = np.unique(source, return_inverse=True, return_counts=True)
    chances = 1 / np.sqrt(counts[number])
    is_cover = np.char.startswith(source, "eurosat")
    for half in (is_cover, ~is_cover):
        chances[half] *= 0.5 / chances[half].sum()
    return np.asarray(chances / chances.sum(), np.float64)


def vary(batch: Set, rng: np.random.Generator) -> tuple[Tensor, Labels]:
    """Turn, mirror, cut and enlarge, take detail away; answers follow. Float levels, N x 3 x 64 x 64.

    Part by part of the batch: were a whole batch blurred alike, its normalisation would tell the network so, and a
    network that knows by that is lost where it is used.
    """
    parts = [vary_alike(batch.take(places), rng) for places in np.array_split(np.arange(BATCH), PARTS)]
    labels = {head: np.concatenate([part[head] for _, part in parts]) for head in ANSWERS}
    return torch.cat([pictures for pictures, _ in parts]), labels


def vary_alike(part: Set, rng: np.random.Generator) -> tuple[Tensor, Labels]:
    """All pictures of a part in the same way."""
    pictures = torch.from_numpy(part.pictures).float()
    if rng.random() < 0.5:
        pictures = pictures.flip(3)
    pictures = torch.rot90(pictures, int(rng.integers(4)), (2, 3))
    side = SIDE if rng.random() < 0.6 else int(rng.integers(SIDE // 2, SIDE))
    y, x = rng.integers(0, SIDE - side + 1, 2)
    pictures = scale(pictures[:, :, y : y + side, x : x + side], SIDE)
    lost = int(rng.choice(3, p=(0.7, 0.2, 0.1)))
    pictures = scale(scale(pictures, SIDE >> lost), SIDE)
    shift = torch.from_numpy(rng.uniform(0.94, 1.06, (len(pictures), 1, 1, 1))).float()
    missing = math.log2(SIDE / side)
    labels = label(part, octave=part.octave - missing, missing=missing + lost)
    return (pictures * shift).clamp(0, 255), labels


def scale(pictures: Tensor, side: int) -> Tensor:
    """To side x side, without aliasing."""
    if pictures.shape[2] == side:
        return pictures
    return functional.interpolate(pictures, (side, side), mode="bicubic", antialias=True).clamp(0, 255)


def label(batch: Set, *, octave: npt.NDArray[np.float64], missing: float) -> Labels:
    """Answers as numbers."""
    first = OCTAVES.start
    distance = np.clip(np.round(np.nan_to_num(octave)) - first, 0, len(OCTAVES) - 1)
    return {
        "cover": batch.cover,
        "weather": batch.weather,
        "modality": batch.modality,
        "distance": np.where(np.isnan(octave), UNKNOWN, distance).astype(np.int64),
        "detail": np.full(len(batch.pictures), min(round(missing), len(DETAILS) - 1)),
    }


def find_losses(scores: Mapping[str, Tensor], labels: Labels) -> dict[str, Tensor]:
    """Mean loss of each head over the pictures whose answer is known; 0 where none is."""
    losses = {}
    for head, found in scores.items():
        wanted = torch.from_numpy(labels[head])
        total = functional.cross_entropy(
            found, wanted, ignore_index=UNKNOWN, reduction="sum", label_smoothing=SMOOTHING
        )
        losses[head] = total / (wanted != UNKNOWN).sum().clamp(min=1)
    return losses


@torch.no_grad()
def measure(network: LoomNet, held: Set) -> dict[str, dict[str, float]]:
    """How often each head is right, over all pictures and as the mean over its answers; `n` were asked."""
    scores = {"full": ask(network, held, 0), "half": ask(network, held, 1), "quarter": ask(network, held, 2)}
    labels = label(held, octave=held.octave, missing=0)
    found = {head: rate(scores["full"][head], labels[head]) for head in ANSWERS if head != "detail"}
    answers = np.concatenate([scores[name]["detail"] for name in scores])
    truth = np.repeat(np.arange(3), len(held.pictures))
    found["detail"] = rate(answers, truth)
    known = labels["distance"] != UNKNOWN
    first = OCTAVES.start
    error = np.abs(scores["full"]["distance"][known].argmax(1) + first - held.octave[known])
    found["distance"]["mean_error_octaves"] = round(float(error.mean()), 3)
    clear = (labels["cover"] != UNKNOWN) & (labels["weather"] == WEATHERS.index("clear"))
    right = scores["full"]["cover"][clear].argmax(1) == labels["cover"][clear]
    found["cover"]["without_weather"] = round(float(right.mean()), 4)
    for head, name in (("modality", "sar"), ("modality", "nir")):
        real = np.array([not each.startswith("atlas") for each in held.source.tolist()])
        mine = real & (labels[head] == MODALITIES.index(name))
        found[head][f"real_{name}"] = round(
            float(np.mean(scores["full"][head][mine].argmax(1) == labels[head][mine])), 4
        )
    return found


def ask(network: LoomNet, held: Set, lost: int) -> dict[str, npt.NDArray[np.float64]]:
    """Scores of all heads for pictures that lost some octaves of detail."""
    parts: dict[str, list[npt.NDArray[np.float64]]] = {head: [] for head in ANSWERS}
    for part in torch.from_numpy(held.pictures).split(256):
        degraded = scale(scale(part.float(), SIDE >> lost), SIDE)
        for head, scores in network.ask(network(degraded)).items():
            parts[head].append(scores.double().numpy())
    return {head: np.concatenate(each) for head, each in parts.items()}


def rate(scores: npt.NDArray[np.float64], wanted: npt.NDArray[np.int64]) -> dict[str, float]:
    """Accuracy, balanced accuracy and what a guess of the most frequent answer would reach."""
    known = wanted != UNKNOWN
    right, truth = scores[known].argmax(1) == wanted[known], wanted[known]
    each = [right[truth == answer].mean() for answer in np.unique(truth)]
    guess = np.unique(truth, return_counts=True)[1].max() / len(truth)
    figures = {"accuracy": right.mean(), "balanced": np.mean(each), "guess": guess}
    return {"n": int(known.sum()), **{name: round(float(value), 4) for name, value in figures.items()}}


def print_scores(scores: Mapping[str, Mapping[str, float]]) -> None:
    """As a table of Markdown."""
    print("| head | n | accuracy | mean over its answers | most frequent answer |\n|---|---|---|---|---|")
    for head, found in scores.items():
        cells = [f"{found[name]:.1%}" for name in ("accuracy", "balanced", "guess")]
        more = {
            name: value for name, value in found.items() if name not in {"n", "accuracy", "balanced", "guess"}
        }
        print(f"| {head} | {found['n']:,} | {' | '.join(cells)} | {more or ''}")


def list_credits(work: Path) -> list[str]:
    """Who made what was learnt from, and on what terms."""
    found = set()
    for path in sorted((work / "release" / "data").glob("*.parquet")):
        table = pq.read_table(path, columns=["credit", "licence"])
        found |= {
            f"{row['credit']} ({row['licence']})"
            for row in table.group_by(["credit", "licence"]).aggregate([]).to_pylist()
        }
    return sorted(found)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("work", type=Path, help="work folder of the release that is learnt from")
    parser.add_argument("--target", type=Path, default=SHIPPED, help="file to write")
    parser.add_argument("--steps", type=int, default=STEPS)
    chosen = parser.parse_args()
    main(chosen.work, chosen.target, chosen.steps)
