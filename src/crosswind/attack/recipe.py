"""What a recipe is: alternatives, a search, constraints; one file each in `recipes/`, found by `RECIPES`.

`NAME` or `NAME(KEY=VALUE,…)` names a recipe with its settings, in the grammar of perturbations without a severity:
`polygloss(embed=de,zh,beam=4)`. `setting=published` takes the numbers of the paper; what is written beside it still
holds. `deepwordbug@hypothesis` changes that field alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from crosswind.attack.search import Search
from crosswind.attack.search.random_draws import random_draws
from crosswind.attack.universal import TriggerSearch
from crosswind.data.examples import KINDS, Kind
from crosswind.errors import UserError, unknown
from crosswind.perturb.applied import Constraint
from crosswind.perturb.constraint import NamedConstraint, parse_constraints
from crosswind.perturb.extent import Extent, check_fields, fields_asked, named_fields
from crosswind.perturb.needs import DataNeed
from crosswind.perturb.perturbation import Environment, Param, Value
from crosswind.perturb.spec import POOL, Atom, Spec, TextScope, parse_spec, parsed_call, printed_call
from crosswind.registry import Registry
from crosswind.tasks.base import Task

Access = Literal["scores", "gradient"]

CONTROL = "random"
"""Behind the name of a recipe and a dot: its control, random draws from the same alternatives."""

_FIELDS = "@"  # before the names of the fields that a recipe is limited to

_PUBLISHED = ("setting", "published")
_SETTING = Param("setting", "text", "published: the paper's own numbers", default="default", choices=("published",))


@dataclass(frozen=True, slots=True)
class AttackSetting:
    """What a recipe is prepared for: the task, the language, its parameters and the environment (lexicons).

    `fields` are the names of the texts that it is limited to (none: all that it attacks).
    """

    task: Task
    language: str
    params: Mapping[str, Value] = field(default_factory=dict)
    environment: Environment = field(default_factory=Environment)
    fields: tuple[str, ...] = ()

    def number(self, name: str) -> float:
        """The value of a numeric parameter."""
        return float(str(self.params[name]))

    def listing(self, name: str) -> tuple[str, ...]:
        """The value of a parameter that is a list."""
        value = self.params[name]
        return value if isinstance(value, tuple) else (str(value),)

    def scope(self, fields: Sequence[str]) -> TextScope:
        """The texts that perturbations are prepared for."""
        return replace(TextScope.of(self.task, self.language, self.environment), fields=tuple(fields))


def _no_reason(setting: AttackSetting) -> str | None:
    return None


def _all_fields(setting: AttackSetting) -> tuple[str, ...]:
    return tuple(field for field in setting.task.perturbed if field != POOL)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A declaration.

    * `specs(setting)` are the alternatives: perturbations without a severity, whose sites are joined.
    * `search(setting)` searches them. `constraints(setting)` refuse texts or sites.
      `most_edits(setting)` is the largest edit rate (edits per word), `most_changes(setting)` the most sites that
      change; the control keeps to both.
    * `kinds` and `languages` (in words) say where it applies, `applies(setting)` why it does not. `fields(setting)` are
      the text fields that it attacks (default: those that perturbations may rewrite).
    * `named_constraints(setting)` refuse texts as well: constraints as a study names them, which may need a model.
    * `published` are the paper's values of `params` (empty: the defaults are the paper's; `None`: it gives none).
      `published_needs` are the parameters that must be given with it, each with why. `differences` says what is not as
      in the paper, a sentence each.
    * `access`: `scores` of the victim, or its `gradient`. `oracle` says what it knows that an attacker
      may not; where `oracle_with` names a parameter and a value, only with these.
    * `forward`: neighbouring phrases of one translation may not go backwards in it (`space.Origin`).
    * `blind`: the search does not look at what the victim says, so that it is its own control and has none beside it.
    * `universal`: one trigger for all examples, searched in this way on the data set that `needs` names, stands in the
      place of alternatives (`universal.py`).
    * `pool`: a candidate is added to the pool of each query (`pool.py`): words of the right one that may change, words
      that each may become, most changes.
    * `probe` is what a word becomes where its importance is measured ("" takes it away; in a tagged sentence `_`);
      where `masks(setting)`, the victim's mask token stands there.
    * `variant` names a parameter whose value decides where it applies: each of its choices is listed apart.
    """

    name: str
    summary: str
    source: str
    specs: Callable[[AttackSetting], Sequence[str]]
    search: Callable[[AttackSetting], Search]
    kinds: tuple[Kind, ...] = KINDS
    languages: str = "all"
    params: tuple[Param, ...] = ()
    constraints: Callable[[AttackSetting], tuple[Constraint, ...]] = lambda setting: ()
    named_constraints: Callable[[AttackSetting], Sequence[str]] = lambda setting: ()
    most_edits: Callable[[AttackSetting], float] = lambda setting: 1.0
    most_changes: Callable[[AttackSetting], int | None] = lambda setting: None
    applies: Callable[[AttackSetting], str | None] = _no_reason
    fields: Callable[[AttackSetting], tuple[str, ...]] = _all_fields
    published: Mapping[str, Value] | None = None
    published_needs: Mapping[str, str] = field(default_factory=dict)
    differences: tuple[str, ...] = ()
    access: Access = "scores"
    oracle: str = ""
    oracle_with: tuple[str, str] | None = None
    forward: bool = False
    probe: str = ""
    masks: Callable[[AttackSetting], bool] = lambda setting: False
    blind: bool = False
    universal: Callable[[AttackSetting], TriggerSearch] | None = None
    needs: Callable[[AttackSetting], tuple[DataNeed, ...]] = lambda setting: ()
    pool: Callable[[AttackSetting], tuple[int, int, int]] | None = None
    variant: str = ""

    def attacked(self, setting: AttackSetting) -> tuple[str, ...]:
        """The text fields that it attacks in a setting: its own ones, of them those that the setting names."""
        usual = self.fields(setting)
        if not setting.fields:
            return usual
        named = Extent(setting.fields).of(setting.task.kind, usual)
        return tuple(name for name in usual if name in named)

    @property
    def published_changes(self) -> dict[str, Value]:
        """The paper's values that are not the defaults."""
        defaults = {p.name: p.default for p in self.params}
        return {name: value for name, value in (self.published or {}).items() if value != defaults[name]}

    def knows(self, setting: AttackSetting) -> str:
        """What it knows with a setting that an attacker may not; empty where nothing."""
        if self.oracle_with is not None and setting.params.get(self.oracle_with[0]) != self.oracle_with[1]:
            return ""
        return self.oracle


RECIPES: Registry[Recipe] = Registry("recipe", "crosswind.attack.recipes", "crosswind.recipes", Recipe)


@dataclass(frozen=True)
class Call:
    """A recipe with the parameters that were written, whether its control is meant, and the fields it is limited to."""

    recipe: str
    params: tuple[tuple[str, Value], ...] = ()
    control: bool = False
    fields: tuple[str, ...] = ()

    @property
    def declaration(self) -> Recipe:
        """The recipe that it names."""
        return RECIPES[self.recipe]

    @cached_property
    def name(self) -> str:
        """What results call it: without where data lie; the control has `.random` behind the recipe's name."""
        locations = {p.name for p in self.declaration.params if p.location}
        return self._printed([(k, v) for k, v in self.params if k not in locations])

    def __str__(self) -> str:
        return self._printed(self.params)

    def _printed(self, params: Sequence[tuple[str, Value]]) -> str:
        suffix = _FIELDS + ",".join(self.fields) if self.fields else ""
        return printed_call(f"{self.recipe}.{CONTROL}" if self.control else self.recipe, params) + suffix

    def setting(self, task: Task, language: str, environment: Environment | None = None) -> AttackSetting:
        """What the recipe is prepared for in a task and a language."""
        declared = self.declaration
        given = dict(self.params)
        values: dict[str, Value] = {p.name: p.default for p in declared.params if p.default is not None}
        if given.pop("setting", None) == "published":
            values |= declared.published or {}
        return AttackSetting(task, language, {**values, **given}, environment or Environment(), self.fields)

    def counterpart(self) -> Call:
        """The control of the same recipe and settings."""
        return replace(self, control=True)

    def limited_to(self, fields: Sequence[str], where: str) -> Call:
        """The call with only these fields attacked (none: as it is); a `UserError` where it names fields already."""
        if not fields:
            return self
        if self.fields:
            hint = "leave out one of them"
            raise UserError(f"{self.name} says its fields, and they are named once more", where=where, hint=hint)
        return replace(self, fields=check_fields(fields, where))

    def named_for(self, kind: Kind) -> Call:
        """The call with one name for each field of a kind of example: `@first` of a pair is `@premise`."""
        return replace(self, fields=named_fields(self.fields, kind))

    def chosen_search(self, setting: AttackSetting) -> Search:
        """How it searches: the control draws at random."""
        return random_draws() if self.control else self.declaration.search(setting)


def parse_recipe(text: str, *, where: str | None = None) -> Call:
    """The recipe that `NAME`, `NAME(KEY=VALUE,…)` or `NAME.random` names, each with `@FIELD,…` behind it or without.

    Raises a `UserError` for an unknown recipe, parameter or field ("did you mean") and for a value that does not fit.
    """
    text, fields = _without_fields(text, where)

    def params_of(name: str) -> tuple[Param, ...]:
        bare, dot, suffix = name.partition(".")
        if dot and suffix != CONTROL:
            raise unknown("recipe", name, RECIPES.names(), where=where)
        return (*RECIPES.get(bare, where=where).params, _SETTING)

    name, params = parsed_call(text, params_of, what="recipe", where=where)
    bare, dot, _ = name.partition(".")
    if _PUBLISHED in params:
        # Beside it a value is left out where it is the paper's, and kept where it is the usual one.
        paper = _published(RECIPES[bare], where)
        papers = tuple(replace(p, default=paper.get(p.name, p.default)) for p in params_of(name))
        name, params = parsed_call(text, lambda _: papers, what="recipe", where=where)
        for needed, why in RECIPES[bare].published_needs.items():
            if needed not in dict(params):
                hint = f"name it: {bare}(setting=published,{needed}=…), or give the paper's other numbers one by one"
                raise UserError(f"{bare} with setting=published needs {needed}: {why}", where=where, hint=hint)
    return Call(bare, params, control=bool(dot), fields=fields)


def _published(recipe: Recipe, where: str | None) -> Mapping[str, Value]:
    if recipe.published is None:
        hint = "leave out setting=published"
        raise UserError(f"the recipe {recipe.name!r} has no published setting", where=where, hint=hint)
    return recipe.published


def _without_fields(text: str, where: str | None) -> tuple[str, tuple[str, ...]]:
    """A recipe without the fields behind it, and these; an `@` within brackets belongs to a parameter."""
    head, mark, tail = text.rpartition(_FIELDS)
    if not mark or ")" in tail or ("(" in head and not head.rstrip().endswith(")")):
        return text, ()
    fields = check_fields([name.strip() for name in tail.split(",")], where or "the fields of a recipe")
    return head, fields


def unattackable(call: Call, setting: AttackSetting) -> str | None:
    """Why a recipe cannot be used for a task and a language, or `None`; nothing is loaded for it."""
    recipe = call.declaration
    if setting.task.kind not in recipe.kinds:
        return (
            f"{recipe.name} attacks {', '.join(recipe.kinds)} tasks; {setting.task.name} is a {setting.task.kind} task"
        )
    if setting.fields and (recipe.universal is not None or recipe.pool is not None):
        return f"{recipe.name} changes no field of its examples: it cannot be limited to {', '.join(setting.fields)}"
    if recipe.pool is None and not recipe.fields(setting):
        return f"no text of an example of {setting.task.name} is in the language under test: that is its pool's"
    if recipe.pool is None and not recipe.attacked(setting):
        attacked = fields_asked(setting.task.kind, recipe.fields(setting))
        return f"{recipe.name} attacks {attacked} of {setting.task.name}, and is limited to {', '.join(setting.fields)}"
    reason = recipe.applies(setting)
    if reason is not None:
        return reason
    if recipe.universal is not None or recipe.pool is not None:
        return None
    specs = atoms_of(recipe, setting)
    scope = setting.scope(recipe.attacked(setting))
    reasons = [atom.applies(scope) for atom in specs]
    if not reasons:
        return f"{recipe.name} has no alternatives in {setting.language}"
    return None if None in reasons else reasons[0]


def require_restarts(call: Call, setting: AttackSetting, restarts: int, where: str) -> None:
    """A `UserError` for restarts of a search that does the same at every start, or draws until its space is used up."""
    search = call.chosen_search(setting)
    if not restarts or (search.drawn and not search.endless):
        return
    ending = "draws without end" if search.drawn else "does the same at every start"
    raise UserError(
        f"{call.recipe} has no restarts: its search, {search}, {ending}",
        where=where,
        hint="leave restarts out; a larger budget asks more",
    )


def atoms_of(recipe: Recipe, setting: AttackSetting) -> tuple[Atom, ...]:
    """The perturbations whose alternatives are joined, each once."""
    specs = [parse_spec(text, severity=1.0, where=f"recipe {recipe.name}") for text in recipe.specs(setting)]
    return tuple(dict.fromkeys(atom for spec in specs for atom in spec.atoms))


def constraints_of(call: Call, setting: AttackSetting) -> tuple[NamedConstraint, ...]:
    """The constraints that a recipe names itself with a setting."""
    return parse_constraints(call.declaration.named_constraints(setting), where=f"recipe {call.recipe}")


def needed_spec(call: Call, setting: AttackSetting) -> Spec:
    """The atoms that apply, as one spec: what knows the needs and resources of all of them."""
    recipe = call.declaration
    scope = setting.scope(recipe.attacked(setting))
    return Spec(tuple(atom for atom in atoms_of(recipe, setting) if atom.applies(scope) is None))
