"""Training on perturbed examples: a fresh draw of noise or code-mixing each time an example comes round.

Xie et al. 2017 and Belinkov & Bisk 2018 train on noise; Qin et al. 2020 (CoSDA-ML) and Tan & Joty 2021 (CAT) on
code-mixed text. How much is perturbed is a share of the examples of an epoch: the number of steps stays the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import torch

from crosswind.data.examples import Example
from crosswind.model.encoder import Encoder
from crosswind.model.rows import Row
from crosswind.perturb.dataset import perturb_examples
from crosswind.perturb.draw import choose, key
from crosswind.perturb.perturbation import Environment, Value
from crosswind.perturb.spec import Spec
from crosswind.train.epochs import Epochs
from crosswind.train.objective import Batch, Decision, Visit
from crosswind.train.objectives import RetrievalObjective, TaskObjective, gathered

UNIT = 2.0**-64


@dataclass(frozen=True)
class Augmentation:
    """Noise for a `share` of the examples of an epoch.

    `pick`: of the languages that the spec's code-mixing embeds, each example gets so many (None: all of them).
    """

    spec: Spec
    share: float
    pick: int | None = None

    def narrowed(self, bits: int) -> Spec:
        """The spec with `pick` of its embedded languages, chosen by 64 random bits."""
        if self.pick is None:
            return self.spec
        return Spec(tuple(replace(atom, params=_some(atom.params, self.pick, bits)) for atom in self.spec.atoms))


def augmented_examples(
    examples: Sequence[Example],
    augmentations: Sequence[Augmentation],
    *,
    task: str,
    seed: int,
    epoch: int,
    fields: Sequence[str],
    environment: Environment | None = None,
) -> list[Example]:
    """The examples as one epoch sees them, in order.

    One number in [0, 1) an example says which augmentation it gets: the first takes its share from 0 on, the next
    goes on from there, and what is left stays clean. It depends on (seed, epoch, task, language, id) alone.
    """
    groups: defaultdict[Spec, list[int]] = defaultdict(list)
    for i, example in enumerate(examples):
        name = (str(seed), str(epoch), task, example.language, example.id)
        at = key("augment", *name) * UNIT
        for augmentation in augmentations:
            if at < augmentation.share:
                groups[augmentation.narrowed(key("languages", *name))].append(i)
                break
            at -= augmentation.share
    result = list(examples)
    for spec, indices in groups.items():
        some = [examples[i] for i in indices]
        draw = key("draw", str(seed), str(epoch)) >> 1
        made = perturb_examples(some, spec, task=task, draw=draw, fields=fields, environment=environment)
        for i, perturbed in zip(indices, made, strict=True):
            result[i] = perturbed.example
    return result


@dataclass
class Augmented:
    """An objective whose rows are drawn anew in every epoch; `of_epoch` makes that of one epoch.

    Batches are grouped by the lengths of the clean rows, and cut by those that they hold.
    """

    clean: TaskObjective | RetrievalObjective
    of_epoch: Callable[[int], TaskObjective | RetrievalObjective]
    batch_size: int
    name: str = field(init=False)
    encoder: Encoder = field(init=False)
    whole_batch: bool = field(init=False)
    _epochs: Epochs[TaskObjective | RetrievalObjective] = field(init=False)

    def __post_init__(self) -> None:
        self.name, self.encoder = self.clean.name, self.clean.encoder
        self.whole_batch = self.clean.whole_batch
        self._epochs = Epochs(self.of_epoch, len(self.clean.lengths), self.batch_size)

    @property
    def lengths(self) -> Sequence[int]:
        return self.clean.lengths

    @property
    def clusters(self) -> Sequence[str] | None:
        return self.clean.clusters

    def rows(self, index: int, epoch: int = 0) -> Sequence[Row]:
        return self._of(epoch).rows(index)

    def terms(self, index: int, epoch: int = 0) -> int:
        return self._of(epoch).terms(index)

    def batch(self, visits: Sequence[Visit], step: int) -> tuple[Batch, ...]:
        together = gathered([(self._of(visit.epoch), visit.example) for visit in visits])
        return together.batch([Visit(i) for i in range(len(visits))], step)

    def forward(self, batch: Batch, embeddings: torch.Tensor | None = None) -> torch.Tensor:
        return self.clean.forward(batch, embeddings)

    def decisions(self, batches: Sequence[Batch], outputs: Sequence[torch.Tensor]) -> list[Decision]:
        return self.clean.decisions(batches, outputs)

    def loss(self, batches: Sequence[Batch], outputs: Sequence[torch.Tensor]) -> torch.Tensor:
        return self.clean.loss(batches, outputs)

    def _of(self, epoch: int) -> TaskObjective | RetrievalObjective:
        return self._epochs[epoch]


def _some(params: Sequence[tuple[str, Value]], count: int, bits: int) -> tuple[tuple[str, Value], ...]:
    """Parameters with `count` of the values of `embed`, in their order."""
    narrowed: list[tuple[str, Value]] = []
    for name, value in params:
        if name == "embed" and isinstance(value, tuple):
            left = list(value)
            chosen: set[str] = set()
            while left and len(chosen) < count:
                at = choose(bits, len(left))
                bits = key("next", str(bits))
                chosen.add(left.pop(at))
            value = tuple(v for v in value if v in chosen)
        narrowed.append((name, value))
    return tuple(narrowed)
