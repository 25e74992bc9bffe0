"""What figures are called and what they mean."""

from __future__ import annotations

from earthloom.core.markup import Html, element, join
from earthloom.evaluate.result import Result

_NAMES = {
    "fid": "FID",
    "fd": "Fréchet distance",
    "fid_infinity": "FID∞",
    "fd_infinity": "Fréchet distance∞",
    "kid": "KID",
    "kd": "Kernel distance",
    "cmmd": "CMMD",
    "is": "Inception Score",
    "precision": "Precision",
    "recall": "Recall",
    "density": "Density",
    "coverage": "Coverage",
    "clip_score": "CLIPScore",
    "ref_clip_score": "RefCLIPScore",
    "enl": "Equivalent number of looks",
    "looks_ratio": "Looks, of real",
    "mean_shift_db": "Shift of the mean",
    "std_ratio": "Spread, of real",
    "decibels_skewness": "Skewness of speckle in decibels",
    "correlation_of_means": "Correlation of means",
    "correlation_over_regression": "Correlation beyond a regression's",
    "cas": "Classification accuracy score",
    "cas_reverse": "Classification accuracy score, reversed",
    "copied": "Copied",
    "near_copies": "Near copies",
    "bleu_1": "BLEU-1",
    "bleu_2": "BLEU-2",
    "bleu_3": "BLEU-3",
    "bleu_4": "BLEU-4",
    "rouge_l": "ROUGE-L",
    "cider_d": "CIDEr-D",
    "meteor": "METEOR",
    "mean_recall": "mR",
    "to_text@1": "Picture to text, R@1",
    "to_text@5": "Picture to text, R@5",
    "to_text@10": "Picture to text, R@10",
    "to_text": "Picture to text",
    "to_picture@1": "Text to picture, R@1",
    "to_picture@5": "Text to picture, R@5",
    "to_picture@10": "Text to picture, R@10",
    "to_picture": "Text to picture",
    "zero_shot": "Zero-shot",
    "probe": "Linear probe",
    "acc1": "Accuracy",
    "acc5": "Accuracy, first five",
    "balanced_accuracy": "Balanced accuracy",
    "psnr": "PSNR",
    "ssim": "SSIM",
    "gmsd": "GMSD",
}
_MEANINGS = (
    (
        ("fid", "fd", "fid_infinity", "fd_infinity"),
        "Fréchet distance",
        "How far two clouds of features lie apart, each taken as a Gaussian: means and covariances. It is called "
        "FID only with Inception's published weights. It grows as pictures grow fewer, so it is read beside its "
        "floor; the value at infinity is what is left when that growth is taken out.",
    ),
    (
        ("kid", "kd", "cmmd"),
        "Kernel distance",
        "How far two clouds of features lie apart, without taking them as Gaussians. Unbiased, so it serves small"
        " sets, and may fall a little below zero.",
    ),
    (
        ("precision", "density"),
        "Precision and density",
        "How many generated pictures lie among real ones: low where they look wrong.",
    ),
    (
        ("recall", "coverage"),
        "Recall and coverage",
        "How many real pictures have generated ones near them: low where kinds of ground are never drawn.",
    ),
    (
        ("memory", "copied", "authentic", "nearest", "near_copies"),
        "Memorisation",
        "How near generated pictures lie to those that were learnt from, beside how near these lie to each other.",
    ),
    (
        ("clip_score", "ref_clip_score"),
        "CLIPScore",
        "How well a picture and its text go together in the eyes of a dual encoder. Values differ by encoder; "
        "what counts is the way from shuffled captions (null) to real pictures (ceiling).",
    ),
    (
        ("faithful", "asked"),
        "Faithfulness",
        "Whether a classifier that learnt from real pictures sees in a drawn one what its prompt asked for. The "
        "same on real pictures is the most to hope for.",
    ),
    (
        ("to_text", "to_picture", "mean_recall"),
        "Retrieval",
        "Share of queries that find something right among the first 1, 5 or 10. Ties count against the model.",
    ),
    (
        ("enl", "looks", "entropy", "mean_shift_db", "std_ratio", "decibels"),
        "Speckle",
        "The equivalent number of looks says how smooth radar's grain is: 1 for a single look, 4 to 5 for "
        "Sentinel-1's usual product. A picture that has far more was smoothed.",
    ),
    (
        ("correlation", "psnr", "ssim"),
        "Structure",
        "How alike a drawn picture and the true one of the same ground are, pixel by pixel or window by window. A "
        "linear regression from RGB is what drawn near infrared has to beat.",
    ),
    (
        ("bleu", "rouge", "cider", "meteor"),
        "Captions",
        "How many words and phrases a caption shares with those of people. CIDEr-D weighs rare phrases more and "
        "depends on the test set.",
    ),
    (
        ("cas",),
        "Classification accuracy score",
        "A classifier learns from generated pictures and is tested on real ones.",
    ),
    (
        ("acc1", "acc5", "balanced_accuracy", "zero_shot", "probe"),
        "Accuracy",
        "Share of pictures whose class is named first, or among the first five; balanced: every class counts "
        "alike.",
    ),
    (
        ("skill",),
        "Skill",
        "1: as near to real weather as real pictures are to each other; 0: as far as clear ones.",
    ),
)


def name_figure(name: str) -> str:
    """A name for people: `kid` is KID, `faithful:scene` is Faithful: scene."""
    first, colon, rest = name.partition(":")
    known = _NAMES.get(first)
    said = known or first.replace("_", " ").capitalize()
    return f"{said}: {rest.replace('_', ' ')}" if colon else said


def draw_glossary(result: Result) -> Html:
    """What the figures that there are mean."""
    there = {figure.name for figure in result.figures}
    entries = [
        element("div", element("dt", title), element("dd", text))
        for starts, title, text in _MEANINGS
        if any(name.startswith(starts) for name in there)
    ]
    return element("dl", entries, class_="meanings") if entries else join()
