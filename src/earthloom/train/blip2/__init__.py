"""Captioning: a model that turns pictures into text learns the captions of a release, through LoRA."""
