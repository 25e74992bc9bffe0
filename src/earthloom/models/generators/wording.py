"""Facts as words, for models that know nothing but words."""

from __future__ import annotations

from collections.abc import Iterator

from earthloom.models.generators.briefs import Brief
from earthloom.models.stable.metadata import PictureFacts, write_clause

_MODALITIES = {"nir": "near-infrared image", "sar": "radar image"}
_CLEAR = "clear"


def word_brief(brief: Brief, *, says_facts: bool = True) -> str:
    """The prompt with all facts behind it, parted by commas; what it says already is not said again.

    says_facts: False where distance, place, date and cloud are told otherwise.
    """
    facts = PictureFacts(
        gsd_m=brief.gsd_m, lon=brief.lon, lat=brief.lat, date=brief.date, cloud_share=brief.cloud_share
    )
    clause = write_clause(facts) if says_facts else ""
    said = brief.prompt.casefold()
    words = [text for text in _iter_words(brief) if text.casefold() not in said]
    more = [text for text in (*words, clause) if text]
    if not more:
        return brief.prompt
    start = brief.prompt.rstrip().rstrip(".").rstrip()
    return ", ".join([start, *more] if start else more)


def _iter_words(brief: Brief) -> Iterator[str]:
    if brief.label is not None:
        yield brief.label
    if brief.scene is not None and brief.scene != _CLEAR:
        yield brief.scene.replace("_", " ")
    if brief.modality in _MODALITIES:
        yield _MODALITIES[brief.modality]
