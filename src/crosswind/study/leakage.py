"""No leakage: a study that trains or selects on what it evaluates is refused, with the overlap named."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import assert_never

from crosswind.data.examples import (
    ChoiceExample,
    Example,
    PairExample,
    Pool,
    QueryExample,
    Rows,
    SpanExample,
    TaggingExample,
    is_labelled,
    text_fields,
)
from crosswind.data.leakage import leakage_hashes, normalized_hash
from crosswind.data.stored import read_examples
from crosswind.errors import UserError
from crosswind.run.kinds import STEPS
from crosswind.run.store import Store
from crosswind.steps.layer import CHOOSE_LAYER
from crosswind.steps.pretrain import PRETRAIN, earlier_text, text_of_part
from crosswind.steps.translate import TRANSLATE
from crosswind.study.planned import Plan
from crosswind.tasks.base import CORPORA, TASKS
from crosswind.tasks.load import load_text
from crosswind.tasks.refs import DataRef, Library

SHOWN = 3  # overlapping items that the message names
PLACEHOLDERS = 50  # examples from which one label in all of them is no chance
SENTENCE = 20  # characters from which a field of an example is compared with lines of raw text


@dataclass(frozen=True)
class _Use:
    """Data that the study learns from, and for what; raw text has no `ref`."""

    name: str
    ids: frozenset[str]
    texts: frozenset[str]
    ref: DataRef | None = None


def check_leakage(plan: Plan, library: Library) -> list[str]:
    """Compare by item id and by hash of normalised text; a `UserError` names the first overlap.

    Checks every phase's labelled data, its selection data, its masked-LM text and what the encoder was pretrained on
    against every evaluated cell, whatever the route: a test item that one route has seen spoils the comparison of
    all. Official splits of one task may share texts (68 sentences of UD English-EWT's train are in its
    test, "Thank you ." and the like): everybody's numbers have that, so it is returned as a note. Splits of the
    user's own tasks are nobody's but theirs.
    """
    pools: dict[int, tuple[Pool, dict[str, str]]] = {}  # by identity: languages may share one of a million
    evaluated = {ref: _evaluated(ref, library, pools) for ref in dict.fromkeys(c.data for c in plan.cells)}
    notes = []
    for use in [*_pretraining(plan), *_uses(plan, library), *_fitted(plan, library)]:
        for ref, (ids, labelled, raw) in evaluated.items():
            texts = labelled if use.ref is not None else raw
            shared = use.ids & ids.keys()
            same = {texts[h] for h in use.texts & texts.keys()} if not shared else set()
            if same and use.ref is not None and _official_splits(use.ref, ref):
                shared_by = "the official splits share them"
                notes.append(f"{use.name}: {len(same)} of its texts are in {ref.name} too; {shared_by}")
            elif shared or same:
                raise _refusal(use, ref, sorted(shared or same), by_id=bool(shared))
    return notes


def translated_data(plan: Plan) -> list[tuple[DataRef, str]]:
    """The translated data that phases train or select on, each with the step that makes it."""
    made = {}
    for step, params in plan.training_steps():
        for ref in (*(ref for head in params.heads for ref in head.data), *params.select):
            if ref.made is not None:
                made[step.inputs[ref.made]] = ref
    return [(ref, key) for key, ref in made.items()]


def check_translations(plan: Plan, library: Library, store: Store) -> list[str]:
    """Compare the texts of translated data, which are there now, with every evaluated cell, as `check_leakage` does."""
    pools: dict[int, tuple[Pool, dict[str, str]]] = {}
    evaluated = {ref: _evaluated(ref, library, pools) for ref in dict.fromkeys(c.data for c in plan.cells)}
    notes = []
    for made, key in translated_data(plan):
        if not store.has(key):
            continue  # Its step failed, which the run says.
        examples, _ = read_examples(store.path(key))
        name = f"training on {made.task}/{made.language}/{made.split} (translated)"
        use = _Use(name, frozenset(e.id for e in examples), frozenset(_hashes(examples)), made)
        for ref, (ids, labelled, _) in evaluated.items():
            same = {labelled[h] for h in use.texts & labelled.keys()} - (use.ids & ids.keys())
            if same and _official_splits(made, ref):
                notes.append(
                    f"{use.name}: {len(same)} of its texts are in {ref.name} too, as a machine translated them"
                )
            elif same:
                raise _refusal(use, ref, sorted(same), by_id=False)
    return notes


def _official_splits(one: DataRef, other: DataRef) -> bool:
    """Whether both are splits, not the same, of a task that comes with Crosswind."""
    official = not one.declaration.declaration and TASKS.origin(one.task) is None
    return official and one.task == other.task and one.split != other.split


def _refusal(use: _Use, ref: DataRef, items: list[str], *, by_id: bool) -> UserError:
    shown = ", ".join(items[:SHOWN]) + (", …" if len(items) > SHOWN else "")
    how = "the same items" if by_id else "the same texts"
    return UserError(
        f"{use.name} has {len(items)} of {how} that {ref.name} evaluates ({shown})",
        where="study",
        hint="nothing serves twice: choose rows (rows: 0-999 here, others there), or take these out of one file",
    )


def _evaluated(
    ref: DataRef, library: Library, pools: dict[int, tuple[Pool, dict[str, str]]]
) -> tuple[dict[str, str], Mapping[str, str], Mapping[str, str]]:
    """Item ids, and hash -> id of what a cell evaluates: as labelled examples are hashed, and as raw
    lines are (every field that is a sentence, and the candidates of a pool, stand alone there).
    """
    data = library.dataset(ref)
    _require_labels(data.examples, ref)
    ids = {e.id: e.id for e in data.examples}
    texts = {h: e.id for e in data.examples for h in leakage_hashes(e)}
    fields = ((text, e.id) for e in data.examples for text in text_fields(e).values())
    raw = texts | {normalized_hash(text): name for text, name in fields if len(text) >= SENTENCE}
    pool = data.pool
    if pool is None:
        return ids, texts, raw
    if id(pool) not in pools:
        pools[id(pool)] = pool, {normalized_hash(c.text): c.id for c in pool.candidates if not c.context}
    candidates = pools[id(pool)][1]
    return ids, ChainMap(candidates, texts), ChainMap(candidates, raw)


def _pretraining(plan: Plan) -> Iterator[_Use]:
    """What the base encoder says it was pretrained on, and what the study pretrains it on."""
    folder = plan.graph.context.get("encoder")
    if folder and Path(folder).is_dir():
        yield _Use("the encoder's pretraining", frozenset(), earlier_text(folder))
    for step in plan.graph.values():
        if step.kind != PRETRAIN.name:
            continue
        text, world = PRETRAIN.load(step.params).text, plan.graph.context["pretrain"]
        for i, part in enumerate(text):
            if part.name is None or CORPORA[part.name].generated is None:
                lines = text_of_part(text, i, world)
                hashes = frozenset(h for line in lines for h in leakage_hashes(line))
                yield _Use(f"pretraining on {part.name or 'files'}", frozenset(), hashes)
        yield _Use("the encoder's pretraining", frozenset(), earlier_text(world.get("encoder")))


def _uses(plan: Plan, library: Library) -> Iterator[_Use]:
    seen: set[DataRef] = set()
    corpora: set[tuple[str, tuple[str, ...], str | None]] = set()
    for step, params in plan.training_steps():
        parts = [*((head.data, "training") for head in params.heads), (params.select, "selection")]
        for refs, name in parts:
            for ref in refs:
                # Of what is made of other data, these count: their ids are the same, and their texts are there now.
                source = TRANSLATE.load(plan.graph[step.inputs[ref.made]].params).ref if ref.made else ref
                if source not in seen:
                    seen.add(source)
                    what = f"{source.name} (translated)" if ref.made else source.name
                    yield _labelled(f"{name} on {what}", source, library)
        for corpus, languages, rows in params.mlm.corpora if params.mlm else ():
            text = (corpus, languages, rows)
            # Generated corpora hold no example's text (tests/tasks).
            if text not in corpora and CORPORA[corpus].generated is None:
                corpora.add(text)
                lines = load_text(CORPORA[corpus], languages, library.source, Rows.parse(rows) if rows else None)
                hashes = frozenset(h for line in lines for h in leakage_hashes(line))
                yield _Use(f"masked LM on {corpus}", frozenset(), hashes)


def _fitted(plan: Plan, library: Library) -> Iterator[_Use]:
    """The development data that metrics fit a threshold on, and those that layers are chosen on."""
    fitted = dict.fromkeys(step.inputs["dev"] for step in plan.graph.values() if "dev" in step.inputs)
    choices = (step for step in plan.graph.values() if step.kind == CHOOSE_LAYER.name)
    chosen = dict.fromkeys(key for step in choices for key in step.inputs.values())
    for keys, purpose in ((fitted, "fitting a metric"), (chosen, "choosing a layer")):
        steps = (plan.graph[key] for key in keys)
        for ref in dict.fromkeys(replace(STEPS[step.kind].load(step.params).ref, made=None) for step in steps):
            yield _labelled(f"{purpose} on {ref.name}", ref, library)


def _labelled(name: str, ref: DataRef, library: Library) -> _Use:
    examples = library.dataset(ref).examples
    _require_labels(examples, ref)
    return _Use(name, frozenset(e.id for e in examples), frozenset(_hashes(examples)), ref)


def _require_labels(examples: Sequence[Example], ref: DataRef) -> None:
    """A `UserError` for data without labels, before anything is trained for it or on it."""
    missing = [example.id for example in examples if not is_labelled(example)]
    if missing:
        raise UserError(
            f"{len(missing):,} of {len(examples):,} examples carry no gold label, {missing[0]} first",
            where=ref.name,
            hint="this split is distributed without labels; name another split, such as dev",
        )
    # Of chosen rows all may well have one label; of a split as it is distributed they have not.
    label = _only_label(examples) if ref.rows is None and ref.limit is None else None
    if label is not None and len(examples) >= PLACEHOLDERS:
        raise UserError(
            f"every one of its {len(examples):,} examples has the label {label}: these are placeholders for hidden "
            "labels",
            where=ref.name,
            hint="this copy of the split is distributed without its labels; name another split, such as dev, or fetch "
            "the labelled file",
        )


def _only_label(examples: Sequence[Example]) -> str | None:
    """The label, or tag, that all examples have; `None` where there are several, or they have none of that sort."""
    labels: set[object] = set()
    for example in examples:
        match example:
            case PairExample() | ChoiceExample():
                labels.add(example.label)
            case TaggingExample():
                labels.update(example.tags or ())
            case SpanExample() | QueryExample():
                return None
            case _:
                assert_never(example)
        if len(labels) > 1:
            return None
    return str(next(iter(labels))) if labels else None


def _hashes(examples: Iterable[object]) -> Iterator[str]:
    for example in examples:
        yield from leakage_hashes(example)  # type: ignore[arg-type]
