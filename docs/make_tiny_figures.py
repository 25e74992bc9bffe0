"""How well the tiny painter that was trained on EuroSAT draws what it is asked for.

    earthloom build examples/eurosat.yaml -o eurosat
    earthloom train examples/tiny_eurosat.yaml
    python docs/make_tiny_figures.py examples/tiny-eurosat-training eurosat

Writes the learning curve and a sheet of drawn pictures beside real ones into docs/images, and prints tables for
`docs/log.md`: what a small network that was trained on real pictures of the release takes the drawn ones for, and how
far they are from the nearest picture that was learnt from, so that copying would show. About five minutes on one core.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageDraw, ImageFont
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from earthloom.core.images import encode_png
from earthloom.metrics.frechet import frechet_distance
from earthloom.models.tiny.files import load_tiny
from earthloom.models.tiny.painter import Request, TinyPainter
from earthloom.store.atomic import open_atomic
from earthloom.store.layout import TrainingFolder
from earthloom.store.selection import Selection
from earthloom.store.stream.samples import Stream
from earthloom.train.curve import write_curve
from earthloom.train.logs import read_log

IMAGES = Path(__file__).parent / "images"
PHRASES = {
    "annual crop": "annual crops",
    "forest": "a forest",
    "herbaceous vegetation": "herbaceous vegetation",
    "highway": "a highway",
    "industrial": "industrial buildings",
    "pasture": "a pasture",
    "permanent crop": "permanent crops",
    "residential": "a residential area",
    "river": "a river",
    "sea lake": "a sea or a lake",
}
"""Classes of EuroSAT as a person would ask for them; that wording is not that of the captions."""
GUIDANCE, STEPS, SEED = 2.0, 20, 1
EPOCHS, BATCH = 6, 64

Pictures = npt.NDArray[np.uint8]
"""N x side x side x 3."""


@dataclass(frozen=True, kw_only=True)
class Split:
    """Real pictures of one split."""

    pictures: Pictures
    labels: npt.NDArray[np.int64]
    """Places in `PHRASES`."""
    captions: tuple[str, ...]
    """The one of each whose role is `overview`: it says what is to be seen."""


def main(training: Path, release: Path, judge_file: Path | None, n: int) -> None:
    """Draw, judge, print, write."""
    torch.manual_seed(0)
    folder = TrainingFolder(training)
    write_curve(IMAGES / "tiny_curve.png", read_log(folder.losses))
    painter = load_tiny(folder.weights / "tiny.safetensors")
    learnt, unseen = read_split(release, "train"), read_split(release, "test")
    judge = find_judge(learnt, judge_file)
    asked = {
        "words of a caption": ask_by_captions(unseen, n),
        "words of our own": [
            [Request(prompt=describe(phrase), key=str(k)) for k in range(n)] for phrase in PHRASES.values()
        ],
        "the class alone": [[Request(label=name, key=str(k)) for k in range(n)] for name in PHRASES],
    }
    drawn = {way: draw(painter, requests) for way, requests in asked.items()}
    write_sheet(IMAGES / "tiny_eurosat.png", drawn["words of our own"], unseen)
    print_scores(judge, drawn, unseen)
    print_distances(judge, drawn, learnt, unseen)


def read_split(release: Path, split: str) -> Split:
    """All pictures of a split, with class and caption."""
    names = list(PHRASES)
    selection = Selection.model_validate({"release": str(release), "split": [split]})
    stream = Stream(selection, Path(), seed=0)
    samples = [stream.read(position) for position in range(stream.count())]
    return Split(
        pictures=np.stack([sample.picture() for sample in samples]),
        labels=np.array([names.index(sample.labels[0].name) for sample in samples]),
        captions=tuple(
            next(words.text for words in sample.captions if words.role == "overview") for sample in samples
        ),
    )


def describe(phrase: str) -> str:
    return f"A satellite image of {phrase}."


def ask_by_captions(split: Split, n: int) -> list[list[Request]]:
    """Captions of held-out pictures, n of each class, and nothing else."""
    places = [np.flatnonzero(split.labels == label)[:n] for label in range(len(PHRASES))]
    return [
        [Request(prompt=split.captions[place], key=str(k)) for k, place in enumerate(of_class)]
        for of_class in places
    ]


def draw(painter: TinyPainter, requests: Sequence[Sequence[Request]]) -> list[Pictures]:
    return [painter.draw(each, steps=STEPS, guidance=GUIDANCE, seed=SEED) for each in requests]


class Judge(nn.Module):
    """A small convolutional network that tells the classes apart."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.PixelUnshuffle(2)]
        for before, after in ((12, 48), (48, 96), (96, 192)):
            layers += [
                nn.Conv2d(before, after, 3, padding=1),
                nn.BatchNorm2d(after),
                nn.ReLU(),
                nn.MaxPool2d(2),
            ]
        self.layers = nn.Sequential(*layers)
        self.head = nn.Linear(192, len(PHRASES))

    def describe(self, levels: Tensor) -> Tensor:
        """N x 3 x H x W to N x 192 features."""
        found: Tensor = self.layers(levels)
        return found.mean((2, 3))

    def forward(self, levels: Tensor) -> Tensor:
        scores: Tensor = self.head(self.describe(levels))
        return scores


def find_judge(split: Split, path: Path | None) -> Judge:
    """One that an earlier run kept, or a new one."""
    if path is not None and path.exists():
        judge = Judge()
        judge.load_state_dict(load_file(path))
        return judge.eval()
    judge = train_judge(split)
    if path is not None:
        save_file(judge.state_dict(), path)
    return judge


def train_judge(split: Split) -> Judge:
    """Teach it real pictures, turned and mirrored at random."""
    judge, images = Judge(), to_levels(split.pictures)
    labels = torch.from_numpy(split.labels)
    n_batches = len(images) // BATCH
    optimizer = torch.optim.AdamW(judge.parameters(), lr=2e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=EPOCHS * n_batches)
    for _ in range(EPOCHS):
        for places in torch.randperm(len(images))[: n_batches * BATCH].view(n_batches, BATCH):
            batch = torch.rot90(images[places], int(torch.randint(4, ())), (2, 3))
            loss = functional.cross_entropy(judge(batch), labels[places], label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
    return judge.eval()


def to_levels(pictures: Pictures) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2))).float() / 127.5 - 1.0


@torch.no_grad()
def judge_pictures(judge: Judge, pictures: Pictures) -> npt.NDArray[np.int64]:
    return np.concatenate([judge(part).argmax(1).numpy() for part in to_levels(pictures).split(512)])


@torch.no_grad()
def describe_pictures(judge: Judge, pictures: Pictures) -> npt.NDArray[np.float64]:
    return np.concatenate([judge.describe(part).double().numpy() for part in to_levels(pictures).split(512)])


def print_scores(judge: Judge, drawn: dict[str, list[Pictures]], unseen: Split) -> None:
    """What pictures are taken for, by class: real ones of the test split, and drawn ones by how they were asked for."""
    real = judge_pictures(judge, unseen.pictures)
    print(f"| class | {len(real):,} real, held out | " + " | ".join(drawn) + " | mostly taken for instead |")
    print("|---|---|" + "---|" * (len(drawn) + 1))
    names = list(PHRASES)
    taken = {way: [judge_pictures(judge, each) for each in by_class] for way, by_class in drawn.items()}
    for label, name in enumerate(names):
        cells = [np.mean(real[unseen.labels == label] == label)]
        cells += [np.mean(by_class[label] == label) for by_class in taken.values()]
        wrong = np.concatenate([by_class[label] for by_class in taken.values()])
        wrong = wrong[wrong != label]
        instead = names[int(np.bincount(wrong).argmax())] if len(wrong) else ""
        print(f"| {name} | " + " | ".join(f"{cell:.0%}" for cell in cells) + f" | {instead} |")
    means = [np.mean([np.mean(each == label) for label, each in enumerate(way)]) for way in taken.values()]
    means = [np.mean(real == unseen.labels), *means]
    print("| all | " + " | ".join(f"{mean:.1%}" for mean in means) + " | |")


def print_distances(judge: Judge, drawn: dict[str, list[Pictures]], learnt: Split, unseen: Split) -> None:
    """Fréchet distance of the judge's features to those of learnt pictures, and to the nearest of these pictures."""
    reference = describe_pictures(judge, learnt.pictures)
    n = sum(len(each) for each in next(iter(drawn.values())))
    balanced = np.concatenate(list(pick_evenly(unseen, n // len(PHRASES))))
    print(
        "\n| pictures | Fréchet distance of the features | median distance to the nearest one learnt, levels |"
    )
    print("|---|---|---|")
    for name, pictures in {
        "real, held out": balanced,
        **{k: np.concatenate(v) for k, v in drawn.items()},
    }.items():
        found = frechet_distance(describe_pictures(judge, pictures), reference)
        print(f"| {name} | {found:.2f} | {find_nearest(pictures, learnt.pictures):.1f} |")


def pick_evenly(split: Split, n: int) -> Iterator[Pictures]:
    for label in range(len(PHRASES)):
        yield split.pictures[split.labels == label][:n]


def find_nearest(pictures: Pictures, learnt: Pictures) -> float:
    """Median over pictures of the root mean square difference to the nearest learnt one, in any of its eight turns."""
    flat = [torch.from_numpy(each.reshape(len(each), -1)).float() for each in (pictures, learnt)]
    least = torch.full((len(pictures),), torch.inf)
    for mirrored in (pictures, pictures[:, :, ::-1]):
        for turns in range(4):
            turned = np.ascontiguousarray(np.rot90(mirrored, turns, (1, 2))).reshape(len(pictures), -1)
            distances = torch.cdist(torch.from_numpy(turned).float(), flat[1]).amin(1)
            least = torch.minimum(least, distances)
    return float((least / flat[0].shape[1] ** 0.5).median())


def write_sheet(path: Path, drawn: list[Pictures], real: Split, n: int = 8, n_real: int = 3) -> None:
    """A row for each prompt: the first n that were drawn, and beside them held-out pictures of the class."""
    zoom, gap, left, top = 2, 4, 270, 24
    cell = drawn[0].shape[1] * zoom + gap
    width = left + (n + n_real) * cell + 3 * gap
    sheet = Image.new("RGB", (width, top + len(drawn) * cell), "white")
    ink, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    ink.text((left, 4), f"drawn, the first {n} of seed {SEED}", fill="black", font=font)
    ink.text((left + n * cell + 3 * gap, 4), "real, held out", fill="black", font=font)
    for row, (phrase, pictures) in enumerate(zip(PHRASES.values(), drawn, strict=True)):
        y = top + row * cell
        ink.text((6, y + cell // 2 - 10), describe(phrase), fill="black", font=font)
        beside = real.pictures[real.labels == row][:n_real]
        for column, picture in enumerate([*pictures[:n], *beside]):
            x = left + column * cell + (3 * gap if column >= n else 0)
            shown = Image.fromarray(picture).resize((cell - gap, cell - gap), Image.Resampling.NEAREST)
            sheet.paste(shown, (x, y))
    with open_atomic(path) as file:
        file.write(encode_png(np.asarray(sheet)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("training", type=Path, help="folder of the training")
    parser.add_argument("release", type=Path, help="work folder or release of EuroSAT")
    parser.add_argument("--judge", type=Path, help="file that keeps the network that judges from run to run")
    parser.add_argument("--n", type=int, default=24, help="pictures to draw for each class and way of asking")
    chosen = parser.parse_args()
    main(chosen.training, chosen.release, chosen.judge, chosen.n)
