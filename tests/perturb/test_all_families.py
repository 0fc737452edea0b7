"""Every perturbation on real data of every kind and language: what none of them may break.

The fast run takes a part of the data sets for each perturbation, so that together they meet every kind and
language; the slow one takes all.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
import regex
from tests.perturb.family_runs import SPELLINGS, WITHIN_WORDS, Prepared, Run, cut, name_of, prepared, runs
from tests.perturb.official_samples import SETS, Sample, line_samples, samples

from crosswind.data.examples import (
    ChoiceExample,
    Dataset,
    Example,
    PairExample,
    QueryExample,
    Span,
    SpanExample,
    TaggingExample,
    kind_of,
    text_fields,
)
from crosswind.perturb.dataset import perturb_dataset
from crosswind.perturb.draw import draw, key
from crosswind.perturb.example import passages
from crosswind.perturb.form import normal_form
from crosswind.perturb.lexicons import LexiconFolder
from crosswind.perturb.lines import line_ids, perturb_lines
from crosswind.perturb.noise import numbered, perturb_passages
from crosswind.perturb.passage import WHOLE, Passage, Written
from crosswind.perturb.perturbation import PERTURBATIONS, Environment
from crosswind.perturb.perturbed import PerturbedDataset
from crosswind.perturb.pieces import Keep, New
from crosswind.perturb.replay import replay_dataset
from crosswind.perturb.rewrite import Rewrite
from crosswind.perturb.spec import Resolved, Spec, TextScope, parse_spec
from crosswind.perturb.words import base_language, is_unspaced, tokens, words

Official = Callable[..., Path]

# uroman reads its data for seconds.
SLOW = frozenset({"romanize"})
NAMES = tuple(spelling for spelling in SPELLINGS if spelling not in SLOW)
NUMBER = regex.compile(r"\p{Nd}+")
CLUSTER = regex.compile(r"\X")
WITH_NEIGHBOURS = frozenset({"drop-function", "drop-word", "repeat", "shuffle", "word-order"})
SHARES = 12  # of the data sets that each perturbation meets in the fast run: one in so many


@pytest.fixture(scope="module")
def every(official_data: Official) -> list[Sample]:
    return samples(official_data(*SETS), 4)


@pytest.fixture(scope="module")
def every_line(official_data: Official) -> dict[str, list[str]]:
    return line_samples(official_data(*SETS), 4)


@pytest.fixture(scope="module")
def ready(every: list[Sample], every_line: dict[str, list[str]], tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepared(every, every_line, tmp_path_factory.mktemp("lexicons"))


def some(name: str, every: list[Sample]) -> list[Sample]:
    return every[NAMES.index(name) % SHARES :: SHARES]


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_lost_torn_or_out_of_order(name: str, every: list[Sample], ready: Prepared) -> None:
    changed = [check(name, run) for run in runs(name, some(name, every), ready)]
    assert changed, f"{name} met no data set"
    # Few sentences have a number, and few data sets are inferences or choices.
    assert any(changed) or len(changed) < 3 or name == "digits", f"{name} changed nothing"


@pytest.mark.slow
@pytest.mark.parametrize("name", SPELLINGS)
def test_nothing_is_lost_in_any_language(name: str, official_data: Official, ready: Prepared) -> None:
    for run in runs(name, samples(official_data(*SETS), 5), ready):
        check(name, run)


@pytest.mark.parametrize("name", NAMES)
def test_lines_are_kept_whole(name: str, every_line: dict[str, list[str]], ready: Prepared) -> None:
    at = NAMES.index(name) % SHARES
    check_lines(name, dict(list(every_line.items())[at::SHARES]), ready)


def test_code_mixing_takes_no_word_without_spaces_apart(every_line: dict[str, list[str]], ready: Prepared) -> None:
    unspaced = {language: lines for language, lines in every_line.items() if is_unspaced(language)}
    assert len(unspaced) > 2
    check_lines("codemix", unspaced, ready)


@pytest.mark.parametrize(("entries", "torn"), [(["高速", "公路"], []), (["高速"], ["高速公路"])])
def test_a_word_is_torn_unless_it_consists_of_entries(entries: list[str], torn: list[str], tmp_path: Path) -> None:
    (tmp_path / "zh-de.txt").write_text("".join(f"{word}\twort\n" for word in entries), encoding="utf-8")
    line = Passage.line("高速公路", "zh", "x")
    assert words(line.text, "zh") == [Span(0, 4)]
    rewrite = Rewrite((New("wort "), Keep(2, 4)), 4)
    assert torn_words("codemix", line, rewrite, Environment(LexiconFolder(tmp_path))) == torn
    assert torn_words("synonym", line, rewrite, Environment(LexiconFolder(tmp_path))) == ["高速公路"]


@pytest.mark.slow
@pytest.mark.parametrize("name", SPELLINGS)
def test_lines_of_every_language_are_kept_whole(name: str, every_line: dict[str, list[str]], ready: Prepared) -> None:
    check_lines(name, every_line, ready)


def check_lines(name: str, some: dict[str, list[str]], ready: Prepared) -> None:
    """What must hold of plain lines."""
    spec, low, none = (ready.spec(name, severity) for severity in (0.5, 0.15, 1e-9))
    for language, lines in some.items():
        scope = TextScope(language, environment=ready.environment)
        if spec.applies(scope) is not None:
            continue
        resolved = ready.resolved(spec, scope)
        ids = list(line_ids(lines))
        flat = [Passage.line(text, language, id) for text, id in zip(lines, ids, strict=True)]

        def written(
            flat: list[Passage], spec: Spec, scope: TextScope = scope, resolved: Resolved = resolved
        ) -> list[Written | None]:
            made = {(a, scope.language, scope.kind): a.prepare(scope, resolved) for a in spec.atoms}
            return perturb_passages(flat, list(numbered(spec.atoms)), draw_number=3, prepared=made).written

        result = written(flat, spec)
        for before, after, fewer in zip(flat, result, written(flat, low), strict=True):
            if after is not None:
                assert after.rewrite.apply(before.text) == after.passage.text
                check_text(name, before, after.passage.text, after.rewrite, ready.environment)
            if fewer is not None and after is not None and all(map(ascending, (fewer.rewrite, after.rewrite))):
                assert kept(after.rewrite) <= kept(fewer.rewrite)
        assert written(flat[::-1], spec)[::-1] == result
        assert written(flat[1:2], spec) == result[1:2]
        assert written(flat, none) == [None] * len(flat)
        shown = [(w.passage if w else p).text for p, w in zip(flat, result, strict=True)]
        about: dict[str, Any] = {"environment": ready.environment, "resolved": resolved}
        assert list(perturb_lines(lines, spec, language, draw=3, **about)) == shown


@pytest.mark.slow
def test_any_number_of_workers_writes_the_same(official_data: Official) -> None:
    """Processes of their own, each with another seed of its hashes, rewrite what one process does."""
    root = official_data("xnli") / "xnli"
    jobs = [(str(root / f"dev-{language}.tsv"), language, part) for language in ("de", "th") for part in (0, 1)]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        apart = list(pool.map(tables_of, jobs))
    assert apart == [tables_of(job) for job in jobs]
    whole = tables_of((jobs[0][0], "de", None))
    assert [sorted(table) for table in whole] == [sorted(a + b) for a, b in zip(apart[0], apart[1], strict=True)]


def tables_of(job: tuple[str, str, int | None]) -> list[list[tuple[str, ...]]]:
    """The stored rewrites of a part of a file (every other row, or all) under each perturbation of plain text."""
    path, language, part = job
    with Path(path).open(encoding="utf-8") as file:
        rows = [line.split("\t") for line in itertools.islice(file, 40)]
    examples = [PairExample(f"x/{i}", f"x/{i}", language, r[0], r[1], 0) for i, r in enumerate(rows)]
    data = Dataset("xnli", language, "dev", tuple(examples if part is None else examples[part::2]))
    fields = ("first", "second")
    tables = []
    for name in (
        "keyboard",
        "swap",
        "delete",
        "word-order",
        "shuffle",
        "drop-word",
        "whitespace",
        "ocr",
        "distract-nli",
    ):
        spec = parse_spec(name, severity=0.5)
        if spec.applies(TextScope(language, "pair", fields, task="xnli")) is None:
            tables.append(perturb_dataset(data, spec, draw=3, fields=fields).table().rows())
    return tables


def check(name: str, run: Run) -> bool:
    """Whether anything changed; what must hold is asserted."""
    data = run.data
    result = run.perturb(data, 0.5)
    # Ids and order.
    assert [e.id for e in result.dataset] == [e.id for e in data]
    for old, new, perturbed in zip(data.examples, result.dataset.examples, result.examples, strict=True):
        assert (kind_of(new), new.language, new.cluster) == (kind_of(old), old.language, old.cluster)
        check_example(old, new)
        for field, rewrite in perturbed.rewrites.items():
            before, after, labels = passage_of(old, field), field_text(new, field), labels_of(old, new, field)
            assert rewrite.apply(before.text) == after
            check_text(name, before, after, rewrite, run.environment)
            for was, is_now in labels:
                check_span(rewrite, was, is_now, after)
    # Clean text and stored rewrites give the perturbed text.
    again = replay_dataset(data, result.table(), result.added_table() if result.added else None)
    assert again.dataset.examples == result.dataset.examples
    assert again.dataset.pool == result.dataset.pool
    # The same in any order and batch.
    turned = run.perturb(replace(data, examples=data.examples[::-1]), 0.5)
    assert turned.dataset.examples[::-1] == result.dataset.examples
    alone = run.perturb(replace(data, examples=data.examples[1:2]), 0.5)
    assert alone.dataset.examples == result.dataset.examples[1:2]
    # Nothing happens as severity goes to 0, and what happens at a lower one happens at a higher one.
    nothing = run.perturb(data, 1e-9)
    assert nothing.dataset.examples == data.examples
    assert nothing.dataset.pool == data.pool
    check_nested(run.perturb(data, 0.15), result)
    for text in itertools.chain.from_iterable(text_fields(e).values() for e in result.dataset.examples):
        text.encode("utf-8")
    if result.dataset.pool is not None and data.pool is not None:
        ids = [c.id for c in result.dataset.pool.candidates]
        assert ids[: len(data.pool)] == [c.id for c in data.pool.candidates]
        assert len(set(ids)) == len(ids)
    return result.changed_share > 0


def check_example(old: Example, new: Example) -> None:
    """What is right stays right."""
    match old, new:
        case PairExample(), PairExample():
            assert old.label == new.label
        case ChoiceExample(), ChoiceExample():
            assert old.label is not None
            assert new.label is not None
            assert len(old.choices) == len(new.choices)
        case TaggingExample(), TaggingExample():
            assert new.tags is not None
            assert len(new.tags) == len(new.words)
            assert all(word and not regex.search(r"\s", word) for word in new.words)
        case SpanExample(), SpanExample():
            assert (old.answers is None) == (new.answers is None)
            assert len(old.answers or ()) == len(new.answers or ())
            for answer in new.answer_texts:
                assert answer
                assert answer == answer.strip()
                assert answer in new.context
        case QueryExample(), QueryExample():
            assert old.gold == new.gold
        case _:
            raise AssertionError(f"{old.id} became another kind")


def field_text(example: Example, field: str) -> str:
    return passage_of(example, field).text


def passage_of(example: Example, field: str) -> Passage:
    names = list(text_fields(example)) if field == WHOLE else [field]
    return next(p for p in passages(example, names, whole=field == WHOLE) if p.field == field)


def labels_of(old: Example, new: Example, field: str) -> list[tuple[Span, Span]]:
    if isinstance(old, SpanExample) and isinstance(new, SpanExample) and field == "context":
        return list(zip(old.answers or (), new.answers or (), strict=True))
    return []


def check_text(name: str, passage: Passage, after: str, rewrite: Rewrite, environment: Environment) -> None:
    """A normal form is kept, and clusters and words are kept whole."""
    before = passage.text
    if normal_form(before) is not None:
        assert normal_form(after) == normal_form(before)
    borders = {0, *itertools.accumulate(len(m.group()) for m in CLUSTER.finditer(before))}
    new_borders = {0, *itertools.accumulate(len(m.group()) for m in CLUSTER.finditer(after))}
    at = 0
    for piece in rewrite.pieces:
        assert at in new_borders
        if isinstance(piece, Keep):
            assert {piece.start, piece.end} <= borders
            at += piece.end - piece.start
        else:
            at += len(piece.text)
    if name_of(name) not in WITHIN_WORDS:
        assert torn_words(name, passage, rewrite, environment) == []


def torn_words(name: str, passage: Passage, rewrite: Rewrite, environment: Environment) -> list[str]:
    """The words of a text, by its own segmentation, of which a part was kept and a part was not.

    What moves or goes has with it what is typed without a space (`tokens`), and in a tagged sentence is one of its own
    words; what is looked up stands alone (`words`). Numbers change whole, in 39C too. In a text without spaces a word
    that is no entry of a lexicon may become the entries that it consists of.
    """
    text = passage.text
    moves = name_of(name) in WITH_NEIGHBOURS
    if name_of(name) == "digits":
        spans = [Span(*m.span()) for m in NUMBER.finditer(text)]
    else:
        spans = (list(passage.words) if moves else []) or (tokens if moves else words)(text, passage.language)
    cuts = {at for p in rewrite.pieces if isinstance(p, Keep) for at in (p.start, p.end)}
    torn = [w for w in spans if any(w.start < at < w.end for at in cuts)]
    if torn and name_of(name) == "codemix" and is_unspaced(passage.language):
        entries = entries_of(environment, passage.language)
        torn = [w for w in torn if not all(consists_of(text[a:b], entries) for a, b in parts(w, cuts))]
    return [text[w.start : w.end] for w in torn]


def parts(word: Span, cuts: set[int]) -> Iterator[tuple[int, int]]:
    """What the cuts inside a word leave of it."""
    yield from itertools.pairwise(sorted({word.start, word.end, *(at for at in cuts if word.start < at < word.end)}))


def entries_of(environment: Environment, language: str) -> frozenset[str]:
    """The entries of the lexicon that the samples are code-mixed with."""
    assert isinstance(environment.lexicons, LexiconFolder)
    lines = (environment.lexicons.folder / f"{base_language(language)}-de.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line.split()[0] for line in lines)


def consists_of(text: str, entries: frozenset[str]) -> bool:
    """Whether a text is one entry after the other."""
    reached = {0}
    for end in range(1, len(text) + 1):
        if any(text[start:end] in entries for start in reached):
            reached.add(end)
    return len(text) in reached


def check_span(rewrite: Rewrite, was: Span, now: Span, after: str) -> None:
    """An answer holds what is left of it and nothing else of the original (read off the pieces, one by one)."""
    origins: list[int | None] = []
    for piece in rewrite.pieces:
        origins.extend(range(piece.start, piece.end) if isinstance(piece, Keep) else [None] * len(piece.text))
    inside = [i for i, origin in enumerate(origins) if origin is not None and was.start <= origin < was.end]
    kept = [i for i in inside if not after[i].isspace()]
    assert all(now.start <= i < now.end for i in kept)
    foreign = [o for o in origins[now.start : now.end] if o is not None and not was.start <= o < was.end]
    assert foreign == []


def check_nested(low: PerturbedDataset, high: PerturbedDataset) -> None:
    for few, many in zip(low.examples, high.examples, strict=True):
        if "label" in few.counts or "label" in many.counts:
            continue
        for field, rewrite in few.rewrites.items():
            more = many.rewrites[field]
            if all(map(ascending, (rewrite, more))):
                assert kept(more) <= kept(rewrite)


def ascending(rewrite: Rewrite) -> bool:
    keeps = [p for p in rewrite.pieces if isinstance(p, Keep)]
    return all(a.end <= b.start for a, b in itertools.pairwise(keeps))


def kept(rewrite: Rewrite) -> set[int]:
    return {i for p in rewrite.pieces if isinstance(p, Keep) for i in range(p.start, p.end)}


@pytest.mark.parametrize("severity", [0.1, 0.4])
def test_the_drawn_share_of_sites_is_binomial(every: list[Sample], ready: Prepared, severity: float) -> None:
    far = {}
    for name in NAMES:
        if PERTURBATIONS[name_of(name)].prepare is None:
            continue
        total = drawn = 0
        for run in runs(name, some(name, every)[:12], ready):
            atom = ready.spec(name, severity).atoms[0]
            for passage in cut(run.sample, name_of(name)):
                scope = TextScope(passage.language, passage.kind, run.sample.fields, ready.environment, run.data.task)
                if atom.applies(scope) is not None:
                    continue
                resolved = ready.resolved(Spec((atom,)), scope, run.data)
                (sites,) = atom.prepare(scope, resolved).sites([passage])
                (hits,) = draw(
                    [key("7", name, passage.task, passage.language, passage.id, passage.field)],
                    [sites.counters],
                    severity,
                )
                total, drawn = total + len(sites), drawn + len(hits)
        # Five standard deviations: one in a million and a half.
        if abs(drawn - severity * total) > 5 * math.sqrt(max(1, total) * severity * (1 - severity)) + 1:
            far[name] = (drawn, total)
    assert far == {}


@pytest.mark.slow
def test_no_two_perturbations_are_one(official_data: Official, ready: Prepared) -> None:
    root = official_data("xnli") / "xnli"
    outcomes: dict[str, dict[str, list[str]]] = {}
    for path in sorted(root.glob("dev-*.tsv")):
        language = path.stem[4:]
        with path.open(encoding="utf-8") as file:
            lines = [line.split("\t")[0] for line in itertools.islice(file, 0, 67 * 3, 3)]
        for name in NAMES:
            spec = ready.spec(name, 0.5)
            scope = TextScope(language, environment=ready.environment)
            if spec.applies(scope) is None and not spec.needs(scope):
                changed = list(perturb_lines(lines, spec, language, environment=ready.environment))
                outcomes.setdefault(name, {})[language] = changed
    same = []
    for one, two in itertools.combinations(outcomes, 2):
        shared = outcomes[one].keys() & outcomes[two].keys()
        if shared and all(outcomes[one][language] == outcomes[two][language] for language in shared):
            same.append((one, two))
    assert len(outcomes) == 29
    assert same == []
