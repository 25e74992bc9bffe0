"""Sentence frames of the style `gaia`: five dense captions of up to two sentences, each with its own role.

The style is that which GAIA's prompt asks a model for (arXiv 2502.09598 and its published notebook): terms of remote
sensing, number, shape and position of what is there, month or season, geometry, brightness, platform and sensor, the
class of the spatial resolution, acronyms written out, no date, no coordinate, no talk of the picture's pixels. What is
mended: every caption has a role, so that no fact is said twice; nothing unknown is asked for; no caption begins with a
fixed prefix; the class of the spatial resolution has a definition (`earthloom.geo.levels.find_resolution_class`).
"""

from __future__ import annotations

from earthloom.caption.rules.frames import Role, Tiers, parse_tiers

_OVERVIEW = (
    (
        "{^expanded}<! {whereabouts}> [shows|depicts|presents] {content}<, {zone}>."
        "<! [The frame|Its frame] [spans|covers] {ground} on the ground.>",
        "{^expanded} of {content}<!, taken {whereabouts}>."
        "<! On the ground, its frame [measures|spans] {ground}<, {zone}>.>",
        "{^content}, [seen|shown|recorded] in {expanded}<! {whereabouts}>[|, viewed from above]"
        "<!; the frame [spans|covers] {ground} on the ground>.",
        "[In an overview|Seen as a whole], {expanded}<! {whereabouts}> [shows|contains] {content}<, {zone}>."
        "<! The ground in view measures {ground}.>",
        "[The main content|The subject] of {expanded}<! {whereabouts}> is {content}."
        "<! The area in view measures {ground}<, {zone}>.>",
        "{^content}: that is what {expanded}<! {whereabouts}> [shows|records]<, {zone}><, across {ground} of ground>.",
        "[Viewed|Observed|Seen] from above: {content}, in {expanded}<! {whereabouts}>"
        "<!, which [spans|takes in] {ground}>.",
        "{^expanded}<! {whereabouts}> [takes in|records|captures] {content}<, across {ground} of ground>.",
        "{^expanded}<! {whereabouts}> [shows|records|displays] {content}<! within {ground} of ground>.",
        "{^expanded}<! {whereabouts}> [has|takes] {content} [as its subject|for its subject]<, {zone}>.",
        "[This is|Here is] {expanded} of {content}<!, taken {whereabouts}><!; the ground in it measures {ground}>.",
        "What [one sees|is seen] from above is {content}, in {expanded}<! {whereabouts}><, across {ground} of ground>.",
        "{^expanded}<! {whereabouts}> [gives|offers] a view of {content}.<! Its frame reaches over {ground}.>",
        "[Looking down|Seen from above], {expanded}<! {whereabouts}> [depicts|displays] {content}< within {ground}>.",
    ),
    (
        "{^expanded} {whereabouts} [shows|depicts|presents] {earth}<, {zone}>."
        "<! [The frame|Its frame] [spans|covers] {ground} on the ground.>",
        "{^earth} [appears|is seen] in {expanded} {whereabouts}<, across {ground} of ground>.",
        "[Looking down from above|From above], {expanded} {whereabouts} [depicts|displays] {earth}< within {ground}>.",
        "[This is|Here is] {expanded} {whereabouts}<!; the ground in it measures {ground}><, {zone}>.",
        "{^whereabouts}, {expanded} [takes in|records|covers] {earth}.<! [It reaches over|Its frame covers] {ground}.>",
        "What [one sees|is seen] {whereabouts} is {earth}: {expanded}<! of {ground} of ground>.",
        "{^expanded} {whereabouts} [gives|offers] a view of {earth}.<! It reaches over {ground}<, {zone}>.>",
        "{^earth} [makes|forms] the subject of {expanded} {whereabouts}<!, which spans {ground}>.",
        "[Across|Within] {ground} of ground {whereabouts}, {expanded} [shows|records|displays] {earth}.",
    ),
    (
        "{^expanded} [shows|depicts|presents] {earth} [from above|in a view from above]< {zone}>."
        "<! [The frame|Its frame] [spans|covers] {ground} on the ground.>",
        "{^earth} [appears|is seen] from above in {expanded}<, across {ground} of ground><, {zone}>.",
        "[Viewed|Observed|Seen] from above: {earth}, [as|in the form of] {expanded}<! that spans {ground}>.",
        "[Across|Within] {ground} of ground, {expanded} [shows|records|displays] {earth} from above.",
        "[A view|A look] from above at {earth}, by way of {expanded}<! of {ground}>.",
        "From above, {earth} comes into view in {expanded}<!, {ground} in size>.",
        "{^expanded}, [looking down|from above], [covers|shows] {earth}<!, {ground} in all>.",
        "[This is|Here is] {expanded} of {earth}, seen from above<!; the ground in it measures {ground}>.",
        "What [one sees|is seen] from above is {earth}: {expanded}<! of {ground} of ground><, {zone}>.",
        "[Looking down from above|From above], {expanded} [depicts|displays] {earth}< within {ground}>.",
        "{^expanded} [gives|offers] a view of {earth} from above.<! It reaches over {ground}.>",
        "{^earth}, [looked at|observed] from above, [makes|forms] the subject of {expanded}<! of {ground}>.",
        "{^expanded} [takes in|records|looks down on] {earth}[|, as sensors see it from above]"
        "<, across {ground} of ground>.",
    ),
)

_COMPOSITION = (
    (
        "{^objects_are} [labelled|marked|annotated] in {the_image}<!; {box_length} on the longer side>."
        "<! [By area|In land cover], it is {share_list}.>",
        "{^the_image} [contains|holds|includes] {objects}<!, and {box_length} on the longer side>."
        "<! Its land cover is {share_list}.>",
        "[Labelled|Annotated] in {the_image}: {objects}<!; {box_length} on the longer side>.",
        "[In number|Counted], what is labelled in {the_image} comes to {objects}"
        "<!, and {box_length} on the longer side>.",
        "By its [labels|boxes], {the_image} has {objects}<; {box_length} on the longer side>.",
        "[Boxes in|The boxes of] {the_image} mark {objects}<!; {box_length} on the longer side>.",
        "[Counted by label|Going by the annotation], {the_image} has {objects}<!; {box_length} on the longer side>.",
        "[The annotation of|A count of labels in] {the_image} gives {objects}<!, and {box_length} on the longer side>.",
    ),
    (
        "[Land cover|The land cover] in {the_image} [includes|takes in] {mix_shares}."
        "<! {^top_covers} {ratio} the area of {second}.>",
        "{^top_takes} {top_portion} of {the_image}, and {second_takes} {second_portion}."
        "<! The smallest mapped class is {last}, with {last_share}.>",
        "By area, {the_image} is {share_list}.<! {^top_covers} {ratio} as much ground as {second}.>",
        "[Class shares|Area shares] in {the_image}: {mix_list}.<! The least common class is {last}.>",
        "[Measured by class|Broken down by class], {the_image} [comes to|is] {mix_shares}"
        "<!; {top_covers} {ratio} the ground of {second}>.",
        "The [land-cover mix|cover mix] of {the_image} holds {mix_list}.",
        "The only [mapped|listed] land cover in {the_image} is {sole}, [with|at] {top_portion} of the frame.",
        "{^top_takes} {top_portion} of {the_image}, [going by the class map|as mapped]"
        "<!; other parts are {rest_list}>.",
    ),
    (
        "{^the_image} [belongs to|is assigned to|falls under] the scene class {class_label}, taken as a whole.",
        "[By its label|According to its label], {the_image} [shows|presents] {in_class} as a scene type.",
        "[As a land-use type|As a scene type], {the_image} [is classed as|counts as] {class_label}.",
        "A single [thematic class|scene class], {sole_label}, [describes|stands for] {the_image}.",
        "[The annotation|The scene label] of {the_image} is {class_label}, for the whole of it.",
        "{^the_image} is an example of the thematic class {class_label}[|, as annotated].",
        "[Thematically|By theme], {the_image} [counts as|is] {class_label}; the label describes all of it.",
        "In terms of land use and land cover, {the_image} [falls under|goes by] {class_label}.",
        "{^the_image} shows {in_class}, [going by|to judge by] its scene label.",
        "{^the_image} is [cut from|a part of|a window of] a larger scene labelled {part_label}.",
        "The larger scene around {the_image} [bears|carries] the label {part_label}.",
    ),
    (
        "{^rgb} channels together [make up|form] {the_image}, each of them a band of visible light.",
        "{^the_image} [combines|is composed of] {rgb} bands, the parts of visible light.",
        "The colours of {the_image} are [mixed|built] from {rgb} channels.",
        "{^rgb}: these are the bands of which {the_image} [consists|is made up].",
        "{^the_image} is a [stack|composite] of {rgb} bands[| on one grid|, laid over each other].",
        "[Spectrally|In its spectrum], {the_image} [holds|covers] {rgb}, and nothing beyond visible light.",
        "Every point of {the_image} [joins|combines] one value each of {rgb} light.",
        "A single {nir} band, [shown|rendered] in shades of grey, makes up {the_image}.",
        "{^the_image} holds one {nir} band, [shown|rendered] as shades of grey.",
        "[Spectrally|In its spectrum], {the_image} [holds|covers] the {nir} alone.",
        "Nothing but {nir} values, drawn in grey, [fills|makes up] {the_image}.",
        "In {the_image}, [grey levels|shades of grey] [carry|hold] a single {nir} band.",
        "One band, the {nir}, is all that {the_image} [consists of|holds].",
        "A single channel of {sar} echoes, [shown|rendered] in shades of grey, makes up {the_image}.",
        "{^the_image} holds one {sar} channel, [shown|rendered] as shades of grey.",
        "Nothing but {sar} echoes, drawn in grey, [fills|makes up] {the_image}.",
        "In {the_image}, [grey levels|shades of grey] [carry|stand for] a single channel of {sar} echoes.",
        "One channel of {sar} echoes is all that {the_image} [consists of|holds].",
        "From dark to bright, the greys of {the_image} [map|stand for] {sar} echoes of one channel.",
    ),
)

_ARRANGEMENT = (
    (
        "{^arranged}<!; {spacing}>.<! {^touching}.>",
        "[As for position|In terms of layout], {arranged}<!, and {spacing}>.",
        "[By their boxes|To go by the boxes], {arranged}<!; {spacing}>.",
        "[Position|Location] in the frame: {arranged}<, and {spacing}>.",
        "{^arranged}[|, as marked|, going by the labels]<!, where {spacing}>.",
        "[Within the frame|Across the frame], {arranged}<!; {spacing}>.<! {^touching}.>",
    ),
    (
        "In {the_image}, {hub}<!; the longest border runs {between}>.",
        "In {the_image}, {touching}<!, while {touching_too}>.<! {^top_dominates} the frame.>",
        "{^top_dominates} {the_image}; {touching}<!, and {touching_too}>.",
        "The longest border in {the_image} runs {between}<!; {touching_too}>.",
        "[As for neighbours|As for adjacency], {hub} in {the_image}.",
        "[Spatially|In layout], {the_image} is marked by a border {between}<!; {touching_too}>.",
    ),
    (
        "{^top_dominates} {the_image}, [ahead of|before] {second}<! and {third}>.",
        "Ranked by [area|size], {the_image} has {top} first, {second} next<, then {third}>.",
        "{^the_image} is mixed: even the largest class, {top}, stays at {top_share}.",
        "[Between them|Together], {main_two} form the main parts of {the_image}<!, ahead of {third}>.",
        "From the largest to the smaller parts, {the_image} goes from {top} to {second}<! and on to {third}>.",
        "{^top_fills} {the_image}[ from one side to the other|, leaving little room for other classes].",
        "{^top_dominates} {the_image}, [taking|with] {top_portion} of [the frame|its area].",
    ),
    (
        "The [theme|class] {sole_label} [applies to|holds for|covers] the full frame of {the_image}.",
        "No part of {the_image} is set apart: {sole_label} stands for the whole frame.",
        "The frame of {the_image} is {outline}; the class {sole_label} fills it from edge to edge.",
        "[Across its full frame|From edge to edge], {the_image} is one unit with the class {sole_label}.",
        "[Spatially|In layout], {the_image} is not divided: {sole_label} [holds|applies] throughout.",
        "{^the_image}, {outline}, [is treated as one area|forms one area] of the class {sole_label}.",
        "No inner boundary divides {the_image}; the class {sole_label} [reaches|extends] over all of it.",
        "[Corner to corner|Side to side], {the_image} keeps to one class, {sole_label}.",
        "One class, {sole_label}, [spans|takes up] {the_image} [in full|as a whole|without a gap].",
    ),
    (
        "The frame [of|around] {the_image} is {outline}.",
        "In outline, {the_image} is {outline}.",
        "Of the layout of {the_image}, the frame alone is known: {outline}.",
        "[As a shape|Taken as a shape], {the_image} is {outline}.",
        "The [outer edges|outer limits] of {the_image} [form|make] a frame that is {outline}.",
        "{^the_image} is framed [plainly|in a plain way]: the frame is {outline}.",
        "Its frame [sets|gives] the shape of {the_image}: {outline}.",
        "[Judged|Going] by its frame, {the_image} is {outline}.",
        "[Edge to edge|From edge to edge], {the_image} [fills|takes up] one frame, {outline}.",
        "{^outline}: [this|such] is the frame [of|around] {the_image}.",
        "{^the_image} [fills|occupies] a frame that is {outline}.",
        "[The layout|The framing] of {the_image} is plain: the frame is {outline}.",
    ),
)

_CONDITIONS = (
    (
        "{^the_image} was {made} {observation}<!, with a {spatial} of {gsd_m}><!; the source image has {clouds}>.",
        "{^made} {observation}, {the_image} has a {spatial} of {gsd_m}.<! The source image has {clouds}.>",
        "[Sensing conditions|Conditions of sensing] of {the_image}: {made} {observation}<!, {spatial} ({gsd_m})>."
        "<! The source image has {clouds}.>",
        "[On the sensing side|As for its sensing], {the_image} was {made} {observation}<!; its {spatial} is {gsd_m}>"
        "<!, and the source image has {clouds}>.",
        "{^the_image}, {made} {observation}, [offers|reaches|has] a {spatial}, [that is|namely] {gsd_m}.",
        "[Data|Measurements] for {the_image} were {made} {as_sensed}<!; the {spatial} is {gsd_m}>.",
        "Samples every {gsd_m} give {the_image} a {spatial}; it was {made} {observation}.",
        "{^the_image} was {made} {observation}. [At|With] {gsd_m} between samples, it has a {spatial}.",
        "[How|In which way] {the_image} was {made}: {as_sensed}<!, with samples every {gsd_m} ({spatial})>.",
        "{^spatial}, {gsd_m} between samples, [marks|describes] {the_image}; it was {made} {observation}.",
        "{^the_image} is shown {added}, [laid over|added to] what was recorded<!; its {spatial} is {gsd_m}>.",
        "Ground samples {gsd_m} apart, {made} {as_sensed}, give {the_image} its {spatial}.",
        "[At|With] {gsd_m} to a sample, a {spatial}, {the_image} was {made} {observation}.",
        "{^made} {observation}, {the_image} is of {spatial}<!: {gsd_m} from sample to sample>.",
        "{^the_image} [shows|presents] the ground as {made} {as_sensed}<!; {gsd_m} to a sample is a {spatial}>.",
        "{^made} {observation}, {the_image} samples the ground every {gsd_m}, a {spatial}.",
        "{^the_image} was {made} {observation}; its {spatial} ({gsd_m}) usually [shows|reveals] {detail_too}.",
        "At {gsd_m}, a {spatial} that usually [brings out|shows] {detail_too}, {the_image} was {made} {observation}.",
        "{^detail_too} are what a {spatial} of {gsd_m} usually brings out; {the_image} was {made} {observation}.",
        "Detail in {the_image} is that of a {spatial}, {gsd_m}: usually {detail_too}. It was {made} {observation}.",
        "{^the_image} was {made} {observation}. A sample stands for {gsd_m}, which makes a {spatial}.",
        "For {the_image}, {made} {observation}, samples lie {gsd_m} apart: a {spatial}.",
        "{^the_image} [goes back to|rests on] data {made} {as_sensed}<!, whose {spatial} is {gsd_m}>.",
        "With a {spatial} of {gsd_m}, {the_image} was {made} {observation}<!; the source image has {clouds}>.",
        "The {spatial} of {the_image} [amounts to|is] {gsd_m}; it was {made} {observation}"
        "<!, from a source image with {clouds}>.",
    ),
    (
        "{^the_image} has a {spatial}: [samples lie|one sample stands for] {gsd_m}[ on the ground|].",
        "A {spatial} of {gsd_m} [characterises|is that of] {the_image}<!, resampled from {native}>.",
        "The {spatial} of {the_image} [means|comes to] {gsd_m} [between samples|from sample to sample] on the ground.",
        "Sampled every {gsd_m}, {the_image} [reaches|has] a {spatial}<!; the original had {native}>.",
        "With {gsd_m} [between samples|from sample to sample], {the_image} is of {spatial}.",
        "{^the_image} was {made} at a {spatial}, {gsd_m} [between samples|to a sample]; {truth}.",
        "One sample for every {gsd_m} of ground gives {the_image} a {spatial}.",
        "[As for detail|In its fineness], {the_image} has a {spatial}, with samples every {gsd_m}.",
        "In {the_image}, a {spatial} goes with [a sampling of|samples every] {gsd_m}; {truth}.",
        "{^made} at a {spatial}, {the_image} has [a sample|one sample] every {gsd_m}<!, resampled from {native}>.",
        "{^the_image} [belongs among|ranks with] data of {spatial}, at {gsd_m}; {truth}.",
    ),
    (
        "Only visible light, split into {rgb}, [enters|makes up] {the_image}, a passive measurement.",
        "{^the_image} [renders|records] visible light in its {rgb} parts, as passive sensors do.",
        "What {the_image} [holds|measures] is light that the eye sees, in {rgb}.",
        "The {rgb} parts of the visible spectrum are what {the_image} [shows|records].",
        "{^the_image} was {made} in visible light, [separated|divided] into {rgb}.",
        "No light beyond the visible, only {rgb}, [went into|is part of] {the_image}.",
        "Visible light [alone|and nothing else], in {rgb}, [makes|gives] the colours of {the_image}.",
        "Grey levels in {the_image} stand for {nir} reflectance, just beyond what the eye sees.",
        "Brighter pixels in {the_image} reflect more {nir} radiation than darker ones.",
        "{^the_image} [measures|maps] {nir} radiation, which [the eye does not see|lies just beyond visible light].",
        "What no eye sees, {nir} radiation, [sets|makes] the grey levels of {the_image}.",
        "The darker a pixel of {the_image}, the less {nir} radiation it [reflects|returns].",
        "Bright pixels in {the_image} stand for strong {sar} echoes, dark pixels for weak ones.",
        "What {the_image} shows is how strongly the ground [returns|scatters back] {sar} pulses.",
        "The darker a pixel of {the_image}, the weaker its {sar} echo.",
        "{^sar} pulses and their echoes make the greys of {the_image}.",
        "{^the_image} [records|maps] {sar} echoes, in which rough surfaces usually look bright.",
        "As a {sar} measurement, {the_image} [owes nothing to|does not depend on] daylight.",
    ),
)

_INTERPRETATION = (
    (
        "{^the_image} is {tone} overall, with {contrast}<! and {median}>. {^truth}.",
        "Tones in {the_image} are {tone} overall, with {contrast}. [It could serve for|It suits] {use}.",
        "[In brightness|Radiometrically], {the_image} is {tone}, with {contrast}<!; most pixels lie {db_range}>.",
        "{^the_image} has {median}, which makes for a {tone} impression with {contrast}. {^truth}.",
        "{^the_image} looks {tone}, with {contrast}, and [could support|lends itself to] {use}.",
        "{^the_image} has {median}; {truth}. [It suits|It can be used for] {use}.",
    ),
    (
        "{^the_image} [could serve|may be used|is suited] for {use}; {truth}.",
        "[Work on|Studies of] {fields} could draw on {the_image}; {truth}.",
        "What {the_image} shows [bears on|matters for|is relevant to] {field}; {truth}.",
        "{^the_image} shows {no_place} and suits {use}; {truth}.",
        "[Possible uses|Fitting uses] of {the_image} [are|include] {uses}; {truth}.",
        "{^use} is a task that {the_image} could [support|serve]; {truth}.",
        "For {use}, one could [turn to|draw on] {the_image}; {truth}.",
        "What is labelled in {the_image} [invites|suggests] {use}; {truth}.",
        "With what it shows, {the_image} [belongs in|fits] work on {field}; {truth}.",
        "[One use|A use] of {the_image} is {use}; {truth}.",
    ),
    (
        "In {kind} like {this_image}, {detail} can usually be told apart; {truth}.",
        "{^detail} can usually be [seen|found|recognised] in {kind} such as {this_image}.",
        "[Readers|Interpreters] of {kind} like {this_image} can usually [tell apart|make out] {detail}; {truth}.",
        "[What stands out|What can be told apart] in {kind} like {this_image} is usually {detail}.",
        "{^kind} such as {this_image} will usually [show|bring out] {detail}.",
        "With this sampling, {this_image} is of the kind in which {detail} can usually be recognised.",
    ),
    (
        "As a sample of {kind}, {this_image} could be used to [compare|check] image-processing methods.",
        "{^kind} such as {this_image} may help to [train|check|compare] [algorithms|methods|models]; {truth}.",
        "Analysts could use {this_image} as an example of {kind}; {truth}.",
        "Tests of [segmentation|compression|matching|retrieval] methods could include {this_image}; {truth}.",
        "{^this_image} could be part of a collection of {kind} for [teaching|testing|training]; {truth}.",
        "[A course|A tutorial|A lesson] on {kind} could [begin with|make use of] {this_image}; {truth}.",
        "{^this_image} could serve as [an example of|a sample of] {kind}; {truth}.",
        "Methods that work on {kind} could be [tried out|tested] on {this_image}; {truth}.",
    ),
)

GAIA: dict[Role, Tiers] = {
    Role.OVERVIEW: parse_tiers(_OVERVIEW),
    Role.COMPOSITION: parse_tiers(_COMPOSITION),
    Role.ARRANGEMENT: parse_tiers(_ARRANGEMENT),
    Role.CONDITIONS: parse_tiers(_CONDITIONS),
    Role.INTERPRETATION: parse_tiers(_INTERPRETATION),
}
