"""CLIPScore, retrieval and zero-shot classification under captions that are shuffled and features that fade."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from earthloom.core.seeds import make_rng
from earthloom.metrics.clip_score import measure_clip_score
from earthloom.metrics.features import Scaler, describe_pictures
from earthloom.metrics.retrieval import measure_retrieval
from earthloom.metrics.zero_shot import describe_classes, judge_classes, score_classes
from sanity.pictures import read_eurosat
from sanity.rows import Row

TITLE = "Pictures and texts"
INTRODUCTION = """\
RSICD's validation split, 400 pictures with their first caption. The stand-in for a dual encoder needs no weights: texts
are the words that they hold, weighted by rarity, and pictures are brought into that space by a ridge from `classical@1`
that was fitted on 1,500 pictures of the training split. It is weak, and values are low; what counts is where they go.
Zero-shot classification is of EuroSAT, each class described by the mean features of other pictures of it.
"""
N_TAUGHT, N = 1500, 400
PENALTY = 1e3
SHUFFLED = (0.3, 1.0)
NOISE = (0.5, 2.0)
Features = npt.NDArray[np.float64]


def measure(data: Path) -> Iterator[Row]:
    """All rows."""
    pictures, texts, captions = _embed(data / "rsicd")
    yield from list_text_rows(pictures, texts, captions)
    yield from _list_class_rows(data)


def list_text_rows(pictures: Features, texts: Features, captions: Sequence[str]) -> Iterator[Row]:
    """Rows of pairs, N x D and N x D of length 1, with captions shuffled and pictures' features under noise."""
    orders = [_shuffle(len(pictures), share) for share in (0.0, *SHUFFLED)]
    scores = [measure_clip_score(pictures, texts[order], [captions[i] for i in order]) for order in orders]
    found = [measure_retrieval(pictures, texts[order], np.arange(len(pictures))) for order in orders]
    change = f"captions shuffled, {SHUFFLED[0]:.0%} and all of them"
    nulls = [score.null or 0.0 for score in scores]
    yield Row(change=change, metric="CLIPScore", values=tuple(s.value for s in scores), wanted="falls")
    yield Row(change=change, metric="its lift", values=tuple(s.lift or 0.0 for s in scores), wanted="falls")
    yield Row(change=change, metric="its wins", values=tuple(s.wins or 0.0 for s in scores), wanted="falls")
    yield Row(
        change=change, metric="its null", values=tuple(nulls), wanted="stays", within=0.1 * scores[0].value
    )
    yield Row(change=change, metric="mR", values=tuple(f.mean_recall for f in found), wanted="falls")
    ranks = tuple(f.to_picture.median_rank for f in found)
    yield Row(change=change, metric="median rank", values=ranks, wanted="rises")
    noisy = [pictures, *(_add_noise(pictures, share) for share in NOISE)]
    change = "noise on the pictures' features, 0.5 and 2 of their spread"
    lifts = tuple(measure_clip_score(each, texts, captions).lift or 0.0 for each in noisy)
    recalls = tuple(measure_retrieval(each, texts, np.arange(len(each))).mean_recall for each in noisy)
    yield Row(change=change, metric="CLIPScore's lift", values=lifts, wanted="falls")
    yield Row(change=change, metric="mR", values=recalls, wanted="falls")


def _list_class_rows(data: Path) -> Iterator[Row]:
    halves = read_eurosat(data, each=20)
    names, taught = zip(*halves.list_reference(), strict=True)
    labels, judged = zip(*halves.take(), strict=True)
    scaler = Scaler.fit(describe_pictures(taught))
    known, seen = (scaler.scale(describe_pictures(each)) for each in (taught, judged))
    classes = sorted(set(names))
    each = len(names) // len(classes)
    order = np.argsort([classes.index(name) for name in names], kind="stable")
    truth = np.array([classes.index(label) for label in labels])
    described = describe_classes(known[order], each)
    noisy = [seen, *(_add_noise(seen, share) for share in NOISE)]
    found = [judge_classes(score_classes(features, described), truth) for features in noisy]
    change = "noise on the pictures' features, 0.5 and 2 of their spread"
    yield Row(
        change=change, metric="zero-shot accuracy", values=tuple(f.accuracy for f in found), wanted="falls"
    )
    swapped = [
        truth,
        *(np.where(_choose(len(truth), share), (truth + 1) % len(classes), truth) for share in SHUFFLED),
    ]
    values = tuple(judge_classes(score_classes(seen, described), labels).accuracy for labels in swapped)
    change = f"wrong classes, {SHUFFLED[0]:.0%} and all of them"
    yield Row(change=change, metric="zero-shot accuracy", values=values, wanted="falls")


def _embed(folder: Path) -> tuple[Features, Features, list[str]]:
    """Pictures and first captions of the validation split in one space, N x D each, texts of length 1."""
    taught, said = zip(*_read(folder, "train", N_TAUGHT), strict=True)
    pictures, captions = zip(*_read(folder, "val", N), strict=True)
    words = sorted({word for text in said for word in text.lower().split()})
    place = {word: i for i, word in enumerate(words)}
    counts = _count(said, place)
    rarity = np.log(len(said) / np.maximum((counts > 0).sum(axis=0), 1))
    scaler = Scaler.fit(known := describe_pictures(taught))
    x = scaler.scale(known)
    y = _lengthen(counts * rarity)
    centre = y.mean(axis=0)
    weights = np.linalg.solve(x.T @ x + PENALTY * np.eye(x.shape[1]), x.T @ (y - centre))
    seen = scaler.scale(describe_pictures(pictures)) @ weights
    return seen, _lengthen(_lengthen(_count(captions, place) * rarity) - centre), list(captions)


def _read(folder: Path, split: str, n: int) -> Iterator[tuple[npt.NDArray[np.uint8], str]]:
    """Every picture in turn, evenly over the split, with its first caption."""
    lines = (folder / f"captions_{split}.jsonl").read_text("utf-8").splitlines()
    first = {row["file"]: row["captions"][0] for row in map(json.loads, lines)}
    chosen = set(sorted(first)[:: max(1, len(first) // n)][:n])
    with tarfile.open(folder / f"rsicd_{split}_128.tar") as archive:
        for member in archive:
            if member.name in chosen:
                stream = archive.extractfile(member)
                assert stream is not None
                yield np.asarray(Image.open(io.BytesIO(stream.read())).convert("RGB")), first[member.name]


def _count(texts: Sequence[str], place: dict[str, int]) -> Features:
    found = np.zeros((len(texts), len(place)))
    for row, text in enumerate(texts):
        for word in text.lower().split():
            if word in place:
                found[row, place[word]] += 1
    return found


def _lengthen(features: Features) -> Features:
    return np.asarray(features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12))


def _choose(n: int, share: float) -> npt.NDArray[np.bool_]:
    chosen = np.zeros(n, np.bool_)
    chosen[make_rng(0, "sanity", "chosen").permutation(n)[: round(share * n)]] = True
    return chosen


def _shuffle(n: int, share: float) -> npt.NDArray[np.int64]:
    """An order in which a share of the items change places."""
    moved = np.flatnonzero(_choose(n, share))
    order = np.arange(n)
    order[moved] = np.roll(make_rng(0, "sanity", "order").permutation(moved), 1) if len(moved) > 1 else moved
    return order


def _add_noise(features: Features, share: float) -> Features:
    spread = features.std(axis=0)
    return np.asarray(features + share * spread * make_rng(0, "sanity", "noise").normal(size=features.shape))
