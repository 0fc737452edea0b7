"""The extent of a perturbation: in which fields of an example, under which constraints, and up to which damage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from crosswind.data.examples import Kind
from crosswind.errors import unknown
from crosswind.perturb.constraint import NamedConstraint, refusal_of
from crosswind.perturb.spec import POOL, Spec, TextScope
from crosswind.perturb.tuning import DamageTarget

# What users call a field -> the fields of each kind of example that it stands for.
_FIELDS: Mapping[str, Mapping[Kind, tuple[str, ...]]] = {
    "premise": {"pair": ("first",), "choice": ("context",)},
    "hypothesis": {"pair": ("second",)},
    "first": {"pair": ("first",)},
    "second": {"pair": ("second",)},
    "question": {"span": ("question",), "choice": ("question",)},
    "context": {"span": ("context",), "choice": ("context",)},
    "choices": {"choice": ("choices",)},
    "query": {"query": ("query",)},
    "pool": {"query": (POOL,)},
    "words": {"tagging": ("words",)},
    "text": {
        "pair": ("first", "second"),
        "choice": ("context", "question", "choices"),
        "span": ("question", "context"),
        "tagging": ("words",),
        "query": ("query",),
    },
}
_ALIASES: Mapping[str, str] = {"first": "premise", "second": "hypothesis"}  # of pairs, which alone have both
FIELD_NAMES: tuple[str, ...] = tuple(_FIELDS)
"""What users may call the fields of examples; `text` is all texts of one, `pool` the candidates of retrieval."""


@dataclass(frozen=True, slots=True)
class Extent:
    """`fields` are the names as asked for (none: those of the task); `constraints` hold over all of it.

    `suite` is the frozen suite that the perturbation is a condition of, or empty. With a `damage` the severity is that
    which does it, found for each test set and draw.
    """

    fields: tuple[str, ...] = ()
    constraints: tuple[NamedConstraint, ...] = ()
    suite: str = ""
    damage: DamageTarget | None = None

    def named_for(self, kind: Kind) -> Extent:
        """The same, with one name for each field of a kind of example: `named_fields`."""
        return replace(self, fields=named_fields(self.fields, kind))

    @property
    def suffix(self) -> str:
        """What the name of a condition says of it: `@chrf=90@hypothesis~digits`; empty for the task's fields alone.

        Two conditions that differ in their extent are not one row of results.
        """
        damage = "" if self.damage is None else f"@{self.damage}"
        fields = "@" + ",".join(self.fields) if self.fields else ""
        constraints = "~" + "+".join(c.identity for c in self.constraints) if self.constraints else ""
        return damage + fields + constraints + (f"#{self.suite}" if self.suite else "")

    def condition(self, spec: Spec) -> tuple[str, float]:
        """Name and severity of the results of a spec: `("swap@hypothesis", 0.1)`.

        Where the severity is found it differs from language to language, and the condition's is 0: the name says which
        damage is done, `("swap@chrf=90", 0.0)`.
        """
        if self.damage is not None:
            return spec.name + self.suffix, 0.0
        name, severity = spec.condition
        return name + self.suffix, severity

    def label(self, spec: Spec) -> str:
        """A spec within this extent, as labels of steps say it."""
        return (str(spec) if self.damage is None else spec.name) + self.suffix

    def of(self, kind: Kind, usual: Sequence[str]) -> tuple[str, ...]:
        """The fields of a kind of example that may change: those asked for, or the task's `usual` ones; maybe none."""
        if not self.fields:
            return tuple(usual)
        return tuple(dict.fromkeys(f for name in self.fields for f in _FIELDS[name].get(kind, ())))

    def scope(self, scope: TextScope, kind: Kind) -> TextScope:
        """A task's scope with the fields of this extent."""
        return replace(scope, fields=self.of(kind, scope.fields))

    def refusal(self, spec: Spec, scope: TextScope, kind: Kind) -> str | None:
        """Why a perturbation has nothing to change within the extent, or `None`."""
        limited = self.scope(scope, kind)
        if not limited.fields:
            return f"examples of kind {kind} have no {' or '.join(self.fields)}"
        if self.damage is not None and any(atom.perturbation.add is not None for atom in spec.atoms):
            return f"it adds candidates to a pool, so that no severity does {self.damage}"
        return spec.applies(limited) or refusal_of(self.constraints, limited)


EVERYTHING = Extent()
"""The fields of the task, without a constraint."""


def named_fields(names: Sequence[str], kind: Kind) -> tuple[str, ...]:
    """The names as results have them: `first` and `second` of a pair are its `premise` and `hypothesis`.

    Of other kinds `premise` is more than `first`, and each stays what it is.
    """
    renamed = {_ALIASES.get(name, name) if kind == "pair" else name for name in names}
    return tuple(name for name in FIELD_NAMES if name in renamed)


def fields_asked(kind: Kind, fields: Sequence[str]) -> str:
    """What users call some fields of a kind of example, in words: `premise, hypothesis`."""
    named = [name for name in _FIELDS if name not in _ALIASES and name != "text"]
    return ", ".join(name for name in named if set(_FIELDS[name].get(kind, ())) & set(fields))


def check_fields(names: Sequence[str], where: str) -> tuple[str, ...]:
    """The names, each once in the canonical order; a `UserError` for an unknown one."""
    for name in names:
        if name not in _FIELDS:
            raise unknown("field", name, FIELD_NAMES, where=where)
    return tuple(name for name in FIELD_NAMES if name in names)
