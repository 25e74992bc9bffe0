"""Checks: every caption, whoever wrote it, is held against what is known of its image."""

from earthloom.caption.checks.judging import (
    MAX_WORDS,
    MIN_WORDS,
    Finding,
    Judged,
    find_alike,
    find_faults,
    is_alike,
    is_parroted,
    judge,
)
from earthloom.caption.checks.known import Known, compile_known
from earthloom.caption.checks.reading import Check

__all__ = [
    "MAX_WORDS",
    "MIN_WORDS",
    "Check",
    "Finding",
    "Judged",
    "Known",
    "compile_known",
    "find_alike",
    "find_faults",
    "is_alike",
    "is_parroted",
    "judge",
]
