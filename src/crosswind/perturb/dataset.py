"""Perturbing examples and whole datasets.

The same example gives the same result alone, in a dataset and in any order: a draw depends on the
draw's number, the perturbation without its severity, the task, the language, the example's id and
the field, and on nothing else.
"""

from __future__ import annotations

import gc
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from crosswind.data.examples import Candidate, Dataset, Example, PairExample, Pool, QueryExample, kind_of
from crosswind.data.languages import one_spelling
from crosswind.errors import UserError
from crosswind.perturb.alternatives import Refusing
from crosswind.perturb.applied import Constraint
from crosswind.perturb.draw import draw as draw_sites
from crosswind.perturb.draw import key
from crosswind.perturb.example import (
    Protection,
    candidate_passage,
    check_protection,
    cut_passages,
    pair_with,
    rebuild,
    rebuild_candidate,
)
from crosswind.perturb.noise import Noised, Prepared, numbered, perturb_passages
from crosswind.perturb.passage import WHOLE, Passage, PassageKind
from crosswind.perturb.perturbation import Environment, NotApplicable
from crosswind.perturb.perturbed import Perturbed, PerturbedDataset
from crosswind.perturb.rewrite import Rewrite
from crosswind.perturb.spec import POOL, Atom, Resolved, Spec, TextScope
from crosswind.run.step import digest

_NOTHING: Mapping[str, Any] = MappingProxyType({})

Numbered = tuple[Atom, str]
"""An atom and its identity in the draw."""


def perturb_example(
    example: Example,
    spec: Spec,
    *,
    task: str,
    draw: int,
    fields: Sequence[str],
    protect: Protection = "none",
    environment: Environment | None = None,
    resolved: Resolved | None = None,
    constraints: Sequence[Constraint] = (),
) -> Perturbed[Example]:
    """One example after noise; see `perturb_dataset`, which is much faster for many."""
    (perturbed,) = perturb_examples(
        [example],
        spec,
        task=task,
        draw=draw,
        fields=fields,
        protect=protect,
        environment=environment,
        resolved=resolved,
        constraints=constraints,
    )
    return perturbed


def perturb_examples(
    examples: Sequence[Example],
    spec: Spec,
    *,
    task: str,
    draw: int,
    fields: Sequence[str],
    protect: Protection = "none",
    environment: Environment | None = None,
    resolved: Resolved | None = None,
    constraints: Sequence[Constraint] = (),
    whole_set: bool = False,
) -> list[Perturbed[Example]]:
    """Examples after noise, in order.

    `fields` name the texts that may change (as `Task.perturbed` does, without `pool`). `resolved` holds
    what the spec's needs resolved to. Raises a `UserError` for an unknown field or a need that is not met,
    and `NotApplicable` for a language, kind or field without alternatives; where the examples are the
    `whole_set` that a user asked for, so too if none of them has what could change (`Refusing`).
    """
    protection = check_protection(protect)

    def stage(atoms: Sequence[Numbered], now: Sequence[Example], whole: bool, prefix: str) -> list[Perturbed[Example]]:
        flat, counts = cut_passages(now, fields, task=task, protect=protection, whole=whole)
        prepared = _prepared(flat, atoms, fields, environment, resolved)
        if whole_set:
            _require_change(flat, atoms, prepared)
        noised = perturb_passages(flat, atoms, draw_number=draw, prepared=prepared, constraints=constraints)
        return _rebuilt(now, counts, noised, prefix)

    with collector_paused():  # what a stage needs is gone when the collector comes back
        perturbed: list[Perturbed[Example]] = []
        for number, (whole, atoms) in enumerate(_stages(numbered(spec.atoms))):
            if not number:
                perturbed = stage(atoms, examples, whole, "")
                continue
            later = stage(atoms, [p.example for p in perturbed], whole, f"{number}:")
            perturbed = [_joined(a, b) for a, b in zip(perturbed, later, strict=True)]
        return perturbed


def perturb_pool(
    pool: Pool,
    spec: Spec,
    *,
    task: str,
    draw: int,
    environment: Environment | None = None,
    resolved: Resolved | None = None,
    constraints: Sequence[Constraint] = (),
) -> list[Perturbed[Candidate]]:
    """The texts of a pool's candidates after noise, in order; raises as `perturb_examples` does."""
    return _perturb_pool(pool, list(numbered(spec.atoms)), task, draw, environment, resolved, constraints)


def perturb_dataset(
    dataset: Dataset,
    spec: Spec,
    *,
    draw: int,
    fields: Sequence[str],
    protect: Protection = "none",
    environment: Environment | None = None,
    resolved: Resolved | None = None,
    constraints: Sequence[Constraint] = (),
) -> PerturbedDataset:
    """A dataset after noise; `pool` among the fields stands for the candidates of its pool.

    The fingerprint of the result covers the source, the spec, the draw, the fields, the protection,
    the constraints, the resources (lexicons, layouts, segmenter) and the data that it depends on.
    Raises as `perturb_examples` does of a whole set.
    """
    atoms = list(numbered(spec.atoms))
    texts = [a for a in atoms if a[0].perturbation.add is None]
    adding = [a for a in atoms if a[0].perturbation.add is not None]
    changed_fields = tuple(f for f in fields if f != POOL)
    examples: Sequence[Perturbed[Example]]
    if changed_fields and texts:
        examples = perturb_examples(
            dataset.examples,
            Spec(tuple(a for a, _ in texts)),
            task=dataset.task,
            draw=draw,
            fields=changed_fields,
            protect=protect,
            environment=environment,
            resolved=resolved,
            constraints=constraints,
            whole_set=True,
        )
    else:
        examples = [Perturbed(e, _NOTHING, _NOTHING, _NOTHING) for e in dataset.examples]
    candidates: Sequence[Perturbed[Candidate]] = ()
    pool = dataset.pool
    if POOL in fields and pool is not None and texts:
        candidates = _perturb_pool(pool, texts, dataset.task, draw, environment, resolved, constraints)
        pool = Pool(tuple(c.example for c in candidates))
    added: tuple[Candidate, ...] = ()
    share = 0.0
    if adding:
        if dataset.pool is None:
            raise NotApplicable(f"{adding[0][0].name} adds candidates, and {dataset.task} has no pool")
        added, share = _added(dataset, dataset.pool, adding, draw, environment, resolved)
        pool = Pool((*(pool or dataset.pool).candidates, *added))
    kind: PassageKind = kind_of(dataset.examples[0]) if dataset.examples else "line"
    scope = TextScope(dataset.language, kind, tuple(fields), environment or Environment(), dataset.task)
    identity = {
        "source": dataset.fingerprint,
        "spec": [(a.identity, a.severity) for a in spec.atoms],
        "draw": draw,
        "fields": list(fields),
        "protect": protect,
        "resources": spec.resources(scope),
    }
    if constraints:
        identity["constraints"] = [c.name for c in constraints]
    if needed := spec.needs(scope):
        identity["needs"] = [(repr(n), getattr((resolved or {}).get(n), "fingerprint", "")) for n in needed]
    perturbed = replace(dataset, examples=tuple(e.example for e in examples), pool=pool, fingerprint=digest(identity))
    return PerturbedDataset(perturbed, tuple(examples), tuple(candidates), added, share)


def _stages(atoms: Iterable[Numbered]) -> list[tuple[bool, list[Numbered]]]:
    """Runs of atoms that change fields, or whole examples."""
    runs = itertools.groupby(atoms, key=lambda a: a[0].perturbation.whole)
    return [(whole, list(run)) for whole, run in runs]


def _prepared(
    flat: Sequence[Passage],
    atoms: Sequence[Numbered],
    fields: Sequence[str],
    environment: Environment | None,
    resolved: Resolved | None,
) -> Prepared:
    scopes = {(p.language, p.kind) for p in flat}
    every = TextScope(
        "", fields=tuple(fields), environment=environment or Environment(), task=flat[0].task if flat else ""
    )
    return {
        (atom, language, kind): atom.prepare(replace(every, language=language, kind=kind), resolved)
        for language, kind in sorted(scopes)
        for atom, _ in atoms
    }


def _require_change(flat: Sequence[Passage], atoms: Sequence[Numbered], prepared: Prepared) -> None:
    """A `NotApplicable` where none of the passages has what an atom could change."""
    for atom, _ in atoms:
        reasons = []
        for language, kind in dict.fromkeys((p.language, p.kind) for p in flat):
            alternatives = prepared[atom, language, kind]
            some = [p for p in flat if (p.language, p.kind) == (language, kind)]
            reasons.append(alternatives.lacking(some) if isinstance(alternatives, Refusing) else None)
        if reasons and None not in reasons:
            raise NotApplicable(f"{atom.name}: {reasons[0]}", hint=f"it is for {atom.perturbation.languages}")


def _rebuilt(
    examples: Sequence[Example], counts: Sequence[int], noised: Noised, prefix: str
) -> list[Perturbed[Example]]:
    """The examples, of each of which some passages (`counts`) were cut, with what became of these."""
    passages, texts, rewritten, counted = noised.passages, noised.texts, noised.rewrites, noised.counts
    if len(passages) == len(examples) and set(map(type, examples)) == {PairExample}:
        named = {p.field for p in passages}
        if len(named) == 1 and WHOLE not in named and 0 not in counts:
            return _pairs_after(examples, noised, named.pop(), prefix)  # type: ignore[arg-type]
    perturbed = []
    at = 0
    for example, count in zip(examples, counts, strict=True):
        some = range(at, at + count)
        at += count
        new: dict[str, str] = {}
        rewrites: dict[str, Rewrite] = {}
        for n in some:
            rewrite, passage = rewritten[n], passages[n]
            # A later perturbation may have undone an earlier one.
            if rewrite is not None and texts[n] != passage.text:
                new[passage.field] = texts[n]
                rewrites[prefix + passage.field] = rewrite
        skipped: Mapping[str, int] = _NOTHING
        if counted:
            totals = [counted[n] for n in some if n in counted]
            skipped = sum(totals[1:], totals[0]) if totals else _NOTHING
        if not rewrites:
            perturbed.append(Perturbed(example, _NOTHING, skipped, _NOTHING))
        elif isinstance(example, PairExample) and WHOLE not in new:
            pair = pair_with(example, new.get("first", example.first), new.get("second", example.second))
            perturbed.append(Perturbed(pair, rewrites, skipped, _NOTHING))
        else:
            written = [w for n in some if passages[n].field in new and (w := noised.written_of(n)) is not None]
            tags = {prefix + w.passage.field: w.passage.tags for w in written if w.retagged}
            perturbed.append(Perturbed(rebuild(example, written), rewrites, skipped, tags or _NOTHING))
    return perturbed


def _pairs_after(examples: Sequence[PairExample], noised: Noised, field: str, prefix: str) -> list[Perturbed[Example]]:
    """Pairs of each of which `field` alone was cut: what `_rebuilt` gives, in half the time."""
    perturbed: list[Perturbed[Example]] = []
    name, is_first, passages = prefix + field, field == "first", noised.passages
    counted: Iterable[Mapping[str, int]] = itertools.repeat(_NOTHING)
    if noised.counts:
        counted = map(noised.counts.get, range(len(examples)), itertools.repeat(_NOTHING))
    for example, passage, text, rewrite, skipped in zip(
        examples, passages, noised.texts, noised.rewrites, counted, strict=False
    ):
        if rewrite is None or text == passage.text:
            perturbed.append(Perturbed(example, _NOTHING, skipped, _NOTHING))
        else:
            pair = pair_with(example, text, example.second) if is_first else pair_with(example, example.first, text)
            perturbed.append(Perturbed(pair, {name: rewrite}, skipped, _NOTHING))
    return perturbed


def _joined(first: Perturbed[Example], second: Perturbed[Example]) -> Perturbed[Example]:
    counts: Counter[str] = Counter(first.counts) + Counter(second.counts)
    return Perturbed(second.example, {**first.rewrites, **second.rewrites}, counts, {**first.tags, **second.tags})


def _perturb_pool(
    pool: Pool,
    atoms: Sequence[Numbered],
    task: str,
    draw: int,
    environment: Environment | None,
    resolved: Resolved | None,
    constraints: Sequence[Constraint],
) -> list[Perturbed[Candidate]]:
    with collector_paused():
        flat = [candidate_passage(c, task=task) for c in pool.candidates]
        prepared = _prepared(flat, atoms, ("text", "context"), environment, resolved)
        noised = perturb_passages(flat, atoms, draw_number=draw, prepared=prepared, constraints=constraints)
        perturbed = []
        for i, (candidate, written) in enumerate(zip(pool.candidates, noised.written, strict=True)):
            counts: Mapping[str, int] = noised.counts.get(i, {})
            if written is None or written.passage.text == flat[i].text:
                perturbed.append(Perturbed(candidate, {}, counts))
                continue
            field = written.passage.field.partition(".")[2]
            perturbed.append(Perturbed(rebuild_candidate(candidate, written), {field: written.rewrite}, counts))
        return perturbed


def _added(
    dataset: Dataset,
    pool: Pool,
    atoms: Sequence[Numbered],
    draw: int,
    environment: Environment | None,
    resolved: Resolved | None,
) -> tuple[tuple[Candidate, ...], float]:
    """The candidates that atoms add, and the share of candidates or queries that they are added for."""
    pool_fields = ("text", "context")
    scope = TextScope(dataset.language, "candidate", pool_fields, environment or Environment(), dataset.task)
    known = {c.id for c in pool.candidates}
    added: dict[str, Candidate] = {}
    share = 0.0
    for atom, identity in atoms:
        items: list[Candidate | QueryExample] = list(pool.candidates)
        if atom.perturbation.adds_for == "queries":
            items = [e for e in dataset.examples if isinstance(e, QueryExample)]
        keys = [key(str(draw), identity, dataset.task, one_spelling(i.language), i.id, "added") for i in items]
        hits = draw_sites(keys, [(0,)] * len(items), atom.severity)
        drawn = [(item, hit[0][2]) for item, hit in zip(items, hits, strict=True) if hit]
        share = max(share, len(drawn) / max(1, len(items)))
        for some in atom.additions(scope, resolved)(drawn):
            for candidate in some:
                if candidate.id in known or added.setdefault(candidate.id, candidate) != candidate:
                    raise UserError(
                        f"{atom.name} adds a candidate under an id that another has: {candidate.id!r}",
                        hint="give an added candidate an id of its own",
                    )
    return tuple(added.values()), share


@contextmanager
def collector_paused() -> Iterator[None]:
    """Without cyclic garbage collection: millions of small tuples and no cycle are made meanwhile.

    Walking them again and again takes half of the time (benchmarks/perturb_throughput.py).
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
