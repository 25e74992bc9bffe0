"""The words of the lexicon: class names of published sets and how they read, and uses by theme."""

from __future__ import annotations

ENTRIES = {
    "agriculture": """
        cropland; farmland; agricultural land; arable land; pasture; orchard*; vineyard*; plantation*
        annual crop: annual crops; permanent crop: permanent crops; crop field*; crop: crops; crops; field*
        rectangular farmland; circular farmland; terrace: terraced fields; terraced field*; rice field*
        paddy field*; paddy land; irrigated land; irrigated field*; dry cropland; garden land; paddy; irrigated
        cultivated land; greenhouse*; farm*; fallow land; hay meadow*; agriculture: agricultural land; barn*
        garden plot*; agricultural: agricultural land; farm land: farmland
        cropland and natural vegetation mosaic: mixed cropland and natural vegetation""",
    "forest": """
        forest; woodland; trees; tree*; tree cover; broadleaf forest; coniferous forest; mixed forest; chaparral
        deciduous forest; evergreen forest; mangrove: mangroves; mangroves; arbor woodland; arbor forest; jungle
        rainforest; dense forest; hedge*; shrubland; shrub: shrubs; shrubs; scrub; bushland; shrub land""",
    "grass": """
        grassland; meadow*; grass; natural grassland; artificial grassland; rangeland; herbaceous vegetation
        vegetation; low vegetation; tundra; moss and lichen; savanna; natural grass; artificial grass; lawn*
        moor: moorland; moorland; heath: heathland""",
    "water": """
        water; open water; river*|river water; lake*|lake water; pond*|pond water; sea; ocean; stream*; canal*
        reservoir*|reservoir water; sea lake: a sea or lake|sea or lake water; wetland*; herbaceous wetland*
        marsh*; swamp*; lagoon*; estuary*; permanent water: permanent water bodies; water body*; coast*; strait*
        water bodies; sea ice; inland water; coastal water; seawater; tidal flat*; ditch*; island*; fountain*
        lake or pond*lakes or ponds; aquaculture: aquaculture site*""",
    "built": """
        built-up: built-up land; built-up land; built-up area*; urban fabric; city*|urban land; town*|town land
        village*|village land; park*; place of worship*places of worship; prison*; lighthouse*; residential area*
        urban and built-up land
        settlement*; building*; buildings; house*; houses; apartment block*; church*; school*; palace*
        square: public square*; fire station*; police station*; office building*; military facility*; burial site*
        archaeological site*; commercial area*; impoverished settlement*; debris or rubble; space facility*
        multi unit residential: multi-unit residential~; single unit residential: single-unit residential~
        residential~; dense residential~; medium residential: medium-density residential~; windmill*
        sparse residential~; commercial~; urban~; rural~; car dealership*
        urban residential~; rural residential~; mobile home park*; resort*; stadium*; central business district*
        impervious surface: impervious surfaces; impervious surfaces; playground*; city block*
        swimming pool*; educational institution*; hospital*; tower*; cemetery*; campus*
        shopping mall*; ruin*; roof*; paved surface: paved surfaces; intersection*; courtyard*; castle*""",
    "transport": """
        road*|roads; highway*|highways; freeway*|freeways; railway*|railways; motorway*|motorways; street*|streets
        railway station*; train station*; runway*|runways; bridge*; viaduct*; overpass*; roundabout*; crossroad*
        parking lot*; parking~; car park*; parking garage*; traffic land; t junction: T junctions; tunnel opening*
        toll booth*; interchange*; road bridge*; helipad*; airport*; airport terminal*; airfield*
        airport hangar*; hangar*; port*; harbor*; harbour*; dock*; pier*; border checkpoint*; ferry terminal*
        shipyard*; marina*; lock*; path*|paths; track*|tracks; railroad*|railroads; expressway*|expressways
        parking lot or garage*parking lots or garages; gas station*; ground transportation station*
        railway bridge*; expressway service area*; expressway toll station*; flooded road*|flooded roads""",
    "industry": """
        industrial~; storage tank*; storage tanks; factory*; warehouse*; power station*; thermal power station*
        solar farm*; solar panel*; wind farm*; wind turbine*; quarry*; mine*; mining area*; surface mine*
        oil or gas facility*; nuclear power plant*; chimney*; water treatment facility*; waste disposal site*
        electric substation*; smokestack*; oil well*; dam*; transformer station*; construction site*
        container*; crane*; substation*; power line*|power lines; industrial area*; container crane*
        factory or powerplant: factory or power plant*factories or power plants; industrial land
        nuclear powerplant: nuclear power plant*; waste disposal: waste disposal site*""",
    "bare": """
        bare ground; bare land; bare soil; sand; beach*|beach sand; desert*|desert; rock; bare rock; mountain: mountains
        barren land; rocky ground; sparse vegetation; dune: dunes; dunes; sand dune: sand dunes; gravel; soil
        bare; barren; mountain range*; cliff*; riverbank*; rocky land; volcano*; lava; salt flat*; mudflat*""",
    "ice": """
        snow and ice; snow; ice; glacier*|glacier ice; snowberg: snow-capped mountains; iceberg*|iceberg ice
        permanent snow; permanent snow and ice""",
    "sport": """
        baseball field*; baseball diamond*; tennis court*; basketball court*; football field*; soccer field*
        ground track field*; golf course*; race track*; athletic track*; recreational facility*
        soccer ball field: soccer field*
        swimming complex*; sports field*; ice rink*; zoo*; amusement park*""",
    "vehicles": """
        airplane*; plane*; aeroplane*; aircraft*; helicopter*; ship*; boat*; vessel*; vehicle*; car*; truck*; bus*
        small vehicle*; large vehicle*; small car*; train*; trailer*; tank car*; passenger car*; cargo ship*
        warship*; aircraft carrier*; merchant ship*; sailboat*; motorboat*; yacht*; barge*; fishing boat*
        container ship*; command ship*; hospital ship*; cruise ship*; car carrier*; submarine*; hovercraft*; frigate*
        destroyer*; cruiser*; lute-shaped warship*""",
    "clouds": """
        cloud; clouds; cloud shadow; haze; fog; smoke; thin cloud; thick cloud""",
}
"""Entries by theme, after the class lists of EuroSAT, RSICD, NaSC-TG2, GID, WHU-OPT-SAR, HRRSD, HRSC2016, fMoW, DOTA,
DIOR, RESISC45, AID, UC Merced, WorldCover and the built-in landscapes. `name` is a mass noun or a plural, `name*`
countable, `name*plural` countable with an irregular plural, `name~` an adjective of `area`; `name: phrase` is worded
otherwise than it is called, `|phrase` is how it reads as a land cover."""


RUN_TOGETHER = {
    "bareland": "bare land",
    "baseballfield": "baseball field",
    "denseresidential": "dense residential",
    "mediumresidential": "medium residential",
    "sparseresidential": "sparse residential",
    "railwaystation": "railway station",
    "storagetanks": "storage tanks",
    "storagetank": "storage tank",
    "baseballdiamond": "baseball diamond",
    "basketballcourt": "basketball court",
    "golfcourse": "golf course",
    "golffield": "golf course",
    "groundtrackfield": "ground track field",
    "mobilehomepark": "mobile home park",
    "parkinglot": "parking lot",
    "swimmingpool": "swimming pool",
    "tenniscourt": "tennis court",
    "trainstation": "train station",
    "builtup": "built-up",
    "built up": "built-up",
}


USES = {
    "agriculture": ("crop mapping", "farmland monitoring", "the mapping of agricultural land"),
    "forest": ("woodland mapping", "the monitoring of tree cover", "vegetation mapping"),
    "grass": ("grassland mapping", "the monitoring of low vegetation"),
    "water": ("surface-water mapping", "the mapping of water bodies", "shoreline mapping"),
    "built": ("urban mapping", "the mapping of settlements", "built-up area mapping"),
    "transport": ("the mapping of transport networks", "infrastructure mapping"),
    "industry": ("the mapping of industrial sites", "infrastructure surveys"),
    "bare": ("the mapping of unvegetated ground", "terrain mapping"),
    "ice": ("snow and ice mapping", "the monitoring of snow cover"),
    "sport": ("the mapping of leisure grounds", "recreation mapping"),
    "vehicles": ("object detection", "the counting of objects"),
    "clouds": ("cloud screening", "studies of image quality"),
}
