"""What a reader of the figures has to know, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from earthloom.evaluate.generation import classes, distances, halves, manifolds, near_copies
from earthloom.evaluate.generation.config import GenerationRecipe
from earthloom.evaluate.generation.spaces import Space
from earthloom.evaluate.result import Figure
from earthloom.evaluate.sizes import Survey
from earthloom.metrics.patterns import COPY_DISTANCE, FLAT_LEVELS
from earthloom.metrics.phash import COPY_BITS

FEW_FOR_FRECHET = 5_000
"""Pictures under which kernel distances go before Frechet distances, whose bias is large then."""
_NEAR_COPIES = (
    f"in any of eight turns; thumbnails as near as {COPY_DISTANCE:g}, hashes that differ by at most {COPY_BITS} bits; "
    f"flat pictures (under {FLAT_LEVELS:g} grey levels) are compared with nothing; floors of at most "
    f"{near_copies.MOST:,} real pictures"
)
_LOSSY = frozenset({"JPEG", "WEBP"})


def list_rules(recipe: GenerationRecipe, space: Space) -> dict[str, str]:
    """How the figures were taken, by name; real pictures are divided in every space as in this one."""
    side = (
        "as they are" if recipe.side is None else f"to a shorter side of {recipe.side} px where it is longer"
    )
    return {
        "pictures": f"{side}, then each encoder's own rule",
        "classical features": "in spreads of the real set, cut at 5",
        "frechet": "all pictures of both sets; unbiased covariances, no shrinkage",
        "frechet infinity": "15 counts from a tenth of the generated pictures to all, a line over 1 / N; all real "
        "pictures each time",
        "kernel": f"unbiased, cubic kernel, all pictures up to {distances.MOST:,} of each set; in the details the mean "
        f"over {recipe.subsets} subsets of {recipe.subset_size:,} at most; of CLIP CMMD: biased, sigma 10, times 1000",
        "precision, recall": f"k = 3, equal counts up to {manifolds.MOST:,}; Euclidean",
        "density, coverage": "k = 5, the same counts",
        "interval of a distance": f"{recipe.halves} half-samples without replacement of grounds and of prompts (of "
        f"pictures where there are few), {distances.FEW_HALVES} where each takes long",
        "floor": f"real against real: the mean over {halves.DRAWS} random halves (4 for wide features) of equal "
        f"counts, {halves.SPLITS[halves.find_unit(space)]}; generated pictures at that count stand beside it",
        "classes": f"those with {classes.LEAST} pictures in both sets, at most {classes.MOST}",
        "cas": f"linear probe, balanced accuracy; ceiling by cross-validation over groups, {recipe.folds} folds",
        **({} if recipe.train is None else {"near copies": _NEAR_COPIES}),
    }


def order_figures(figures: Sequence[Figure], n: int) -> list[Figure]:
    """What is to be read first stands first: kernel distances where there are few pictures."""
    first = ("kd", "kid", "cmmd") if n < FEW_FOR_FRECHET else ("fid", "fd")
    return sorted(figures, key=lambda figure: figure.group is not None or not figure.name.startswith(first))


def list_notes(
    recipe: GenerationRecipe, spaces: Sequence[Space], surveys: Mapping[str, Survey]
) -> Iterator[str]:
    """What speaks against reading much into the figures, a sentence each."""
    n, n_real = len(spaces[0].generated), len(spaces[0].real)
    yield (
        f"Figures are of {n:,} generated and {n_real:,} real pictures, their floors of halves of the real ones, "
        f"{halves.SPLITS[halves.find_unit(spaces[0])]}. Kernel distances do not depend on the counts; for the others "
        "the tables of equal counts compare alike with alike."
    )
    if min(n, n_real) < FEW_FOR_FRECHET:
        yield (
            f"Under {FEW_FOR_FRECHET:,} pictures read kernel distances first: they are unbiased, Frechet distances are "
            "not."
        )
    for space in spaces:
        if min(n, n_real) <= space.width:
            yield (
                f"{space.frechet}: {min(n, n_real):,} pictures for {space.width:,} features make a singular "
                "covariance; the value says little."
            )
    yield from _compare_files(recipe, surveys)


def _compare_files(recipe: GenerationRecipe, surveys: Mapping[str, Survey]) -> Iterator[str]:
    real, generated = surveys["real"], surveys["generated"]
    if real.side != generated.side and recipe.side is None:
        yield (
            f"Real pictures have a shorter side of {real.side} px, generated ones of {generated.side} px: part of "
            "every distance is the resize. `side` brings both to one."
        )
    lossy = {name: bool(_LOSSY & set(found.formats)) for name, found in surveys.items()}
    if lossy["real"] != lossy["generated"]:
        one = "Real" if lossy["real"] else "Generated"
        yield f"{one} pictures are compressed with loss, the others are not: part of every distance is the compression."
