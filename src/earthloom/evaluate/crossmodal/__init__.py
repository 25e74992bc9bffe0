"""Radar and near infrared that were drawn, against the true pictures: speckle, decibels, and pixel by pixel.

config      the recipe
pairing     which drawn picture shows which true one
reading     pictures as levels, and what the levels stand for
describing  what one picture adds to the statistics of its set
statistics  what is told of a set
distances   how far two sets lie apart, with intervals and a floor
checks      bounds, each with where it comes from
pixels      pairs, pixel by pixel, and the regression that near infrared has to beat
measuring   all of it
"""
