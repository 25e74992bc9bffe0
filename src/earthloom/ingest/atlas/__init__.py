"""Built-in synthetic landscapes: co-registered RGB, near infrared, radar and land cover, from a seed alone.

The data flow, one module each: `site` (where and when) and `character` (what kind of land) are drawn; `water` and
`relief` grow the `ground` on coarse cells; `surface` brings it to the scene's pixels; `parcels`, `fields` and
`crops` divide it into an `estate`; `cover` says what each pixel is; `towns`, `houses` and `built` add what people
made, `trees` and `planting` what grows. `optics` (with `light`, `paint` and `palette`) and `radar` look at the
finished `landscape`; `files` and `source` write it and describe it as scenes. `frame`, `ribbon`, `shading` and
`exact` lie under them all.
"""

from earthloom.ingest.atlas.source import ATLAS_VERSION, list_items, read_item

__all__ = ["ATLAS_VERSION", "list_items", "read_item"]
