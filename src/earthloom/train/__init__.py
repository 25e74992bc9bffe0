"""Learning from releases and folders of pictures: one loop for all that is trained, a step for each kind of it.

Nothing is imported here: recipes are checked by `earthloom.train.config`, which needs no torch.
"""
