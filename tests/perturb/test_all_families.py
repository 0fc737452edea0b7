"""Every perturbation on real data of every kind and language: what none of them may break.

The fast run takes a part of the data sets for each perturbation, so that together they meet every kind and
language; the slow one takes all.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import pytest
import regex
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
from crosswind.perturb.example import candidate_passage, passages
from crosswind.perturb.form import normal_form
from crosswind.perturb.lexicons import LexiconFolder
from crosswind.perturb.lines import line_ids, perturb_lines
from crosswind.perturb.needs import DataNeed
from crosswind.perturb.noise import numbered, perturb_passages
from crosswind.perturb.passage import WHOLE, Passage, Written
from crosswind.perturb.perturbation import PERTURBATIONS, Environment
from crosswind.perturb.perturbed import PerturbedDataset
from crosswind.perturb.pieces import Keep
from crosswind.perturb.replay import replay_dataset
from crosswind.perturb.rewrite import Rewrite
from crosswind.perturb.spec import Spec, TextScope, parse_spec
from crosswind.perturb.words import base_language, words

Official = Callable[..., Path]

# Those that need a model are tested where it is (test_word_families.py).
BROUGHT = frozenset({"mlm", "translated-phrase"})
# uroman reads its data for seconds.
SLOW = frozenset({"romanize"})
ALL = sorted(set(PERTURBATIONS.names()) - BROUGHT)
NAMES = sorted(set(ALL) - SLOW)
CLUSTER = regex.compile(r"\X")
SHARES = 12  # of the data sets that each perturbation meets in the fast run: one in so many


@dataclass(frozen=True)
class Run:
    """One perturbation of one sample."""

    sample: Sample
    perturb: Callable[..., PerturbedDataset]

    @property
    def data(self) -> Dataset:
        return self.sample.data


@pytest.fixture(scope="module")
def every(official_data: Official) -> list[Sample]:
    return samples(official_data(*SETS), 4)


@pytest.fixture(scope="module")
def every_line(official_data: Official) -> dict[str, list[str]]:
    return line_samples(official_data(*SETS), 4)


@pytest.fixture(scope="module")
def environment(
    every: list[Sample], every_line: dict[str, list[str]], tmp_path_factory: pytest.TempPathFactory
) -> Environment:
    """A lexicon, and beside it tables as users bring them, of the words of the samples in every language."""
    folder = tmp_path_factory.mktemp("lexicons")
    texts = [(p.language, p.text) for sample in every for p in cut(sample, "swap")]
    texts += [(language, line) for language, lines in every_line.items() for line in lines]
    entries: dict[str, dict[str, None]] = {}
    phrases: dict[str, dict[str, None]] = {}
    for language, text in texts:
        spans = words(text, language)
        entries.setdefault(base_language(language), {}).update((text[w.start : w.end].lower(), None) for w in spans)
        pairs = ((text[a.start : b.end].lower(), None) for a, b in itertools.pairwise(spans))
        phrases.setdefault(base_language(language), {}).update(pairs)
    for language, listed in entries.items():
        numbered = list(enumerate(sorted(listed)))
        # Of inflections and synonyms two make a pair, not the same two.
        for name, rows in {
            f"{language}-de.txt": [f"{word} wort{n}" for n, word in numbered if n % 2],
            f"inflections-{language}.tsv": [f"{n // 2}\t{word}\tN;X" for n, word in numbered],
            f"{language}.tab": [f"{(n + 1) // 2}-n\tx:lemma\t{word}" for n, word in numbered],
            f"errors-{language}.tsv": [f"{word}\t{word + word[-1]}\t{n % 3 + 1}" for n, word in numbered if n % 3],
            f"{language}-de.phrases.tsv": [
                f"{phrase}\tzwei wörter\t{n % 5 + 1}" for n, phrase in enumerate(phrases[language]) if n % 4 == 1
            ],
        }.items():
            (folder / name).write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    return Environment(LexiconFolder(folder))


def spelled(name: str, environment: Environment) -> str:
    """A perturbation with the parameters that have no default."""
    assert isinstance(environment.lexicons, LexiconFolder)
    folder = environment.lexicons.folder
    return {
        "codemix": "codemix(embed=de)",
        "codemix-phrase": f'codemix-phrase(embed=de,phrases="{folder}")',
        "inflect": f'inflect(tables="{folder}")',
        "real-noise": f'real-noise(errors="{folder}")',
        "synonym": f'synonym(wordnets="{folder}",senses=0)',
    }.get(name, name)


def runs(name: str, chosen: list[Sample], environment: Environment) -> Iterator[Run]:
    """The samples that a perturbation applies to."""
    text = spelled(name, environment)
    for sample in chosen:
        data = sample.data
        kind = kind_of(data.examples[0])
        spec = parse_spec(text, severity=0.5)
        languages = {data.language, *(e.context_language for e in data.examples if isinstance(e, SpanExample))} - {""}
        scopes = [TextScope(language, kind, sample.fields, environment, data.task) for language in languages]
        if any(spec.applies(scope) is not None for scope in scopes):
            continue

        def perturb(data: Dataset, severity: float, whole: Dataset = data, sample: Sample = sample) -> PerturbedDataset:
            at = parse_spec(text, severity=severity)
            scope = TextScope(data.language, kind_of(data.examples[0]), sample.fields, environment, data.task)
            needed = {need: whole for need in at.needs(scope) if isinstance(need, DataNeed)}
            return perturb_dataset(data, at, draw=3, fields=sample.fields, environment=environment, resolved=needed)

        yield Run(sample, perturb)


def some(name: str, every: list[Sample]) -> list[Sample]:
    return every[NAMES.index(name) % SHARES :: SHARES]


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_lost_torn_or_out_of_order(name: str, every: list[Sample], environment: Environment) -> None:
    changed = [check(name, run) for run in runs(name, some(name, every), environment)]
    assert changed, f"{name} met no data set"
    # Few sentences have a number, and few data sets are inferences or choices.
    assert any(changed) or len(changed) < 3 or name == "digits", f"{name} changed nothing"


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_nothing_is_lost_in_any_language(name: str, official_data: Official, environment: Environment) -> None:
    for run in runs(name, samples(official_data(*SETS), 5), environment):
        check(name, run)


@pytest.mark.parametrize("name", NAMES)
def test_lines_are_kept_whole(name: str, every_line: dict[str, list[str]], environment: Environment) -> None:
    at = NAMES.index(name) % SHARES
    check_lines(name, dict(list(every_line.items())[at::SHARES]), environment)


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_lines_of_every_language_are_kept_whole(
    name: str, every_line: dict[str, list[str]], environment: Environment
) -> None:
    check_lines(name, every_line, environment)


def check_lines(name: str, some: dict[str, list[str]], environment: Environment) -> None:
    """What must hold of plain lines."""
    perturbation = PERTURBATIONS[name]
    spec, low, none = (parse_spec(spelled(name, environment), severity=severity) for severity in (0.5, 0.15, 1e-9))
    for language, lines in some.items():
        scope = TextScope(language, environment=environment)
        if spec.applies(scope) is not None:
            continue
        ids = list(line_ids(lines))
        flat = [Passage.line(text, language, id) for text, id in zip(lines, ids, strict=True)]

        def written(flat: list[Passage], spec: Spec, scope: TextScope = scope) -> list[Written | None]:
            prepared = {(a, scope.language, scope.kind): a.prepare(scope) for a in spec.atoms}
            return perturb_passages(flat, list(numbered(spec.atoms)), draw_number=3, prepared=prepared).written

        result = written(flat, spec)
        for before, after, fewer in zip(flat, result, written(flat, low), strict=True):
            if after is not None:
                assert after.rewrite.apply(before.text) == after.passage.text
                check_text(perturbation.changes_form, before.text, after.passage.text, after.rewrite)
            if fewer is not None and after is not None and all(map(ascending, (fewer.rewrite, after.rewrite))):
                assert kept(after.rewrite) <= kept(fewer.rewrite)
        assert written(flat[::-1], spec)[::-1] == result
        assert written(flat[1:2], spec) == result[1:2]
        assert written(flat, none) == [None] * len(flat)
        shown = [(w.passage if w else p).text for p, w in zip(flat, result, strict=True)]
        assert list(perturb_lines(lines, spec, language, draw=3, environment=environment)) == shown


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
    perturbation = PERTURBATIONS[name]
    result = run.perturb(data, 0.5)
    # Ids and order.
    assert [e.id for e in result.dataset] == [e.id for e in data]
    for old, new, perturbed in zip(data.examples, result.dataset.examples, result.examples, strict=True):
        assert (kind_of(new), new.language, new.cluster) == (kind_of(old), old.language, old.cluster)
        check_example(old, new)
        for field, rewrite in perturbed.rewrites.items():
            before, after, labels = field_text(old, field), field_text(new, field), labels_of(old, new, field)
            assert rewrite.apply(before) == after
            check_text(perturbation.changes_form, before, after, rewrite)
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
    if field == WHOLE:
        return passages(example, list(text_fields(example)), whole=True)[0].text
    if field == "words" and isinstance(example, TaggingExample):
        return " ".join(example.words)
    return text_fields(example)[field]


def labels_of(old: Example, new: Example, field: str) -> list[tuple[Span, Span]]:
    if isinstance(old, SpanExample) and isinstance(new, SpanExample) and field == "context":
        return list(zip(old.answers or (), new.answers or (), strict=True))
    return []


def check_text(changes_form: bool, before: str, after: str, rewrite: Rewrite) -> None:
    """A normal form is kept, and clusters are kept whole."""
    if changes_form:
        return
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


def cut(sample: Sample, name: str) -> list[Passage]:
    fields = [f for f in sample.fields if f != "pool"]
    whole = PERTURBATIONS[name].whole
    cut = (
        [p for e in sample.data.examples for p in passages(e, fields, task=sample.data.task, whole=whole)]
        if fields
        else []
    )
    if "pool" in sample.fields and sample.data.pool is not None:
        cut += [candidate_passage(c, task=sample.data.task) for c in sample.data.pool.candidates]
    return cut


@pytest.mark.parametrize("severity", [0.1, 0.4])
def test_the_drawn_share_of_sites_is_binomial(every: list[Sample], environment: Environment, severity: float) -> None:
    far = {}
    for name in NAMES:
        if PERTURBATIONS[name].prepare is None:
            continue
        total = drawn = 0
        for run in runs(name, some(name, every)[:12], environment):
            atom = parse_spec(spelled(name, environment), severity=severity).atoms[0]
            for passage in cut(run.sample, name):
                scope = TextScope(passage.language, passage.kind, run.sample.fields, environment, run.data.task)
                if atom.applies(scope) is not None:
                    continue
                needed = dict.fromkeys(atom.perturbation.needs(atom.setting(scope)), run.data)
                (sites,) = atom.prepare(scope, needed).sites([passage])
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
def test_no_two_perturbations_are_one(official_data: Official, environment: Environment) -> None:
    root = official_data("xnli") / "xnli"
    outcomes: dict[str, dict[str, list[str]]] = {}
    for path in sorted(root.glob("dev-*.tsv")):
        language = path.stem[4:]
        with path.open(encoding="utf-8") as file:
            lines = [line.split("\t")[0] for line in itertools.islice(file, 0, 67 * 3, 3)]
        for name in NAMES:
            spec = parse_spec(spelled(name, environment), severity=0.5)
            scope = TextScope(language, environment=environment)
            if spec.applies(scope) is None and not spec.needs(scope):
                changed = list(perturb_lines(lines, spec, language, environment=environment))
                outcomes.setdefault(name, {})[language] = changed
    same = []
    for one, two in itertools.combinations(outcomes, 2):
        shared = outcomes[one].keys() & outcomes[two].keys()
        if shared and all(outcomes[one][language] == outcomes[two][language] for language in shared):
            same.append((one, two))
    assert len(outcomes) == 29
    assert same == []
