"""STAC: items of an API search, a static catalog or files, and the assets that they point to.

`config.py` says what a recipe may ask for. `listing.py` gives items (from `api.py`, `catalog.py`, filtered by
`filters.py`), `document.py` carries one to its reading, `reading.py` makes scenes of it: `assets.py` finds the bands
of each role, `bands.py` what the item says of them, `values.py` what their numbers mean, `facts.py` the rest.
"""
