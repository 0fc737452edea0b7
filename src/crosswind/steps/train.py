"""`train`: a phase, from an encoder to an encoder, or to a model with the target's head.

Inputs: `encoder`, the step that made the encoder (without it: the base checkpoint, whose fingerprint is in the data).
Writes `model/` (a plain checkpoint), with `average` also `averaged/`, and `training.json`
 (steps, losses, scores); keeps checkpoints meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from crosswind.data.examples import Example, Kind, Pool, Rows, TaggingExample
from crosswind.errors import UserError
from crosswind.run.job import Job, Worker
from crosswind.run.kinds import StepKind, device_needs, unsigned
from crosswind.steps.average import AVERAGED_FOLDER
from crosswind.steps.cells import JobData, perturbed, queries_clipped
from crosswind.steps.parameters import PoolingParams, SamplingParams, examples_of, tokens_of
from crosswind.tasks.base import CORPORA, TASKS, Task
from crosswind.tasks.load import load_text
from crosswind.tasks.refs import DataRef
from crosswind.train.budget import Budget
from crosswind.train.settings import Training

if TYPE_CHECKING:
    from crosswind.model.encoder import Encoder
    from crosswind.model.heads import Head
    from crosswind.perturb.perturbation import Environment
    from crosswind.train.augment import Augmentation, Augmented
    from crosswind.train.loop import History
    from crosswind.train.mined import MinedExamples
    from crosswind.train.objective import Objective
    from crosswind.train.objectives import RetrievalObjective, TaskObjective

CHECKPOINT_SECONDS = 60.0
_HOW = "it says how a model was made, which is what scores compare"


@dataclass(frozen=True)
class HeadParams:
    """One task of a phase: a head, and the data that it is trained on."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    data: tuple[DataRef, ...]

    def fits(self, task: Task) -> bool:
        """Whether the head can go on with a task: its kind, and what it tells apart."""
        from crosswind.tasks.base import classes

        return self.kind == task.kind and self.labels == classes(task)


@dataclass(frozen=True)
class MlmParams:
    """Masked LM beside the tasks: corpora as (name, languages, rows), its share of the steps, TLM's of its lines."""

    corpora: tuple[tuple[str, tuple[str, ...], str | None], ...]
    share: float
    tlm: float


@dataclass(frozen=True)
class RobustParams:
    """A method of robust training (`train/robust/`) with all its settings."""

    name: str
    settings: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class SubwordParams:
    """A method of subword regularisation (`train/subwords/`) with all its settings."""

    name: str
    settings: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class AugmentParams:
    """Noise on a share of the examples: identity and severity of each perturbation of the spec (`train/augment.py`)."""

    perturbation: tuple[tuple[str, float], ...]
    share: float
    pick: int | None = None


@dataclass(frozen=True)
class MinedParams:
    """What an attack, the input `role`, made of training data, and how often it stands in their place."""

    role: str
    ref: DataRef
    share: float


_DEFENCE = "results have a column for the defence"


@dataclass(frozen=True)
class TrainParams:
    """A phase ready to run. `output` is the encoder alone, or the model with the (only) head."""

    seed: int = unsigned("pipeline seeds are compared and averaged")
    training: Training = Training()
    heads: tuple[HeadParams, ...] = unsigned(_HOW, ())
    mlm: MlmParams | None = unsigned(_HOW, None)
    budget: Budget = unsigned(_HOW, Budget(epochs=1))
    sampling: SamplingParams = unsigned(_HOW, SamplingParams())
    select: tuple[DataRef, ...] = unsigned("results have a column for it", ())
    output: Literal["encoder", "head"] = unsigned("only models with a head are scored as such", "encoder")
    carry_head: bool = unsigned(_HOW, False)
    pooling: PoolingParams | None = unsigned("the scored model's own pooling is signed", None)
    device: str = "cpu"
    robust: RobustParams | None = unsigned(_DEFENCE, None)
    augment: tuple[AugmentParams, ...] = unsigned(_DEFENCE, ())
    subwords: SubwordParams | None = unsigned(_DEFENCE, None)
    mined: tuple[MinedParams, ...] = unsigned(_DEFENCE, ())
    average: int = unsigned("results have a column for it", 0)


@dataclass(frozen=True)
class _Parts:
    """What a phase trains: encoder, heads by name, sources with their shares, and the steps."""

    encoder: Encoder
    heads: dict[str, Head]
    sources: list[Objective]
    shares: list[float]
    steps: int


def _run(job: Job[TrainParams], worker: Worker) -> str:
    from crosswind.model.device import hardware_facts, torch_device, use_one_thread
    from crosswind.train.loop import train
    from crosswind.train.phase import frozen_parameters, modules_of

    params = job.params
    use_one_thread()
    device = torch_device(params.device, params.training.precision)
    job.fact("hardware", hardware_facts(device))
    asked = params.training.length(h.kind for h in params.heads)
    data = JobData(job)
    encoder, carried = _start(job)
    if encoder.max_positions < asked:
        used = encoder.max_positions
        job.sign("max_length", used)
        job.note(f"Training read {used} tokens a row, all that the model has positions for; {asked} were asked for.")
    queries = params.training.query_length
    if queries is not None and encoder.max_positions < queries:
        job.note(queries_clipped("Training read queries of", encoder.max_positions, queries))
    augment = _augmentations(job)
    parts = _parts(params, data, encoder, carried, _Anew(augment, _mined(job, data)))
    every = params.training.evaluate_every or max(parts.steps, 1)
    _require_checkpoints(job, -(-parts.steps // every), parts.steps)
    robust = params.robust
    history = train(
        modules_of(encoder, parts.heads),
        parts.sources,
        parts.shares,
        parts.steps,
        params.training,
        seed=params.seed,
        device=device,
        frozen=frozen_parameters(encoder, params.training.freeze),
        robust=(robust.name, dict(robust.settings)) if robust is not None else None,
        score=_scorer(params, data, parts, device),
        average=params.average,
        folder=job.partial,
        interval=CHECKPOINT_SECONDS,
        advance=job.report,
    )
    _save(job, parts, history)
    if params.average:
        _save_average(job, parts, history)
    best = max((score for _, score in history.scores), default=None)
    return f"loss {history.losses[-1][1]:.3f}" + (f", best dev {best:.1f}" if best is not None else "")


def _start(job: Job[TrainParams]) -> tuple[Encoder, Head | None]:
    """The encoder that the phase begins with, and the head that a target chain carries on."""
    from crosswind.model.checkpoint import load_head
    from crosswind.model.encoder import load_encoder

    seed, trusted = job.params.seed, bool(job.world.get("trusted"))
    if "encoder" not in job.inputs:
        return load_encoder(job.world["encoder"], seed=seed, revision=job.world["revision"], trusted=trusted), None
    folder = str(job.inputs["encoder"].path / "model")
    if not job.params.carry_head:
        return load_encoder(folder, seed=seed, trusted=trusted), None
    head = job.params.heads[0]
    return load_head(folder, head.kind, head.labels, trusted=trusted)


@dataclass(frozen=True)
class _Augment:
    """The augmentations of a phase, and the lexicons that they may need."""

    augmentations: tuple[Augmentation, ...]
    environment: Environment


@dataclass(frozen=True)
class _Anew:
    """What is drawn anew in every epoch."""

    augment: _Augment | None
    mined: tuple[MinedExamples, ...]


def _mined(job: Job[TrainParams], data: JobData) -> tuple[MinedExamples, ...]:
    """The examples that attacks made worse, by language and id; how many there are is noted."""
    import polars as pl

    from crosswind.steps.attack import OUTCOMES
    from crosswind.train.mined import MinedExamples

    made = []
    for part in job.params.mined:
        attack = job.inputs[part.role]
        outcomes = pl.read_parquet(attack.path / OUTCOMES)
        worse = set(outcomes.filter(pl.col("right") < pl.col("clean_right"))["id"])
        changed = perturbed(data.dataset(part.ref), attack)
        versions = {
            (p.example.language, p.example.id): p.example for p in changed if p.example.id in worse and p.changed
        }
        job.note(
            f"{attack.params['recipe']} made {len(versions):,} of {outcomes.height:,} attacked training examples of "
            f"{part.ref.name} worse: {100 * part.share:g} % of an epoch's visits to them see what it made."
        )
        made.append(MinedExamples(versions, part.share))
    return tuple(made)


def _augmentations(job: Job[TrainParams]) -> _Augment | None:
    from crosswind.perturb.lexicons import environment_of
    from crosswind.perturb.spec import parse_spec
    from crosswind.train.augment import Augmentation

    if not job.params.augment:
        return None
    made = []
    for i, augment in enumerate(job.params.augment):
        # The specification as written may say where a lexicon lies, which is no part of the step's identity.
        text = "+".join(f"{identity}:{severity!r}" for identity, severity in augment.perturbation)
        spec = parse_spec(job.world["specs"].get(f"{job.step.key}/{i}", text))
        made.append(Augmentation(spec, augment.share, augment.pick))
    return _Augment(tuple(made), environment_of(job.world["lexicons"]))


def _parts(params: TrainParams, data: JobData, encoder: Encoder, carried: Head | None, anew: _Anew) -> _Parts:
    from crosswind.model.heads import attach
    from crosswind.model.pooling import resolved_pooling
    from crosswind.train.budget import limited, steps_of
    from crosswind.train.mixing import proportions
    from crosswind.train.objectives import task_objective
    from crosswind.train.phase import head_seed, mean_tokens, with_masked_lm

    settings, seed = params.training, params.seed
    pooling = resolved_pooling(params.pooling, encoder.layers)
    max_length = min(settings.length(h.kind for h in params.heads), encoder.max_positions)
    heads: dict[str, Head] = {}
    sources: list[Objective] = []
    sizes: list[int] = []
    for plan in params.heads:
        examples, pool = _examples(plan.data, data)
        head = carried or attach(
            encoder,
            plan.kind,
            plan.labels or _tag_set(examples),
            seed=head_seed(seed, plan.name, plan.kind),
            pooling=pooling,
            classifier_pooling=settings.classifier_pooling,
        )
        if params.budget.items is not None:
            by_cluster = settings.batch_by == "clusters"
            examples = limited(examples, params.budget.items, seed, by_cluster=by_cluster, where=plan.data[0].task)
        make = partial(
            task_objective,
            plan.name,
            head=head,
            max_length=max_length,
            query_length=min(settings.query_length or max_length, encoder.max_positions),
            stride=settings.stride,
            pool=pool,
        )
        objective: TaskObjective | RetrievalObjective | Augmented
        if anew.augment is None and not anew.mined and params.subwords is None:
            objective = make(encoder=encoder, examples=examples)
        else:
            objective = _drawn_anew(make, encoder, examples, plan, anew, params)
        sources.append(objective)
        heads[plan.name] = head
        sizes.append(len(objective.lengths))  # without the questions that it leaves out
    batch_size = settings.batch_size
    steps = steps_of(params.budget, sizes, mean_tokens(sources), batch_size) if sources else 0
    sampling = params.sampling
    shares = list(proportions(sizes, cap=sampling.cap, temperature=sampling.temperature)) if sizes else []
    if params.mlm is not None:
        masked = _masked(params, params.mlm, data, encoder, max_length)
        if sources:
            # Masked-LM steps come on top of the tasks', so that they are `share` of all steps.
            steps, shares = with_masked_lm(steps, shares, params.mlm.share)
        else:
            steps, shares = steps_of(params.budget, [len(masked.lengths)], mean_tokens([masked]), batch_size), [1.0]
        sources.append(masked)
    return _Parts(encoder, heads, sources, shares, steps)


def _drawn_anew(
    make: Callable[..., TaskObjective | RetrievalObjective],
    encoder: Encoder,
    examples: Sequence[Example],
    head: HeadParams,
    anew: _Anew,
    params: TrainParams,
) -> Augmented:
    """The objective that sees the examples anew in every epoch: which stand in adversarial form, their noise (of a
    retrieval task the queries), and the pieces that words are cut into."""
    from crosswind.train.augment import Augmented, augmented_examples
    from crosswind.train.mined import with_mined
    from crosswind.train.subwords import resampled

    subwords = params.subwords
    sampled = None if subwords is None else resampled(
        encoder.tokenizer, subwords.name, dict(subwords.settings), params.seed
    )  # fmt: skip

    def of_epoch(epoch: int) -> TaskObjective | RetrievalObjective:
        seen = encoder if sampled is None else replace(encoder, tokenizer=sampled.salted(str(epoch)))
        shown = with_mined(examples, anew.mined, task=head.name, seed=params.seed, epoch=epoch)
        if anew.augment is None:
            return make(encoder=seen, examples=shown)
        noisy = augmented_examples(
            shown,
            anew.augment.augmentations,
            task=head.name,
            seed=params.seed,
            epoch=epoch,
            fields=fields_of(head),
            environment=anew.augment.environment,
        )
        return make(encoder=seen, examples=noisy)

    return Augmented(make(encoder=encoder, examples=examples), of_epoch, params.training.batch_size)


def fields_of(head: HeadParams) -> tuple[str, ...]:
    """The text fields that augmentation may change: those that perturbing the test set may, without the pool."""
    return tuple(name for name in TASKS[head.data[0].task].perturbed if name != "pool")


def _examples(refs: Sequence[DataRef], data: JobData) -> tuple[list[Example], Pool | None]:
    """The labelled examples of a head's data, with the candidates of all their pools."""
    sets = [data.dataset(ref) for ref in refs]
    examples = [e for s in sets for e in s.examples]
    candidates = {c.id: c for s in sets if s.pool for c in s.pool.candidates}
    return examples, Pool(tuple(candidates.values())) if candidates else None


def _tag_set(examples: Sequence[Example]) -> tuple[str, ...]:
    """The tags of tagged sentences, sorted: the classes of a head whose task leaves them open; of others none."""
    return tuple(sorted({tag for e in examples if isinstance(e, TaggingExample) for tag in e.tags or ()}))


def _masked(params: TrainParams, mlm: MlmParams, data: JobData, encoder: Encoder, max_length: int) -> Objective:
    from crosswind.train.masked import masked_lm, training_lines

    corpora: list[list[Any]] = [
        list(load_text(CORPORA[name], languages, data.source, Rows.parse(rows) if rows else None))
        for name, languages, rows in mlm.corpora
    ]
    lines = training_lines(corpora, mlm.tlm, params.seed)
    return masked_lm("mlm", encoder, lines, max_length=max_length, seed=params.seed)


def _scorer(params: TrainParams, data: JobData, parts: _Parts, device: Any) -> Callable[[], float] | None:
    """The selection score: the mean headline metric over the selection sets (negative where less is better)."""
    import numpy as np

    from crosswind.evaluate.judge import judge
    from crosswind.evaluate.metrics.base import METRICS
    from crosswind.evaluate.predict import Predictor, embed_pool
    from crosswind.train.phase import selection_head

    if not params.select:
        return None
    task = TASKS[params.select[0].task]
    head = selection_head(parts.heads, (task.name, task.trains_on), task.kind, task.labels)
    settings, metric = params.training, METRICS[task.metric]

    def score() -> float:
        values = []
        for ref in params.select:
            dataset = data.dataset(ref)
            predictor = Predictor(
                parts.encoder,
                head,
                max_length=settings.length(h.kind for h in params.heads),
                query_length=settings.query_length,
                stride=settings.stride,
                precision=settings.precision,
                device=device,
                unanswerable=task.unanswerable,
            )
            vectors = embed_pool(predictor, dataset.pool) if dataset.pool is not None else None
            predictions = predictor.predict(dataset.examples, dataset.pool, vectors)
            judged = judge(metric, dataset.examples, predictions, where=task.name)
            values.append(float(metric.score(judged.statistics.sum(axis=0))))
        return float(np.mean(values)) if metric.better == "higher" else -float(np.mean(values))

    return score


def _save(job: Job[TrainParams], parts: _Parts, history: History) -> None:
    from crosswind.model.card import write_card
    from crosswind.model.checkpoint import OWN_WEIGHTS, save_head

    params, folder = job.params, job.draft.path / "model"
    if params.output == "head":
        save_head(folder, parts.encoder, next(iter(parts.heads.values())))
    else:
        parts.encoder.save(folder)
    facts = history.result() | {"fresh": list(parts.encoder.fresh)}
    (job.draft.path / "training.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    points = []
    if (folder / OWN_WEIGHTS).exists():
        points.append(f"parameters in `{OWN_WEIGHTS}` are Crosswind's own; `transformers` loads the encoder alone")
    data = [f"{ref.task} ({ref.language}, {ref.split})" for head in params.heads for ref in head.data]
    if params.mlm:
        data += [f"{name} (masked LM, {len(languages)} languages)" for name, languages, _ in params.mlm.corpora]
    write_card(
        folder,
        title=job.step.label,
        base=job.world["encoder"],
        data=data,
        seed=params.seed,
        settings=asdict(params.training),
        history=facts,
        facts=points,
    )
    job.fact("steps", history.steps)
    job.fact("tokens", history.tokens)
    job.fact("stepping_seconds", history.stepping)


def _save_average(job: Job[TrainParams], parts: _Parts, history: History) -> None:
    """Write `averaged/`, the model with the mean of the last checkpoints' weights."""
    from crosswind.model.checkpoint import save_head
    from crosswind.train.loop import put_weights
    from crosswind.train.phase import modules_of

    _require_checkpoints(job, len(history.averaged), history.steps, "it was stopped early: raise training.patience, ")
    put_weights(modules_of(parts.encoder, parts.heads), history.average)
    save_head(job.draft.path / AVERAGED_FOLDER, parts.encoder, next(iter(parts.heads.values())))


def _require_checkpoints(job: Job[TrainParams], kept: int, steps: int, early: str = "") -> None:
    """A `UserError` where a training of so many steps has too few checkpoints for the mean that is asked for: before
    it begins, and once more of one that was stopped early."""
    asked = job.params.average
    if kept < asked:
        raise UserError(
            f"the mean of the last {asked} checkpoints was asked for, and {job.step.label} has {kept} in {steps} steps",
            where="average",
            hint=f"{early}lower training.evaluate_every, or ask for fewer",
        )


def labelled_of(params: TrainParams) -> float:
    """The examples that a phase is trained on, repetitions included (masked-LM lines where it has no task)."""
    budget, refs = params.budget, [ref for head in params.heads for ref in head.data]
    size = sum(examples_of(ref) for ref in refs)
    if budget.examples or budget.steps:
        return float(budget.examples or (budget.steps or 0) * params.training.batch_size)
    if budget.tokens:
        each = sum(tokens_of(ref) for ref in refs) / size if size else 60.0
        return budget.tokens / each
    return float(budget.epochs or 1) * size


def training_tokens(params: TrainParams) -> float:
    """Estimated tokens that a phase is trained on, masked LM included."""
    refs = [ref for head in params.heads for ref in head.data]
    size = sum(examples_of(ref) for ref in refs)
    each = sum(tokens_of(ref) for ref in refs) / size if size else 60.0
    share = params.mlm.share if params.mlm and refs else 0.0
    tokens = float(params.budget.tokens) if params.budget.tokens else labelled_of(params) * each
    return tokens / (1 - share)


def robust_passes(params: TrainParams) -> float:
    """The forward and backward passes of a micro-batch, in those of plain training."""
    if params.robust is None:
        return 1.0
    from crosswind.train.robust import ROBUST  # imports torch: only where a study names a method

    return ROBUST[params.robust.name].passes(dict(params.robust.settings))


TRAIN: StepKind[TrainParams] = StepKind(
    name="train",
    version=8,
    params=TrainParams,
    run=_run,
    needs=device_needs,
    cost=lambda params: 3.0 * training_tokens(params) * robust_passes(params),  # forward, backward twice as dear
    droppable=("*.safetensors",),
)
