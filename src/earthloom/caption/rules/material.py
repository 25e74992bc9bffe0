"""What the phrases of one image are made of: its statements, and what follows from several of them."""

from __future__ import annotations

from functools import cached_property

from earthloom.caption.facts.statements import Adjacent, Cover, Statements
from earthloom.caption.rules import meaning
from earthloom.caption.rules.content import MIN_SHARE, find_borders
from earthloom.caption.rules.naming import ImageNames, name_images


class Material:
    """The statements about one image, and what several of them come to."""

    said: Statements
    covers: tuple[Cover, ...]
    """Those that are large enough to be said, largest first."""

    def __init__(self, said: Statements) -> None:
        self.said = said
        self.covers = tuple(cover for cover in said.covers if cover.share >= MIN_SHARE)

    @cached_property
    def images(self) -> ImageNames:
        """What the image may be called."""
        said = self.said
        polarisation = said.polarisation.name if said.polarisation is not None else None
        return name_images(said.signal.modality, said.platform, polarisation, said.synthetic is not None)

    @cached_property
    def themes(self) -> list[str]:
        """Themes of the labels."""
        return meaning.list_themes(self.said)

    @property
    def real_themes(self) -> list[str]:
        """Themes of a place that exists."""
        return [] if self.said.synthetic is not None else self.themes

    def cover_at(self, rank: int) -> Cover | None:
        """The cover with this rank by share, from 0."""
        return self.covers[rank] if rank < len(self.covers) else None

    @cached_property
    def borders(self) -> tuple[Adjacent, ...]:
        """Borders between covers that can be said, longest first."""
        return find_borders(self.said, self.covers)
