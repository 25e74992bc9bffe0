"""Distances of sets, diversity and memorisation under changes of the pictures, on features that need no weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from earthloom.metrics.cmmd import cmmd
from earthloom.metrics.features import Scaler, describe_pictures
from earthloom.metrics.frechet import frechet_distance
from earthloom.metrics.inception import inception_score_of_probabilities
from earthloom.metrics.kid import kid_unbiased
from earthloom.metrics.neighbours import measure_memorisation
from earthloom.metrics.phash import count_copies
from earthloom.metrics.prdc import prdc
from earthloom.metrics.probe import Probe, fit_probe
from earthloom.metrics.thumbnails import measure_picture_memorisation
from earthloom.metrics.vendi import vendi_score
from sanity.pictures import (
    Change,
    Halves,
    Picture,
    add_noise,
    blur,
    change_all,
    coarsen,
    look_like_radar,
    read_eurosat,
)
from sanity.rows import Row, Wanted

TITLE = "Distances, diversity and memorisation"
INTRODUCTION = """\
EuroSAT: 30 pictures of each of the ten classes as reference, 300 others in place of generated ones. Features are
`classical@1`, scaled by the reference, so that no value here is an FID, a KID or a CMMD of anybody's table; the
Inception Score is of the probabilities of a linear probe. The unchanged value is the floor of real against real.
"""
EACH = 30

CHANGES: Mapping[str, tuple[Change, tuple[float, ...]]] = {
    "blur, sigma 1 and 2 pixels": (blur, (1, 2)),
    "noise, std 10 and 30 grey levels": (add_noise, (10, 30)),
    "GSD 2 and 4 times coarser": (coarsen, (2, 4)),
    "a half and all as grey with speckle": (look_like_radar, (0.5, 1)),
}
CLASSES_LOST, COLLAPSED = "classes lost", "mode collapse"
RISE = ("Frechet", "KID", "CMMD")
FALL = ("precision", "density", "coverage")


@dataclass(frozen=True)
class Judge:
    """All metrics of a set against one reference."""

    reference: np.ndarray
    scaler: Scaler
    probe: Probe

    @classmethod
    def of(cls, halves: Halves) -> Judge:
        """Scale by the reference, and teach the probe its classes."""
        names, pictures = zip(*halves.list_reference(), strict=True)
        features = describe_pictures(pictures)
        scaler = Scaler.fit(features)
        scaled = scaler.scale(features)
        return cls(scaled, scaler, fit_probe(scaled, names))

    def measure(self, pictures: Sequence[Picture]) -> dict[str, float]:
        """Every metric by name."""
        features = self.scaler.scale(describe_pictures(pictures))
        among = prdc(self.reference, features)
        return {
            "Frechet": frechet_distance(self.reference, features),
            "KID": kid_unbiased(self.reference, features),
            "CMMD": cmmd(self.reference, features).value,
            "precision": among.precision,
            "recall": among.recall,
            "density": among.density,
            "coverage": among.coverage,
            "Vendi": vendi_score(features),
            "Inception Score": inception_score_of_probabilities(
                self.probe.probabilities(features), splits=1
            ).value,
        }


def measure(data: Path) -> Iterator[Row]:
    """All rows of EuroSAT."""
    halves = read_eurosat(data, EACH)
    yield from measure_changes(halves)
    yield from measure_losses(halves)
    yield from measure_copies(halves)


def measure_changes(halves: Halves) -> Iterator[Row]:
    """What is wrong with each picture: everything moves away and out of the balls of the real."""
    judge = Judge.of(halves)
    pictures = [picture for _, picture in halves.take()]
    floor = judge.measure(pictures)
    for name, (change, strengths) in CHANGES.items():
        found = [floor] + [judge.measure(list(change_all(pictures, change, s))) for s in strengths]
        yield from _make_rows(name, found, dict.fromkeys(RISE, "rises") | dict.fromkeys(FALL, "falls"))


def measure_losses(halves: Halves) -> Iterator[Row]:
    """What is wrong with the set although each picture is real: recall, coverage and diversity fall, not precision."""
    judge, classes = Judge.of(halves), list(halves.others)
    whole = [picture for _, picture in halves.take()]
    floor = judge.measure(whole)
    kept = classes[: len(classes) // 2]
    lost = judge.measure([picture for _, picture in halves.take(kept)])
    wanted: dict[str, Wanted] = dict.fromkeys(RISE, "rises")
    wanted |= dict.fromkeys(("recall", "coverage", "Vendi", "Inception Score"), "falls")
    yield from _make_rows(
        f"{CLASSES_LOST}, {len(classes) - len(kept)} of {len(classes)}", [floor, lost], wanted
    )
    yield from _make_rows(
        f"{CLASSES_LOST}, {len(classes) - len(kept)} of {len(classes)}", [floor, lost], {"precision": "stays"}
    )
    few = [
        judge.measure(_repeat(whole[:: len(whole) // n][:n], len(whole)))
        for n in (len(whole) // 6, len(classes))
    ]
    name = f"{COLLAPSED}, to {len(whole) // 6} and {len(classes)} pictures"
    wanted.pop(
        "Inception Score"
    )  # one sure picture of every class scores best: IS does not see this collapse
    yield from _make_rows(name, [floor, *few], wanted)
    yield from _make_rows(name, [floor, *few], {"precision": "stays"})


def measure_copies(halves: Halves) -> Iterator[Row]:
    """Turned copies of the reference among the others: told by features, by thumbnails and by hashes."""
    known = [picture for _, picture in halves.list_reference()]
    fresh = [picture for _, picture in halves.take()]
    sets = []
    for share in (0, 4, 1):
        n = len(known) // share if share else 0
        sets.append([np.ascontiguousarray(np.rot90(picture)) for picture in known[:n]] + fresh[n:])
    change = "a quarter and all are turned copies"
    learnt = Scaler.fit(describe_pictures(known))
    features = [learnt.scale(describe_pictures(one)) for one in (known, *sets)]
    by_features = [measure_memorisation(features[0], one) for one in features[1:]]
    by_thumbnails = [measure_picture_memorisation(known, one) for one in sets]
    for way, found in (("features", by_features), ("thumbnails", by_thumbnails)):
        under, authentic = tuple(one.under_5 for one in found), tuple(one.authentic for one in found)
        yield Row(change=change, metric=f"under the 5th percentile, {way}", values=under, wanted="rises")
        yield Row(change=change, metric=f"authentic, {way}", values=authentic, wanted="falls")
    hashes = [count_copies(known, one) for one in sets]
    shares = tuple(one.n_copies / one.n_compared for one in hashes)
    yield Row(change=change, metric="share of equal hashes", values=shares, wanted="rises")


def _repeat(pictures: Sequence[Picture], n: int) -> list[Picture]:
    """The same few again and again, each time a grey level or so apart."""
    return list(change_all([pictures[i % len(pictures)] for i in range(n)], add_noise, 1))


def _make_rows(change: str, found: Sequence[dict[str, float]], wanted: Mapping[str, Wanted]) -> Iterator[Row]:
    for metric, way in wanted.items():
        values = tuple(one[metric] for one in found)
        yield Row(
            change=change, metric=metric, values=values, wanted=way, within=0.15 if way == "stays" else 0.0
        )
