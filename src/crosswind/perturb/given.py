"""What users bring from Python for what a perturbation needs, named by its role: `{"masked-lm": model}`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from crosswind.data.examples import Dataset
from crosswind.errors import UserError, shown, unknown
from crosswind.perturb.constraint import NamedConstraint
from crosswind.perturb.needs import DataNeed, ModelNeed, Need
from crosswind.perturb.spec import Spec, TextScope

# What a model of a role is asked for (`MaskedModel`, `Similarity`, `PairAligner`).
_ASKED = {"masked-lm": "fill", "similarity": "__call__", "aligner": "__call__"}
_HINT = 'crosswind.model.needed.loaded_model("{role}", FOLDER) gives it'


class ByRole(Mapping[Need, Any]):
    """What needs resolve to (`Resolved`), given by need or by role.

    Data of the text's own task, language and split are the data set `itself`, unless others are given. A `UserError`
    says what is given and is no data set, or no model.
    """

    def __init__(self, given: Mapping[Any, Any], itself: Dataset | None = None) -> None:
        self._given, self._itself = given, itself

    def of(self, itself: Dataset) -> ByRole:
        """The same for a text of a data set."""
        return ByRole(self._given, itself)

    def __getitem__(self, need: Need) -> Any:
        for name in (need, need.role):
            if name in self._given:
                return _checked(need, self._given[name])
        if self._itself is not None and isinstance(need, DataNeed):
            named = self._itself.task, self._itself.language, self._itself.split
            if need.for_text(*named) == named:
                return self._itself
        raise KeyError(need)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._given)

    def __len__(self) -> int:
        return len(self._given)


def check_roles(
    given: Mapping[Any, Any], spec: Spec, scopes: Iterable[TextScope], constraints: Sequence[NamedConstraint]
) -> None:
    """A `UserError` for a name that is no role of a need of the perturbation or of a constraint."""
    needs = [n for c in constraints for n in c.needs()]
    needs += [n for s in scopes for atom in spec.atoms for n in atom.perturbation.needs(atom.setting(s))]
    roles = dict.fromkeys(need.role for need in needs)
    for name in given:
        if name not in roles and name not in needs:
            if not roles:
                raise UserError(f"nothing is needed, and {shown(name)} is given", where="resolved", hint="leave it out")
            raise unknown("need", str(name), roles, where="resolved")


def _checked(need: Need, value: Any) -> Any:
    where = f"resolved[{need.role!r}]"
    if isinstance(need, DataNeed) and not isinstance(value, Dataset):
        hint = "give a crosswind.data.examples.Dataset, as crosswind.tasks.load.load reads it"
        raise UserError(f"{shown(value)} is no data set", where=where, hint=hint)
    use = need.role.partition(" ")[0]
    if isinstance(need, ModelNeed) and use in _ASKED and not hasattr(value, _ASKED[use]):
        raise UserError(f"{shown(value)} is no model", where=where, hint=_HINT.format(role=use))
    return value
