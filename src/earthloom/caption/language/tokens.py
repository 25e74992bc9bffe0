"""How long a caption is for CLIP."""

from __future__ import annotations

import re
from functools import lru_cache

from earthloom.caption.language.english import list_words

_PIECE = re.compile(r"[^\W\d_]+|\d|[^\s\w]+|_")
_LETTERS = 4
_NAME_LETTERS = 3
_ACRONYM_LETTERS = 2
_MARKS = 2
"""Letters, letters of capitalised words, of words in capitals, and marks to a token. Calibrated with CLIP's own
vocabulary: too low for none of 18,713 captions of ours and of 6,000 sentences with names of cities, and for 25 of the
29,150 different captions of RSICD (0.09 %), which are full of misspelt words; too high by 3 tokens in the mean."""
_WHOLE = list_words(
    "about above according acquired across aerial alone altogether among appear appears applies area areas around "
    "autumn bands belongs between black blocks bodies border borders boxes bright brighter brings building "
    "buildings built calculated captured carries centre centred channel channels class classes collected colour "
    "colours columns composed conditions consists contains contrast corner cover covered covers crops daylight "
    "degrees depicts displays distance drawn earth edges elevation every example extends falls farmland field "
    "fields filled first follows footprint forest forests found frame framing generally generated given gives "
    "green greys ground height hemisphere highway holds horizon houses image imagery images include includes "
    "industrial infrared infrastructure label labelled labels landscape large largest layout levels light longest "
    "looking looks lower makes mapped mapping marked means measure measured measurement measures median metre "
    "metres moisture monitoring near north northern nothing object objects obtained optical other others outline "
    "overall parts pasture permanent picture pictures pixel pixels place points position precision presents "
    "pulses quarter radar radiation rather recorded reflect reflects remote rendered residential resolution right "
    "river rivers roads sample samples satellite scale scene second sensing sensor shades shares ships shown "
    "shows sides simulated single source southern spans spatial spectrum spring square stand stands storage "
    "stretch strong subject suits summer surface synthetic taken takes times together touches track tracks under "
    "upper urban usually value values vegetation vehicles view viewed visible water wetlands where which while "
    "white whole whose width within woodland"
)
"""Longer words that are one token each, those that captions use most."""


def count_clip_tokens(text: str) -> int:
    """Estimate the tokens of a text for CLIP, both ends counted, rather too high than too low.

    CLIP's tokenizer (Radford et al. 2021) takes letters, single digits and marks apart, then joins the bytes of each by
    pairs: common words are one token, others a few, and nothing has more tokens than bytes.
    """
    return 2 + sum(map(_count, _PIECE.findall(text)))


@lru_cache(maxsize=16_384)
def _count(piece: str) -> int:
    if not piece.isascii():
        return len(piece.encode())
    if not piece.isalpha():
        return -(-len(piece) // _MARKS)
    lower = piece.lower()
    if (len(piece) <= _LETTERS and piece == lower) or lower in _WHOLE:
        return 1
    if piece == lower:
        return -(-len(piece) // _LETTERS)
    return -(-len(piece) // _ACRONYM_LETTERS) if piece.isupper() else 1 + len(piece) // _NAME_LETTERS
