"""What is publicly known of a kind of source: for people who ask, and as facts of last resort."""

from __future__ import annotations

from dataclasses import dataclass

from earthloom.core.records import Origin
from earthloom.ingest.scenes import Facts


@dataclass(frozen=True, kw_only=True, slots=True)
class About:
    """One kind of source."""

    title: str
    """As captions and cards name the collection, or in plain words what is read."""
    what: str
    """One line: sensors, modalities, sizes, what is annotated."""
    layout: tuple[str, ...] = ()
    """The tree that is looked for, a line each; the first variant is the publisher's."""
    whole: tuple[tuple[str, int], ...] = ()
    """What a complete download holds, such as ("pairs", 282384); empty where it is not published."""
    licence: str | None = None
    """As published, SPDX where there is one; None where the publisher states none."""
    terms: str | None = None
    """What that means for those who publish or train, in one sentence."""
    credit: str | None = None
    """Whom to name or cite."""
    example: str
    """An entry of a recipe, YAML, as docs/recipe.md shows it."""
    in_archives: bool = False
    """True where members of .tar and .zip files are read in place."""

    def facts(self) -> Facts:
        """What the documentation says of every image."""
        return Facts(
            origin=Origin.DOCUMENTATION,
            licence=self.licence,
            terms=self.terms,
            credit=self.credit,
            dataset=self.title,
        )
