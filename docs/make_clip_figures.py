"""How well a small CLIP finds pictures of RSICD by their captions and captions by their pictures, against chance.

    python docs/make_clip_figures.py ../shared/data/rsicd rsicd-work

Lays out the pictures and captions (Lu et al. 2018, resampled to 128 px; research use only) as tars of the WebDataset
form, trains by `examples/clip_rsicd.yaml`, and measures the validation split, which training has not seen. Prints a
table for `docs/log.md`; what it writes stays in the given folder. Killed and started again it goes on.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from earthloom.core.images import decode_image, to_rgb
from earthloom.metrics.retrieval import Retrieval, expect_chances, measure_retrieval
from earthloom.store.atomic import open_atomic

ROOT = Path(__file__).resolve().parent.parent
RECIPE = ROOT / "examples" / "clip_rsicd.yaml"
SPLITS = ("train", "val")


def main(source: Path, work: Path) -> None:
    """Lay out, train, measure."""
    from earthloom.models.clip.dual import open_dual
    from earthloom.recipes import load_training
    from earthloom.train.training import train

    work.mkdir(parents=True, exist_ok=True)
    for split in SPLITS:
        lay_out(source, split, work / "rsicd" / f"{split}-00000.tar")
    wall, busy = time.monotonic(), time.process_time()
    recipe = work / RECIPE.name  # its paths are relative to it
    shutil.copyfile(RECIPE, recipe)
    summary = train(load_training(recipe), work / "training", base=work)
    wall, busy = time.monotonic() - wall, time.process_time() - busy
    print(
        f"{summary.steps} steps, of them {summary.steps - summary.resumed_from} in this run: {wall / 60:.1f} minutes, "
        f"{busy / 60:.1f} CPU-minutes on {os.cpu_count()} cores with a load of {os.getloadavg()[1]:.1f}"
    )

    dual = open_dual(str(work / "training" / "weights"))
    records = list(read_records(source, "val"))
    pictures = dual.describe_pictures([to_rgb(decode_image(data)) for _, data, _ in records])
    texts = [text for _, _, captions in records for text in captions]
    owners = np.array([i for i, (_, _, captions) in enumerate(records) for _ in captions])
    # Each distinct text is read once, so that equal ones have equal features and tie.
    distinct, places = np.unique(texts, return_inverse=True)
    words = dual.describe_texts(distinct.tolist())[places]
    print(f"\n{len(records):,} pictures, {len(texts):,} captions, {len(distinct):,} of them distinct\n")
    print(to_table(measure_retrieval(pictures, words, owners), expect_chances(owners, len(records))))

    # Strictly, a caption that another picture has as well is wrong for it. Beside that: without such captions.
    pairs = sorted(set(zip(places.tolist(), owners.tolist(), strict=True)))
    n_owners = np.bincount([place for place, _ in pairs])
    chosen, of = (np.array(column) for column in zip(*(p for p in pairs if n_owners[p[0]] == 1), strict=True))
    first = np.unique(places, return_index=True)[1]
    print(f"\n{len(chosen):,} distinct captions that no other picture has, once each\n")
    print(to_table(measure_retrieval(pictures, words[first[chosen]], of), expect_chances(of, len(records))))


def read_records(source: Path, split: str) -> Iterator[tuple[str, bytes, list[str]]]:
    """Name, encoded picture and captions of every picture of a split."""
    lines = (source / f"captions_{split}.jsonl").read_text("utf-8").splitlines()
    captions = {row["file"]: row["captions"] for row in map(json.loads, lines)}
    with tarfile.open(source / f"rsicd_{split}_128.tar") as archive:
        for member in archive:
            content = archive.extractfile(member)
            if content is not None:
                yield member.name, content.read(), captions[member.name]


def lay_out(source: Path, split: str, path: Path) -> None:
    """Write a split as a tar of the WebDataset form, each picture followed by its captions; once."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with open_atomic(path) as file, tarfile.open(fileobj=file, mode="w") as archive:
        for name, data, captions in read_records(source, split):
            add(archive, name, data)
            add(archive, f"{Path(name).stem}.json", json.dumps({"captions": captions}).encode())


def add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    """Add one member."""
    member = tarfile.TarInfo(name)
    member.size = len(data)
    archive.addfile(member, io.BytesIO(data))


def to_table(found: Retrieval, chance: dict[str, float]) -> str:
    """R@K in per cent, beside chance, as Markdown."""
    lines = ["| | R@1 | R@5 | R@10 | median rank | tied |", "|---|---|---|---|---|---|"]
    for name, title, way in (
        ("to_text", "picture to text", found.to_text),
        ("to_picture", "text to picture", found.to_picture),
    ):
        shares = " | ".join(f"{100 * share:.2f}" for share in (way.at_1, way.at_5, way.at_10))
        by_chance = " | ".join(f"{100 * chance[f'{name}@{top}']:.2f}" for top in (1, 5, 10))
        lines.append(f"| {title} | {shares} | {way.median_rank:.0f} | {100 * way.tied:.1f} % |")
        lines.append(f"| by chance | {by_chance} | | |")
    mean = np.mean(list(chance.values()))
    return "\n".join([*lines, "", f"mR {100 * found.mean_recall:.2f}, by chance {100 * mean:.2f}"])


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
