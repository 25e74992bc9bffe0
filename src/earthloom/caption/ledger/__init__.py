"""The ledger: every request to a model, its answer, and what it cost; what is still to be paid."""

from earthloom.caption.ledger.ledger import Ledger, find_missing, find_outcome

__all__ = ["Ledger", "find_missing", "find_outcome"]
