"""What the kinds of steps behind a cell share: data, rewrites put back into it, the model with its head."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crosswind.data.examples import Dataset
from crosswind.data.source import Source
from crosswind.errors import UserError
from crosswind.run.job import Artifact, Job, PlannedJob, Worker
from crosswind.run.kinds import unsigned
from crosswind.steps.parameters import PoolingParams
from crosswind.tasks.base import TASKS, classes
from crosswind.tasks.refs import DataRef, library

if TYPE_CHECKING:
    from crosswind.evaluate.cuts import Cuts
    from crosswind.evaluate.predict import Predictor
    from crosswind.evaluate.purify import Purification
    from crosswind.model.encoder import Encoder
    from crosswind.model.filling import EncoderFiller
    from crosswind.model.heads import Head
    from crosswind.perturb.perturbed import PerturbedDataset

MODELS = 1  # models that a worker keeps
TABLE, ADDED = "rewrites.parquet", "added.parquet"  # the files of a rewrite
LAYER = "layer.json"  # the file of a choice of a layer
CORRECTS = "masked-lm that corrects"  # the part of a model that an input defence asks


@dataclass(frozen=True)
class CellParams:
    """What predicting and embedding read: the data, and how the model reads and pools it.

    `stride` is for span QA, `query_length` and `pooling` for retrieval; what pooling leaves out is the checkpoint's
    own. `labels` name the model's classes in the order of its outputs, instead of the names in its configuration.
    `purify` are the input defences (`evaluate/purify/`) that a text goes through before the model reads it, as they
    are written.
    """

    ref: DataRef = unsigned("results have columns for it")
    max_length: int = 128
    stride: int | None = None
    query_length: int | None = None
    pooling: PoolingParams | None = unsigned("the run signs what it comes to", None)
    precision: str = "fp32"
    device: str = "cpu"
    labels: tuple[str, ...] = ()
    purify: tuple[str, ...] = unsigned("results have a column for the defence", ())


class JobData:
    """The process's library as a job reads it: what reading noted becomes a note of the step."""

    def __init__(self, job: PlannedJob[Any]) -> None:
        self._job, self._library = job, library(job.world["data"])

    @property
    def source(self) -> Source:
        """Where the data come from."""
        return self._library.source

    def dataset(self, ref: DataRef) -> Dataset:
        """The data that a reference names; of made data, what the step that is the input of that name made."""
        if ref.made is not None:
            from crosswind.steps.translate import made_dataset

            return self._library.dataset(ref, made={ref.made: made_dataset(self._job.inputs[ref.made], ref)})
        dataset = self._library.dataset(ref)
        if isinstance(self._job, Job):
            for note in dataset.notes:
                self._job.note(note)
        return dataset


def dataset_of(job: PlannedJob[Any], ref: DataRef) -> Dataset:
    """The data that a reference names, as the job reads it."""
    return JobData(job).dataset(ref)


def perturbed(data: Dataset, rewrite: Artifact | None) -> PerturbedDataset:
    """The data with stored rewrites put back, which knows what they change; as it is without."""
    from crosswind.perturb.perturbed import PerturbedDataset

    if rewrite is None:
        return PerturbedDataset(data, ())
    import polars as pl

    from crosswind.perturb.replay import replay_dataset

    path = rewrite.path / ADDED
    added = pl.read_parquet(path) if path.exists() else None
    return replay_dataset(data, pl.read_parquet(rewrite.path / TABLE), added)


def purification_of(job: PlannedJob[Any], worker: Worker) -> Purification | None:
    """The job's input defences, prepared once while the worker keeps them; `None` without one.

    A masked language model that one of them asks is loaded for it; a job that runs notes if it shares weights with the
    model that reads.
    """
    from crosswind.evaluate.purify import Purification, parse_purifier

    names: tuple[str, ...] = job.params.purify
    if not names:
        return None
    models = {call.model: _filler(job, worker, call.model) for call in map(parse_purifier, names) if call.model}
    if isinstance(job, Job):
        _say_what_corrects(job, worker, models.values())
    scorers = {name: filler.scorer for name, filler in models.items()}
    return worker.get("purification", names, lambda: Purification(names, job.world.get("words"), scorers), most=2)


def _filler(job: PlannedJob[Any], worker: Worker, model: str) -> EncoderFiller:
    from crosswind.model.filling import EncoderFiller

    path = str(job.world["models"][model])
    return worker.get("masked-lm", path, lambda: EncoderFiller(path))


def _say_what_corrects(job: Job[Any], worker: Worker, models: Iterable[EncoderFiller]) -> None:
    """Note a model of an input defence that shares weights with the model that reads: it is wrong where that one is."""
    from crosswind.model.related import share_weights

    for filler in models:
        if share_weights(filler.encoder, predictor_of(job, worker).encoder):
            job.note(
                "The masked language model of the input defence shares its weights with the model that reads (one was "
                "fine-tuned from the other, or both from a third)."
            )


def differing(clean: Dataset, other: Dataset) -> PerturbedDataset:
    """A data set beside its clean one, of the same ids, which knows of which examples the texts differ."""
    from crosswind.data.examples import text_fields
    from crosswind.perturb.perturbed import Perturbed, PerturbedDataset
    from crosswind.perturb.pieces import New
    from crosswind.perturb.rewrite import Rewrite

    examples = []
    for before, after in zip(clean.examples, other.examples, strict=True):
        old, new = text_fields(before), text_fields(after)
        changed = {
            name: Rewrite((New(text),), len(old.get(name, ""))) for name, text in new.items() if old.get(name) != text
        }
        if not changed and old.keys() != new.keys():  # fewer words than before
            changed = {next(iter(new)): Rewrite((New(next(iter(new.values()))),), len(next(iter(old.values()))))}
        examples.append(Perturbed(after, changed))
    return PerturbedDataset(other, tuple(examples))


def model_name(job: PlannedJob[CellParams]) -> tuple[object, ...]:
    """What decides which model and head a job needs."""
    params = job.params
    model = job.step.inputs.get("model") or job.step.data.get("encoder")
    reading = (params.max_length, params.stride, params.precision, pooling_of(job), params.device, params.labels)
    return (model, params.ref.task, *reading)


def pooling_of(job: PlannedJob[Any]) -> PoolingParams | None:
    """How the job pools: as its parameters say, in the layer that its input `layer` chose, if it has one."""
    pooling: PoolingParams | None = job.params.pooling
    if "layer" not in job.inputs:
        return pooling
    chosen = json.loads((job.inputs["layer"].path / LAYER).read_text(encoding="utf-8"))["layer"]
    return replace(pooling or PoolingParams(), layer=chosen)


def predictor_of(job: PlannedJob[Any], worker: Worker) -> Predictor:
    """The job's model, with the head and the pooling that its task needs; loaded once while the worker keeps it."""
    predictor = worker.get("model", model_name(job), lambda: load_predictor(job), most=MODELS)
    predictor.set_query_length(job.params.query_length)
    return predictor


def record_hardware(job: Job[Any]) -> None:
    """Say in the manifest what the step computed with."""
    from crosswind.model.device import hardware_facts, torch_device

    job.fact("hardware", hardware_facts(torch_device(job.params.device, job.params.precision)))


def record_reading(job: Job[CellParams], predictor: Predictor, cuts: Cuts) -> None:
    """Sign how long rows and windows were and how classes were read; note both, and what was cut."""
    from crosswind.model.one_language import language_read

    asked, used = job.params.max_length, predictor.max_length
    if used < asked:
        job.sign("max_length", used)
        job.note(f"Rows have {used} tokens, all that the model has positions for; {asked} were asked for.")
    queries = job.params.query_length
    if queries is not None and predictor.query_length < queries:
        job.sign("query_length", predictor.query_length)
        job.note(queries_clipped("Queries have", predictor.query_length, queries))
    if predictor.head.kind == "span":
        job.sign("stride", predictor.stride)
    for text in predictor.head.notes:
        job.note(text)
    if (read_as := language_read(predictor.encoder)) is not None:
        value, text = read_as
        job.sign("language", value)
        job.note(text)
    classes_read = predictor.head.classes
    if classes_read is not None:
        for name, value in classes_read.signature.items():
            job.sign(name, value)
        for text in classes_read.notes:
            job.note(text)
    if cuts.note is not None:
        job.note(cuts.note)
    job.fact("cut", cuts.cut)


def queries_clipped(beginning: str, used: int, asked: int) -> str:
    """The note on queries that a model has no positions for."""
    return f"{beginning} {used} tokens, all that the model has positions for; {asked} were asked for."


def _pool_as_asked(encoder: Encoder, head: Head, asked: PoolingParams, where: str) -> None:
    from torch import nn

    from crosswind.model.pooling import resolved_pooling

    saved, pooling = head.pooling, resolved_pooling(asked, encoder.layers, head.pooling)
    assert saved is not None
    if head.notes:  # The checkpoint's own files say how it pools.
        last = encoder.layers  # what None stands for
        layer, saved_layer = (last if p.layer is None else p.layer for p in (pooling, saved))
        if (pooling.mode, layer) != (saved.mode, saved_layer):
            # Layers behind another pooling were trained for that one.
            head.module.dense = nn.Sequential()
            head.notes = ("The study's pooling stands in the place of the checkpoint's sentence-transformers files.",)
        elif asked.prefix is not None:
            head.notes = (head.notes[0], "The study's prefix stands in the place of the checkpoint's prompts.")
    head.pooling = pooling
    head.module.pooling = pooling  # type: ignore[assignment]
    if pooling.mode == "pooler" and "pooler" in encoder.fresh:
        raise UserError(
            "the encoder has no pooler, and nothing trains one",
            where=where,
            hint="pool by mean or cls, or train the task",
        )


def load_predictor(job: PlannedJob[CellParams]) -> Predictor:
    """The job's model, with the head and the pooling that its task needs; a `UserError` where it does not fit."""
    from crosswind.evaluate.predict import Predictor
    from crosswind.model.checkpoint import load_head
    from crosswind.model.device import torch_device, use_one_thread

    params = job.params
    use_one_thread()
    device = torch_device(params.device, params.precision)
    task = TASKS[params.ref.task]
    if "model" in job.inputs:
        source, revision = str(job.inputs["model"].path / "model"), None
    else:
        source, revision = job.world["encoder"], job.world["revision"]
    encoder, head = load_head(
        source,
        task.kind,
        classes(task),
        revision=revision,
        given=() if "model" in job.inputs else params.labels,
        trusted=bool(job.world.get("trusted")),
    )
    pooling = pooling_of(job)
    if task.kind == "query" and pooling is not None:
        _pool_as_asked(encoder, head, pooling, f"targets.tasks.{task.name}.pooling")
    return Predictor(
        encoder,
        head,
        max_length=params.max_length,
        stride=params.stride,
        precision=params.precision,
        device=device,
        unanswerable=task.unanswerable,
        labels=classes(task),
        name=f"model {job.inputs['model'].key[:16]}" if "model" in job.inputs else Path(source).name,
    )
