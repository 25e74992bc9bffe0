"""Retrieval: how well pictures and texts find each other.

config     the recipe
measuring  from recipe to figures
figures    ranks as R@K with intervals and chance
examples   what was found, to look at
"""
