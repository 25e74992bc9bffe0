"""Captions of a release as prompts, with what is known of their records, and pictures of theirs to draw from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import ValidationError

from earthloom.core.errors import RecordError, UsageError
from earthloom.core.images import probe_image
from earthloom.core.records import Modality
from earthloom.core.text import is_whole
from earthloom.generate.config import GenerateSettings, Wanted, Wish
from earthloom.generate.plan import Asked
from earthloom.models.generators.briefs import About, GsdOf, Picture
from earthloom.models.tiny.facts import plain_name
from earthloom.store.selection import CLEAR, Selection
from earthloom.store.stream.samples import Sample, Stream

_SHUFFLE = 1024
"""Samples that are permuted at a time; all are read anyway, and sorted."""
_CLASS = "class"
"""Kind of the labels that name the whole picture."""


class Release:
    """A release to take prompts from, and pictures."""

    def __init__(self, settings: GenerateSettings, base: Path, about: About) -> None:
        """List its shards.

        Args:
            settings: with the release.
            base: folder that its path is relative to.
            about: of the generator: records of the modality that it draws are taken, and the facts that it was trained
                with; the others stand in captions, where they stand anywhere.

        Raises:
            UsageError: there is no such release.

        """
        assert settings.release is not None
        self._settings = settings
        self._about = about
        self._side = min(settings.size or about.size)
        split = () if settings.split is None else (settings.split,)
        chosen = Selection(
            release=settings.release,
            split=split,
            modality=settings.modality or Modality(about.modality or Modality.RGB),
            limit=settings.limit,
        )
        self._stream = _open(chosen, base)
        self._controls = None
        if settings.control_modality is not None:
            chosen = Selection(release=settings.release, split=split, modality=settings.control_modality)
            self._controls = _open(chosen, base)
        self.refused: dict[str, str] = {}
        """Records that cannot be read, or have no such caption, by their keys."""
        self.unknown: set[str] = set()
        """Facts of records that the model was never shown, and that are left open."""

    def list_asked(self) -> list[Asked]:
        """List a prompt for every record with such a caption, by key. Those that cannot be read are in `refused`.

        Raises:
            UsageError: no record has one.

        """
        places = self._find_controls()
        asked = [entry for sample in self._read_all() if (entry := self._ask(sample, places)) is not None]
        if not asked:
            why = next(iter(self.refused.values()), "it has no records")
            raise UsageError(f"{self._settings.release} gives no prompt: {why}.")
        return sorted(asked, key=lambda entry: entry.key or "")

    def read_control(self, position: int) -> Picture:
        """Read a picture to draw from, H x W x C as stored. Raises `RecordError` where it cannot be read."""
        assert self._controls is not None
        return self._controls.read(position).levels()

    def _read_all(self) -> Iterator[Sample]:
        for position in range(self._stream.count()):
            try:
                yield self._stream.read(position)
            except RecordError as error:
                self.refused[self._stream.key(position)] = str(error)

    def _find_controls(self) -> Mapping[str, tuple[int, str]] | None:
        """Where the pictures to draw from stand, and their keys, by what pairs them."""
        if self._controls is None:
            return None
        found = {}
        for position in range(self._controls.count()):
            try:
                sample = self._controls.read(position)
            except RecordError as error:
                self.refused[self._controls.key(position)] = str(error)
                continue
            # Of a ground with and without weather, the clear picture is what is drawn from.
            if sample.pair_key is not None and (sample.effect is None or sample.pair_key not in found):
                found[sample.pair_key] = (position, sample.key)
        return found

    def _ask(self, sample: Sample, places: Mapping[str, tuple[int, str]] | None) -> Asked | None:
        style = self._settings.style
        text = next((words.text for words in sample.captions if style in {None, words.style}), None)
        if text is None:
            styles = sorted({words.style or "none" for words in sample.captions})
            had = f"its styles are {', '.join(styles)}" if styles else "it has no captions"
            self.refused[sample.key] = f"no caption of style {style}; {had}" if style else had
            return None
        if not is_whole(text):
            self.refused[sample.key] = "its caption holds half a letter, which UTF-8 cannot write"
            return None
        place = None
        if places is not None:
            place = places.get(sample.pair_key or "")
            if place is None:
                self.refused[sample.key] = f"no {self._settings.control_modality} picture of the same ground"
                return None
        return Asked(
            wish=self._make_wish(sample, text),
            place=f"record {sample.key}",
            key=sample.key,
            control_position=None if place is None else place[0],
            control_key=None if place is None else place[1],
        )

    def _make_wish(self, sample: Sample, text: str) -> Wish:
        """What the command line says goes before what the record says."""
        given = self._settings.model_dump(include=set(Wanted.model_fields), exclude_defaults=True)
        facts = {name: value for name, value in find_facts(sample).items() if name in self._about.facts}
        if "gsd_m" in facts:
            facts["gsd_m"] = _scale_gsd(sample, self._side, self._about.gsd_of)
        facts = {name: value for name, value in facts.items() if self._is_known(name, value)}
        return _validate({**facts, **given, "prompt": text})

    def _is_known(self, fact: str, value: object) -> bool:
        """Whether the model was shown such a name; of a class that it was not the caption has to tell."""
        names = self._about.names.get(fact)
        is_known = names is None or plain_name(str(value)) in set(map(plain_name, names))
        if not is_known:
            self.unknown.add(f"{fact} {value}")
        return is_known


def _validate(told: Mapping[str, object]) -> Wish:
    """A wish without those facts of a record that make no sense: they are as good as unknown."""
    try:
        return Wish.model_validate(told)
    except ValidationError as error:
        # What is wrong with two fields together names none: a place of which a half is missing.
        wrong = {str(fault["loc"][0]) if fault["loc"] else "lon" for fault in error.errors()}
        wrong |= {"lon", "lat"} if wrong & {"lon", "lat"} else set()
        return Wish.model_validate({name: value for name, value in told.items() if name not in wrong})


def find_facts(sample: Sample) -> dict[str, object]:
    """Facts of a record by the names that prompts have for them, without those that are not known."""
    label = next((label.name for label in sample.labels if label.kind == _CLASS), None)
    facts = {
        "gsd_m": sample.gsd_m,
        "modality": sample.modality,
        "scene": CLEAR if sample.effect is None else sample.effect.name,
        "label": label,
        "lon": sample.lon,
        "lat": sample.lat,
        "date": sample.acquired,
        "cloud_share": sample.cloud_share,
    }
    return {name: value for name, value in facts.items() if value is not None}


def _scale_gsd(sample: Sample, side: int, gsd_of: GsdOf) -> float | None:
    """The distance that a model was told of a record whose shorter side is scaled to `side`."""
    if sample.gsd_m is None or gsd_of == "record":
        return sample.gsd_m
    try:
        header = probe_image(sample.image)
    except RecordError:
        return sample.gsd_m
    factor = min(header.width, header.height) / side
    return sample.gsd_m * (factor if gsd_of == "pixel" else max(1.0, factor))


def _open(selection: Selection, base: Path) -> Stream:
    return Stream(selection, base, seed=0, shuffle=_SHUFFLE)
