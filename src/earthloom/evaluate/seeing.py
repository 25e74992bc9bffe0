"""Pictures of a set as encoders see them; what cannot be used is put on record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from earthloom.core.errors import RunError
from earthloom.evaluate.features import describe
from earthloom.evaluate.sets import Entry
from earthloom.evaluate.work import Work
from earthloom.models.encoders.encoder import Encoder, Features


def see_entries(
    entries: Sequence[Entry], encoders: Sequence[Encoder], work: Work, cache: str | None
) -> tuple[list[Entry], Mapping[str, Features]]:
    """Describe pictures by encoders.

    Args:
        entries: of a set.
        encoders: of different names or versions.
        work: puts on record what cannot be used, and is told how far the work is.
        cache: folder of features that are kept, as in the recipe.

    Returns:
        The pictures that every encoder can use, N in their order, and `name@version` of each encoder to N x D.

    Raises:
        RunError: no picture can be used.

    """
    folder = None if cache is None else work.base / cache
    found = describe([entry.shown for entry in entries], encoders, cache=folder, tell=work.tell)
    for aside in found.set_aside:
        work.refuse(aside.shown, aside.reason, aside.detail)
    good = {id(shown) for shown in found.pictures}
    kept = [entry for entry in entries if id(entry.shown) in good]
    if not kept:
        reasons = ", ".join(sorted({aside.reason.value for aside in found.set_aside})) or "there are none"
        raise RunError(f"None of {len(entries):,} pictures could be used: {reasons}.")
    return kept, found.features
