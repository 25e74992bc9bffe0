"""What is known of an image, as statements: the only things that a caption may say without having seen it."""

from earthloom.caption.facts.gathering import gather
from earthloom.caption.facts.statements import Statements

__all__ = ["Statements", "gather"]
