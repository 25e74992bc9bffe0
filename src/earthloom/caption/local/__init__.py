"""The author that is a model on this machine."""

from earthloom.caption.local.conversation import name_author, write_local
from earthloom.caption.local.driver import ask_local, check_local, fingerprint_local

__all__ = ["ask_local", "check_local", "fingerprint_local", "name_author", "write_local"]
