"""A base checkpoint is tried before anything is computed: loaded for each kind of task, it reads one short example.

So what is wrong with it is said once, and at the beginning.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from crosswind.data.examples import ChoiceExample, Example, Kind, PairExample, QueryExample, SpanExample, TaggingExample
from crosswind.errors import UserError
from crosswind.run.job import PlannedJob
from crosswind.run.step import JSON, Step
from crosswind.steps.cells import CellParams, load_predictor
from crosswind.steps.embed import EMBED
from crosswind.steps.mine import MINE
from crosswind.steps.predict import PREDICT
from crosswind.steps.train import TRAIN, TrainParams
from crosswind.tasks.base import TASKS, classes

if TYPE_CHECKING:
    from crosswind.evaluate.predict import Predictor


def try_checkpoint(steps: Iterable[Step], context: Mapping[str, JSON]) -> None:
    """Try the base checkpoint for whatever these steps do with it; a `UserError` says what is wrong.

    On the CPU, whatever the steps compute on: a machine that only plans may have nothing else.
    """
    tried: set[object] = set()
    for step in steps:
        if step.kind in (PREDICT.name, MINE.name, EMBED.name) and "model" not in step.inputs:
            _try_cell(step, context, tried)
        elif step.kind == TRAIN.name and "encoder" not in step.inputs:
            _try_training(TRAIN.load(step.params), context, tried)


def _try_cell(step: Step, context: Mapping[str, JSON], tried: set[object]) -> None:
    params = replace(PREDICT.load(step.params), device="cpu", precision="fp32")
    task = TASKS[params.ref.task]
    name = (task.kind, classes(task), params.labels, params.pooling)
    if name in tried:
        return
    tried.add(name)
    job: PlannedJob[CellParams] = PlannedJob(step, params, {}, context)
    _read(load_predictor(job), context["encoder"])


def _try_training(params: TrainParams, context: Mapping[str, JSON], tried: set[object]) -> None:
    from crosswind.evaluate.predict import Predictor
    from crosswind.model.encoder import load_encoder
    from crosswind.model.heads import attach
    from crosswind.model.pooling import resolved_pooling
    from crosswind.train.masked import masked_lm

    masked = ("mlm",) if params.mlm is not None else ()
    wanted = {(head.kind, head.labels, params.training.classifier_pooling, params.pooling) for head in params.heads}
    if tried.issuperset({*wanted, *masked}):
        return
    tried |= {*wanted, *masked}
    encoder = load_encoder(context["encoder"], revision=context["revision"], trusted=bool(context.get("trusted")))
    if masked:
        masked_lm("mlm", encoder, [], max_length=16, seed=0)
    for kind, labels, pooled, pooling in sorted(wanted, key=str):
        head = attach(
            encoder,
            kind,
            labels or (("O",) if kind == "tagging" else ()),  # an open set of tags is not known yet
            seed=0,
            pooling=resolved_pooling(pooling, encoder.layers),
            classifier_pooling=pooled,
        )
        _read(Predictor(encoder, head), context["encoder"])


def _read(predictor: Predictor, name: str) -> None:
    kind = predictor.head.kind
    try:
        if kind == "query":
            predictor.embed(["One text."])
        else:
            predictor.predict([_short(kind)])
    except UserError:
        raise
    except Exception as error:  # whatever an architecture makes of a row
        from crosswind.model.foreign import first_line

        architecture = predictor.encoder.config.model_type
        raise UserError(
            f"{name!r} (architecture {architecture!r}) cannot be used for {kind} tasks ({first_line(error)})",
            where="encoder",
            hint="docs/architectures.md says what each kind of task can be done with",
        ) from error


def _short(kind: Kind) -> Example:
    shared = ("a short example", "", "en")
    match kind:
        case "pair":
            return PairExample(*shared, "One text.", "Another.")
        case "choice":
            return ChoiceExample(*shared, "One text.", "Why?", ("This.", "That."))
        case "tagging":
            return TaggingExample(*shared, ("One", "text"))
        case "span":
            return SpanExample(*shared, "What?", "One text.")
        case "query":
            return QueryExample(*shared, "One text.", ())
        case other:
            assert_never(other)
