"""Encoders: pictures to features that distances between sets of pictures are taken of. Read from a path, onto the CPU.

    encoder           what every encoder has
    loading           an encoder by its name
    resizing          rules by which pictures are brought to the side of a network, by name and version
    inception         the network of FID, KID and the Inception Score
    inception_graph   its graph
    inception_files   its published weights: found, checked, loaded
    dinov2            DINOv2's class token
    clip              the image tower of CLIP, RemoteCLIP or GeoRSCLIP
    ours              the small network that comes with the package (`earthloom.models.loom`)

Nothing is downloaded. Features that need no weights are `earthloom.metrics.features`; rooms of one level do not import
each other, so who wants either chooses between the two.
"""

from __future__ import annotations

from earthloom.models.encoders.encoder import Encoder, Features, Pictures
from earthloom.models.encoders.loading import NAMES, EncoderName, load_encoder

__all__ = ["NAMES", "Encoder", "EncoderName", "Features", "Pictures", "load_encoder"]
