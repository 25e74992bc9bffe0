"""How long a caption is for CLIP."""

from __future__ import annotations

import re

_PIECE = re.compile(r"[^\W\d_]+|\d|[^\s\w]+|_")


def count_clip_tokens(text: str) -> int:
    """Estimate the tokens of a text for CLIP, both ends counted, rather too high than too low.

    CLIP's tokenizer (Radford et al. 2021) takes letters, single digits and marks apart, then joins letters by byte
    pairs: common words are one token, others a few.
    """
    return 2 + sum(-(-len(piece) // 6) if piece[0].isalpha() else 1 for piece in _PIECE.findall(text))
