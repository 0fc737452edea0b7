"""What routes and targets come to: phases and test sets with nothing left open."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from crosswind.attack.recipe import Call
from crosswind.model.lengths import overlap
from crosswind.perturb.spec import Spec
from crosswind.run.machine import Hardware
from crosswind.steps.parameters import PoolingParams, SamplingParams
from crosswind.steps.train import AugmentParams, HeadParams, MlmParams, RobustParams, SubwordParams, TrainParams
from crosswind.study.excluded import Exclusion
from crosswind.study.spec import (
    MinedSpec,
)
from crosswind.study.translation import Translation
from crosswind.tasks.base import TASKS, Task
from crosswind.tasks.refs import DataRef
from crosswind.train.budget import Budget
from crosswind.train.settings import Training

_FP32 = Hardware("cpu")


@dataclass(frozen=True)
class MinedPlan:
    """An attack on the training data of a phase."""

    spec: MinedSpec
    call: Call
    where: str


@dataclass(frozen=True)
class PhasePlan:
    """A phase ready to be keyed: its heads, data, budget and settings."""

    heads: tuple[HeadParams, ...]
    mlm: MlmParams | None
    budget: Budget
    sampling: SamplingParams
    training: Training
    select: tuple[DataRef, ...]
    where: str
    robust: RobustParams | None = None
    augment: tuple[AugmentParams, ...] = ()
    subwords: SubwordParams | None = None
    mined: tuple[MinedPlan, ...] = ()
    average: int = 0
    augment_specs: tuple[Spec, ...] = ()  # as written: with where lexicons lie
    translations: tuple[Translation, ...] = ()  # what makes those of its data that are translated

    def effective(self) -> Training:
        """The settings; those that no head of the phase reads are the defaults, so that one training has one key."""
        kinds = {head.kind for head in self.heads}
        unread: dict[str, Any] = {}
        if not kinds & {"pair", "choice"}:
            unread["classifier_pooling"] = Training.classifier_pooling
        if not kinds - {"query"}:
            unread["batch_by"] = Training.batch_by
        if "query" not in kinds:
            unread["query_length"] = Training.query_length
        unread["max_length"] = length = self.training.length(kinds)
        unread["stride"] = overlap(self.training.stride, length) if "span" in kinds else Training.stride
        return replace(self.training, **unread)

    def params(
        self,
        *,
        seed: int,
        head: bool = False,
        carry_head: bool = False,
        pooling: PoolingParams | None = None,
        hardware: Hardware = _FP32,
    ) -> TrainParams:
        """The parameters of the step that runs the phase."""
        return TrainParams(
            seed=seed,
            training=replace(self.effective(), precision=hardware.precision),
            heads=self.heads,
            mlm=self.mlm,
            budget=self.budget,
            sampling=self.sampling,
            select=self.select,
            output="head" if head else "encoder",
            carry_head=carry_head,
            pooling=pooling if any(h.kind == "query" for h in self.heads) else None,
            device=hardware.device,
            robust=self.robust,
            augment=self.augment,
            subwords=self.subwords,
            average=self.average,
        )


@dataclass(frozen=True)
class LayerPlan:
    """Layers to choose from, and the development data that decide."""

    layers: tuple[int | float, ...]
    data: tuple[DataRef, ...]


@dataclass(frozen=True)
class TargetPlan:
    """A target ready to be planned: cells by language, and the chain of English phases (or none)."""

    task: Task
    data: tuple[DataRef, ...]
    chain: tuple[PhasePlan, ...]
    oracle: tuple[DataRef, ...]
    training: Training
    pooling: PoolingParams | None
    where: str
    labels: tuple[str, ...] = ()
    purify: tuple[str, ...] = ()
    family: frozenset[str] | None = None  # the perturbations that its defence is for; None without a defence
    exclusion: Exclusion | None = None
    protocol: str = ""  # the preset that it follows, and what differs from it
    choice: LayerPlan | None = None

    @property
    def max_length(self) -> int:
        """The tokens of a row that predicting reads."""
        return self.training.max_length or self.task.max_length or self.training.length([self.task.kind])

    @property
    def stride(self) -> int | None:
        """The tokens that two windows of a context share; None for kinds that have no context."""
        return overlap(self.training.stride, self.max_length) if self.task.kind == "span" else None


def carries_head(before: PhasePlan, phase: PhasePlan) -> bool:
    """Whether a phase of a target goes on with the head of the phase before."""
    return before.heads[0].fits(TASKS[phase.heads[0].data[0].task])
