"""The dataset card: a README that the Hugging Face Hub, and a person, can read."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from earthloom.export.authors import describe_authors
from earthloom.export.columns import MEANINGS, describe_type, tar_features
from earthloom.export.loading import HUB_SPLITS, Snippet, iter_snippets
from earthloom.export.statistics import Source, Statistics
from earthloom.export.tally import collect_statistics
from earthloom.export.terms import hub_licence, is_restricted
from earthloom.geo.vocabulary import WordKind, unknown_words
from earthloom.store.atomic import write_text
from earthloom.store.layout import RELEASE_CARD, RELEASE_DATA

MODALITY_NAMES = {"rgb": "true colour", "nir": "near infrared", "sar": "radar (SAR)"}
_TAGS = {"rgb": "satellite-imagery", "nir": "near-infrared", "sar": "sar"}


def write_card(release: Path, name: str | None = None, statistics: Statistics | None = None) -> Path:
    """Write `README.md` of a release, titled `name` or as the card there is; equal releases get equal bytes.

    Hugging Face `datasets` reads all configurations of a card with the loader of the first, so Parquet and tars
    cannot share one. Where there are both, the card is for Parquet and `data/README.md` is for the tars.
    """
    found = statistics or collect_statistics(release)
    title = read_title(release) if name is None else name
    path = release / RELEASE_CARD
    write_text(path, render_card(title, found))
    tars = release / RELEASE_DATA / RELEASE_CARD
    if len(found.files) > 1:
        write_text(tars, _render_tar_card(title, found))
    else:
        tars.unlink(missing_ok=True)
    return path


def render_card(name: str, statistics: Statistics) -> str:
    """The card as Markdown with YAML front matter."""
    has_parquet = "parquet" in statistics.files
    head = _front_matter(name, statistics)
    head |= _parquet_configs(statistics) if has_parquet else _tar_configs(statistics, f"{RELEASE_DATA}/")
    return _with_front_matter(head, "\n\n".join(_iter_sections(name, statistics)) + "\n")


def _render_tar_card(name: str, statistics: Statistics) -> str:
    title = f"# {escape_markdown(name)}: the WebDataset form"
    link = (
        f"The columns and their terms are in [the dataset card](../{RELEASE_CARD}). "
        "With the folder above this one called `release`:"
    )
    snippets = [snippet for snippet in iter_snippets(statistics) if snippet.form == "webdataset"]
    body = "\n\n".join([title, link, *_say_snippets(snippets)]) + "\n"
    return _with_front_matter({"pretty_name": name} | _tar_configs(statistics, ""), body)


def _with_front_matter(head: Mapping[str, Any], body: str) -> str:
    text = yaml.safe_dump(dict(head), sort_keys=False, allow_unicode=True, width=1000)
    return f"---\n{text}---\n\n{body}"


def read_title(release: Path) -> str:
    """The name that a release's card gives it; the folder's name where there is no card."""
    try:
        text = (release / RELEASE_CARD).read_text(encoding="utf-8")
        head = re.match(r"---\n(.*?\n)---\n", text, re.DOTALL)
        return str(yaml.safe_load(head[1])["pretty_name"]) if head else release.resolve().name
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError):
        return release.resolve().name


def _front_matter(name: str, statistics: Statistics) -> dict[str, Any]:
    licence = hub_licence(statistics.licences())
    head: dict[str, Any] = {"pretty_name": name, "license": licence}
    if licence == "other":
        named = sorted({source.licence or "unknown" for source in statistics.sources})
        head["license_name"] = "; ".join(named)
    tags = ["remote-sensing", "earth-observation", "geospatial", "webdataset"]
    tags = tags if "webdataset" in statistics.files else tags[:-1]
    tags += [_TAGS[modality] for modality in statistics.by_modality() if modality in _TAGS]
    head |= {
        "language": ["en"],
        "task_categories": ["text-to-image", "image-to-text"],
        "size_categories": [size_category(statistics.pairs)],
        "tags": [*tags, *(["synthetic"] if statistics.synthetic() else [])],
    }
    return head


def size_category(pairs: int) -> str:
    """The Hub's name for a number of rows, such as `1K<n<10K`."""
    if pairs < 1000:
        return "n<1K"
    names = ["1K", "10K", "100K", "1M", "10M", "100M", "1B", "10B", "100B", "1T"]
    decade = min(int(math.log10(pairs)) - 3, len(names) - 2)
    return f"{names[decade]}<n<{names[decade + 1]}"


def _parquet_configs(statistics: Statistics) -> dict[str, Any]:
    if not statistics.splits:
        return {}
    configs = [_config("default", statistics.by_split(), f"{RELEASE_DATA}/{{split}}-*.parquet")]
    for modality in statistics.by_modality():
        pattern = f"{RELEASE_DATA}/{{split}}-{modality}-*.parquet"
        configs.append(_config(modality, _splits_of(statistics, modality), pattern))
    return {"configs": configs}


def _tar_configs(statistics: Statistics, folder: str) -> dict[str, Any]:
    configs, types = [], []
    for modality in statistics.by_modality():
        name = f"webdataset-{modality}"
        pattern = f"{folder}{{split}}-{modality}-*.tar"
        configs.append(_config(name, _splits_of(statistics, modality), pattern))
        media = [suffix for of, suffix in statistics.media if of == modality]
        types.append({"config_name": name, "features": tar_features(media)})
    return {"configs": configs, "dataset_info": types}


def _config(name: str, splits: Iterable[str], pattern: str) -> dict[str, Any]:
    files = [{"split": HUB_SPLITS[split], "path": pattern.format(split=split)} for split in splits]
    return {"config_name": name, "data_files": files}


def _splits_of(statistics: Statistics, modality: str) -> list[str]:
    return [split for split, of in statistics.splits if of == modality]


def _iter_sections(name: str, statistics: Statistics) -> Iterator[str]:
    yield f"# {escape_markdown(name)}"
    yield _introduce(statistics)
    yield from _warn(statistics)
    yield "## How much\n\n" + _table(("split", *_modalities(statistics), "all"), _split_rows(statistics))
    yield "## Sources and their terms\n\n" + _table(
        ("source", "collection", "pairs", "terms", "credit"), [_source_row(s) for s in statistics.sources]
    )
    yield from _tell_unknown_words(statistics)
    yield _explain_splits(statistics)
    yield "## Columns\n\n" + _table(("column", "type", "meaning", "known"), _column_rows(statistics))
    yield _explain_images()
    yield (
        "## How to load it\n\n"
        f"The data are in `{RELEASE_DATA}/SPLIT-MODALITY-NUMBER` with the suffix of each form. "
        "With this folder called `release`:"
    )
    yield from _say_snippets(iter_snippets(statistics))
    yield "Made with earthloom."


def summarise(statistics: Statistics) -> str:
    """The release in one sentence: how much, of what, how fine, from when."""
    modalities = " and ".join(
        ", ".join(f"{n:,} {MODALITY_NAMES.get(m, m)}" for m, n in statistics.by_modality().items()).rsplit(
            ", ", 1
        )
    )
    parts = [f"{statistics.pairs:,} pairs of a remote-sensing image and captions about it: {modalities}"]
    if statistics.gsd_span is not None:
        parts.append(f"ground sample distance {say_span(statistics)}")
    if statistics.dates.first is not None:
        parts.append(f"taken {say_years(statistics)}")
    return "; ".join(parts) + "."


def say_span(statistics: Statistics) -> str:
    """The range of ground sample distances, such as `0.5 to 30 m`."""
    span = statistics.gsd_span
    if span is None:
        return "unknown"
    low, high = f"{span.low:.3g}", f"{span.high:.3g}"
    return f"{low} m" if low == high else f"{low} to {high} m"


def say_years(statistics: Statistics) -> str:
    """The range of years, such as `2009 to 2019`."""
    first, last = statistics.dates.first, statistics.dates.last
    if first is None or last is None:
        return "unknown"
    return first[:4] if first[:4] == last[:4] else f"{first[:4]} to {last[:4]}"


def _introduce(statistics: Statistics) -> str:
    captions = statistics.captions
    per_pair = captions.total / statistics.pairs if statistics.pairs else 0
    return (
        f"{summarise(statistics)}\n\n"
        f"{captions.total:,} captions, {per_pair:.3g} a picture and {captions.mean_words:.3g} words long on average. "
        f"{escape_markdown(describe_authors(captions))} "
        f"{statistics.scenes:,} source images. What is not known is null, never a guess, and `provenance` says where "
        f"each fact comes from."
    )


def _warn(statistics: Statistics) -> Iterator[str]:
    restricted = sorted(
        {s.licence or "no terms stated" for s in statistics.sources if is_restricted(s.licence)}
    )
    if restricted:
        n = sum(s.pairs for s in statistics.sources if is_restricted(s.licence))
        yield (
            f"> [!WARNING]\n> {n:,} of {statistics.pairs:,} pairs are not free to use for every purpose: "
            f"{escape_markdown('; '.join(restricted))}. See the terms of each source below, and the column `licence`."
        )
    if statistics.synthetic():
        yield (
            f"> [!NOTE]\n> {statistics.synthetic():,} pairs show synthetic landscapes that exist nowhere. "
            f"The column `synthetic` is true for them and their captions say so."
        )
    if statistics.effects:
        names = ", ".join(sorted({name.replace("_", " ") for name, _ in statistics.effects}))
        yield (
            f"> [!NOTE]\n> {sum(statistics.effects.values()):,} pairs are variants under simulated weather or light "
            f"({escape_markdown(names)}). Their column `effect` is set, `base_id` names the clear original, and "
            f"captions say so where it can be seen."
        )


def _tell_unknown_words(statistics: Statistics) -> Iterator[str]:
    platforms = unknown_words(WordKind.PLATFORM, filter(None, statistics.platforms))
    sensors = unknown_words(WordKind.SENSOR, filter(None, statistics.sensors))
    named = [*(f"platform {word}" for word in platforms), *(f"sensor {word}" for word in sensors)]
    if named:
        yield f"Kept as the sources write them, since the vocabulary lacks them: {escape_markdown('; '.join(named))}."


def _modalities(statistics: Statistics) -> list[str]:
    return list(statistics.by_modality())


def _split_rows(statistics: Statistics) -> list[list[str]]:
    modalities = _modalities(statistics)
    rows = []
    for split, total in statistics.by_split().items():
        counts = [statistics.splits.get((split, modality), 0) for modality in modalities]
        rows.append([split, *(f"{n:,}" for n in counts), f"{total:,}"])
    totals = statistics.by_modality()
    rows.append(["all", *(f"{totals[m]:,}" for m in modalities), f"{statistics.pairs:,}"])
    return rows


def _source_row(source: Source) -> list[str]:
    terms = source.licence or "**not stated**"
    if source.licence is not None:
        terms = escape_markdown(terms) + (" **(restricted)**" if is_restricted(source.licence) else "")
    if source.terms is not None:
        terms += f": {escape_markdown(source.terms)}"
    dataset = escape_markdown(source.dataset) + (" (synthetic)" if source.synthetic else "")
    credit = escape_markdown("; ".join(source.credits))
    return [escape_markdown(source.source), dataset, f"{source.pairs:,}", terms, credit]


def _explain_splits(statistics: Statistics) -> str:
    return (
        "## Splits\n\n"
        "A seeded hash of `group` decides. A group holds what must not be parted: all tiles, modalities and variants "
        "of one scene, and scenes that the recipe ties together. "
        f"Checked on what is written: {statistics.groups:,} groups, {statistics.leaking_groups:,} of them in more "
        f"than one split; {statistics.repeated_images:,} pictures, equal byte for byte, in more than one split."
    )


def _column_rows(statistics: Statistics) -> list[list[str]]:
    rows = []
    for name, meaning in MEANINGS.items():
        known = statistics.known.get(name)
        share = "" if known is None else say_share(known, statistics.pairs)
        rows.append([f"`{name}`", describe_type(name), meaning, share])
    return rows


def say_share(part: int, whole: int) -> str:
    """A percentage that is 0 % or 100 % only when it is exactly that."""
    if whole == 0 or part == 0:
        return "0 %"
    if part == whole:
        return "100 %"
    return f"{min(max(100 * part / whole, 0.1), 99.9):.1f} %"


def _explain_images() -> str:
    return (
        "Pictures are 8 bit. `stretch` says how measured values became 8-bit ones: "
        "`round(255 * clip((value - low) / (high - low), 0, 1))` for each channel, in the unit of `quantity` "
        "(decibels for radar); its method is `none` where the source was 8 bit already."
    )


def _say_snippets(snippets: Iterable[Snippet]) -> Iterator[str]:
    for snippet in snippets:
        yield f"{snippet.title}: {snippet.note}.\n\n```{snippet.language}\n{snippet.code}\n```"


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    names = list(header)
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def escape_markdown(text: str) -> str:
    """Text that Markdown and HTML show as it is, on one line."""
    flat = re.sub(r"\s+", " ", text).strip()
    return re.sub(r"([\\`*_\[\]<>|#~&])", r"\\\1", flat)
