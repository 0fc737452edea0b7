"""Distractor of QA: a sentence of another article, with an answer of the same type, at an end of the context.

It holds no gold answer of the question. It comes from the whole split, whatever rows are perturbed. In data sets
that cut an article into several paragraphs those near in the official order count as the same article.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import regex

from crosswind.data.examples import Dataset, SpanExample
from crosswind.perturb.alternatives import Alternatives, DrawnSite, Option, SiteAddress, Sites
from crosswind.perturb.donors import Donors
from crosswind.perturb.needs import DataNeed
from crosswind.perturb.passage import Passage
from crosswind.perturb.perturbation import Given, NotApplicable, Param, Perturbation, Setting
from crosswind.perturb.words import segmenter_version, sentences

_NEAR = 5  # XQuAD has five paragraphs of an article, one after another
_LONGEST = 300  # characters of a sentence; scripts without full stops have paragraphs that ICU does not cut
_DIGIT = regex.compile(r"\p{N}")


@dataclass(frozen=True, slots=True)
class _Distractor:
    sentence: str
    answer: str
    paragraph: int


class _Distractors:
    """A sentence at an end of every context."""

    def __init__(self, donors: Dataset, at_end: bool) -> None:
        self._at_end = at_end
        self._paragraphs: dict[str, int] = {}
        lent, ids = [], []
        for example in donors.examples:
            if not isinstance(example, SpanExample):
                continue
            number = self._paragraphs.setdefault(example.cluster, len(self._paragraphs))
            if example.answers:
                answer = example.answers[0]
                language = example.context_language or example.language
                sentence = _sentence(example.context, language, answer.start, answer.end)
                if sentence:
                    lent.append(_Distractor(sentence, example.answer_texts[0], number))
                    ids.append(example.id)
        if not lent:
            what = f"no question of {donors.task} {donors.split}, {donors.language}, has an answer in a sentence"
            hint = "a distractor is a sentence around an answer: donors are questions with their answers"
            raise NotApplicable(f"distract-qa: {what}", hint=hint)
        self._donors = Donors(lent, ids)

    def sites(self, passages: Sequence[Passage]) -> list[Sites]:
        every = []
        for passage in passages:
            at = [len(passage.text) if self._at_end else 0] if passage.field == "context" else []
            every.append(Sites(at, at, passage=passage))
        return every

    def draw(self, at: Sequence[DrawnSite]) -> list[Option | None]:
        chosen: list[Option | None] = []
        for sites, _, bits in at:
            example = _example(sites)
            donor = self._donors.pick(bits, lambda d, e=example: self._fits(d, e))  # type: ignore[misc]
            chosen.append(None if donor is None else self._option(donor))
        return chosen

    def all(self, at: Sequence[SiteAddress], most: int | None = None) -> list[list[Option]]:
        every: list[list[Option]] = []
        for sites, _ in at:
            example = _example(sites)
            fitting = (d for d in self._donors.ranked(0) if self._fits(d, example))
            every.append([self._option(d) for d in islice(fitting, most)])
        return every

    def _fits(self, donor: _Distractor, example: SpanExample) -> bool:
        home = self._paragraphs.get(example.cluster)
        few = len(self._paragraphs) <= 2 * _NEAR + 1
        if home is not None and (donor.paragraph == home or (not few and abs(donor.paragraph - home) < _NEAR)):
            return False
        gold = [text.casefold() for text in example.answer_texts]
        said = donor.sentence.casefold()
        if any(text in said for text in gold) or donor.sentence in example.context:
            return False
        return not gold or _kind(donor.answer) == _kind(example.answer_texts[0])

    def _option(self, donor: _Distractor) -> Option:
        return f" {donor.sentence}" if self._at_end else f"{donor.sentence} "


def _kind(answer: str) -> tuple[bool, bool]:
    """The type of an answer, as far as any language shows it: a number, a name or phrase in capitals, other words."""
    return _DIGIT.search(answer) is not None, answer[:1].isupper()


def _sentence(context: str, language: str, start: int, end: int) -> str:
    """The sentence of a context that holds `start:end`; where it is too long, what stands between white space."""
    for sentence in sentences(context, language):
        if sentence.start <= start and end <= sentence.end:
            low, high = sentence.start, sentence.end
            if high - low > _LONGEST:
                low = context.rfind(" ", low, start) + 1 or low
                after = context.find(" ", end, high)
                high = after if after >= 0 else high
            text = context[low:high].strip()
            return " ".join(text.split()) if len(text) <= _LONGEST else ""
    return ""


def _example(sites: Sites) -> SpanExample:
    assert sites.passage is not None
    example = sites.passage.example
    assert isinstance(example, SpanExample)
    return example


def _applies(setting: Setting) -> str | None:
    if setting.kind != "span":
        return "only extractive question answering has a context to put a distractor into"
    return None if "context" in setting.fields else "the context of this task may not change"


def _prepare(setting: Setting, given: Given) -> Alternatives:
    return _Distractors(given["donors"], setting.params["at"] == "end")


DISTRACT_QA = Perturbation(
    name="distract-qa",
    nature="preserving",
    summary="a sentence of another article, with an answer of the same type, is added to the context",
    source="Jia & Liang 2017 (Adversarial Examples for Evaluating Reading Comprehension Systems), §3.3: AddOneSent, "
    "with a sentence of the data in place of a generated one",
    unit="question",
    languages="all, of extractive question answering",
    needs=lambda setting: (DataNeed("donors"),),
    applies=_applies,
    prepare=_prepare,
    resources=lambda setting: {"icu": segmenter_version()},
    params=(Param("at", "text", "where the sentence stands", default="end", choices=("end", "start")),),
)
