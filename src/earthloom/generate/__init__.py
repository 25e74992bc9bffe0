"""From words to pictures: prompts in, marked pictures with their recipes out.

config      what is asked for
prompts     files of prompts, every fault with its line
releases    captions and facts of a release as prompts
plan        which pictures are to be drawn, under which names, from which seeds
marks       what every picture carries
folder      the folder that they go into
grids       pictures with their prompts, to look at
generating  the run
looking     the recipe of a picture, for those who ask
"""

GENERATE_VERSION = "1"
"""Raised when equal recipes would give other pictures; they are then drawn anew."""
