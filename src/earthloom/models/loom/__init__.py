"""Our own small feature network, for distances between sets of pictures where no weights of others are at hand.

network  a residual network of 64 x 64 pictures with heads that each ask something of its features
files    its safetensors file; the weights that come with the package

Its distances are called FD-loom and KD-loom. They are no FID and no KID, and cannot be compared with these.
"""
