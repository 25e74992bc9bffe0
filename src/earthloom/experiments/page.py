"""The answer as a page: the figures, what follows, and the way to the pages of all steps. No script, no network."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files

from earthloom.core.markup import Html, element, join
from earthloom.evaluate.page.frame import lay_out
from earthloom.experiments.answering import Answer
from earthloom.experiments.bars import draw_bars
from earthloom.experiments.config import Kind
from earthloom.experiments.summary import Done, ExperimentSummary
from earthloom.experiments.wording import write_difference, write_measured

_PAGES: dict[Kind, str] = {
    "build": "release/report.html",
    "train": "curve.png",
    "generate": "grid.png",
    "evaluate": "index.html",
}
"""What there is to look at in the folder of a step."""


def render_page(summary: ExperimentSummary) -> str:
    """The page; it links to what lies in the folders beside it."""
    settings = summary.experiment
    body = element(
        "main",
        element("p", f"Experiment {settings.experiment}, size {summary.size}", class_="eyebrow"),
        element("h1", settings.title),
        element("p", settings.question, class_="lead"),
        element("p", settings.about, class_="soft") if settings.about else "",
        [_draw_answer(each) for each in summary.answers],
        _draw_notes(summary),
        _draw_pictures(summary),
        _draw_steps(summary),
    )
    sheet = (files("earthloom.experiments") / "templates" / "experiment.css").read_text(encoding="utf-8")
    return lay_out(settings.title, body, sheet)


def _draw_answer(answer: Answer) -> Html:
    question = answer.question
    of = f", of {question.group}" if question.group else ""
    encoders = dict.fromkeys(each.figure.encoder for each in answer.measured if each.figure.encoder)
    by = f", by {', '.join(encoders)}" if encoders else ""
    return element(
        "section",
        element("h2", question.ask),
        element("p", f"{question.figure}{of}{by}", class_="soft"),
        draw_bars(answer.measured) or "",
        _draw_words(answer),
        class_="card",
    )


def _draw_words(answer: Answer) -> Html:
    unit = answer.measured[0].figure.unit
    outcomes = [
        element("p", write_difference(each, unit), class_=f"outcome {each.outcome.split()[0]}")
        for each in answer.differences
    ]
    told = [element("p", write_measured(each), class_="soft") for each in answer.measured]
    return join(outcomes, told)


def _draw_notes(summary: ExperimentSummary) -> Html:
    if not summary.notes:
        return join()
    rows = [element("li", note) for note in summary.notes]
    return element("section", element("h2", "To be read with it"), element("ul", rows), class_="card notes")


def _draw_pictures(summary: ExperimentSummary) -> Html:
    figures = [
        element(
            "figure",
            element("img", src=f"{step.name}/grid.png", alt=f"Pictures of {step.name} with their prompts"),
            element("figcaption", step.name),
        )
        for step in summary.steps
        if step.kind == "generate" and (summary.folder / step.name / "grid.png").is_file()
    ]
    return element("section", element("h2", "Drawn"), figures, class_="card") if figures else join()


def _draw_steps(summary: ExperimentSummary) -> Html:
    head = element("tr", [element("th", name, scope="col") for name in ("Step", "What", "To look at")])
    rows = [element("tr", list(_list_cells(step, summary))) for step in summary.steps]
    table = element("div", element("table", element("thead", head), element("tbody", rows)), class_="scroll")
    return element("section", element("h2", "Steps"), table, class_="card")


def _list_cells(step: Done, summary: ExperimentSummary) -> Iterator[Html]:
    page = f"{step.name}/{_PAGES[step.kind]}"
    yield element("td", step.name)
    yield element("td", step.kind)
    is_there = (summary.folder / page).is_file()
    yield element("td", element("a", page, href=page) if is_there else "–")
