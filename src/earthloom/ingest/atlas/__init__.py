"""Built-in synthetic landscapes: co-registered RGB, near infrared, radar and land cover, from a seed alone.

The data flow, one module each: `site` (where and when) and `character` (what kind of land) are drawn; `water` and
`relief` grow the `ground` on coarse cells; `surface` brings it to the scene's pixels; `parcels` and `fields`
divide it into an `estate`; `cover` says what each pixel is; `towns`, `houses` and `built` add what people made,
`trees` and `planting` what grows. `optics` and `radar` look at the finished `landscape`; `files` and `source`
write it and describe it as scenes.
"""

from earthloom.ingest.atlas.source import ATLAS_VERSION, list_items, read_item

__all__ = ["ATLAS_VERSION", "list_items", "read_item"]
