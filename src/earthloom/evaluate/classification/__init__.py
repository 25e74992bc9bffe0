"""Classification: by the words of classes alone, and by linear probes of features.

config     the recipe
measuring  from recipe to figures
zero_shot  a dual encoder that was told the classes' names
probes     what a linear classifier reads from features
telling    accuracies with intervals, tables of confusion and of classes
"""
