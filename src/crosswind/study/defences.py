"""Defences of a study: what they change of a target's phases and of how its test sets are read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from crosswind.analysis.results import Familiarity
from crosswind.errors import UserError
from crosswind.evaluate.purify import PurifierCall, parse_purifier
from crosswind.perturb.perturbation import Environment
from crosswind.perturb.spec import Spec, TextScope, parse_spec
from crosswind.steps.train import AugmentParams, HeadParams, RobustParams, SubwordParams, TrainParams, fields_of
from crosswind.study.encoders import encoder_fingerprint
from crosswind.study.mining import mined_family, mined_plan
from crosswind.study.oracle import refuse_test_text
from crosswind.study.phases import merged_settings
from crosswind.study.planned import ATTACK_PREFIX, CellCondition
from crosswind.study.spec import AugmentSpec, Defence
from crosswind.study.target_plans import TargetPlan
from crosswind.train.robust import ROBUST
from crosswind.train.subwords import SUBWORDS, require_kind


def defended(target: TargetPlan, name: str, defence: Defence, environment: Environment) -> TargetPlan:
    """The target with a defence over its phases; a `UserError` names the study key of what is not there."""
    where = f"defences.{name}"
    robust = _robust(defence.robust, f"{where}.robust")
    subwords = _subwords(defence.subwords, f"{where}.subwords")
    augments = tuple(_augment(a, f"{where}.augment[{i}]") for i, a in enumerate(defence.augment))
    mined = tuple(mined_plan(spec, f"{where}.mined[{i}]") for i, spec in enumerate(defence.mined))
    if mined and not target.chain:
        hint = "leave it out, or train the target"
        raise UserError(f"nothing is trained for {target.task.name}", where=f"{where}.mined", hint=hint)
    purify = tuple(str(_purifier(text, f"{where}.purify")) for text in defence.purify)
    chain = tuple(
        replace(
            phase,
            training=merged_settings(phase.training, defence.training),
            robust=robust,
            subwords=subwords,
            mined=mined,
            augment=tuple(params for params, _ in augments),
            augment_specs=tuple(spec for _, spec in augments),
        )
        for phase in target.chain
    )
    training = chain[-1].training if chain else merged_settings(target.training, defence.training)
    family = None
    if defence != Defence():
        searched = (mined_family(plan, phase, environment) for plan in mined for phase in chain)
        family = defence_family(defence, [spec for _, spec in augments]).union(*searched)
    return replace(target, chain=chain, training=training, purify=purify, family=family)


def defence_family(defence: Defence, augments: Iterable[Spec]) -> frozenset[str]:
    """The names of the perturbations that a defence trains on or is made for, whatever their severities and languages.

    Robust training displaces embeddings and is made for none of them.
    """
    trained = {atom.name for spec in augments for atom in spec.atoms}
    return frozenset(trained.union(*(parse_purifier(text).declaration.made_for for text in defence.purify)))


def familiarity(family: frozenset[str] | None, condition: CellCondition) -> Familiarity:
    """Whether a condition is of a defence's family: all of what it draws from or searches, or the recipe itself."""
    if family is None or condition.clean:
        return "none"
    parts = {name for name in condition.made_of if not name.startswith(ATTACK_PREFIX)}
    known = bool(parts) and parts <= family
    return "in-family" if known or not family.isdisjoint(set(condition.made_of) - parts) else "held-out"


def augment_prints(params: TrainParams, specs: tuple[Spec, ...], environment: Environment) -> dict[str, str]:
    """What the noise of training depends on besides text and code; a `UserError` where it has no alternatives."""
    prints: dict[str, str] = {}
    for i, spec in enumerate(specs):
        refuse_test_text(spec, environment, f"augment[{i}]")
        for head in params.heads:
            for scope in _scopes(head, environment):
                reason = spec.applies(scope)
                if reason is not None:
                    hint = "leave it out, or train the target in languages that have it"
                    raise UserError(f"{spec} in {scope.language}: {reason}", where=f"augment[{i}]", hint=hint)
                if spec.needs(scope):
                    hint = "augmentation takes perturbations that need nothing but lexicons"
                    raise UserError(f"{spec.name} needs data, steps or models", where=f"augment[{i}]", hint=hint)
                prints |= {f"augment {key}": value for key, value in spec.resources(scope).items()}
    return prints


def purify_prints(calls: Iterable[PurifierCall], language: str, words: str | None) -> Mapping[str, str]:
    """What the input defences of a language depend on besides text, code and models."""
    return {
        f"purify {call.purifier} {key}": value
        for call in calls
        for key, value in call.declaration.resources(language, words).items()
    }


def _scopes(head: HeadParams, environment: Environment) -> list[TextScope]:
    languages = dict.fromkeys(ref.language for ref in head.data)
    return [TextScope(language, head.kind, fields_of(head), environment) for language in languages]


def _purifier(text: str, where: str) -> PurifierCall:
    call = parse_purifier(text, where=where)
    if call.model:
        try:
            encoder_fingerprint(call.model)
        except UserError as error:
            raise UserError(error.what, where=where, hint=error.hint) from error
    return call


def _robust(given: Mapping[str, Mapping[str, float]] | None, where: str) -> RobustParams | None:
    if given is None:
        return None
    ((name, settings),) = given.items()
    method = ROBUST.get(name, where=where)
    return RobustParams(name, tuple(method.settings(settings, f"{where}.{name}").items()))


def _subwords(given: Mapping[str, Mapping[str, float]] | None, where: str) -> SubwordParams | None:
    if given is None:
        return None
    ((name, settings),) = given.items()
    method = SUBWORDS.get(name, where=where)
    return SubwordParams(name, tuple(method.settings(settings, f"{where}.{name}").items()))


def check_tokenizer(defence: Defence, name: str, encoder: str) -> None:
    """Raise a `UserError` where a defence cuts words otherwise than the encoder's tokenizer, if its file is there."""
    path = Path(encoder) / "tokenizer.json"
    if defence.subwords is not None and path.is_file():
        kind = json.loads(path.read_text(encoding="utf-8")).get("model", {}).get("type", "")
        for method in defence.subwords:
            require_kind(method, kind, f"defences.{name}.subwords")


def _augment(augment: AugmentSpec, where: str) -> tuple[AugmentParams, Spec]:
    spec = parse_spec(augment.spec, where=f"{where}.spec")
    if any(atom.perturbation.add is not None for atom in spec.atoms):
        raise UserError(f"{spec.name} adds candidates to a pool", where=where, hint="augmentation changes texts")
    if not spec.preserving:
        hint = "labels need not hold under it: choose a preserving perturbation (crosswind list perturbations)"
        raise UserError(f"{spec.name} is diagnostic", where=where, hint=hint)
    embeds = any(name == "embed" for atom in spec.atoms for name, _ in atom.params)
    if augment.pick is not None and not embeds:
        raise UserError(f"{spec.name} embeds no languages to pick from", where=f"{where}.pick", hint="leave pick out")
    identity = tuple((atom.identity, atom.severity) for atom in spec.atoms)
    return AugmentParams(identity, augment.share, augment.pick), spec
