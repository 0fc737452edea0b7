"""No leakage: a study that trains or selects on what it evaluates is refused, with the overlap named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from crosswind.data.examples import Rows, text_fields
from crosswind.data.leakage import leakage_hashes, normalized_hash
from crosswind.errors import UserError
from crosswind.study.encoders import folder_of
from crosswind.study.plan import Plan
from crosswind.tasks.base import CORPORA
from crosswind.tasks.load import load_text
from crosswind.tasks.refs import DataRef, Library

SHOWN = 3  # overlapping items that the message names
SENTENCE = 20  # characters from which a field of an example is compared with lines of raw text


@dataclass(frozen=True)
class _Use:
    """Data that the study learns from, and for what; raw text has no `ref`."""

    name: str
    ids: frozenset[str]
    texts: frozenset[str]
    ref: DataRef | None = None


def check_leakage(plan: Plan, library: Library, encoder: str = "") -> list[str]:
    """Compare by item id and by hash of normalised text; a `UserError` names the first overlap.

    Checks every phase's labelled data, its selection data and its masked-LM text against every
    evaluated cell, whatever the route: a test item that one route has seen spoils the comparison of
    all. Official splits of one task may share texts (68 sentences of UD English-EWT's train are in its
    test, "Thank you ." and the like): everybody's numbers have that, so it is returned as a note.
    """
    evaluated = {ref: _evaluated(ref, library) for ref in dict.fromkeys(c.data for c in plan.cells)}
    pretraining = _Use("the encoder's pretraining", frozenset(), pretraining_manifest(encoder))
    notes = []
    for use in [pretraining, *_uses(plan, library)]:
        for ref, (ids, labelled, raw) in evaluated.items():
            texts = labelled if use.ref is not None else raw
            shared = use.ids & ids.keys()
            same = {texts[h] for h in use.texts & texts.keys()} if not shared else set()
            if same and use.ref is not None and use.ref.task == ref.task and use.ref.split != ref.split:
                shared_by = "the official splits share them"
                notes.append(f"{use.name}: {len(same)} of its texts are in {ref.name} too; {shared_by}")
            elif shared or same:
                raise _refusal(use, ref, sorted(shared or same), by_id=bool(shared))
    return notes


def _refusal(use: _Use, ref: DataRef, found: list[str], *, by_id: bool) -> UserError:
    shown = ", ".join(found[:SHOWN]) + (", …" if len(found) > SHOWN else "")
    how = "the same items" if by_id else "the same texts"
    return UserError(
        f"{use.name} has {len(found)} of {how} that {ref.name} evaluates ({shown})",
        where="study",
        hint="choose rows so that nothing serves twice (rows: 0-999 here, others there)",
    )


def _evaluated(ref: DataRef, library: Library) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """Item ids, and hash -> id of what a cell evaluates: as labelled examples are hashed, and as raw
    lines are (every field that is a sentence, and the candidates of a pool, stand alone there).
    """
    data = library.dataset(ref)
    ids = {e.id: e.id for e in data.examples}
    texts = {h: e.id for e in data.examples for h in leakage_hashes(e)}
    if data.pool is not None:
        texts |= {normalized_hash(c.text): c.id for c in data.pool.candidates if not c.context}
    fields = ((text, e.id) for e in data.examples for text in text_fields(e).values())
    raw = texts | {normalized_hash(text): name for text, name in fields if len(text) >= SENTENCE}
    return ids, texts, raw


def _uses(plan: Plan, library: Library) -> Iterator[_Use]:
    seen: set[DataRef] = set()
    corpora: set[tuple[str, tuple[str, ...], str | None]] = set()
    for step in (s for s in plan.graph.values() if s.kind == "train"):
        phase = step.params["phase"]
        for part, name in [*((h["data"], "training") for h in phase["heads"]), (phase["select"], "selection")]:
            for value in part:
                ref = DataRef.from_json(value)
                if ref not in seen:
                    seen.add(ref)
                    yield _labelled(f"{name} on {ref.name}", ref, library)
        for corpus, languages, rows in phase["mlm"]["corpora"] if phase["mlm"] else ():
            text = (corpus, tuple(languages), rows)
            # Generated corpora hold no example's text (tests/tasks).
            if text not in corpora and CORPORA[corpus].generated is None:
                corpora.add(text)
                lines = load_text(CORPORA[corpus], languages, library.source, Rows.parse(rows) if rows else None)
                hashes = frozenset(h for line in lines for h in leakage_hashes(line))
                yield _Use(f"masked LM on {corpus}", frozenset(), hashes)


def _labelled(name: str, ref: DataRef, library: Library) -> _Use:
    examples = library.dataset(ref).examples
    return _Use(name, frozenset(e.id for e in examples), frozenset(_hashes(examples)), ref)


def _hashes(examples: Iterable[object]) -> Iterator[str]:
    for example in examples:
        yield from leakage_hashes(example)  # type: ignore[arg-type]


def pretraining_manifest(encoder: str) -> frozenset[str]:
    """Text hashes of what an encoder of ours was pretrained on (`manifest.txt`, one a line), if it says."""
    path = folder_of(encoder) / "manifest.txt"
    return frozenset(path.read_text().split()) if path.is_file() else frozenset()
