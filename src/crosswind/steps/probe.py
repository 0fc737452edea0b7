"""Models are tried before anything is computed.

The base checkpoint is loaded for each kind of task and reads one short example, and gives a gradient where an attack
asks for one. A model that alternatives or constraints need (a masked language model, an aligner, a sentence encoder)
does its work once. So what is wrong is said once, and at the beginning.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from crosswind.data.examples import (
    ChoiceExample,
    Example,
    Kind,
    PairExample,
    QueryExample,
    Span,
    SpanExample,
    TaggingExample,
)
from crosswind.errors import UserError
from crosswind.model.needed import loaded_model, model_use
from crosswind.run.job import PlannedJob
from crosswind.run.step import JSON, Step
from crosswind.steps.attack import ATTACK
from crosswind.steps.cells import CORRECTS, CellParams, load_predictor
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
        _try_helpers(step, context, tried)
        if step.kind in (PREDICT.name, MINE.name, EMBED.name) and "model" not in step.inputs:
            _try_cell(step, context, tried)
        elif step.kind == ATTACK.name and "model" not in step.inputs:
            _try_gradient(step, context, tried)
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


def _try_helpers(step: Step, context: Mapping[str, JSON], tried: set[object]) -> None:
    """Load the models that a step's alternatives and constraints need, and let each do its work once."""
    for name, value in step.data.items():
        source = context.get("roles", {}).get(f"{name} {value}")
        path = context["models"].get(source)
        role = name.removesuffix(" model")
        if path is None or (role, path) in tried:
            continue
        tried.add((role, path))
        model = loaded_model(role, path)
        if model_use(role) == "masked-lm":
            from crosswind.perturb.families.mlm import Blank

            model.fill([Blank("One text.", 4, 8, False)], 1)
            if role.startswith(CORRECTS):
                model.scorer.likelihoods([("One text.", 4, 8)], [["text"]])
        elif role == "aligner":
            model([(("One", "text"), ("Another",))])
        elif role == "similarity":
            model([("One text.", "Another.")])


def _try_gradient(step: Step, context: Mapping[str, JSON], tried: set[object]) -> None:
    """Ask the base checkpoint for one gradient, as an attack by gradients will."""
    from crosswind.attack.gradient import loss_gradients
    from crosswind.attack.recipe import parse_recipe
    from crosswind.attack.victim import ModelVictim
    from crosswind.evaluate.metrics.base import METRICS

    params = ATTACK.load(step.params)
    task = TASKS[params.ref.task]
    name = ("gradient", task.kind, classes(task), params.labels)
    if parse_recipe(params.recipe).declaration.access != "gradient" or task.kind == "query" or name in tried:
        return
    tried.add(name)
    job: PlannedJob[CellParams] = PlannedJob(step, replace(params, device="cpu", precision="fp32"), {}, context)
    loss_gradients(ModelVictim(load_predictor(job), METRICS[params.metric]), [_short(task.kind)])


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
            return PairExample(*shared, "One text.", "Another.", 0)
        case "choice":
            return ChoiceExample(*shared, "One text.", "Why?", ("This.", "That."), 0)
        case "tagging":
            return TaggingExample(*shared, ("One", "text"), ("O", "O"))
        case "span":
            return SpanExample(*shared, "What?", "One text.", (Span(0, 3),))
        case "query":
            return QueryExample(*shared, "One text.", ())
        case other:
            assert_never(other)
