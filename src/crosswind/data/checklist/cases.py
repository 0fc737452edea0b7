"""Test cases of MultiCheckList: contexts crossed with questions, filled from the templates.

The official generator draws every language's cases apart, with names of people from the `checklist` package. Here a
case is the same in all languages (the same adjective, object or animal), so that ids and clusters are shared, and the
names are Crosswind's own: the official scores are of the same tests, not of the same cases.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from crosswind.data.checklist.templates import TemplateRow, TestTemplate, forms
from crosswind.data.examples import Span, SpanExample

CASES = 200  # test cases of a test (generate_tests.py, --num_test_samples)
_PROPERTIES = ("color", "size", "age", "shape", "material")
_SLOT = re.compile(r"\{(?:[ac]:)?([a-z_]+\d?)(?:\.([pv][12])|\[([0-9])\])?\}")


@dataclass(frozen=True, slots=True)
class Case:
    """What a case has chosen: rows of the test's words by slot, and names by their numbers."""

    words: Mapping[str, TemplateRow]
    names: tuple[int, ...]
    properties: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class Filled:
    """The examples of a language, and how many cases it has no translation for."""

    examples: tuple[SpanExample, ...]
    absent: int


def fill(tests: Mapping[str, TestTemplate], language: str) -> Filled:
    """The examples of a language, six tests of `CASES` cases each.

    An id is `multichecklist/test/TEST-NUMBER/CONTEXT/QUESTION`, the cluster its case. An answer that stands in its
    context is a span; one that the language inflects otherwise there stays a text.
    """
    examples: list[SpanExample] = []
    absent = 0
    for name, test in tests.items():
        words = tests["animal"] if name == "animal-v2" else test
        for number, case in enumerate(_cases(name, words)):
            some = list(_examples(test, case, language, f"multichecklist/test/{name}-{number}"))
            examples += some
            absent += not some
    return Filled(tuple(examples), absent)


def _examples(test: TestTemplate, case: Case, language: str, cluster: str) -> Iterator[SpanExample]:
    contexts = [(i, row, _text(row, row.english, case, language)) for i, row in enumerate(test.of("Context"))]
    asked = list(zip(test.of("Question"), test.of("Answer"), strict=True))
    for (i, row, context), (j, (question, answer)) in itertools.product(contexts, enumerate(asked)):
        if context is None:
            continue
        text = _text(question, question.english, case, language, number=j)
        gold = _answer(answer, i, row, case, language, j)
        if text is None or not gold:
            continue
        at = context.find(gold)
        span = () if at < 0 else (Span(at, at + len(gold)),)
        unplaced = () if span else (gold,)
        name = f"{cluster}/{i}/{j}"
        yield SpanExample(name, cluster, language, text, context, span, language, unplaced)


def _answer(
    row: TemplateRow, context: int, context_row: TemplateRow, case: Case, language: str, number: int
) -> str | None:
    """The gold text, in the form that the context has (Turkish cases)."""
    variants = row.variants.get(language, ())
    if variants and "{" in variants[0].holds_for:  # Quechua: the second column answers in the second context
        template = variants[0].holds_for if context == 1 else variants[0].text
        return _filled(template, context_row.english, case, language, number)
    return _text(row, context_row.english, case, language, number=number)


def _text(row: TemplateRow, use: str, case: Case, language: str, *, number: int = 0) -> str | None:
    chosen = _chosen(case, number) | {"use": use}
    template = row.text(language, chosen)
    return None if template is None else _filled(template, use, case, language, number)


def _chosen(case: Case, number: int) -> dict[str, str]:
    """The English choice of each category that variants may be for; the property is that of the question."""
    chosen = {slot: row.english for slot, row in case.words.items()}
    if case.properties[0]:
        chosen["property"] = case.properties[min(number, 1)]
    return chosen


def _filled(template: str, use: str, case: Case, language: str, number: int) -> str | None:
    missing = False

    def value(match: re.Match[str]) -> str:
        nonlocal missing
        slot, part, form = match.groups()
        slot = {"s": "state"}.get(slot, slot)
        if slot.startswith(("first_name", "male")):
            return _names()[language][case.names[int(slot[-1]) if slot[-1].isdigit() else 0]]
        if slot == "p":
            which = int(part[1]) - 1
            chosen = _chosen(case, which) | {"use": use}
            key = f"property{which}" if part[0] == "p" else f"attribute{which}"
            text = case.words[key].text(language, chosen) if key in case.words else None
        else:
            text = case.words[slot].text(language, _chosen(case, number) | {"use": use}) if slot in case.words else None
        if text is None:
            missing = True
            return ""
        written = forms(text)
        word = written[min(int(form), len(written) - 1)] if form else text
        sentence_start = match.start() == 0 or template[: match.start()].rstrip()[-1:] in ".!?"
        return word[:1].upper() + word[1:] if slot == "obj" and sentence_start else word

    filled = _SLOT.sub(value, template)
    return None if missing else filled


def _cases(name: str, words: TestTemplate) -> list[Case]:
    """`CASES` different cases, drawn by hashes: the same in every language and on every machine."""
    cases: dict[object, Case] = {}
    for attempt in itertools.count():
        if len(cases) == CASES:
            return list(cases.values())
        draw = _Draw(f"{name} {attempt}")
        names = draw.distinct(8, 3)
        match name:
            case "comparisons":
                case = Case({"adj": draw.one(words.of("adj"))}, names)
            case "intensifiers":
                case = Case({slot: draw.one(words.of(slot)) for slot in ("state", "very", "somewhat")}, names)
            case "profession":
                case = Case({slot: draw.one(words.of(slot)) for slot in ("profession", "nationality")}, names)
            case "properties":
                first, second = sorted(draw.distinct(len(_PROPERTIES), 2))
                pair = _PROPERTIES[first], _PROPERTIES[second]
                chosen = {"obj": draw.one(words.of("obj"))}
                for i, kind in enumerate(pair):
                    chosen[f"attribute{i}"] = draw.one(words.of(kind))
                    chosen[f"property{i}"] = next(r for r in words.of("property") if r.english == kind)
                case = Case(chosen, (0, 0, 0), pair)
            case _:
                case = Case({slot: draw.one(words.of(slot)) for slot in ("animal", "vehicle")}, names)
        cases.setdefault((tuple(row.english for row in case.words.values()), case.names), case)
    raise AssertionError


class _Draw:
    """Choices by the SHA-256 of a name."""

    def __init__(self, name: str) -> None:
        self._bits = int.from_bytes(hashlib.sha256(f"multichecklist {name}".encode()).digest())

    def below(self, count: int) -> int:
        self._bits, number = divmod(self._bits, count)
        return number

    def one(self, rows: Sequence[TemplateRow]) -> TemplateRow:
        return rows[self.below(len(rows))]

    def distinct(self, count: int, picks: int) -> tuple[int, ...]:
        left = list(range(count))
        return tuple(left.pop(self.below(len(left))) for _ in range(picks))


@lru_cache(maxsize=1)
def _names() -> Mapping[str, tuple[str, ...]]:
    text = (resources.files("crosswind.data.checklist") / "names.json").read_text(encoding="utf-8")
    return {language: tuple(names) for language, names in json.loads(text).items()}
