"""English as captions need it: grammar, nouns, and how long a text is for CLIP."""
