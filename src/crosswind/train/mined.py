"""Training on examples that an attack made of training examples: adversarial training on mined texts.

The attack searches a model trained as the defended one but without them (Alzantot et al. 2018, §4.4; Jin et al. 2020,
§5.3; Morris et al. 2020, TextAttack: attack the training set once, then train on it and what was found).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crosswind.data.examples import Example
from crosswind.perturb.draw import key

_UNIT = 2.0**-64


@dataclass(frozen=True)
class MinedExamples:
    """What became of training examples, by language and id, and how often they stand in it in the place of these."""

    versions: Mapping[tuple[str, str], Example]
    share: float


def with_mined(
    examples: Sequence[Example], mined: Sequence[MinedExamples], *, task: str, seed: int, epoch: int
) -> list[Example]:
    """The examples as one epoch sees them, in order: each that was mined in its adversarial form by chance of `share`.

    The draw depends on (seed, epoch, task, language, id) alone; of several that are drawn the first stands there.
    """
    result = []
    for example in examples:
        shown = example
        for number, source in enumerate(mined):
            other = source.versions.get((example.language, example.id))
            if other is None:
                continue
            name = (str(seed), str(epoch), task, example.language, example.id, str(number))
            if key("mined", *name) * _UNIT < source.share:
                shown = other
                break
        result.append(shown)
    return result
