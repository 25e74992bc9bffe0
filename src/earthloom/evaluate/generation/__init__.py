"""Generated pictures against real ones: how near, how varied, and whether they are copies.

config      the recipe
measuring   from the recipe to figures
spaces      both sets as one encoder sees them
halves      equal counts drawn from both sets, and from halves of the real one
distances   Frechet and kernel distances with intervals and floors
manifolds   precision, recall, density and coverage
classes     kernel distances class by class
transfer    what a classifier that learned from generated pictures knows of real ones, and the reverse
scores      Inception Score
copying     memorisation of training pictures, by features
near_copies the same by pixels
pixels      plain descriptions of pixels
showing     grids of pictures
wording     rules and notes
"""
