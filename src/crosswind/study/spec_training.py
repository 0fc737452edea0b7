"""The study file's training: phases with tasks, budgets and settings, and what defences change of it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from crosswind.study.spec_data import TaskUse, Use
from crosswind.study.strict import Amount, Length, StrictModel, at_most, listed, listed_number


class Mlm(StrictModel):
    """Masked LM (and translation LM) beside a phase's tasks: `share` is its share of all steps.

    The phase's budget counts labelled examples; these steps come on top. `tlm` is the share of the
    masked-LM lines that are pairs of translations, where the corpus is parallel.
    """

    languages: Annotated[list[str], BeforeValidator(listed)] | Literal["all"] = "all"
    share: float = Field(0.5, gt=0, le=1)
    corpora: Annotated[list[Use], BeforeValidator(listed)] = Field(default_factory=lambda: [TaskUse(name="ntrex")])
    tlm: float = Field(0.5, ge=0, le=1)


class BudgetSpec(StrictModel):
    """How much a phase sees: exactly one of examples, tokens, steps, epochs; `items` limits the
    unique item ids (translations of one item count once).
    """

    examples: Amount = Field(None, ge=1)
    tokens: Amount = Field(None, ge=1)
    steps: Amount = Field(None, ge=1)
    epochs: Annotated[float | None, at_most(100_000, "no run of that length ends")] = Field(None, gt=0)
    items: Amount = Field(None, ge=1)

    @model_validator(mode="after")
    def one_measure(self) -> BudgetSpec:
        given = [n for n in ("examples", "tokens", "steps", "epochs") if getattr(self, n) is not None]
        if len(given) > 1:
            raise ValueError(f"a budget has one measure, this one has {' and '.join(given)}")
        return self


class Sampling(StrictModel):
    """How often each task is drawn: its size up to `cap`, to the power of 1 / `temperature` (`train/mixing.py`)."""

    cap: int | None = Field(None, ge=1)
    temperature: float = Field(1.0, gt=0)


class TrainingSpec(StrictModel):
    """Overrides of the training settings (see `train/settings.py`); what is unset is inherited."""

    batch_size: Annotated[int | None, at_most(1_000_000, "no memory holds so many examples")] = Field(None, ge=1)
    batch_by: Literal["examples", "clusters"] | None = None
    learning_rate: float | None = Field(None, gt=0)
    warmup: float | None = Field(None, ge=0)
    decay: Literal["linear", "constant"] | None = None
    weight_decay: float | None = Field(None, ge=0)
    epsilon: float | None = Field(None, gt=0)
    clip: float | None = Field(None, ge=0)
    max_length: Length = Field(None, ge=8)
    query_length: Length = Field(None, ge=8)
    stride: Length = Field(None, ge=0)
    precision: Literal["fp32", "bf16"] | None = None
    freeze: Literal["nothing", "embeddings"] | None = None
    dropout: float | None = Field(None, ge=0, lt=1)
    classifier_pooling: Literal["cls", "mean", "max"] | None = None
    micro_tokens: int | None = Field(None, ge=16)
    evaluate_every: int | None = Field(None, ge=1)
    patience: int | None = Field(None, ge=1)


class PoolingSpec(StrictModel):
    """How a text's vector is made: see `model/pooling.py`; what is unset is the checkpoint's own."""

    mode: Literal["mean", "cls", "pooler"] | None = None
    layer: int | float | None = Field(None, ge=0)
    prefix: str | None = Field(None, pattern=r"^[^|=]*$")  # it stands in signatures, which these two divide


class LayerChoice(StrictModel):
    """A choice of a layer beside the one that `pooling` names, on development data alone.

    `layers` are hidden states (0 the embeddings), below 1 shares of the depth. `on` names the development data, of any
    retrieval task (default: the target's own dev split in the languages of the target); the mean over its languages
    decides, one layer for all.
    """

    layers: Annotated[list[Annotated[int | float, Field(ge=0)]], BeforeValidator(listed_number)] = Field(min_length=2)
    on: Use | None = None


class Phase(StrictModel):
    """One phase: tasks that share the encoder, masked LM beside them, a budget, settings.

    `select` names what checkpoints are judged on (without it the last one is kept).
    """

    tasks: Annotated[list[Use], BeforeValidator(listed)] = Field(default_factory=list)
    mlm: Mlm | None = None
    budget: BudgetSpec = Field(default_factory=lambda: BudgetSpec(epochs=1))
    sampling: Sampling = Sampling()
    training: TrainingSpec = TrainingSpec()
    select: Use | None = None

    @model_validator(mode="after")
    def something(self) -> Phase:
        if not self.tasks and self.mlm is None:
            raise ValueError("a phase needs tasks, or mlm")
        if self.tasks and self.mlm is not None and self.mlm.share >= 1:
            raise ValueError("mlm.share must be below 1 beside tasks")
        measures = (self.budget.examples, self.budget.tokens, self.budget.steps, self.budget.epochs)
        if not self.tasks and all(measure is None for measure in measures):
            raise ValueError("a phase of masked LM alone needs a budget of examples, tokens, steps or epochs")
        return self


class AugmentSpec(StrictModel):
    """Noise on a `share` of the training examples, drawn anew in every epoch: `keyboard:0.1`, or with its settings.

    `pick`: of the languages that code-mixing embeds, so many an example (None: all).
    """

    spec: str
    share: float = Field(0.5, gt=0, le=1)
    pick: int | None = Field(None, ge=1)


class MinedSpec(StrictModel):
    """An attack on at most `examples` of each training set, in whole clusters, with a `budget` of queries for each.

    `share`: how often a visit to an example that it made worse sees what it made.
    """

    recipe: str
    budget: int = Field(100, ge=1)
    examples: Annotated[int, Field(ge=1)] = 1000
    share: float = Field(0.5, gt=0, le=1)
    restarts: int = Field(0, ge=0, le=1000)
    seed: int = Field(1, ge=0)


_Method = Annotated[dict[str, dict[str, float]] | None, BeforeValidator(lambda v: {v: {}} if isinstance(v, str) else v)]
"""A method by name, or with its settings: `freelb`, `{freelb: {steps: 2}}`."""


class Defence(StrictModel):
    """What every target's training and reading is changed by; `{}` changes nothing.

    `training` are settings, `robust` a method of `train/robust/` with its settings (`freelb`, or
    `{freelb: {steps: 2}}`), `augment` noise on the training examples, `subwords` a method of `train/subwords/` that
    cuts their words into other pieces, `mined` attacks on the training data that are learnt from, `purify` the input
    defences that a test text goes through before the model reads it.
    """

    training: TrainingSpec = TrainingSpec()
    robust: _Method = Field(None, min_length=1, max_length=1)
    subwords: _Method = Field(None, min_length=1, max_length=1)
    augment: Annotated[
        list[Annotated[AugmentSpec, BeforeValidator(lambda v: {"spec": v} if isinstance(v, str) else v)]],
        BeforeValidator(listed),
    ] = Field(default_factory=list)
    mined: Annotated[
        list[Annotated[MinedSpec, BeforeValidator(lambda v: {"recipe": v} if isinstance(v, str) else v)]],
        BeforeValidator(listed),
    ] = Field(default_factory=list)
    purify: Annotated[list[str], BeforeValidator(listed)] = Field(default_factory=list)

    @model_validator(mode="after")
    def shares_are_of_one_epoch(self) -> Defence:
        total = sum(augment.share for augment in self.augment)
        if total > 1 + 1e-9:
            raise ValueError(f"the shares of augment sum to {total:g}: an example gets one of them, so at most to 1")
        return self
