"""Sentence frames of prompts that name every known fact, or as many as fit."""

from __future__ import annotations

from earthloom.caption.rules.frames import parse_tiers

_ENRICHED = (
    (
        "{^full_image}<! at a GSD of {gsd}><!, {acquisition}><! {undated}><!, {geometry}><!, {location}><!, {weather}>"
        "<!; {labels}>.",
        "{^full_image}<! {location}><!, {acquisition}><! {undated}><!, {at_gsd}><!, {geometry}><!, {weather}>"
        "<!; {labels}>.",
        "{^full_image}<!, {gsd_m} GSD><!, {acquisition}><! {undated}><!, {weather}><!, {location}><!, {geometry}>"
        "<!; {labels}>.",
        "{^full_image}<! from {collection}><!, {at_gsd}><!, {location}><!, {acquisition}><! {undated}><!, {geometry}>"
        "<!, {weather}><!; {labels}>.",
        "{^acquisition}<! {undated}><! {at_gsd}>: {full_image}<! {location}><!, {geometry}><!, {weather}>"
        "<!; {labels}>.",
        "{^location}<!, {gsd_m} GSD>: {full_image}<!, {acquisition}><! {undated}><!, {geometry}><!, {weather}>"
        "<!; {labels}>.",
        "{^full_image}<!, {weather}><!, {at_gsd}><!; {labels}><!; {acquisition}><! {undated}><!, {geometry}>"
        "<!; {location}>.",
    ),
    (
        "{^full_image} {location}<!, {gsd_m} GSD><!, {acquisition}><! {undated}><!, {weather}><!; {labels}>.",
        "{^full_image}, {acquisition}<! {undated}><!, {gsd_m} GSD><!, {location}><!, {weather}><!; {labels}>.",
        "{^location}<!, {gsd_m} GSD>: {full_image}<!, {acquisition}><! {undated}><!, {weather}><!; {labels}>.",
        "{^acquisition}<! {undated}>: {full_image}<! {whereabouts}><!, {gsd_m} GSD><!, {weather}><!; {labels}>.",
    ),
    (
        "{^full_image}<! {whereabouts}><!, {gsd_m} GSD><!, {acquisition}><!, {weather}>; {labels}.",
        "{^full_image}<!, {gsd_m} GSD><!, {acquisition}><!, {whereabouts}><!, {weather}>; {labels}.",
        "{^full_image} of {content}<!, {gsd_m} GSD><!, {acquisition}><!, {whereabouts}><!, {weather}>.",
    ),
    (
        "{^full_image} of {size}<! from {collection}><!, {acquisition}><! {undated}><! {at_gsd}>"
        "<!, {location}><!, {geometry}><!, {weather}><!; {labels}>.",
        "{^full_image}<! from {collection}> of {earth}, {size} in size<! at {gsd_m} GSD><!, {weather}><!; {labels}>.",
        "{^full_image}<!, {gsd_m} GSD><!, {acquisition}><!, {location}><!, {weather}>, {size} in size.",
    ),
    ("{^full_image} of {earth}, {size} in size<! {at_gsd}><!, {weather}>.",),
    ("{^full_image} of {earth}, {size} in size.",),
)


ENRICHED = parse_tiers(_ENRICHED)
"""Frames of prompts that name every known fact."""
