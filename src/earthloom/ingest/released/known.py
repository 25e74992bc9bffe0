"""What is known of one picture, whatever said it, and the scene that comes of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from earthloom.core.records import Band, ClassMask, Item, Label, Modality, Part, Scene, Text
from earthloom.ingest.config import FileSettings
from earthloom.ingest.datasets.reading import read_picture
from earthloom.ingest.scenes import Facts, facts_of_name, facts_of_recipe, make_scene


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What a record says of its picture; None and empty for what it does not."""

    facts: tuple[Facts, ...] = ()
    """In the order of their authority."""
    texts: tuple[Text, ...] = ()
    labels: tuple[Label, ...] = ()
    modality: Modality | None = None
    group: str | None = None
    """What must never be split, within the dataset."""
    pair: str | None = None
    """Equal for co-registered pictures of several modalities, within the dataset."""
    mask: ClassMask | None = None
    alpha: Band | None = None
    """Where pixels hold data, if the picture does not say it itself."""
    synthetic: bool = False


def make_known_scene(
    settings: FileSettings,
    item: Item,
    picture: Part,
    known: Known,
    *,
    modality: Modality = Modality.RGB,
    weaker: Sequence[Facts] = (),
) -> Scene:
    """Read the header of a picture and build its scene.

    Authority falls from the record over the key and the recipe to `weaker` facts. `modality` holds where the record
    states none. Raises RecordError as `read_picture` does.
    """
    modality = known.modality or modality
    pixels = read_picture(picture, modality)
    layer = pixels.layer
    if layer.alpha is None and known.alpha is not None:
        layer = dataclasses.replace(layer, alpha=known.alpha)
    sources = (*known.facts, facts_of_name(settings, item.key), facts_of_recipe(settings), *weaker)
    scene = make_scene(
        settings,
        item,
        pixels.fingerprint,
        layer,
        sources,
        labels=known.labels,
        texts=known.texts,
        mask=known.mask,
        group=known.group,
        pair=known.pair,
    )
    return dataclasses.replace(scene, synthetic=True) if known.synthetic else scene
