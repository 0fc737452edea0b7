"""Translate-test of answers and entities: what a model predicted in a translation, in the text that was translated.

As MLQA's baseline does it (Lewis et al. 2020, section 4): the text as it is judged, with its own gold, and answers that
nothing carries back count as none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from crosswind.data.examples import Example, Span, SpanExample, TaggingExample
from crosswind.evaluate.predictions import Prediction
from crosswind.prepare.project import CarriedBack, LinkedWords, tags_back
from crosswind.run.job import Job
from crosswind.steps.cells import CellParams, dataset_of, perturbed
from crosswind.steps.translate import MADE, TRANSLATE, links_by_example
from crosswind.tasks.base import TASKS


def carries_back(params: CellParams) -> bool:
    """Whether predictions are places in a translation of the text that is judged."""
    return params.ref.made is not None and TASKS[params.ref.task].kind in ("span", "tagging")


def in_original(job: Job[CellParams], predictions: Sequence[Prediction]) -> list[Prediction]:
    """The predictions of a translated test set as predictions of the original one, in the same order.

    Signs how they were carried back; notes and records how many could not be.
    """
    translation = job.inputs[MADE]
    by_lexicon = TRANSLATE.load(translation.params).by == "lexicon"
    ref = replace(job.params.ref, made=None)
    name = ref.name
    if by_lexicon and TASKS[job.params.ref.task].kind == "tagging":
        job.sign("carried back", "word by word")
        job.note(f"{name}: tags are predicted for the translation, which has word for word those of the text.")
        return list(predictions)
    original: Sequence[Example] = perturbed(dataset_of(job, ref), job.inputs.get("rewrite")).dataset.examples
    links = links_by_example(str(translation.path))
    counts = CarriedBack()
    carried = [
        _carried(example, prediction, links[example.id], counts)
        for example, prediction in zip(original, predictions, strict=True)
    ]
    by = "word by word" if by_lexicon else "by the word aligner"
    job.sign("carried back", by)
    job.fact("carried back", {"predicted": counts.predicted, "lost": counts.lost})
    what = "answers" if TASKS[ref.task].kind == "span" else "entities"
    job.note(f"{name}: {counts.note(what, by)}")
    return carried


def _carried(example: Example, prediction: Prediction, links: LinkedWords, counts: CarriedBack) -> Prediction:
    match example:
        case TaggingExample():
            return {**prediction, "tags": list(tags_back(links, prediction["tags"], counts, example.id))}
        case SpanExample():
            if prediction["end"] <= prediction["start"]:
                return prediction  # no answer is none in any language
            counts.predicted += 1
            span = links.back(Span(prediction["start"], prediction["end"]))
            if span is None:
                counts.lose(example.id)
                return {**prediction, "text": "", "start": 0, "end": 0}
            text = example.context[span.start : span.end]
            return {**prediction, "text": text, "start": span.start, "end": span.end}
        case _:
            raise ValueError("only answers and entities are carried back")
