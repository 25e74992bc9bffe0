"""What the held-out captions say of a record, and what a careless author would say instead."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from earthloom.caption.facts import gather
from earthloom.caption.facts.statements import SIDES, Objects, Statements
from earthloom.caption.language.english import MONTHS, NUMBER_WORDS
from earthloom.caption.trials.records import Record
from earthloom.core.records import Effect, Label, Modality, Origin, Text

Slots = dict[str, str]

PLATFORM_SIBLINGS = {
    "NAIP": "WorldView-3",
    "Sentinel-2": "Landsat 8",
    "Sentinel-1": "RADARSAT-2",
    "Landsat 7": "Landsat 5",
    "Landsat 8": "Landsat 9",
    "Landsat 9": "Landsat 8",
    "Umbra": "ICEYE",
    "Gaofen-1": "Gaofen-2",
    "Gaofen-2": "Gaofen-1",
    "WorldView-2": "GeoEye-1",
    "WorldView-3": "WorldView-2",
    "Google Earth": "PlanetScope",
    "Terra": "Aqua",
    "Aqua": "Terra",
}
SENSOR_SIBLINGS = {"MSI": "OLI", "C-SAR": "PALSAR-2", "MODIS": "VIIRS"}
NEIGHBOURS = {
    "United States": "Mexico",
    "France": "Switzerland",
    "Argentina": "Chile",
    "Australia": "New Zealand",
    "Canada": "Alaska",
    "Netherlands": "Belgium",
    "Namibia": "Botswana",
    "Brazil": "Peru",
    "Sweden": "Norway",
    "New Zealand": "Australia",
    "Spain": "Portugal",
    "Thailand": "Laos",
    "Italy": "Slovenia",
}
OTHER_TOWNS = {
    "Fresno": "Bakersfield",
    "Lyon": "Grenoble",
    "Mendoza": "San Juan",
    "Perth": "Fremantle",
    "Fort McMurray": "Edmonton",
    "Rotterdam": "Antwerp",
    "Windhoek": "Swakopmund",
    "Manaus": "Belém",
    "Kiruna": "Narvik",
    "Christchurch": "Dunedin",
    "Valencia": "Alicante",
    "Chiang Mai": "Chiang Rai",
    "Travis County, Texas": "Tulsa County, Oklahoma",
    "Ferrara": "Rovigo",
}
OBJECT_SYNONYMS = {
    "airplane": ("plane", "planes"),
    "ship": ("vessel", "vessels"),
    "storage tank": ("oil tank", "oil tanks"),
    "swimming pool": ("pool", "pools"),
    "roundabout": ("traffic circle", "traffic circles"),
    "tennis court": ("court", "courts"),
    "baseball diamond": ("baseball field", "baseball fields"),
}
_MIRRORED = {"upper": "lower", "lower": "upper", "left": "right", "right": "left"}
_WRONG_GSD_M = {
    0.3: 10.0,
    0.35: 3.0,
    0.5: 1.5,
    0.6: 2.0,
    0.8: 0.3,
    1.0: 5.0,
    5.0: 2.0,
    10.0: 30.0,
    30.0: 10.0,
    250.0: 1000.0,
}
_STORIES = (
    (
        "Lake Urrunga shrank to 312 square kilometers in March 2009, a report by the Halvorsen Institute said. The "
        "Marrow River, which feeds it, was dammed for irrigation near the town of Dunmarra.",
        {"lake": "Lake Urrunga", "lake_x": "Lake Mirabel", "river": "Marrow River", "river_x": "Tollan River",
         "town": "Dunmarra", "town_x": "Kelstrand", "km2": "312", "km2_x": "512", "told": "March 2009",
         "told_x": "March 2019", "who": "Halvorsen Institute", "who_x": "Lindqvist Institute"},
    ),
    (
        "Ash from Mount Serrano, which erupted in October 2011, buried 85 square kilometers of pasture around "
        "Vellorca. The Santiel River carried mud to Lake Opaco, according to the Andean Survey.",
        {"lake": "Lake Opaco", "lake_x": "Lake Cardiel", "river": "Santiel River", "river_x": "Futaleufu River",
         "town": "Vellorca", "town_x": "Puerto Almagro", "km2": "85", "km2_x": "185", "told": "October 2011",
         "told_x": "October 2008", "who": "Andean Survey", "who_x": "Pacific Survey"},
    ),
)  # fmt: skip


def vary_record(record: Record, rng: Random) -> Record:
    """Turn a trial's record into another of the same kind that no other trial has: places, dates, articles, light."""
    scene, tile = record
    if scene.texts:
        text = Text(text=rng.choice(_STORIES)[0], role="article")
        return replace(scene, texts=(text,), platform=rng.choice(("Terra", "Aqua"))), tile
    if scene.platform == "NAIP" and rng.random() < 0.5:
        name = rng.choice(("snow", "fog", "night"))
        effect = Effect(name=name, severity="moderate", is_visible=True, params="{}", seed=1)
        scene = replace(scene, place="Travis County, Texas")
        return scene, replace(tile, lon=-97.78, lat=30.33, effect=effect if rng.random() < 0.5 else None)
    if scene.platform == "WorldView-3":
        scene = replace(
            scene, country="IT", place="Ferrara", acquired=f"{rng.randint(2014, 2018)}-07-14T10:21:33Z"
        )
        return replace(scene, off_nadir_deg=17.4, sun_elevation_deg=58.0), replace(tile, lon=11.62, lat=44.83)
    if scene.platform in {"Google Earth", "Gaofen-2"} and rng.random() < 0.6:
        label = Label(name=rng.choice(("airport", "beach", "parking lot", "desert", "stadium")), kind="class",
                      origin=Origin.DOCUMENTATION)  # fmt: skip
        return replace(scene, platform=None), replace(tile, labels=(label,))
    return record


def fill_slots(record: Record, rng: Random) -> Slots:
    """Say what is known of a record, slot by slot; `name_x` is false where `name` is true, `if_name` is empty."""
    said = gather(*record)
    slots: Slots = {}
    for fill in (_fill_source, _fill_sampling, _fill_when, _fill_where, _fill_geometry, _fill_sky):
        slots |= fill(said)
    slots |= _fill_covers(said) | _fill_objects(said, rng)
    for story, told in _STORIES:
        if any(text.text == story for text in record[0].texts):
            slots |= told
    return slots


def _fill_source(said: Statements) -> Slots:
    modality = said.signal.modality
    slots = {f"if_{modality.value}": ""}
    if modality is not Modality.SAR:
        slots["if_optical"] = ""
    if said.platform is not None:
        name = said.platform.name
        slots |= {
            "platform": name,
            "platform_x": PLATFORM_SIBLINGS[name],
            f"if_{name.split('-')[0].split()[0]}": "",
        }
        carrier = said.platform.carrier
        slots |= {f"if_{carrier.value}": ""} if carrier is not None else {}
    if said.sensor is not None:
        slots |= {"sensor": said.sensor.name, "sensor_x": SENSOR_SIBLINGS[said.sensor.name]}
    if said.polarisation is not None:
        name = said.polarisation.name
        slots |= {"pol": name, "pol_x": "HH" if name == "VV" else "VV"}
    return slots


def _fill_sampling(said: Statements) -> Slots:
    if said.resolution is None or said.extent is None:
        return {}
    gsd_m, wide_km = said.resolution.gsd_m, said.extent.width_m / 1000
    slots = {"gsd": f"{gsd_m:g}", "gsd_x": f"{_WRONG_GSD_M[gsd_m]:g}"}
    slots |= {"gsd_cm": f"{100 * gsd_m:.0f}", "gsd_cm_x": f"{100 * gsd_m + 20:.0f}"} if gsd_m < 1 else {}
    if wide_km >= 1:
        slots |= {"km": f"{wide_km:.0f}", "km_x": f"{8 * wide_km:.0f}", "if_wide": ""}
    else:
        slots |= {"across_m": f"{1000 * wide_km:.0f}", "across_m_x": f"{4500 * wide_km:.0f}", "if_fine": ""}
    bounds = (
        ("if_very_high", 0.0, 1.0),
        ("if_submeter", 0.0, 0.9),
        ("if_medium", 10.0, 30.0),
        ("if_coarse", 250.0, 1000.0),
    )
    return slots | {name: "" for name, low_m, high_m in bounds if low_m <= gsd_m <= high_m}


def _fill_when(said: Statements) -> Slots:
    seasons = {"winter": "summer", "summer": "winter", "spring": "autumn", "autumn": "spring"}
    slots: Slots = {}
    if said.season is not None:
        slots |= {"season": said.season.season.value, "season_x": seasons[said.season.season.value]}
    if said.acquired is None:
        return slots
    year, month, day = said.acquired.year, said.acquired.month, said.acquired.day
    slots |= {"year": str(year), "year_x": str(year - 2)}
    if month is not None:
        slots |= {"month": MONTHS[month - 1], "month_x": MONTHS[month % 12]}
        slots |= {"mon": MONTHS[month - 1][:3], "mon_x": MONTHS[month % 12][:3], "mm": f"{month:02d}"}
    if day is not None:
        slots |= {"day": str(day), "dd": f"{day:02d}", "day_x": str(day + 2 if day < 15 else day - 3)}
        slots |= {"dd_x": f"{int(slots['day_x']):02d}"}
    return slots


def _fill_where(said: Statements) -> Slots:
    slots: Slots = {}
    if said.place is not None:
        slots |= {"place": said.place.name, "place_x": OTHER_TOWNS[said.place.name]}
    if said.country is not None:
        name = said.country.name
        the = "the " if name in {"United States", "Netherlands"} else ""
        slots |= {"country": the + name, "country_x": NEIGHBOURS[name]}
    if said.position is not None:
        lon, lat = said.position.lon, said.position.lat
        ns, ew = "SN"[lat > 0], "WE"[lon > 0]
        slots |= {"lat": f"{abs(lat):.1f}", "lon": f"{abs(lon):.1f}", "ns": ns, "ew": ew}
        slots |= {"ns_x": "NS"[lat > 0], "ew_x": "EW"[lon > 0], "lat_x": f"{abs(lat) + 4:.1f}"}
        slots |= {
            "half": "northern" if lat > 0 else "southern",
            "half_x": "southern" if lat > 0 else "northern",
        }
        slots |= {"if_tropics" if abs(lat) < 23.4 else "if_not_tropics": ""}
    return slots


def _fill_geometry(said: Statements) -> Slots:
    slots: Slots = {}
    if said.sun is not None:
        degrees = said.sun.elevation_deg
        slots |= {"sun": f"{degrees:.0f}", "sun_x": f"{degrees + 18:.0f}", "if_sun": ""}
    if said.view is not None:
        degrees = said.view.off_nadir_deg
        slots |= {"nadir": f"{degrees:.0f}", "nadir_x": f"{degrees / 2 - 2:.0f}"}
    return slots


def _fill_sky(said: Statements) -> Slots:
    slots: Slots = {}
    if said.weather is not None:
        slots |= {f"if_{said.weather.effect}": ""}
    elif said.signal.modality is Modality.RGB:
        slots |= {"if_no_weather": ""}
    if said.cloud_cover is not None and said.weather is None:
        percent = f"{100 * said.cloud_cover.share:.0f}"
        slots |= {"cloud": percent, "cloud_x": f"{int(percent) + 40}"}
        slots |= {"if_cloudless": ""} if said.cloud_cover.share == 0 else {}
    return slots


def _fill_covers(said: Statements) -> Slots:
    if not said.covers:
        slots = {f"if_{said.classes[0].name.replace(' ', '_')}": ""} if said.classes else {}
        return slots | ({"if_unlabelled": ""} if not said.classes and not said.objects else {})
    first, last = said.covers[0], said.covers[-1]
    slots = {"top": first.name, "bottom": last.name, "n_covers": NUMBER_WORDS[len(said.covers)]}
    slots["share"] = f"{100 * first.share:.0f}"
    slots["share_x"] = f"{100 * first.share + (-30 if first.share > 0.5 else 30):.0f}"
    slots["least"] = f"{100 * last.share:.0f}" if last.share > 0.02 else "2"
    slots["least_x"] = f"{100 * last.share + 35:.0f}"
    slots |= {"if_most": ""} if first.share > 0.6 else {}
    slots |= {"if_lopsided": ""} if first.share > 0.5 and last.share < 0.25 else {}
    slots |= {
        f"has_{cover.name.replace(' ', '_').replace('-', '_')}": ""
        for cover in said.covers
        if cover.share > 0.2
    }
    return slots


def _fill_objects(said: Statements, rng: Random) -> Slots:
    groups = [group for group in said.objects if group.name in OBJECT_SYNONYMS]
    if len(groups) != 2:
        return {}
    first = rng.choice(groups)
    other = groups[1] if first is groups[0] else groups[0]
    slots = _count(first, "") | _count(other, "2")
    side = next((side for side in SIDES if set(first.cells) <= SIDES[side]), None)
    if side is not None:
        slots |= {"side": side, "side_x": _MIRRORED[side]}
    if side is not None and not set(other.cells) & SIDES[_MIRRORED[side]]:
        slots |= {"if_far": ""}
    return slots


def _count(group: Objects, key: str) -> Slots:
    n, off = group.count, group.count + (1 if group.count < 3 else -1)
    plural = f"{group.name}s"
    one, many = OBJECT_SYNONYMS[group.name]
    noun, noun_x = (plural if n > 1 else group.name), (plural if off > 1 else group.name)
    slots = {f"n{key}": f"{n} {noun}", f"n{key}_x": f"{off} {noun_x}", f"objects{key}": plural}
    slots |= {f"w{key}": f"{NUMBER_WORDS[n]} {noun}", f"w{key}_x": f"{NUMBER_WORDS[off]} {noun_x}"}
    slots |= {f"s{key}": f"{NUMBER_WORDS[n]} {many if n > 1 else one}", f"synonyms{key}": many}
    slots |= {f"s{key}_x": f"{NUMBER_WORDS[off]} {many if off > 1 else one}", f"object{key}": group.name}
    slots |= {f"cap{key}": NUMBER_WORDS[n].capitalize(), f"cap{key}_x": NUMBER_WORDS[off].capitalize()}
    slots |= {f"if_many{key}": ""} if n >= 4 else {f"if_few{key}": ""}
    return slots | ({f"if_one{key}": ""} if n == 1 else {f"if_some{key}": ""})
