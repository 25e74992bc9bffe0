"""Alignment: how well pictures show what their prompts or captions say.

config     the recipe
pairs      pictures with their texts
scoring    CLIPScore of pairs, beside shuffled texts
telling    scores as figures
prompts    scores by how long prompts are and by what they mention
mentions   what prompts mention
examples   what fits best and worst, to look at
measuring  from recipe to figures
"""
