"""What each metric says of sets that were made worse in a known way: the rows of docs/evaluation-sanity.md.

A module is one section of the page. It has a `TITLE`, an `INTRODUCTION`, and a `measure(data)` that yields `Row`s from
the folder of real imagery; `make_sanity_table.SECTIONS` names it.
"""
