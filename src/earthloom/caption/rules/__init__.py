"""The author that needs no model: statements become sentences by rules, varied by a seed."""

from earthloom.caption.rules.frames import Role
from earthloom.caption.rules.slots import Wording
from earthloom.caption.rules.writing import (
    write_enriched,
    write_gaia,
    write_mmm_rs,
    write_plain,
    write_subject,
)

__all__ = ["Role", "Wording", "write_enriched", "write_gaia", "write_mmm_rs", "write_plain", "write_subject"]
