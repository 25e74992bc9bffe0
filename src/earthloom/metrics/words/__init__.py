"""Words: captions against references, by BLEU, ROUGE-L and CIDEr-D over tokens of the Penn Treebank."""

from earthloom.metrics.words.captioning import NAMES, Captioning, measure_captions
from earthloom.metrics.words.tokens import tokenize

__all__ = ["NAMES", "Captioning", "measure_captions", "tokenize"]
