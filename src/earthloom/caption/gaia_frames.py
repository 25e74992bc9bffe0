"""Sentence frames of the style `gaia`: five dense captions of up to two sentences, each with its own role.

The style is that which GAIA's prompt asks a model for (arXiv 2502.09598 and its published notebook): terms of remote
sensing, number, shape and position of what is there, month or season, geometry, brightness, platform and sensor, the
class of the spatial resolution, acronyms written out, no date, no coordinate, no talk of the picture's pixels. What is
mended: every caption has a role, so that no fact is said twice; nothing unknown is asked for; no caption begins with a
fixed prefix; the class of the spatial resolution has a definition (`earthloom.geo.levels.find_resolution_class`).
"""

from __future__ import annotations

from earthloom.caption.frames import Role, Tiers, parse_tiers

_OVERVIEW = (
    (
        "{^expanded} [shows|depicts|presents] {content}<! {whereabouts}><!, {zone}>."
        "<! [The frame|Its frame] [spans|covers] {ground} on the ground.>",
        "{^expanded} of {content}<! {whereabouts}>.<! On the ground it [measures|spans] {ground}><!, {zone}>.",
        "{^content}<! {whereabouts}> [appear|are seen] in {expanded}[|, viewed from above]"
        "<!, which [spans|covers] {ground} on the ground>.",
        "[In an overview|Seen as a whole], {expanded}<! {whereabouts}> [shows|contains] {content}<!, {zone}>."
        "<! The ground in view measures {ground}.>",
        "[The main content|The subject] of {expanded}<! {whereabouts}> is {content}."
        "<! The area in view measures {ground}><!, {zone}>.",
        "{^content}: [so|thus] reads {expanded}<! {whereabouts}><!, {zone}><!, across {ground} of ground>.",
        "[Viewed|Observed|Seen] from above<! {whereabouts}>: {content}, in {expanded}"
        "<! that [spans|takes in] {ground}>.",
        "{^expanded} [takes in|records|captures] {content}<!, across {ground} of ground><! {whereabouts}>.",
    ),
    (
        "{^expanded} [shows|depicts|presents] {earth} {whereabouts}<!, {zone}>."
        "<! [The frame|Its frame] [spans|covers] {ground} on the ground.>",
        "{^earth} {whereabouts} [appears|is seen] in {expanded}<!, across {ground} of ground>.",
    ),
    (
        "{^expanded} [shows|depicts|presents] {earth} [from above|in a view from above]<! {zone}>."
        "<! [The frame|Its frame] [spans|covers] {ground} on the ground.>",
        "{^earth} [appears|is seen] from above in {expanded}<!, across {ground} of ground><!, {zone}>.",
        "[Viewed|Observed|Seen] from above: {earth}, [as|in the form of] {expanded}<! that spans {ground}>.",
        "{^expanded} [takes in|records|looks down on] {earth}[|, as sensors see it from above]"
        "<!, across {ground} of ground>.",
    ),
)

_COMPOSITION = (
    (
        "{^objects_are} [labelled|marked|annotated] in {the_image}<!; {box_length} on the longer side>."
        "<! [By area|In land cover], it is {share_list}.>",
        "{^the_image} [contains|holds|includes] {objects}<!, and {box_length} on the longer side>."
        "<! Its land cover is {share_list}.>",
        "[Counted by label|Going by the annotation], {the_image} has {objects}<!; {box_length} on the longer side>.",
        "[The annotation|The count] of {the_image} gives {objects}<!, and {box_length} on the longer side>.",
    ),
    (
        "[Land cover|The land cover] in {the_image} [consists of|breaks down into] {mix_shares}."
        "<! {^top_takes} {ratio} the area of {second}.>",
        "{^top_takes} {top_portion} of {the_image}, {second_takes} {second_portion}."
        "<! The smallest mapped class is {last}, with {last_share}.>",
        "By area, {the_image} is {share_list}.<! {^top_takes} {ratio} as much ground as {second}.>",
        "[Class shares|Area shares] in {the_image}: {mix_list}.<! The least common class is {last}.>",
        "[Measured by class|Broken down by class], {the_image} [comes to|is] {mix_shares}"
        "<!; {top_takes} {ratio} the ground of {second}>.",
        "The [land-cover mosaic|cover mosaic] of {the_image} holds {mix_list}.",
        "The only [mapped|listed] land cover in {the_image} is {sole}, [with|at] {top_portion} of the frame.",
        "{^top_takes} {top_portion} of {the_image}, [going by the class map|as mapped]"
        "<!; {rest_list} [make up|form] other parts>.",
    ),
    (
        "{^the_image} [belongs to|is assigned to|falls under] the scene class {class_label}, taken as a whole.",
        "[By its label|According to its label], {the_image} [shows|presents] {in_class} as a scene type.",
        "[As a land-use type|As a scene type], {the_image} [is classed as|counts as] {class_label}.",
        "A single [thematic class|scene class], {class_label}, [describes|stands for] {the_image}.",
        "[The annotation|The scene label] of {the_image} is {class_label}, [one class for all of it|for the whole].",
        "{^the_image} is [cut from|a part of|a window of] a larger scene labelled {part_label}.",
        "The larger scene around {the_image} [bears|carries] the label {part_label}.",
    ),
    (
        "{^rgb} channels together [make up|form] {the_image}, each of them a band of visible light.",
        "{^the_image} [combines|is composed of] {rgb} bands, the three parts of visible light.",
        "A single {nir} band, [shown|rendered] in shades of grey, makes up {the_image}.",
        "{^the_image} holds one {nir} band, [shown|rendered] as shades of grey.",
        "A single channel of {sar} echoes, [shown|rendered] in shades of grey, makes up {the_image}.",
        "{^the_image} holds one {sar} channel, [shown|rendered] as shades of grey.",
    ),
)

_ARRANGEMENT = (
    (
        "{^arranged}<!; {spacing}>.<! {^touching}.>",
        "[As for position|In terms of layout], {arranged}<!, and {spacing}>.",
        "[Within the frame|Across the frame], {arranged}<!; {spacing}>.<! {^touching}.>",
    ),
    (
        "In {the_image}, {hub}<!; the longest border runs {between}>.",
        "In {the_image}, {touching}<!, while {touching_too}>.<! {^top_dominates} the whole.>",
        "{^top_dominates} {the_image}; {touching}<!, and {touching_too}>.",
        "The longest border in {the_image} runs {between}<!; {touching_too}>.",
        "[As for neighbours|As for adjacency], {hub} in {the_image}.",
        "[Spatially|In layout], {the_image} is marked by a border {between}<!; {touching_too}>.",
    ),
    (
        "{^top_dominates} {the_image}, [ahead of|before] {second}<! and {third}>.",
        "Ranked by [area|size], {the_image} has {top} first, {second} next<, then {third}>.",
        "{^the_image} is mixed: even the largest class, {top}, stays at {top_share}.",
        "[Between them|Together], {top} and {second} form the main parts of {the_image}<!, ahead of {third}>.",
        "From the largest to the smaller parts, {the_image} goes from {top} to {second}<! and on to {third}>.",
        "{^top_dominates} {the_image}[ from one side to the other|, leaving little room for other classes].",
    ),
    (
        "The [theme|class] {class_label} [applies to|holds for|covers] the full frame of {the_image}.",
        "No part of {the_image} is set apart: {class_label} stands for the whole frame.",
        "The frame of {the_image} is {outline}; the class {class_label} fills it from edge to edge.",
        "[Across its full frame|From edge to edge], {the_image} is one unit with the class {class_label}.",
    ),
    (
        "The frame of {the_image} is {outline}[, seen from above|] and has one scale [throughout|across its width].",
        "In outline, {the_image} is {outline}[, without a marked-off part|, with no part set apart].",
        "{^the_image} [fills|occupies] a frame that is {outline}.",
        "[The layout|The framing] of {the_image} is plain: the frame is {outline}.",
    ),
)

_CONDITIONS = (
    (
        "{^the_image} was {made} {observation}<!, with a {spatial} of {gsd_m}><!; the source image has {clouds}>.",
        "{^made} {observation}, {the_image} has [a known origin|a documented origin]<! and a {spatial} of {gsd_m}>."
        "<! The source image has {clouds}.>",
        "[Sensing conditions|Conditions of sensing] of {the_image}: {made} {observation}<!, {spatial} ({gsd_m})>."
        "<! The source image has {clouds}.>",
        "[On the sensing side|As for its sensing], {the_image} was {made} {observation}<!; its {spatial} is {gsd_m}>"
        "<!, and the source image has {clouds}>.",
        "With a {spatial} of {gsd_m}, {the_image} was {made} {observation}<!; the source image has {clouds}>.",
        "The {spatial} of {the_image} [amounts to|is] {gsd_m}; it was {made} {observation}"
        "<!, from a source image with {clouds}>.",
    ),
    (
        "{^the_image} has a {spatial}: [samples lie|one sample stands for] {gsd_m}[ on the ground|].",
        "A {spatial} of {gsd_m} [characterises|is that of] {the_image}<!, resampled from {native}>.",
        "The {spatial} of {the_image} [means|comes to] {gsd_m} [between samples|from sample to sample] on the ground.",
        "Sampled every {gsd_m}, {the_image} [reaches|has] a {spatial}<!; the original had {native}>.",
    ),
    (
        "Only visible light, split into {rgb}, [enters|makes up] {the_image}, a passive measurement.",
        "{^the_image} [renders|records] visible light in its {rgb} parts, as passive sensors do.",
        "Grey levels in {the_image} stand for {nir} reflectance, just beyond what the eye sees.",
        "Brighter pixels in {the_image} reflect more {nir} radiation than darker ones.",
        "Bright pixels in {the_image} stand for strong {sar} echoes, dark pixels for weak ones.",
        "As a {sar} measurement, {the_image} [owes nothing to|does not depend on] daylight.",
    ),
)

_INTERPRETATION = (
    (
        "{^the_image} is {tone} overall, with {contrast}<! and {median}>. {^truth}.",
        "Tones in {the_image} are {tone} overall, with {contrast}. [It could serve for|It suits] {use}.",
        "[In brightness|Radiometrically], {the_image} is {tone}, with {contrast}<!; most pixels lie {db_range}>.",
        "{^the_image} has {median}, [a|which makes a] {tone} [picture|impression] with {contrast}. {^truth}.",
        "{^the_image} looks {tone}, with {contrast}, and [could support|lends itself to] {use}.",
        "{^the_image} has {median}; {truth}. [It suits|It can be used for] {use}.",
    ),
    (
        "{^the_image} [could serve|may be used|is suited] for {use}; {truth}.",
        "[Work on|Studies of] {fields} could draw on {the_image}; {truth}.",
        "For {use}, {detail} can usually be told apart in {imagery} like {this_image}.",
        "What {the_image} shows [bears on|matters for|is relevant to] {field}; {truth}.",
        "{^the_image} shows {no_place} and suits {use}; {truth}.",
        "[Possible uses|Fitting uses] of {the_image} [are|include] {uses}; {truth}.",
        "[One use|A use] of {the_image} is {use}, [since|given that] {truth}.",
    ),
    (
        "In {imagery} like {this_image}, {detail} can usually be told apart; {truth}.",
        "{^imagery} such as {this_image} will usually [show|bring out] {detail}.",
        "With this sampling, {this_image} is of the kind in which {detail} can usually be recognised.",
    ),
    (
        "As a sample of {imagery}, {this_image} could be used to [compare|check] image-processing methods.",
        "{^this_image} could serve as [an example of|a sample of] {imagery}; {truth}.",
        "Methods that work on {imagery} could be [tried out|tested] on {this_image}; {truth}.",
    ),
)

GAIA: dict[Role, Tiers] = {
    Role.OVERVIEW: parse_tiers(_OVERVIEW),
    Role.COMPOSITION: parse_tiers(_COMPOSITION),
    Role.ARRANGEMENT: parse_tiers(_ARRANGEMENT),
    Role.CONDITIONS: parse_tiers(_CONDITIONS),
    Role.INTERPRETATION: parse_tiers(_INTERPRETATION),
}
