"""Measures of radar pictures: how strong their speckle is, how their decibels are spread, what a filter did to them.

decibels      levels as stored, linear power, decibels; how much of a picture is clipped
scale         whether values are decibels, amplitude or intensity, by the shape of their speckle
looks         equivalent number of looks (ENL) from samples, windows, whole sets
theory        what fully developed speckle of L looks is like, in closed form
distribution  distances between distributions of decibels, and their entropy
texture       grey-level co-occurrence and the slope of the spectrum
despeckling   indices of a speckle filter, from what went in and what came out

All functions say which scale they want: linear *intensity* (power), its root *amplitude*, or *decibels*, 10 log10 of
intensity. Speckle multiplies intensity, so means belong there: a mean of decibels of L looks is too low by
`theory.bias_db(L)`.
"""
