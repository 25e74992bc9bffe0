"""Attribute faithfulness: does a picture show the class, scene, modality and distance that were asked for.

traits      what a picture shows, or was asked to show
readings    what was asked for, what is read, and how well they agree
names       traits that are names
distances   the ground sample distance
ridge       a number read from features
judging     all traits of generated pictures, by probes that learned from real ones
measuring   from sets of pictures to figures
"""
