"""Contrastive training of dual encoders (CLIP): pictures and their captions are brought together."""
