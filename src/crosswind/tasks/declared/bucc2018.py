"""BUCC 2018: translations hidden among the sentences of two comparable corpora, to be mined.

XTREME develops on the organisers' sample and tests on their training part: what they call the test set came without
gold. The queries are the sentences of the language under test, the pool the English ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from crosswind.data.examples import Candidate, Pool, QueryExample
from crosswind.data.files import Files
from crosswind.data.source import Content, FileLayout
from crosswind.errors import UserError
from crosswind.reading import lines
from crosswind.tasks.base import Task

_LANGUAGES = ("de", "fr", "ru", "zh")
_PARTS = {"dev": ("sample", "dev"), "test": ("training", "test")}  # the organisers' name, XTREME's download script's
_ORIGIN = (
    "bucc2018-{language}-en.{part}-gold.tar.bz2 is to be had from https://comparable.limsi.fr/bucc2018/"
    "bucc2018-task.html; no licence is stated (sentences of Wikipedia, CC BY-SA, and of news)"
)
# Gold pairs of the sample and of the training part, as Hugging Face's copy of XTREME has them (bucc18.de, …).
_PAIRS = {"de": (1038, 9580), "fr": (929, 9086), "ru": (2374, 14435), "zh": (257, 1899)}


def _locate(files: Files, language: str, split: str) -> tuple[Path, ...]:
    pair = f"{language}-en"
    stems = [f"{folder}/{pair}.{part}" for part in _PARTS[split] for folder in ("bucc2018", f"bucc2018/{pair}")]
    stem = next((s for s in stems if files.has(f"{s}.gold")), None)
    origin = _ORIGIN.format(language=language, part=_PARTS[split][0])
    what = f"bucc2018 {split}, {language}"
    if stem is None:
        texts = next((s for s in stems if files.has(f"{s}.{language}")), None)
        if texts is not None:
            raise UserError(
                f"{what}: the sentences are there and their gold pairs are not ({texts}.gold)",
                where=str(files.root),
                hint=f"a part that is distributed without gold cannot be scored; {origin}",
            )
        raise files.missing(*(f"{s}.gold" for s in stems), what=f"{what} (gold pairs)", origin=origin)
    sides = (files.find(f"{stem}.{side}", what=f"{what} ({side})", origin=origin) for side in (language, "en"))
    return (*sides, files.find(f"{stem}.gold", what=what))


def _sentences(path: Path) -> Iterator[tuple[str, str]]:
    """(id, sentence) of each line; a `UserError` for a line without an id, an empty sentence or an id twice."""
    seen: set[str] = set()
    for number, line in lines(path):
        name, tab, text = line.partition("\t")
        where = f"{path}:{number}"
        if not tab or not name.strip() or not text.strip():
            raise UserError("no id and sentence with a tab between them", where=where, hint="fetch the file again")
        if name in seen:
            raise UserError(f"the id {name!r} stands here a second time", where=where, hint="fetch the file again")
        seen.add(name)
        yield name, text


def _gold(path: Path) -> Iterator[tuple[str, str, str]]:
    for number, line in lines(path):
        if not line.strip():
            continue
        cells = [cell.strip() for cell in line.split("\t")]
        if len(cells) != 2 or not all(cells):
            raise UserError(
                "no pair of ids with a tab between them", where=f"{path}:{number}", hint="fetch the file again"
            )
        yield cells[0], cells[1], f"{path}:{number}"


def _read(paths: tuple[Path, ...], language: str, split: str) -> Content:
    foreign, english, gold_file = paths
    texts = dict(_sentences(foreign))
    candidates = (Candidate(name, "en", text, cluster=f"bucc2018/{split}/{name}") for name, text in _sentences(english))
    pool = Pool(tuple(candidates))
    gold: dict[str, dict[str, None]] = {}
    count = 0
    for left, right, where in _gold(gold_file):
        for name, known, path in ((left, texts, foreign), (right, pool.index, english)):
            if name not in known:
                hint = "the files are cut off or of different parts: fetch all three again"
                raise UserError(f"the gold sentence {name!r} is not in {path.name}", where=where, hint=hint)
        gold.setdefault(left, {})[right] = None
        count += 1
    if not gold:
        hint = "a part that is distributed without gold cannot be scored"
        raise UserError("there is no gold pair", where=str(gold_file), hint=hint)
    queries = []
    for name, text in texts.items():
        item = f"bucc2018/{split}/{name}"
        queries.append(QueryExample(item, item, language, text, tuple(gold.get(name, ()))))
    expected = _PAIRS[language][split == "test"]
    notes = (f"{count:,} gold pairs; the release has {expected:,}",) if count != expected else ()
    return Content(tuple(queries), pool, notes=notes)


BUCC2018 = Task(
    name="bucc2018",
    kind="query",
    summary="sentences of two comparable corpora; the translations among them are mined by margin",
    group="sentence-retrieval",
    related=("answer-retrieval",),
    languages=_LANGUAGES,
    splits=("dev", "test"),
    files=FileLayout(_locate, _read),
    hub=None,  # the copies there hold the gold pairs alone, and not the corpora that they are hidden in
    metrics=("bucc-f1",),
    search="mined",
    submission="pairs",
    perturbed=("query",),
    licence="none stated; sentences of Wikipedia (CC BY-SA 3.0) and of news",
    citation="Zweigenbaum et al. 2018, Overview of the Third BUCC Shared Task; Hu et al. 2020, XTREME",
)
