"""Samples of WebDataset tars: members that share a name up to its first dot, read in place."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from earthloom.core.blobs import read_blob
from earthloom.core.errors import RecordError
from earthloom.core.records import Item, Part, Reason
from earthloom.ingest.archives import list_members
from earthloom.ingest.images import PICTURES

_log = logging.getLogger(__name__)

_SENT = ("success", "failed_to_download", "failed_to_resize")
"""What img2dataset writes as `status`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """One sample."""

    key: str
    """Of its tar within the source, and the sample's own, with a slash between."""
    members: dict[str, Part]
    """By what follows the first dot of their names, in lower case; in the order of the tar."""

    def find_pictures(self) -> list[str]:
        """Give the members that are pictures; those that are nothing but (`jpg`) before those like `rgb.jpg`."""
        pictures = [name for name in self.members if f".{name.rpartition('.')[2]}" in PICTURES]
        return [name for name in pictures if "." not in name] or pictures

    def read_json(self) -> dict[str, object]:
        """Read the sample's facts: empty where there are none. Raises RecordError BAD_FACTS, and as `read_blob`."""
        part = self.members.get("json")
        return {} if part is None else parse_facts(read_blob(part.uri, part.within))


def iter_samples(tar: Item, prefix: str) -> Iterator[Sample | Item]:
    """Yield the samples of a tar in the order of their first members; what is refused as items.

    Members of a sample may lie anywhere in the tar, so the names of one tar are held.
    """
    found: dict[str, dict[str, Part]] = {}
    for member in list_members(tar, prefix, lambda _: True):
        if member.refused is not None:
            yield member
            continue
        folder, slash, name = member.key.rpartition("/")
        stem, _, suffix = name.partition(".")
        found.setdefault(f"{folder}{slash}{stem}", {})[suffix.lower()] = member.parts[0]
    for key, members in found.items():
        yield Sample(key=key, members=members)


def parse_facts(data: bytes) -> dict[str, object]:
    """Parse the JSON of a sample. Raises RecordError BAD_FACTS for what is no object."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise RecordError(Reason.BAD_FACTS, f"the sample's json is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise RecordError(
            Reason.BAD_FACTS, f"the sample's json is a {type(value).__name__}; wanted an object"
        )
    return value


def find_failure(facts: dict[str, object]) -> str | None:
    """Say why img2dataset has no picture, or none that it could use; None where it has or did not write this."""
    status = facts.get("status")
    if status == "success" or status not in _SENT or "url" not in facts:
        return None
    return f"img2dataset says {status}: {facts.get('error_message') or 'no reason given'}"


@dataclass(slots=True)
class SampleIndex:
    """Pictures that img2dataset wrote, by the columns `id` and `url` of their facts."""

    _exact: dict[tuple[str, str], Part] = field(default_factory=dict)
    _by_id: dict[str, Part | None] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self._by_id)

    def add(self, sample: Sample) -> None:
        """Note a sample that has an id and one picture."""
        try:
            facts = sample.read_json()
        except RecordError:
            return
        name, pictures = facts.get("id"), sample.find_pictures()
        if not isinstance(name, str) or len(pictures) != 1 or find_failure(facts):
            return
        part = sample.members[pictures[0]]
        self._exact.setdefault((name, str(facts.get("url", "")).strip()), part)
        self._by_id[name] = None if name in self._by_id else part

    def find(self, name: str, url: str) -> Part | None:
        """Give the picture of an id and URL, else of the id alone where it is the only one."""
        return self._exact.get((name, url)) or self._by_id.get(name)


def index_samples(tars: Iterable[Item]) -> SampleIndex:
    """Read the facts of all samples of some tars."""
    index = SampleIndex()
    for tar in tars:
        if tar.refused is None and tar.key.lower().endswith(".tar"):
            for sample in iter_samples(tar, ""):
                if isinstance(sample, Sample):
                    index.add(sample)
                else:
                    _log.warning("images: %s: %s", sample.key, sample.detail)
    return index
