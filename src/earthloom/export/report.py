"""The report: one self-contained page that shows what a release holds. No script, no network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from string import Template

from earthloom.core.markup import Html, element, join
from earthloom.core.records import Caption, Effect, Pair
from earthloom.export.authors import describe_authors
from earthloom.export.card import MODALITY_NAMES, read_title, say_share, say_span, say_years, summarise
from earthloom.export.charts import Bar, draw_columns, draw_legend, draw_rows
from earthloom.export.loading import iter_snippets
from earthloom.export.mosaics import Shown, choose_picks, load_shown, to_data_uri, weave_strip
from earthloom.export.refusals import Refusals, read_refusals
from earthloom.export.statistics import GSD_EDGES_M, SHARE_STEP, WORD_STEP, Pick, Source, Statistics
from earthloom.export.tally import collect_statistics
from earthloom.export.terms import is_restricted
from earthloom.export.worldmap import Cluster, draw_cluster, draw_world, find_clusters, say_position
from earthloom.store.atomic import write_text
from earthloom.store.layout import RELEASE_REPORT

_PICTURES = 24
"""Of each modality: the page stays near 2 MB."""
_SAMPLES = 6
_PANELS = 4
_ROWS = 14
"""Rows of a bar list before the rest is summed up."""
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ABOUT = {
    "rgb": "as the eye would see it",
    "nir": "living plants are bright, water is dark",
    "sar": "rough ground and buildings are bright, calm water is dark",
}
_FACTS = ("gsd_m", "acquired", "lon", "place", "platform", "sensor", "labels", "licence", "credit")
_FACT_NAMES = {
    "gsd_m": "ground sample distance",
    "acquired": "date",
    "lon": "position",
    "place": "name of the place",
    "platform": "platform",
    "sensor": "sensor",
    "labels": "labels",
    "licence": "licence",
    "credit": "credit",
}


def write_report(release: Path, statistics: Statistics | None = None) -> Path:
    """Write `report.html` of a release, from the folder alone. Equal releases get equal bytes.

    The page needs no network and no script, follows the reader's light or dark setting, and takes its title from
    the release's card. Raises `UsageError` when the folder is no release or cannot be read.
    """
    found = statistics or collect_statistics(release)
    page = render_report(read_title(release), found, read_refusals(release))
    path = release / RELEASE_REPORT
    write_text(path, page)
    return path


def render_report(title: str, statistics: Statistics, refusals: Sequence[Refusals] = ()) -> str:
    """The page as text; reads the pictures that it shows from the release's files."""
    shown = _load_pictures(statistics)
    sections = list(_iter_sections(statistics, shown, refusals))
    body = join(
        _draw_header(title, statistics, shown),
        _draw_navigation(sections),
        element("main", [section for _, _, section in sections]),
        _draw_footer(),
    )
    templates = files("earthloom.export") / "templates"
    page = Template((templates / "report.html").read_text(encoding="utf-8"))
    style = (templates / "report.css").read_text(encoding="utf-8")
    return page.substitute(title=join(title), style=style, body=body)


def _load_pictures(statistics: Statistics) -> dict[str, list[Shown]]:
    """Modality to the pictures that are shown of it."""
    chosen: dict[str, list[Pick]] = {}
    for modality in statistics.by_modality():
        chosen[modality] = choose_picks(
            (p for p in statistics.picks if p.pair.modality == modality), _PICTURES
        )
    shown = iter(load_shown([pick for picks in chosen.values() for pick in picks]))
    return {modality: [next(shown) for _ in picks] for modality, picks in chosen.items()}


def _iter_sections(
    statistics: Statistics, shown: Mapping[str, list[Shown]], refusals: Sequence[Refusals]
) -> Iterator[tuple[str, str, Html]]:
    """(anchor, name in the navigation, section)."""
    if statistics.pairs:
        yield _section("pictures", "Pictures", _draw_mosaics(statistics, shown))
        if statistics.cells:
            yield _section("places", "Places", _draw_places(statistics))
        yield _section("numbers", "Numbers", _draw_numbers(statistics))
        yield _section("captions", "Captions", _draw_captions(statistics, shown))
        yield _section("trust", "Trust", _draw_trust(statistics))
    if refusals:
        yield _section("refused", "Refused", _draw_refusals(refusals))
    if statistics.pairs:
        yield _section("load", "Load it", _draw_loading(statistics))


def _section(anchor: str, name: str, content: Html) -> tuple[str, str, Html]:
    return anchor, name, element("section", content, id=anchor)


def _draw_header(title: str, statistics: Statistics, shown: Mapping[str, list[Shown]]) -> Html:
    strip = weave_strip(list(shown.values()))
    return element(
        "header",
        element(
            "div",
            element("p", "Dataset report", class_="eyebrow"),
            element("h1", title),
            element("p", summarise(statistics), class_="lead"),
            _draw_figures(statistics),
            list(_iter_notes(statistics)),
        ),
        element("img", src=to_data_uri(strip), alt="", class_="strip") if strip else "",
    )


def _draw_figures(statistics: Statistics) -> Html:
    figures = [
        ("pairs", f"{statistics.pairs:,}"),
        ("captions", f"{statistics.captions.total:,}"),
        ("source images", f"{statistics.scenes:,}"),
        ("sources", f"{len({s.source for s in statistics.sources}):,}"),
        ("GSD", say_span(statistics).replace(" to ", "–")),
        ("taken", say_years(statistics).replace(" to ", "–")),
        ("on disk", _say_bytes(sum(statistics.bytes.values()))),
    ]
    return element(
        "dl", [element("div", element("dt", n), element("dd", v)) for n, v in figures], class_="figures"
    )


def _say_bytes(size: int) -> str:
    """A size as file managers say it, such as `1.2 GB`."""
    value, unit = float(size), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.3g} {unit}"


def _iter_notes(statistics: Statistics) -> Iterator[Html]:
    restricted = [s for s in statistics.sources if is_restricted(s.licence)]
    if restricted:
        terms = "; ".join(sorted({s.licence or "no terms stated" for s in restricted}))
        n = sum(s.pairs for s in restricted)
        yield element(
            "p",
            element("strong", f"{n:,} of {statistics.pairs:,} pairs are not free for every use: "),
            f"{terms}. See the terms of each source below.",
            class_="note warn",
        )
    if statistics.synthetic():
        yield element(
            "p",
            element("strong", f"{statistics.synthetic():,} pairs are synthetic: "),
            "computed landscapes that exist nowhere. Each says so in its record and in its captions.",
            class_="note",
        )


def _draw_navigation(sections: Sequence[tuple[str, str, Html]]) -> Html:
    links = [element("a", name, href=f"#{anchor}") for anchor, name, _ in sections]
    return element("nav", element("div", links), aria_label="Sections")


def _draw_mosaics(statistics: Statistics, shown: Mapping[str, list[Shown]]) -> Html:
    totals = statistics.by_modality()
    parts: list[Html] = []
    for modality, pictures in shown.items():
        name = MODALITY_NAMES.get(modality, modality)
        head = element(
            "div",
            element("i", class_=modality),
            element("h3", name[0].upper() + name[1:]),
            element("span", f"{totals[modality]:,} pairs · {_ABOUT.get(modality, '')}".rstrip("· ")),
            class_="mosaic-head",
        )
        tiles = [_draw_thumb(picture, f"{modality}-{i}") for i, picture in enumerate(pictures)]
        parts += [head, element("ul", tiles, class_="mosaic")]
    intro = "An even choice over sources and scenes. Point at a picture for a caption, open it for everything known."
    return join(element("h2", "Pictures"), element("p", intro, class_="soft"), parts)


def _draw_thumb(shown: Shown, anchor: str) -> Html:
    pair = shown.pick.pair
    text = pair.captions[0].text if pair.captions else ""
    button = element(
        "button",
        element("span", class_="pixels", role="img", aria_label=text),
        element("span", text, class_="say"),
        class_="thumb",
        type="button",
        popovertarget=anchor,
    )
    left = element("div", element("div", class_="pixels"), _draw_facts(pair))
    sheet = element(
        "div", element("div", left, _draw_texts(pair.captions)), class_="sheet", id=anchor, popover="auto"
    )
    return element("li", button, sheet, style=f"--image:url({shown.uri})")


def _draw_facts(pair: Pair) -> Html:
    rows = [(name, value) for name, value in _iter_facts(pair) if value]
    return element("dl", [join(element("dt", n), element("dd", v)) for n, v in rows], class_="facts")


def _say_effect(effect: Effect) -> str:
    name = f"{effect.severity} {effect.name.replace('_', ' ')}"
    return name if effect.is_visible else f"{name}, which the sensor looks through"


def _iter_facts(pair: Pair) -> Iterator[tuple[str, str]]:
    """What the detail of a picture says; empty where it is unknown."""
    yield (
        "Modality",
        MODALITY_NAMES.get(pair.modality, pair.modality) + (" (synthetic)" if pair.synthetic else ""),
    )
    yield "Platform", ", ".join(filter(None, (pair.platform, pair.sensor, pair.polarisation)))
    yield "Taken", pair.acquired or pair.season or ""
    yield "GSD", _say_gsd(pair)
    yield "Place", ", ".join(filter(None, (pair.place, pair.country)))
    yield "Position", "" if pair.lon is None or pair.lat is None else say_position(pair.lon, pair.lat)
    yield "Labels", ", ".join(dict.fromkeys(label.name for label in pair.labels))
    yield "Simulated", "" if pair.effect is None else _say_effect(pair.effect)
    yield "Stretch", _say_stretch(pair)
    yield "Split", pair.split
    yield "Source", f"{pair.source}: {pair.source_key}"
    yield "Terms", "; ".join(filter(None, (pair.licence, pair.terms, pair.credit)))
    yield "Id", pair.id


def _say_gsd(pair: Pair) -> str:
    if pair.gsd_m is None:
        return ""
    native = pair.native_gsd_m
    told = f"{pair.gsd_m:.3g} m"
    return (
        told if native is None or abs(native / pair.gsd_m - 1) < 0.01 else f"{told} (source {native:.3g} m)"
    )


def _say_stretch(pair: Pair) -> str:
    if pair.stretch.method == "none":
        return ""
    spans = [f"{a:.4g} to {b:.4g}" for a, b in zip(pair.stretch.low, pair.stretch.high, strict=True)]
    return f"{pair.stretch.method}: {', '.join(dict.fromkeys(spans))}"


def _draw_texts(captions: Sequence[Caption]) -> Html:
    return element("ul", [_draw_text(caption) for caption in captions], class_="captions")


def _draw_text(caption: Caption) -> Html:
    said = f"{caption.style} · {caption.author}"
    checked = f" · agrees on {', '.join(caption.checks)}" if caption.checks else ""
    tags = element("div", element("b", caption.role), said + checked, class_="tags")
    return element("li", element("p", caption.text), tags)


def _draw_places(statistics: Statistics) -> Html:
    placed = sum(statistics.cells.values())
    text = f"{placed:,} of {statistics.pairs:,} pairs say where they lie."
    if any(synthetic for _, _, synthetic in statistics.cells):
        text += " Hollow dots are synthetic landscapes: their places are invented."
    clusters = find_clusters(statistics.footprints, _PANELS)
    return join(
        element("h2", "Places"),
        element("p", text, class_="soft"),
        draw_world(statistics.cells),
        element("div", [_draw_panel(cluster) for cluster in clusters], class_="panels"),
        draw_legend([(split, split) for split in statistics.by_split()]) if clusters else "",
    )


def _draw_panel(cluster: Cluster) -> Html:
    n = len(cluster.footprints)
    count = element("p", f"{n:,} pair{'s' if n != 1 else ''} drawn", class_="small soft")
    return element("div", element("h3", cluster.title), count, draw_cluster(cluster), class_="card")


def _draw_numbers(statistics: Statistics) -> Html:
    charts = [
        _draw_splits(statistics),
        _draw_gsd(statistics),
        _draw_years(statistics),
        _draw_months(statistics),
        _draw_counts("Sources", "pairs from each", statistics.by_source(), statistics.pairs),
        _draw_counts("Platforms", "pairs from each", statistics.platforms, statistics.pairs),
        _draw_labels(statistics),
        _draw_effects(statistics),
        _draw_valid(statistics),
    ]
    return join(
        element("h2", "Numbers"), element("div", [chart for chart in charts if chart], class_="board")
    )


def _explain_modalities(statistics: Statistics) -> Html:
    return draw_legend(
        [(modality, MODALITY_NAMES.get(modality, modality)) for modality in statistics.by_modality()]
    )


def _card(title: str, note: str, content: Html) -> Html:
    return element("div", element("h3", title), element("p", note), content, class_="card")


def _draw_splits(statistics: Statistics) -> Html:
    bars = []
    for split, n in statistics.by_split().items():
        parts = tuple((m, statistics.splits.get((split, m), 0)) for m in statistics.by_modality())
        bars.append(Bar(label=split, parts=parts, note=f"{n:,} · {say_share(n, statistics.pairs)}"))
    chart = join(draw_rows(bars), _explain_modalities(statistics))
    return _card("Splits", "pairs in each, by modality", chart)


def _draw_gsd(statistics: Statistics) -> Html | None:
    if not statistics.gsd:
        return None
    edges = sorted(edge for _, edge in statistics.gsd)
    first, last = GSD_EDGES_M.index(edges[0]), GSD_EDGES_M.index(edges[-1])
    bars = [
        Bar(
            label=f"{edge:g}",
            parts=tuple((m, statistics.gsd.get((m, edge), 0)) for m in statistics.by_modality()),
        )
        for edge in GSD_EDGES_M[max(first - 1, 0) : last + 2]
    ]
    unknown = statistics.pairs - sum(statistics.gsd.values())
    note = f"metres, log scale; {unknown:,} unknown" if unknown else "metres, log scale"
    chart = join(draw_columns(bars, "from this many metres up to the next"), _explain_modalities(statistics))
    return _card("Ground sample distance", note, chart)


def _draw_years(statistics: Statistics) -> Html | None:
    years = statistics.dates.years
    if not years:
        return None
    span = range(min(years), max(years) + 1)
    bars = [Bar(label=str(year), parts=(("accent", years.get(year, 0)),)) for year in span]
    unknown = statistics.dates.unknown
    note = f"pairs by year; {unknown:,} undated" if unknown else "pairs by year"
    return _card("Years", note, draw_columns(bars, "year"))


def _draw_months(statistics: Statistics) -> Html | None:
    months = statistics.dates.months
    if not months:
        return None
    bars = [Bar(label=name, parts=(("accent", months.get(i, 0)),)) for i, name in enumerate(_MONTHS, 1)]
    return _card("Seasons", f"{sum(months.values()):,} pairs dated to the month", draw_columns(bars, "month"))


def _draw_counts(
    title: str, note: str, counts: Mapping[str | None, int] | Mapping[str, int], whole: int
) -> Html:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))
    bars = [_bar(name or "unknown", n, whole) for name, n in ordered[:_ROWS]]
    if rest := ordered[_ROWS:]:
        bars.append(_bar(f"{len(rest):,} others", sum(n for _, n in rest), whole))
    return _card(title, note, draw_rows(bars))


def _bar(label: str, n: int, whole: int) -> Bar:
    return Bar(label=label, parts=(("accent", n),), note=f"{n:,} · {say_share(n, whole)}")


def _draw_labels(statistics: Statistics) -> Html | None:
    if not statistics.labels:
        return None
    counts: dict[str, int] = {}
    for (kind, name), n in statistics.labels.items():
        counts[f"{name} ({kind})" if kind != "class" else name] = n
    return _draw_counts("Labels", f"pairs that carry each of {len(counts):,}", counts, statistics.pairs)


def _draw_effects(statistics: Statistics) -> Html | None:
    if not statistics.effects:
        return None
    counts = {f"{severity} {name}": n for (name, severity), n in statistics.effects.items()}
    return _draw_counts("Simulated weather and light", "pairs under each", counts, statistics.pairs)


def _draw_valid(statistics: Statistics) -> Html | None:
    if set(statistics.valid) == {1.0}:
        return None
    steps = round(1 / SHARE_STEP)
    first = round(min(statistics.valid) * steps)
    bars = [
        Bar(label=f"{100 * i // steps} %", parts=(("accent", statistics.valid.get(i / steps, 0)),))
        for i in range(first, steps + 1)
    ]
    return _card(
        "Valid pixels", "share of a picture that holds data", draw_columns(bars, "at least this share")
    )


def _draw_captions(statistics: Statistics, shown: Mapping[str, list[Shown]]) -> Html:
    captions = statistics.captions
    words = captions.words
    bars = [
        Bar(label=str(low), parts=(("accent", words.get(low, 0)),))
        for low in range(min(words, default=0), max(words, default=0) + 1, WORD_STEP)
    ]
    kinds = {f"{style} · {role} · {author}": n for (style, role, author), n in captions.kinds.items()}
    charts = [
        _card(
            "Length",
            f"{captions.mean_words:.3g} words on average",
            draw_columns(bars, "words, in steps of 5"),
        ),
        _draw_counts("Kinds", "style · role · author", kinds, captions.total),
    ]
    pictures = _take_turns(list(shown.values()), _SAMPLES)
    samples = element("div", [_draw_sample(picture) for picture in pictures], class_="samples")
    text = f"{captions.total:,} texts. {describe_authors(captions)}"
    return join(
        element("h2", "Captions"),
        element("p", text, class_="soft"),
        samples,
        element("div", charts, class_="grid"),
    )


def _take_turns(rows: Sequence[Sequence[Shown]], n: int) -> list[Shown]:
    longest = max(map(len, rows), default=0)
    return [row[i] for i in range(longest) for row in rows if i < len(row)][:n]


def _draw_sample(shown: Shown) -> Html:
    pair = shown.pick.pair
    where = " · ".join(
        filter(None, (MODALITY_NAMES.get(pair.modality), pair.dataset, pair.acquired, _say_gsd(pair)))
    )
    left = element("div", element("div", class_="pixels", role="img"), element("p", where, class_="where"))
    image = f"--image:url({shown.uri})"
    return element("div", left, _draw_texts(pair.captions), class_="card sample", style=image)


def _draw_trust(statistics: Statistics) -> Html:
    leaking, repeated = statistics.leaking_groups, statistics.repeated_images
    groups = f"of {statistics.groups:,} groups are in more than one split"
    images = "pictures, equal byte for byte, are in more than one split"
    checks = [
        _draw_check(f"{leaking:,}", groups, is_good=leaking == 0),
        _draw_check(f"{repeated:,}", images, is_good=repeated == 0),
    ]
    known = [
        Bar(
            label=_FACT_NAMES[name],
            parts=(("accent", statistics.known.get(name, 0)),),
            note=say_share(statistics.known.get(name, 0), statistics.pairs),
        )
        for name in _FACTS
    ]
    note = "share of pairs for which each is known; what is not known is null, never a guess"
    facts = _card("Known facts", note, draw_rows(known, statistics.pairs))
    return join(
        element("h2", "Trust"),
        element("div", checks, class_="checks"),
        element("div", facts, _draw_terms(statistics.sources), class_="wide"),
    )


def _draw_check(number: str, text: str, *, is_good: bool) -> Html:
    return element("div", element("strong", number), text, class_=f"card {'good' if is_good else 'bad'}")


def _draw_terms(sources: Sequence[Source]) -> Html:
    head = element(
        "tr", [element("th", name) for name in ("Source", "Collection", "Pairs", "Terms", "Credit")]
    )
    table = element("table", element("thead", head), element("tbody", [_draw_source(s) for s in sources]))
    return _card("Terms", "of the source images", element("div", table, class_="scroll"))


def _draw_source(source: Source) -> Html:
    pills = []
    if source.synthetic:
        pills.append(element("span", "synthetic", class_="pill calm"))
    if is_restricted(source.licence):
        pills.append(element("span", "restricted" if source.licence else "not stated", class_="pill"))
    return element(
        "tr",
        element("td", source.source),
        element("td", source.dataset),
        element("td", f"{source.pairs:,}"),
        element("td", f"{source.licence or ''} ", pills, element("div", source.terms or "", class_="soft")),
        element("td", "; ".join(source.credits)),
    )


def _draw_refusals(refusals: Sequence[Refusals]) -> Html:
    total = sum(r.n for r in refusals)
    cards = [_draw_reason(refusal, total) for refusal in refusals]
    text = f"{total:,} items, windows or pairs were not good enough. Each is kept with its reason in refused.parquet."
    return join(
        element("h2", "Refused"), element("p", text, class_="soft"), element("div", cards, class_="grid")
    )


def _draw_reason(refusals: Refusals, total: int) -> Html:
    examples = [
        element("li", element("code", example.key), f" {example.detail}") for example in refusals.examples
    ]
    bar = Bar(label=f"in {refusals.stage}", parts=(("warn", refusals.n),))
    return element(
        "div",
        element("h3", refusals.reason.replace("_", " ")),
        draw_rows([bar], total),
        element("ul", examples, class_="examples"),
        class_="card",
    )


def _draw_loading(statistics: Statistics) -> Html:
    snippets = [
        _card(snippet.title, snippet.note, element("pre", element("code", snippet.code)))
        for snippet in iter_snippets(statistics)
    ]
    forms = ", ".join(
        f"{n:,} {form} file{'s' if n != 1 else ''} ({_say_bytes(statistics.bytes[form])})"
        for form, n in statistics.files.items()
    )
    text = f"{forms}. README.md explains every column; the snippets expect this folder to be called release."
    return join(
        element("h2", "Load it"),
        element("p", text, class_="soft"),
        element("div", snippets, class_="grid snippets"),
    )


def _draw_footer() -> Html:
    return element(
        "footer", element("p", "Made with earthloom. Outline of the land: Natural Earth, public domain.")
    )
