"""The sentence frames of the rule captioner: for each role, tiers of frames from the richest facts to the barest.

The first tier in which a frame's needs are met is used. Every frame names the image, which is where `synthetic` is
said. The language is that of `earthloom.caption.grammar`; the slots are those of `earthloom.caption.slots`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from earthloom.caption.grammar import Frame, parse_frame
from earthloom.caption.slots import SLOTS

_IMAGE_NAMES = ("an_image", "the_image", "this_image", "full_image", "expanded", "arranged")


@dataclass(frozen=True, eq=False, slots=True)
class Tiers:
    """Frames of one role, those that need the richest facts first."""

    frames: tuple[tuple[Frame, ...], ...]


class Role(StrEnum):
    """What a plain caption is about, in the order in which they are written."""

    OVERVIEW = "overview"
    COMPOSITION = "composition"
    ARRANGEMENT = "arrangement"
    CONDITIONS = "conditions"
    INTERPRETATION = "interpretation"


_OVERVIEW = (
    (
        "{^an_image} of {content}< {whereabouts}>< {at_gsd}><, {weather}>.",
        "{^an_image} [shows|depicts|presents|displays] {content}< {whereabouts}><, {weather}>.",
        "{^an_image} [with|showing] {content}<, taken {whereabouts}>< {zone}><, {weather}>.",
        "{^content} [seen in|viewed in|shown in|shown by] {an_image}< {whereabouts}>< {at_gsd}><, {weather}>.",
        "In {an_image}< of {place}>, [one sees|the viewer finds|one finds] {content}<, {weather}>.",
        "[Seen from above|Viewed from above|Visible from above]: {content}< {whereabouts}>, in {an_image}.",
        "This is {an_image}< {whereabouts}> [that shows|which shows|showing] {content}<, {weather}>.",
        "{^an_image} of {content}, {size} in size<, {whereabouts}><, {weather}>.",
        "{^an_image} in which [one can find|one can see|the viewer sees] {content}< {at_gsd}><, {weather}>.",
        "[A look from above at|A view from above of] {content}<, {whereabouts}>, in the form of {an_image}.",
        "{^an_image} of a [place|location|stretch of ground] with {content}< {zone}>< {at_gsd}><, {weather}>.",
        "The [subject|content] of {an_image}< {whereabouts}> is {content}<, {weather}>.",
        "{^content}: that is what {an_image} [shows|depicts]< {whereabouts}>< {at_gsd}><, {weather}>.",
        "From above, {an_image}<, {at_gsd},> [takes in|covers] {content}<, {weather}>.",
    ),
    (
        "{^an_image} of {earth} over {place}< {at_gsd}><, {weather}>.",
        "{^an_image} taken over {place}, {size} in size<, {weather}>.",
        "{^an_image} taken {whereabouts}, {size} in size<, {weather}>.",
        "{^an_image} of {earth} {whereabouts}< {at_gsd}><, {weather}>.",
        "[A view of|A look at] {place} from above, in the form of {an_image}< {at_gsd}><, {weather}>.",
        "{^earth} {whereabouts}, [as seen in|as shown by] {an_image} of {size}<, {weather}>.",
        "Here is {an_image} of {size}, {whereabouts}<, {weather}>.",
        "{^whereabouts}, {an_image} [looks down on|shows|records] {earth}< {at_gsd}><, {weather}>.",
        "{^an_image} [looks down on|renders|presents] {earth} {whereabouts} in {size}<, {weather}>.",
        "[From above|Seen from above], {an_image} [shows|presents] {earth} {whereabouts}<, {weather}>.",
        "What [one sees|is seen] here is {earth} {whereabouts}, in {an_image}< of {size}><, {weather}>.",
        "{^place}, seen from above in {an_image} of {size}<, {weather}>.",
    ),
    (
        "{^an_image} of {earth}, {size} in size< and sampled at {gsd}><, {weather}>.",
        "{^an_image} of {size} that shows {earth}< {zone}><, {weather}>.",
        "This is {an_image} of {earth}, {size} in size<, {weather}>.",
        "[A view of|A look at] {earth} in the form of {an_image} of {size}<, {weather}>.",
        "{^an_image} looks down on {earth} in {size}< {at_gsd}><, {weather}>.",
        "{^full_image} [records|renders|pictures|maps] {earth} in a frame of {size}<, {weather}>.",
        "{^earth} from above, [caught|captured|held] in {an_image} of {size}<, {weather}>.",
        "Here is {earth}, as [shown by|seen in] {an_image} of {size}<, {weather}>.",
        "{^earth} [fills|takes up] {an_image} of {size}<, {weather}>.",
        "In {size}, {an_image} [renders|pictures|presents] {earth}< {at_gsd}><, {weather}>.",
        "One frame, {size}: {an_image} of {earth}<, {weather}>.",
        "[Seen|Viewed|Looked at] from above, {earth} [appears|is shown] in {full_image} of {size}<, {weather}>.",
        "What [one sees|is seen] here is {earth}, in {an_image} of {size}<, {weather}>.",
        "{^size} [make up|form] {an_image} that [shows|presents] {earth}<, {weather}>.",
    ),
)

_COMPOSITION = (
    (
        "By area, {the_image} is {share_list}.",
        "{^top_takes} {top_portion} of {the_image}[|, followed by {rest_list}|, and {second_takes} {second_portion}].",
        "{^the_image} [consists mainly of|is made up mostly of|is composed chiefly of] {cover_list}.",
        "The [land cover|ground cover] of {the_image} is as follows: {cover_list}.",
        "Land-cover shares in {the_image} are {mix_shares}.",
        "The [cover mix|make-up|composition] of {the_image}: {mix_list}.",
        "Measured by area, {top_takes} {top_portion} of {the_image}[|; the rest includes {rest_list}].",
        "[Counting pixels by class|Going by class shares], {the_image} holds {mix_shares}.",
        "Split by class, {the_image} has {mix_list}[|, to name the main parts].",
        "Among the classes of {the_image} are {mix_list}.",
        "[On the ground|In terms of cover], {the_image} has {share_list}.",
        "{^mix_list}: these are the main parts of {the_image}.",
    ),
    (
        "{^the_image} [contains|holds|includes] {objects}[|, all of them marked with boxes].",
        "{^objects_are} [labelled|marked|annotated] in {the_image}.",
        "{^the_image} [contains|holds|includes] {sized}.",
        "[Among the labels of|To be found in] {the_image}: {sized}.",
        "{^objects_are} [labelled|marked] in {the_image}; {box_length} on the longer side.",
        "The [labels|annotations] of {the_image} [list|name] {objects}.",
        "Counted one by one, the [labels|annotations] in {the_image} come to {objects}.",
        "[In total|Altogether|All in all], {the_image} has {total} labelled objects: {objects}.",
        "A count of [what is labelled|the labels] in {the_image} gives {objects}.",
    ),
    (
        "{^the_image} [carries|bears|has been given] the scene label {class_label}[| as a whole].",
        "Taken as a whole, {the_image} [belongs to|falls under|is assigned to] the class {class_label}.",
        "A single scene class, {sole_label}, describes [the whole of|all of] {the_image}.",
        "{^the_image} is an example of the class {class_label}[|, as its label has it].",
        "[Asked for its class|When it comes to class], {the_image} is {class_label}.",
        "In the [scheme|list] of classes, {the_image} stands under {class_label}.",
        "Going by its scene label, {the_image} [shows|presents] {in_class}.",
        "What fills {the_image} has been classed as {class_label}[| throughout| overall].",
        "As a scene type, {the_image} [counts as|goes under the name of] {class_label}.",
        "[By its label|According to its label], {the_image} [shows|presents] {in_class}.",
        "{^the_image} is [cut from|a part of|a window of] a larger scene labelled {part_label}.",
        "The larger scene around {the_image} [bears|carries] the label {part_label}.",
    ),
    (
        "{^rgb} channels together [make up|form] {the_image}[| of {size}].",
        "{^the_image} is composed of {rgb} channels[|, {size} each].",
        "Each pixel of {the_image} [combines|is made of] {rgb} [values|components].",
        "Three channels, {rgb}, [add up to|build up|go into] {the_image}.",
        "The colours of {the_image} are [mixed|built] from {rgb} channels.",
        "{^rgb}: these are the channels of which {the_image} [consists|is made up].",
        "In {the_image}, every pixel [stores|carries] one value each of {rgb}.",
        "{^the_image} is a [stack|composite] of {rgb} channels[| on one grid].",
        "The {rgb} channels, taken together, [make|give] {the_image}.",
        "{^the_image} holds a single {nir} channel of {size}, shown in grey.",
        "A single {nir} band, [shown|drawn] in shades of grey, makes up {the_image}.",
        "Every pixel of {the_image} holds one {nir} value, [shown|drawn] as a shade of grey.",
        "{^the_image} is [monochrome|of one band]: its only channel is {nir}.",
        "Nothing but {nir} values, drawn in grey, [fills|makes up] {the_image}.",
        "In {the_image}, [grey levels|shades of grey] [carry|hold] a single {nir} band.",
        "One band, the {nir}, is all that {the_image} [consists of|holds].",
        "Of all wavelengths, {the_image} [keeps|holds] the {nir} alone, as grey levels.",
        "{^the_image} holds a single {sar} channel of {size}, shown in grey.",
        "A single channel of {sar} echoes, [shown|drawn] in shades of grey, makes up {the_image}.",
        "Every pixel of {the_image} holds one {sar} value, [shown|drawn] as a shade of grey.",
        "{^the_image} is [monochrome|of one channel]: all that it holds is {sar} echoes.",
        "Nothing but {sar} echoes, drawn in grey, [fills|makes up] {the_image}.",
        "In {the_image}, [grey levels|shades of grey] [carry|stand for] a single channel of {sar} echoes.",
        "One channel of {sar} echoes is all that {the_image} [consists of|holds].",
        "From dark to bright, the greys of {the_image} [map|stand for] {sar} echoes of one channel.",
    ),
)

_ARRANGEMENT = (
    (
        "{^arranged}[|, as the boxes show|, going by the boxes|, to judge from the box centres].",
        "[Going by the boxes|As for the layout|In terms of position], {arranged}.",
        "[Looking at the layout|As to where things are], {arranged}.",
        "[Their place|Where they are]: {arranged}.",
        "[By box centres|To judge by the boxes|By position], {arranged}<; {spacing}>.",
        "[Within the frame|Over the frame], {arranged}<, and {spacing}>.",
        "{^arranged}; {spacing}.",
        "[As for spacing|In spacing], {spacing}; {arranged}.",
        "{^arranged}, and {spacing}.",
    ),
    (
        "{^top_dominates} {the_image}, [with {second} in second place|ahead of {second}|before {second}].",
        "{^top_takes} {ratio} [the area of|as much ground as] {second} in {the_image}.",
        "Ranked by [area|size], {the_image} has {top} first, {second} next<, then {third}>.",
        "In {the_image} the order by area is {top}, then {second}<, then {third}>.",
        "{^the_image} is mixed: even the largest class, {top}, stays at {top_share}.",
        "The smallest of the [mapped|listed] classes in {the_image} is {last}, with {last_share}.",
        "From the largest to the smaller parts, {the_image} goes from {top} to {second}< and on to {third}>.",
        "[Between them|Together], {top} and {second} form the main parts of {the_image}.",
        "In {the_image}, {touching}<, and {touching_too}>.",
        "The longest border [between classes|between covers] in {the_image} runs {between}.",
        "[As for neighbours|Side by side] in {the_image}: {hub}.",
        "{^hub}, as the class borders of {the_image} [show|have it].",
        "Along the class borders of {the_image}, {touching}[| more than anything else].",
        "Next to {top}, its largest part, {the_image} has {second} [as the second largest|in second place].",
    ),
    (
        "{^top_dominates} {the_image}[|, leaving little room for other classes|, from one side to the other].",
        "The only [mapped|listed] class in {the_image} is {sole}, with {top_portion} of the frame.",
    ),
    (
        "The label {sole_label} [applies to|holds for|covers] the full frame of {the_image}[, not to a part of it|].",
        "The frame of {the_image} is treated as one unit and labelled {sole_label} [throughout|as a whole].",
        "The frame of {the_image}, {size}, carries one label, {sole_label}, for its whole area.",
        "No part of {the_image} is set apart: the label {sole_label} stands for the whole frame.",
        "One label, {sole_label}, covers the frame of {the_image} [in full|from edge to edge].",
        "Everything in {the_image}, [edge to edge|corner to corner], comes under the label {sole_label}.",
        "{^the_image} is [labelled|classed] as one piece, not [corner by corner|pixel by pixel]: {sole_label}.",
        "[Corner to corner|Edge to edge|Across its full frame], {the_image} is labelled {sole_label}.",
        "No boundary is drawn in {the_image}; {sole_label} is the label of [the whole|all of it].",
        "{^the_image} is not divided any further: its one label is {sole_label}.",
        "All of {the_image}, {ground} of ground, [has|bears|shares] the label {sole_label}.",
        "The label {sole_label} of {the_image} [extends|reaches] over the whole of its {ground}.",
    ),
    (
        "{^the_image} [spans|stretches over|extends over] {extent} on the ground<, centred at {position}>.",
        "The frame of {the_image} is {shape}, and spans {extent} on the ground.",
        "On the ground, the frame of {the_image} measures {extent}<, centred at {position}>.",
        "{^the_image} has a footprint of {ground}<, centred at {position}>.",
        "The footprint of {the_image} [is|amounts to|comes to] {ground}<, around {position}>.",
        "[Across and down|In width and height|Edge to edge], {the_image} covers {ground} of ground.",
        "Measured on the ground, the frame of {the_image} [reaches over|extends over|takes in] {ground}.",
        "{^ground} of ground [fit into|lie within] the frame of {the_image}<, centred at {position}>.",
        "{^the_image} [takes in|maps|pictures] {ground} of ground[| in one frame]<, centred at {position}>.",
        "How much ground {the_image} shows: {ground}<, around {position}>.",
        "The sides of its frame put {the_image} at {ground} of ground.",
        "The ground that {the_image} [shows|covers] is {ground} in size<, with its centre at {position}>.",
        "On a map, {the_image} would [cover|take up] {ground}<, around {position}>.",
        "With pixels of {pixel}, the frame of {the_image} [comes to|adds up to] {ground}.",
        "Laid out on the ground, {the_image} measures {extent}<, each pixel spanning {pixel}>.",
        "The ground [under|inside] the frame of {the_image} measures {extent}<, around {position}>.",
    ),
    (
        "The frame of {the_image} is {shape}[| in the pixel grid].",
        "In outline, {the_image} is {shape}[| of its grid].",
        "{^the_image} is laid out [as a grid of|in] {grid}.",
        "[Rows and columns|The pixel grid] of {the_image}: {grid}.",
        "{^grid} [hold|carry|form] {the_image}.",
        "The [grid|layout] of {the_image} [has|counts] {grid}.",
        "As a [grid|raster], {the_image} has {grid}.",
        "{^the_image} [fills|takes up] a frame of {grid}.",
    ),
)

_CONDITIONS = (
    (
        "{^the_image} was {made} {conditions}<; {truth}>.",
        "{^made} {conditions}, {the_image} [shows|covers] {earth}.",
        "How {the_image} was {made}: {conditions}<; {truth}>.",
        "[As for how it was made|On the technical side], {the_image} was {made} {conditions}.",
        "Conditions of {the_image}: {made} {conditions}<; {truth}>.",
        "{^the_image} dates from {date}<, in {season},> and was {made} {zone}<!, {weather}>.",
        "{^the_image} comes from {platform}< and its {sensor} sensor>, {made} {on_date}< {at_gsd}><!, {weather}>.",
        "In {the_image}, black stands for {low_db} of backscatter and white for {high_db}<!, {weather}>.",
        "{^the_image}<!, {weather},> has samples that each stand for {gsd} on the ground"
        "<, resampled from {native}>; {truth}.",
        "{^the_image}, {made} {conditions}, is drawn on a grid with pixels of {drawn}.",
        "{^the_image} [keeps to|follows] a sampling of {gsd} on the ground<!, {weather}>; {truth}.",
        "[In|Over] {country}, {the_image} was {made} {conditions}.",
        "{^the_image} was {made} {view}<!, {sun}>< {at_gsd}><!, {weather}>.",
        "{^made} {sun}, {the_image} [shows|covers] {earth}<!, {weather}>; {truth}.",
        "The source of {the_image} has {clouds}<! and was {made} {view}><!, {weather}>.",
        "{^the_image} is {tone} overall, with {contrast}<!, {weather}>; {truth}.",
        "{^the_image} was {made} {conditions}, and is {tone} [overall|as a whole], with {contrast}.",
        "[Its tones|The tones] give {the_image} {median} and {contrast}<!, {weather}>.",
        "Most pixels in {the_image} lie {db_range} of backscatter<!, {weather}>.",
        "{^the_image} was {made} {month}<!, {weather}>; {truth}.",
        "{^valid} of the frame of {the_image} [holds|contains] valid data<!, {weather}>< {at_gsd}>.",
    ),
    (
        "Colours in {the_image} come from the {rgb} [bands|parts] of visible light.",
        "Only visible light, split into {rgb}, [enters|makes up] {the_image}.",
        "{^the_image} [renders|records] visible light in its {rgb} parts.",
        "What {the_image} [holds|measures] is light that the eye sees, in {rgb}.",
        "The {rgb} parts of the visible spectrum are what {the_image} [shows|records].",
        "{^the_image} was {made} in visible light, [separated|divided] into {rgb}.",
        "No light beyond the visible, only {rgb}, [went into|is part of] {the_image}.",
        "{^rgb}, as the eye sees them, are the bands of {the_image}; {truth}.",
        "Visible light [alone|and nothing else], in {rgb}, [makes|gives] the colours of {the_image}.",
        "Grey levels in {the_image} stand for {nir} reflectance, just beyond what the eye sees.",
        "Brighter pixels in {the_image} reflect more {nir} radiation than darker ones.",
        "{^the_image} [measures|maps] {nir} radiation, which [the eye does not see|lies just beyond visible light].",
        "What no eye sees, {nir} radiation, [sets|makes] the grey levels of {the_image}.",
        "The darker a pixel of {the_image}, the less {nir} radiation it [reflects|returns].",
        "{^the_image} was {made} in {nir} light; {truth}.",
        "{^nir} light [shapes|gives] every grey level of {the_image}; {truth}.",
        "As in {nir} images generally, healthy vegetation tends to look bright in {the_image}.",
        "Bright pixels in {the_image} stand for strong {sar} echoes, dark pixels for weak ones.",
        "Brightness in {the_image} is {sar} backscatter, which generally follows surface roughness and moisture.",
        "What {the_image} shows is how strongly the ground [returns|scatters back] {sar} pulses.",
        "The darker a pixel of {the_image}, the weaker its {sar} echo.",
        "{^the_image} was {made} [as|in the way of] a {sar} measurement; {truth}.",
        "{^sar} pulses and their echoes make the greys of {the_image}; {truth}.",
        "{^the_image} [records|maps] {sar} echoes, in which rough surfaces usually look bright.",
        "As a {sar} measurement, {the_image} [owes nothing to|does not depend on] daylight.",
    ),
)

_INTERPRETATION = (
    (
        "{^the_image} [could serve|may be used|is suited] for {use}[|, given what is labelled].",
        "[Given its labels|Going by what is labelled], {the_image} [suits|lends itself to] {use}.",
        "[Possible uses|Fitting uses] of {the_image} [are|include] {uses}.",
        "[One use|One task] that {the_image} could be put to is {use}.",
        "Work on {fields} could [draw on|make use of] {the_image}.",
        "At {gsd}, {detail} can usually be told apart, which makes {this_image} [of use|suitable] for {use}.",
        "Someone [interested in|concerned with] {fields} could [start from|work with] {the_image}.",
        "For {use}, {the_image} offers samples every {gsd}, at which {detail} usually stand out.",
        "What {the_image} shows [bears on|is relevant to|matters for] {field}[|, among other tasks].",
        "{^the_image} shows {no_place}; it [suits|is meant for|can be used for] {use}.",
        "As a stand-in for real data that shows {no_place}, {the_image} [suits|can be used for] {use}.",
    ),
    (
        "At {gsd}, {detail} can usually be told apart in {imagery} like {this_image}.",
        "The sampling of {gsd} means that {detail} usually stand out in {imagery} such as {this_image}.",
        "With samples every {gsd}, {this_image} is of the kind in which {detail} can usually be recognised.",
        "{^imagery} like {this_image}, at {gsd}, will usually [show|bring out] {detail}.",
        "Where samples lie {gsd} apart, as in {this_image}, {detail} can usually be [made out|seen].",
        "Readers of {this_image}, at {gsd}, can usually [tell apart|make out] {detail}.",
        "{^detail} can usually be [seen|found] at {gsd}, in {imagery} like {this_image}.",
        "With {gsd} between samples, {this_image} is fit for work in which {detail} usually matter.",
        "With its {rgb} bands, {this_image} can be read by eye, at a sampling of {gsd}.",
    ),
    (
        "{^this_image} could serve as [an example of|a sample of] {imagery} [for teaching|when testing methods].",
        "Methods that work on {imagery} could be [tried out|tested] on {this_image}.",
        "As a sample of {imagery}, {this_image} could be used to [compare|check] image-processing methods.",
        "{^imagery} such as {this_image} may help to [train|check|compare] [algorithms|methods|models].",
        "[Teachers|Students|Analysts] of remote sensing could use {this_image} as an example of {imagery}.",
        "Tests of [segmentation|compression|matching|retrieval] methods could [draw on|include] {this_image}.",
        "{^this_image} could [join|be part of] a collection of {imagery} for [teaching|testing|training].",
        "Those who [study|work with] {imagery} could [look at|start from] {this_image}.",
        "[A course|A tutorial|A lesson] on {imagery} could [begin with|make use of] {this_image}.",
        "For [a benchmark|a comparison|an experiment] with {imagery}, {this_image} could be one of the samples.",
        "{^sar} images like {this_image} are usually filtered for speckle before they are [measured|classified].",
        "{^nir} values like those of {this_image} usually help to set water apart from land.",
        "With its {rgb} bands, {this_image} can be [read|interpreted] by eye[|, much as a map is].",
        "Since radar generally sees through cloud, {sar} images like {this_image} are often used for monitoring.",
        "{^nir} values, as in {this_image}, are often combined with red ones to judge how green vegetation is.",
    ),
)

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
        "{^full_image}<!, {weather}><!; {labels}><!; {acquisition}><! {undated}><! {at_gsd}><!, {geometry}>"
        "<!; {location}>.",
    ),
    (
        "{^full_image} of {size}<! from {collection}><!, {acquisition}><! {undated}><! {at_gsd}>"
        "<!, {location}><!, {geometry}><!, {weather}><!; {labels}>.",
        "{^full_image}<! from {collection}> of {earth}, {size} in size<! at {gsd_m} GSD><!, {weather}><!; {labels}>.",
    ),
    (
        "{^full_image} at {gsd_m} GSD<!, {acquisition}><!, {whereabouts}><!, {weather}>; {labels}.",
        "{^full_image} of {content}<!, {gsd_m} GSD><!, {acquisition}><!, {whereabouts}><!, {weather}>.",
        "{^full_image}<!, {gsd_m} GSD><!, {acquisition}><!, {location}><!, {weather}>, {size} in size.",
    ),
    ("{^full_image} of {earth}, {size} in size<! {at_gsd}><!, {weather}>.",),
    ("{^full_image} of {earth}, {size} in size.",),
)


def parse_tiers(tiers: tuple[tuple[str, ...], ...]) -> Tiers:
    """Parse tiers of frames; each names the image."""
    for frame in (frame for tier in tiers for frame in tier):
        assert any(f"{{{name}}}" in frame or f"{{^{name}}}" in frame for name in _IMAGE_NAMES), (
            f"no image is named in {frame!r}"
        )
    return Tiers(tuple(tuple(parse_frame(frame, SLOTS) for frame in tier) for tier in tiers))


ENRICHED = parse_tiers(_ENRICHED)
"""Frames of prompts that name every known fact."""
TIERS: dict[Role, Tiers] = {
    Role.OVERVIEW: parse_tiers(_OVERVIEW),
    Role.COMPOSITION: parse_tiers(_COMPOSITION),
    Role.ARRANGEMENT: parse_tiers(_ARRANGEMENT),
    Role.CONDITIONS: parse_tiers(_CONDITIONS),
    Role.INTERPRETATION: parse_tiers(_INTERPRETATION),
}
