"""The realised share of a severity: of the sites that were open to a perturbation, those that it changed.

A severity is the threshold of u, so that the drawn count is binomial; of what is drawn some is not made (`noise.py`
lists the reasons). Sites are counted again, on the examples of which the damage is measured: noise itself looks only at
those that it draws.
"""

from __future__ import annotations

from collections.abc import Sequence

from crosswind.data.examples import Dataset
from crosswind.perturb.applied import touches_lock
from crosswind.perturb.damage import damage_sample
from crosswind.perturb.draw import draw, key
from crosswind.perturb.example import Protection, candidate_passage, cut_passages
from crosswind.perturb.noise import BATCH, numbered
from crosswind.perturb.passage import Passage, PassageKind
from crosswind.perturb.perturbation import Environment
from crosswind.perturb.perturbed import PerturbedDataset
from crosswind.perturb.spec import POOL, Atom, Resolved, Spec, TextScope


def realised_share(
    clean: Dataset,
    perturbed: PerturbedDataset,
    spec: Spec,
    *,
    draw_number: int,
    fields: Sequence[str],
    protect: Protection = "none",
    environment: Environment | None = None,
    resolved: Resolved | None = None,
) -> float | None:
    """The sites that were changed for each that was open (no label, and nothing protected, is in its way), 0 to 1.

    `perturbed` is what `perturb_dataset` gave with the same arguments. `None` where no site was open, where candidates
    are added instead of texts changed, and for joined perturbations: a later one has its sites in what an earlier left.
    """
    if len(spec.atoms) != 1 or spec.atoms[0].perturbation.prepare is None:
        return None
    ((atom, identity),) = numbered(spec.atoms)
    sample = damage_sample(clean)
    environment = environment or Environment()
    texts = tuple(f for f in fields if f != POOL)
    flat: list[Passage] = []
    if texts:
        flat, _ = cut_passages(sample.examples, texts, task=clean.task, protect=protect, whole=atom.perturbation.whole)
    not_made = _not_made({e.id for e in sample.examples}, perturbed) if texts else 0
    if POOL in fields and sample.pool is not None:
        flat += [candidate_passage(c, task=clean.task) for c in sample.pool.candidates]
        names = {c.id for c in sample.pool.candidates}
        not_made += sum(sum(c.counts.values()) for c in perturbed.candidates if c.example.id in names)
    groups: dict[tuple[str, PassageKind], list[Passage]] = {}
    for passage in flat:
        groups.setdefault((passage.language, passage.kind), []).append(passage)
    open_sites = drawn = 0
    for (language, kind), some in groups.items():
        named = ("text", "context") if kind == "candidate" else texts
        scope = TextScope(language, kind, named, environment, clean.task)
        counted = _counted(atom, scope, resolved, some, (str(draw_number), identity))
        open_sites, drawn = open_sites + counted[0], drawn + counted[1]
    return (drawn - not_made) / open_sites if open_sites else None


def _not_made(names: set[str], perturbed: PerturbedDataset) -> int:
    return sum(sum(e.counts.values()) for e in perturbed.examples if e.example.id in names)


def _counted(
    atom: Atom, scope: TextScope, resolved: Resolved | None, passages: Sequence[Passage], identity: tuple[str, str]
) -> tuple[int, int]:
    """How many sites of passages are open, and how many are drawn, open or not."""
    alternatives = atom.prepare(scope, resolved)
    open_sites = drawn = 0
    for start in range(0, len(passages), BATCH):
        batch = passages[start : start + BATCH]
        every = alternatives.sites(batch)
        keys = [key(*identity, p.task, p.language, p.id, p.field) for p in batch]
        drawn += sum(map(len, draw(keys, [sites.counters for sites in every], atom.severity)))
        for passage, sites in zip(batch, every, strict=True):
            locked = 0
            if passage.locked:
                locked = sum(touches_lock(passage, a, b) for a, b in zip(sites.starts, sites.ends, strict=True))
            open_sites += len(sites) - locked
    return open_sites, drawn
