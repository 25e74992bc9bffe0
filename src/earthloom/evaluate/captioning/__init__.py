"""Captioning: what a model, or a file, says of pictures, against what people said of them.

config      the recipe
candidates  captions to score: from a file, or from a captioner that is shown the pictures
scoring     texts to figures, with null and ceiling
meteor      METEOR, where Java is at hand
measuring   from recipe to figures
"""
