"""How similar changed texts are to the original ones, for each sentence encoder that a constraint names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean

from crosswind.attack.outcome import Attacked
from crosswind.attack.recipe import AttackSetting, Call, constraints_of
from crosswind.data.examples import Example, whole_texts
from crosswind.perturb.constraint import NamedConstraint
from crosswind.perturb.needs import ModelNeed
from crosswind.perturb.spec import Resolved

Cosines = Mapping[str, Mapping[str, Sequence[float]]]
"""By encoder and example the cosine of each text that the attack changed with the original one."""


def cosines_of(
    call: Call,
    setting: AttackSetting,
    examples: Sequence[Example],
    outcomes: Sequence[Attacked],
    constraints: Sequence[NamedConstraint],
    resolved: Resolved,
) -> Cosines:
    """The cosines for the encoders of the recipe's own constraints and of `constraints`; none without an encoder."""
    named = (*constraints_of(call, setting), *constraints)
    needs = dict.fromkeys(n for c in named for n in c.needs() if isinstance(n, ModelNeed) and n.role == "similarity")
    changed = _changed_texts(examples, outcomes) if needs else []
    measured: dict[str, dict[str, list[float]]] = {}
    for need in needs if changed else ():
        of_encoder = measured.setdefault(need.source, {})
        values = resolved[need]([texts for _, texts in changed])
        for (name, _), value in zip(changed, values, strict=True):
            of_encoder.setdefault(name, []).append(float(value))
    return measured


def cosine_note(call: Call, cosines: Cosines) -> str:
    """What the cosines are, in a sentence an encoder; empty where none was named or no text changed."""
    measured = {source: [v for values in of.values() for v in values] for source, of in cosines.items()}
    return " ".join(
        f"{call.name}: the cosine of the {len(values):,} changed texts with the original ones is {mean(values):.3f} on "
        f"average and {min(values):.3f} at least ({source})."
        for source, values in measured.items()
    )


def _changed_texts(examples: Sequence[Example], outcomes: Sequence[Attacked]) -> list[tuple[str, tuple[str, str]]]:
    """The texts that attacks changed, before and after, with their example; what was added to a pool is none."""
    pairs = []
    for example, outcome in zip(examples, outcomes, strict=True):
        texts = whole_texts(example)
        for field, rewrite in outcome.rewrites.items():
            text = texts.get(field)
            if text is not None and rewrite.length == len(text):
                pairs.append((example.id, (text, rewrite.apply(text))))
    return pairs
