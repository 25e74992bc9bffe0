"""Measuring what was made: a recipe in, numbers that can be compared and a page out.

config      what every recipe of an evaluation says
kinds       the kinds of evaluations
evaluating  one evaluation, from recipe to result
result      figures with their intervals, floors and nulls, and the protocol they were taken by
sets        the pictures that are measured
comparing   results side by side
differing   in what the protocols of results differ
page/       a result as a page
"""
