"""The grammar of perturbations, one everywhere: `keyboard:0.1`, `codemix(embed=de,zh):0.2`, `swap:0.1+diacritics:0.2`.

    SPEC       = ATOM ("+" ATOM)*                         one application after another
    ATOM       = NAME ["(" PARAM ("," PARAM)* ")"] [":" SEVERITY ("," SEVERITY)*]
    PARAM      = KEY "=" VALUE ("," VALUE)*               a value with , = ( ) + : stands in double quotes

Several severities are several specs. A severity in (0, 1] is the threshold below which the number u of a unit makes it
change, and no more: of overlapping changes one is made, so that not all need change at 1. Results hold the realised
share.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crosswind.data.languages import one_spelling, spelled
from crosswind.errors import UserError, unknown
from crosswind.perturb.alternatives import Alternatives
from crosswind.perturb.needs import Need
from crosswind.perturb.passage import PassageKind
from crosswind.perturb.perturbation import (
    PERTURBATIONS,
    Additions,
    Environment,
    Given,
    NotApplicable,
    Param,
    Perturbation,
    Setting,
    Value,
)

if TYPE_CHECKING:
    from crosswind.tasks.base import Task

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[(),=:+]|[^(),=:+"]+|"')
_PLAIN = re.compile(r'[^(),=:+"\\\s](?:[^(),=:+"\\]*[^(),=:+"\\\s])?')
_EXAMPLE = "write name:severity or name(key=value):severity, for example keyboard:0.1 or codemix(embed=de,zh):0.2"


POOL = "pool"
"""Among the fields that may change, it stands for the candidates of a retrieval task's pool."""

Resolved = Mapping[Need, Any]
"""What each need resolved to: a `Dataset`, the path of a step's folder, a model's place."""


_KEPT: dict[Hashable, tuple[Perturbation, Alternatives]] = {}
_MOST_KEPT = 64  # prepared alternatives, of a perturbation in a language each


@dataclass(frozen=True, slots=True)
class TextScope:
    """What is perturbed: texts of a language and a kind of example, in some of its fields, of a task if it is one."""

    language: str
    kind: PassageKind = "line"
    fields: tuple[str, ...] = ("text",)
    environment: Environment = field(default_factory=Environment)
    task: str = ""

    @classmethod
    def of(cls, task: Task, language: str, environment: Environment | None = None) -> TextScope:
        """The scope of a task's test set in a language."""
        return cls(language, task.kind, task.perturbed, environment or Environment(), task.name)

    def parts(self) -> tuple[TextScope, ...]:
        """The scopes of the examples and of the pool's candidates, each where its fields are named."""
        if POOL not in self.fields:
            return (self,)
        rest = tuple(f for f in self.fields if f != POOL)
        pool = replace(self, kind="candidate", fields=("text", "context"))
        return (pool, replace(self, fields=rest)) if rest else (pool,)


@dataclass(frozen=True, slots=True)
class Atom:
    """One perturbation with its parameters (those that differ from the defaults) and severity."""

    name: str
    params: tuple[tuple[str, Value], ...]
    severity: float

    @property
    def perturbation(self) -> Perturbation:
        """The declaration that the atom names."""
        return PERTURBATIONS[self.name]

    @property
    def identity(self) -> str:
        """Name and parameters, without severity and without where data lies: what a draw depends on."""
        places = {p.name for p in self.perturbation.params if p.location}
        return self.name + _print_params(tuple(p for p in self.params if p[0] not in places))

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders that its parameters name, of those that are there."""
        places = {p.name for p in self.perturbation.params if p.location}
        named = [Path(str(v)).expanduser() for k, v in self.params if k in places and v]
        return tuple(path for path in named if path.is_dir())

    @property
    def condition(self) -> str:
        """Identity and severity, without where data lies."""
        return f"{self.identity}:{_print_number(self.severity)}"

    def setting(self, scope: TextScope) -> Setting:
        """The setting of one kind of passage (a scope without a pool, or of a pool alone)."""
        defaults = {p.name: p.default for p in self.perturbation.params if p.default is not None}
        params = {**defaults, **dict(self.params)}
        return Setting(one_spelling(scope.language), params, scope.environment, scope.kind, scope.fields, scope.task)

    def applies(self, scope: TextScope) -> str | None:
        """Why it has no alternatives in any part of the scope, or `None`."""
        scopes = _reached(self, scope)
        reasons = [self.perturbation.applies(self.setting(part)) for part in scopes]
        if not scopes:
            return f"{self.name} adds candidates, and there is no pool"
        return None if None in reasons else reasons[0]

    def prepare(self, scope: TextScope, resolved: Resolved | None = None) -> Alternatives:
        """The alternatives in a scope; `NotApplicable` if there are none, `UserError` for a need that is not met.

        Those that need nothing but the setting are kept, so that one example at a call costs what it costs in a batch.
        """
        perturbation, setting = self.perturbation, self.setting(scope)
        if perturbation.prepare is None:
            none = f"{self.name} changes no text: it adds candidates, and here is no pool"
            hint = "it is for a task with a pool of candidates (retrieval), as a whole"
            raise NotApplicable(perturbation.applies(setting) or none, hint=hint)
        key = self._kept_as(perturbation, setting, scope)
        known = None if key is None else _KEPT.get(key)
        if known is not None and known[0] is perturbation:  # it was asked before whether it applies
            return known[1]
        prepared = perturbation.prepare(setting, self._given(setting, resolved))
        if key is not None:
            while len(_KEPT) >= _MOST_KEPT:
                _KEPT.pop(next(iter(_KEPT)), None)
            _KEPT[key] = perturbation, prepared
        return prepared

    def _kept_as(self, perturbation: Perturbation, setting: Setting, scope: TextScope) -> Hashable | None:
        """The name under which prepared alternatives are kept; `None` where they are not, or cannot be made."""
        try:
            if perturbation.needs(setting):
                return None
            state = perturbation.kept(setting)
            key = (self.name, self.params, scope, state)
            hash(key)
        except (UserError, TypeError):  # said by `applies` or `prepare`; an environment that has no hash
            return None
        return None if state is None else key

    def additions(self, scope: TextScope, resolved: Resolved | None = None) -> Additions:
        """What it adds to a pool; raises as `prepare` does."""
        setting = self.setting(scope)
        given = self._given(setting, resolved)
        if self.perturbation.add is None:
            raise ValueError(f"{self.name} adds no candidates")
        return self.perturbation.add(setting, given)

    def _given(self, setting: Setting, resolved: Resolved | None) -> Given:
        """What its needs resolved to; `NotApplicable` where it has no alternatives."""
        reason = self.perturbation.applies(setting)
        if reason is not None:
            raise NotApplicable(reason, hint=f"it is for {self.perturbation.languages}")
        given = {}
        for need in self.perturbation.needs(setting):
            if resolved is None or need not in resolved:
                raise UserError(
                    f"{self.name} needs its {need.role}, {need.absent}",
                    hint="a study has it (perturb: in a study file, or crosswind evaluate --perturb), and so has "
                    f"crosswind perturb --task; from Python crosswind.perturb takes resolved={{{need.role!r}: …}}",
                )
            given[need.role] = resolved[need]
        return given

    def __str__(self) -> str:
        return f"{self.name}{_print_params(self.params)}:{_print_number(self.severity)}"


@dataclass(frozen=True, slots=True)
class Spec:
    """Perturbations applied one after another; `str` prints the canonical form, which parses to the same."""

    atoms: tuple[Atom, ...]

    @property
    def preserving(self) -> bool:
        """Whether the labels hold under all of it."""
        return all(a.perturbation.nature == "preserving" for a in self.atoms)

    @property
    def name(self) -> str:
        """The spec without severities and places of data: what the levels of one perturbation have in common."""
        return "+".join(a.identity for a in self.atoms)

    @property
    def condition(self) -> tuple[str, float]:
        """The name and the severity of its results: no two specs share both.

        Of a single perturbation these are `name` and its severity, as `("swap", 0.1)`. Of joined ones the
        name holds every severity, and the largest stands beside it: `("swap:0.1+word-order:0.2", 0.2)`.
        """
        if len(self.atoms) == 1:
            return self.name, self.atoms[0].severity
        return "+".join(a.condition for a in self.atoms), max(a.severity for a in self.atoms)

    def at(self, severity: float) -> Spec:
        """The same with every part at one severity."""
        return Spec(tuple(replace(atom, severity=severity) for atom in self.atoms))

    def applies(self, scope: TextScope) -> str | None:
        """Why it has no alternatives in a scope, or `None` if it applies; nothing is loaded for it."""
        return next((reason for a in self.atoms if (reason := a.applies(scope)) is not None), None)

    def needs(self, scope: TextScope) -> tuple[Need, ...]:
        """What it needs beside the text, each once: the caller resolves them (`Resolved`)."""
        reached = [n for a in self.atoms for part in _reached(a, scope) for n in a.perturbation.needs(a.setting(part))]
        return tuple(dict.fromkeys(reached))

    def resources(self, scope: TextScope) -> dict[str, str]:
        """What the result depends on besides text and code: data by SHA-256, libraries by version.

        Where two of the perturbations read different files of one name, that of the later has its number. A language
        that is drawn under another spelling than it has is named so.
        """
        language = one_spelling(scope.language)
        hashes: dict[str, str] = {} if language == scope.language else {"language": language}
        for number, atom in enumerate(self.atoms):
            for part in _reached(atom, scope):
                for name, value in atom.perturbation.resources(atom.setting(part)).items():
                    if hashes.setdefault(name, value) != value:
                        hashes[f"{name}#{number}"] = value
        return dict(sorted(hashes.items()))

    def __str__(self) -> str:
        return "+".join(map(str, self.atoms))


def parse_specs(text: str, *, severity: float | None = None, where: str | None = None) -> tuple[Spec, ...]:
    """The specs that `text` stands for, one for each combination of the severities given.

    `severity` is the severity of names without one. Raises a `UserError` (unknown perturbation or
    parameter with "did you mean", severity outside (0, 1], bad grammar), naming `where`.
    """
    _refuse_what_stands_apart(text, where)
    reader = _Reader(text, where)
    choices = [reader.atoms(severity)]
    while reader.accept("+"):
        choices.append(reader.atoms(severity))
    if reader.peek():
        raise reader.error(f"unexpected {reader.peek()!r}")
    return tuple(Spec(atoms) for atoms in itertools.product(*choices))


def _refuse_what_stands_apart(text: str, where: str | None) -> None:
    """A `UserError` for the name of a condition with its fields (`keyboard@hypothesis`) or its damage
    (`keyboard@chrf=90`): here they stand apart."""
    from crosswind.perturb.extent import FIELD_NAMES

    bare = re.sub(r'"(?:[^"\\]|\\.)*"|\([^()]*\)', "", text)
    for match in re.finditer(r"@([^@+:=]+)", bare):
        names = [name.strip() for name in match[1].split(",")]
        if all(name in FIELD_NAMES for name in names):
            what = f"perturbation {text!r}: fields are no part of a perturbation"
            spec = text.replace(match[0], "", 1).strip()
            hint = f"in a study {{spec: {spec}, fields: [{', '.join(names)}]}}, on the command line --fields "
            raise UserError(what, where=where, hint=hint + ",".join(names))
    if damage := re.search(r"@\s*(\w+)\s*=\s*([0-9.]+)", bare):
        spec = text.replace(damage[0], "", 1).strip()
        what = f"perturbation {text!r}: the severity that does a damage is found on data, and there are none here"
        hint = f"`crosswind perturb {spec} --damage {damage[1]}={damage[2]}` finds it on lines, a study or `evaluate`"
        raise UserError(what, where=where, hint=f"{hint} on its test sets")


def parsed_call(
    text: str, params_of: Callable[[str], Sequence[Param]], *, what: str, where: str | None = None
) -> tuple[str, tuple[tuple[str, Value], ...]]:
    """Name and parameters (those that differ from the defaults) of `NAME` or `NAME(key=value)` without a severity.

    `params_of` gives the parameters of a name and raises for an unknown one. Raises a `UserError` as `parse_specs`.
    """
    reader = _Reader(text, where, what)
    name = reader.word(f"the name of {_article(what)}")
    params = params_of(name)
    given: dict[str, list[str]] = {}
    if reader.accept("(") and not reader.accept(")"):
        reader.params(given)
    if reader.peek():
        raise reader.error(f"unexpected {reader.peek()!r}")
    return name, _typed(name, params, given, reader)


def printed_call(name: str, params: Sequence[tuple[str, Value]]) -> str:
    """What `parsed_call` reads as this name and these parameters."""
    return name + _print_params(params)


def spec_at(text: str, severity: float | None, *, where: str, option: str) -> Spec:
    """The spec that `text` stands for, its names without a severity at that of an option; one must be without."""
    spec = parse_spec(text, severity=severity, where=where)
    if severity is not None:
        other = 1.0 if severity != 1.0 else 0.5
        if parse_spec(text, severity=other) == spec:
            raise UserError(
                f"{text!r} has a severity of its own", where=option, hint=f"leave out {option}, or the other"
            )
    return spec


def parse_spec(text: str, *, severity: float | None = None, where: str | None = None) -> Spec:
    """The one spec that `text` stands for; a `UserError` if it lists several severities."""
    specs = parse_specs(text, severity=severity, where=where)
    if len(specs) > 1:
        raise UserError(f"{text!r} has several severities", where=where, hint="give one severity here")
    return specs[0]


def _reached(atom: Atom, scope: TextScope) -> list[TextScope]:
    """The parts of a scope that an atom works on: a pool it adds to is one whichever fields may change."""
    if atom.perturbation.add is not None:
        return [replace(scope, kind="candidate", fields=("text", "context"))] * (scope.kind == "query")
    return list(scope.parts())


class _Reader:
    """A cursor over the tokens of one spec, or of one call of a `kind` that has no severity."""

    def __init__(self, text: str, where: str | None, kind: str = "perturbation") -> None:
        self.text, self.where, self.kind, self.at = text, where, kind, 0
        self.tokens = [t if t.startswith('"') else t.strip() for t in _TOKEN.findall(text)]
        self.tokens = [t for t in self.tokens if t]

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def accept(self, token: str) -> bool:
        if self.peek() != token:
            return False
        self.at += 1
        return True

    def word(self, what: str) -> str:
        token = self.peek()
        if not token or token in "(),=:+" or token == '"':
            raise self.error(f"expected {what}, found {token!r}" if token else f"expected {what} at the end")
        self.at += 1
        return re.sub(r"\\(.)", r"\1", token[1:-1]) if token.startswith('"') else token

    def error(self, what: str) -> UserError:
        hint = _EXAMPLE if self.kind == "perturbation" else "write name or name(key=value,key=value)"
        return UserError(f"{self.kind} {self.text!r}: {what}", where=self.where, hint=hint)

    def missing(self, name: str, params: Sequence[Param], given: Collection[str]) -> UserError:
        """An error for the parameters that have no default and are not given, with what to write."""
        absent = [p for p in params if p.default is None and not p.location and p.name not in given]
        what = ", ".join(f"{p.name!r} is missing ({p.summary})" for p in absent)
        call = f"{name}({','.join(f'{p.name}={_placeholder(p)}' for p in absent)})"
        severity = ":SEVERITY" if self.kind == "perturbation" else ""
        hint = f"write {call}{severity}"
        return UserError(f"{self.kind} {self.text!r}: the parameter {what}", where=self.where, hint=hint)

    def atoms(self, severity: float | None) -> list[Atom]:
        name = self.word("the name of a perturbation")
        perturbation = PERTURBATIONS.get(name, where=self.where)
        given: dict[str, list[str]] = {}
        if self.accept("(") and not self.accept(")"):
            self.params(given)
        params = _typed(name, perturbation.params, given, self)
        if self.accept(":"):
            levels = [self._severity()]
            while self.accept(","):
                levels.append(self._severity())
        elif severity is not None:
            levels = [self._checked(severity)]
        else:
            raise UserError(
                f"perturbation {name!r} has no severity",
                where=self.where,
                hint=f"write {name}:0.1: a number in (0, 1], below which u changes {_article(perturbation.unit)}",
            )
        return [Atom(name, params, level) for level in dict.fromkeys(levels)]

    def params(self, given: dict[str, list[str]]) -> None:
        key = ""
        while True:
            value = self.word("a parameter")
            if self.accept("="):
                key = value
                if key in given:
                    raise self.error(f"the parameter {key!r} is given twice")
                given[key] = [self.word(f"the value of {key!r}")]
            elif key:
                given[key].append(value)
            else:
                raise self.error(f"the parameter {value!r} has no value")
            if self.accept(")"):
                return
            if not self.accept(","):
                raise self.error("a bracket is not closed")

    def _severity(self) -> float:
        word = self.word("a severity")
        try:
            return self._checked(float(word))
        except ValueError:
            raise self.error(f"{word!r} is no severity: a number in (0, 1]") from None

    def _checked(self, severity: float) -> float:
        if not 0 < severity <= 1:
            raise UserError(
                f"perturbation {self.text!r}: severity {severity:g} is outside (0, 1]",
                where=self.where,
                hint="a unit is drawn if its number u in [0, 1) is below the severity, at 0.1 about every tenth; what "
                "lies over another change or would cost a label is not made, and results say the share that is",
            )
        return severity


def _typed(
    name: str, params: Sequence[Param], given: Mapping[str, Sequence[str]], reader: _Reader
) -> tuple[tuple[str, Value], ...]:
    declared = {p.name: p for p in params}
    for key in given:
        if key not in declared:
            raise unknown(f"parameter of {name}", key, declared, where=reader.where)
    values: list[tuple[str, Value]] = []
    for param in params:
        if param.name in given:
            value = _value(param, given[param.name], reader)
            if value != param.default:
                values.append((param.name, value))
        elif param.default is None and not param.location:
            raise reader.missing(name, params, given)
    return tuple(values)


def _value(param: Param, words: Sequence[str], reader: _Reader) -> Value:
    for word in words:
        if param.choices and word not in param.choices:
            raise unknown(f"value of {param.name}", word, param.choices, where=reader.where)
    if param.type == "list":
        return tuple(dict.fromkeys(spelled(w, reader.where or param.name) if param.language else w for w in words))
    if len(words) > 1:
        raise reader.error(f"the parameter {param.name!r} takes one value, not {len(words)}")
    if param.type == "text":
        return words[0]
    try:
        number = int(words[0]) if param.type == "integer" else float(words[0])
    except ValueError:
        raise reader.error(f"the parameter {param.name!r} is {param.type}, not {words[0]!r}") from None
    low, high = param.low, param.high
    if not math.isfinite(number) or (low is not None and number < low) or (high is not None and number > high):
        raise reader.error(f"the parameter {param.name!r} is {words[0]}: it is {_range(param)}")
    return number


def _range(param: Param) -> str:
    """Which numbers a parameter may be: `an integer from 1`, `a number from 0 to 1`."""
    low = "" if param.low is None else f" from {param.low:g}"
    high = "" if param.high is None else f" to {param.high:g}" if low else f" up to {param.high:g}"
    return f"{_article(param.type)}{low}{high}" if low or high else f"a finite {param.type}"


def _placeholder(param: Param) -> str:
    """What stands for a value that the user has to choose."""
    if param.name == "model":
        return "FOLDER"
    if param.language:
        return "LANGUAGE"
    return param.choices[0] if param.choices else param.type.upper()


def _print_params(params: Sequence[tuple[str, Value]]) -> str:
    if not params:
        return ""
    return "(" + ",".join(f"{key}={_print_value(value)}" for key, value in params) + ")"


def _print_value(value: Value) -> str:
    if isinstance(value, tuple):
        return ",".join(map(_print_value, value))
    if isinstance(value, str):
        if _PLAIN.fullmatch(value):
            return value
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return _print_number(value)


def _article(unit: str) -> str:
    return f"{'an' if unit[0] in 'aeiouAEIOU' else 'a'} {unit}"


def _print_number(value: float) -> str:
    short = f"{value:g}"
    return short if float(short) == value else repr(value)
