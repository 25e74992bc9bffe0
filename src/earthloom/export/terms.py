"""Licences: what they allow, as far as a name tells, and what the Hugging Face Hub calls them."""

from __future__ import annotations

import re
from collections.abc import Iterable

_HUB_NAMES = frozenset(
    """apache-2.0 mit bsd-2-clause bsd-3-clause cc cc0-1.0 cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-sa-3.0
    cc-by-sa-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nd-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0
    cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cdla-sharing-1.0 cdla-permissive-1.0 cdla-permissive-2.0
    odc-by odbl pddl etalab-2.0 lgpl gpl gpl-2.0 gpl-3.0 agpl-3.0 mulanpsl-2.0 unlicense""".split()  # noqa: SIM905
)
"""Values of `license` in a card that the Hub knows: https://huggingface.co/docs/hub/repositories-licenses."""

_RESTRICTED = re.compile(
    r"research|academic|non-?commercial|\bnc\b|redistribut|evaluation only|internal use|all rights reserved",
    re.IGNORECASE,
)


def is_restricted(licence: str | None) -> bool:
    """True when the name or note says that not everything is allowed, or when nothing is stated at all."""
    return licence is None or _RESTRICTED.search(licence) is not None


def hub_licence(licences: Iterable[str | None]) -> str:
    """The one value for a card: a name that the Hub knows when all pairs share it, else `other` or `unknown`."""
    different = set(licences)
    if different == {None}:
        return "unknown"
    only = different.pop() if len(different) == 1 else None
    name = re.sub(r"[\s_]+", "-", only.strip().lower()) if only else ""
    return name if name in _HUB_NAMES else "other"
