"""`crosswind lexicon`: derived once for every text and setting, found again by key, copied to the user's folder."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from crosswind.data.files import Files
from crosswind.data.languages import registered
from crosswind.errors import UserError, unknown
from crosswind.perturb.lexicons import LexiconFolder
from crosswind.perturb.words import segmentation
from crosswind.prepare.measured import LexiconScore, score_lexicon
from crosswind.reading import expanded
from crosswind.registry import included
from crosswind.run.executors import EXECUTORS
from crosswind.run.folders import check_writable, replacing
from crosswind.run.loop import run_graph
from crosswind.run.outcome import StepFailed
from crosswind.run.progress import Reporter
from crosswind.run.step import Graph, Step
from crosswind.run.store import Store
from crosswind.steps.lexicon import DERIVATIONS, LEXICON, ORIGIN, LexiconParams
from crosswind.tasks.base import CORPORA, TASKS
from crosswind.tasks.load import fingerprint, open_data, text_fingerprint


def derive_into(
    params: LexiconParams,
    languages: Sequence[str],
    out: Path,
    store: Store,
    reporter: Reporter,
    *,
    files: Sequence[Path] = (),
    data: Mapping[str, Any] | None = None,
) -> list[tuple[str, str]]:
    """Derive through the store and put the tables into `out`; (language or pair, what became of it) of each.

    `languages` are codes, or pairs `en-de` of a bilingual lexicon. What the store has is not derived again. Raises a
    `UserError` for unknown sources and languages, files that are none, and text of which nothing can be derived.
    """
    check_writable(out)
    settings = dict(data or {})
    steps = [_step(replace(params, languages=_codes(params, text)), settings, files) for text in languages]
    there = [str(_file(path)) for path in files]
    context = {
        "data": settings,
        "files": {step.key: there for step in steps},
        "include": [str(folder) for folder in included()],
    }
    graph = Graph(steps, context)
    keys = [step.key for step in steps]
    logs = store.root / "logs" / f"lexicon-{keys[0][:16]}"
    outcome = run_graph(graph, keys, store, EXECUTORS["local"], reporter=reporter, folder=logs)
    for failure in outcome.failed.values():
        if failure.mistake:
            raise UserError(failure.message)
        if failure.traceback:
            raise RuntimeError(failure.traceback)
        raise StepFailed(failure.message)
    results = []
    for step, name in zip(steps, languages, strict=True):
        meta = store.manifest(step.key)["meta"]
        _copy(store.path(step.key), out, name if params.what == "bilingual" else f"{params.what}-{name}")
        made = "derived before" if step.key in outcome.cached else "derived"
        results.append((name, "; ".join([made, *meta.get("notes", ())])))
    return results


def measure(derived: Path, gold: Path, pairs: Sequence[str] = ()) -> list[tuple[str, LexiconScore]]:
    """The score of every lexicon `en-de.txt` of a folder that another folder has too, or of the `pairs` named."""
    for folder, where in ((derived, "FILES"), (gold, "--against")):
        if not expanded(folder, where).is_dir():
            hint = "name a folder that holds en-de.txt, …"
            raise UserError(f"no folder of lexicons {str(folder)!r}", where=where, hint=hint)
    names = list(pairs) or sorted(p.stem for p in expanded(derived).glob("*-*.txt"))
    scores = []
    for name in names:
        source, dash, target = name.partition("-")
        if not dash:
            raise UserError(f"{name!r} is no pair of languages", where="--languages", hint="for example en-de")
        if not pairs and not (expanded(gold) / f"{name}.txt").is_file():
            continue
        ours, theirs = (LexiconFolder(expanded(f)).translations(source, target) for f in (derived, gold))
        scores.append((name, score_lexicon(ours, theirs)))
    if not scores:
        hint = "both folders hold lexicons SOURCE-TARGET.txt"
        raise UserError(f"{derived} and {gold} have no lexicon in common", where="--against", hint=hint)
    return scores


def _codes(params: LexiconParams, text: str) -> tuple[str, ...]:
    codes = tuple(text.split("-", 1)) if params.what == "bilingual" else (text,)
    if params.what == "bilingual" and len(codes) != 2:
        raise UserError(f"{text!r} is no pair of languages", where="--languages", hint="for example en-de,en-zh")
    for code in codes:
        registered(code)
    return codes


def _step(params: LexiconParams, settings: Mapping[str, Any], files: Sequence[Path]) -> Step:
    if params.what not in DERIVATIONS:
        raise unknown("derivation", params.what, DERIVATIONS, where="WHAT")
    by_files = params.what in ("inflections", "errors")
    if bool(files) == bool(params.sources) or (by_files and not files):
        hint = "files of the user's" if by_files else "either files, or corpora and test sets with --from"
        raise UserError(f"{params.what} are derived from {hint}", where="FILES", hint="see crosswind lexicon --help")
    prints: dict[str, str] = {}
    if files:
        prints["files"] = Files(Path("/")).fingerprint([_file(path) for path in files])
    source = open_data(settings) if params.sources else None
    for name in params.sources:
        assert source is not None
        if name in CORPORA:
            prints[name] = text_fingerprint(CORPORA[name], params.languages, source)
            if (origin := CORPORA.origin(name)) is not None:
                prints[f"declared corpus {name}"] = origin
            continue
        task = TASKS.get(name, where="--from") if name in TASKS else None
        if task is None:
            raise unknown("corpus or test set", name, [*CORPORA.names(), *TASKS.names()], where="--from")
        if (origin := TASKS.origin(name)) is not None:
            prints[f"declared task {name}"] = origin
        for code in params.languages:
            if task.kind != "query" or code != "en":
                prints[f"{name} {code}"] = fingerprint(task, code, params.split, source)
    for code in params.languages:
        prints |= {f"resource {key}": value for key, value in segmentation(code, endings=False).items()}
    label = f"{params.what} {'-'.join(params.languages)}"
    return LEXICON.step(params, data=prints, label=label)


def _file(path: Path) -> Path:
    there = expanded(path, "FILES").absolute()
    if not there.is_file():
        raise UserError("no such file", where=str(path), hint="name a text file")
    return there


def _copy(folder: Path, out: Path, name: str) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for path in sorted(folder.iterdir()):
        if path.suffix in (".txt", ".tsv") or path.name == ORIGIN:
            target = f"{name}.{ORIGIN}" if path.name == ORIGIN else path.name
            with replacing(out / target) as draft:
                shutil.copyfile(path, draft)
