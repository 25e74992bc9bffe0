"""How to load a release: the same snippets for card and report. Each is run by a test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from earthloom.export.statistics import Statistics
from earthloom.store.layout import RELEASE_DATA

HUB_SPLITS = {"train": "train", "val": "validation", "test": "test"}
"""Our name of a split to the name that Hugging Face `datasets` gives it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Snippet:
    """A few lines of code and what they do."""

    form: str
    """`parquet` or `webdataset`."""
    title: str
    note: str
    language: str
    code: str


def iter_snippets(statistics: Statistics) -> Iterator[Snippet]:
    """Snippets for the forms that the release has; they run in the folder that holds `release`."""
    if not statistics.splits:
        return
    if "parquet" in statistics.files:
        yield from _for_parquet(statistics)
    if "webdataset" in statistics.files:
        yield from _for_tars(statistics)


def _for_parquet(statistics: Statistics) -> Iterator[Snippet]:
    split, modality = next(iter(statistics.splits))
    yield Snippet(
        form="parquet",
        title="Hugging Face datasets",
        note="all modalities of a split; name a modality to get it alone",
        language="python",
        code=f"""\
from datasets import load_dataset

rows = load_dataset("release", "default", split="{HUB_SPLITS[split]}")  # or "{modality}"
print(rows[0]["image"].size, rows[0]["captions"][0]["text"])""",
    )
    yield Snippet(
        form="parquet",
        title="DuckDB",
        note="pictures stay on the disk unless asked for",
        language="sql",
        code=f"""\
SELECT modality, platform, count(*) AS pairs, avg(gsd_m) AS gsd_m
FROM 'release/{RELEASE_DATA}/*.parquet' GROUP BY ALL ORDER BY pairs DESC;""",  # noqa: S608 - shown, not run
    )
    yield Snippet(
        form="parquet",
        title="pandas",
        note="the files are GeoParquet too: geopandas.read_parquet gives the footprints as geometries",
        language="python",
        code=f"""\
import glob
import pandas

columns = ["id", "split", "gsd_m", "acquired", "captions"]
files = sorted(glob.glob("release/{RELEASE_DATA}/*.parquet"))
facts = pandas.concat([pandas.read_parquet(file, columns=columns) for file in files])""",
    )


def _for_tars(statistics: Statistics) -> Iterator[Snippet]:
    split, modality = next(iter(statistics.splits))
    suffixes = [suffix for of, suffix in statistics.media if of == modality]
    yield Snippet(
        form="webdataset",
        title="WebDataset",
        note="each pair is an image, its facts as JSON, and one caption as text",
        language="python",
        code=f"""\
import glob
import webdataset

urls = sorted(glob.glob("release/{RELEASE_DATA}/{split}-{modality}-*.tar"))
samples = webdataset.WebDataset(urls, shardshuffle=False).decode("pil")
for image, facts, text in samples.to_tuple("{";".join(suffixes)}", "json", "txt"):
    print(image.size, facts["gsd_m"], text)
    break""",
    )
    folder = f"release/{RELEASE_DATA}" if len(statistics.files) > 1 else "release"
    yield Snippet(
        form="webdataset",
        title="Tars through Hugging Face datasets",
        note="the same tars, with their types declared",
        language="python",
        code=f"""\
from datasets import load_dataset

rows = load_dataset("{folder}", "webdataset-{modality}", split="{HUB_SPLITS[split]}")
print(rows[0]["{suffixes[0]}"].size, rows[0]["txt"])""",
    )
