"""A sentence with the answer of another article's question is appended to the context."""

from crosswind.perturb.alternatives import Sites
from crosswind.perturb.donors import Donors
from crosswind.perturb.needs import DataNeed
from crosswind.perturb.perturbation import Perturbation


class Distractors:
    def __init__(self, donors):
        self.donors = Donors(donors.examples, [e.id for e in donors])

    def sites(self, passages):
        ends = [[len(p.text)] if p.field == "context" else [] for p in passages]
        return [Sites(end, end, passage=p) for end, p in zip(ends, passages, strict=True)]

    def draw(self, at):
        return [
            self._sentence(s.passage.example, self.donors.pick(bits, lambda d, e=s.passage.example: fits(d, e)))
            for s, _, bits in at
        ]

    def all(self, at, most=None):
        ranked = [[d for d in self.donors.ranked(0) if fits(d, s.passage.example)][:most] for s, _ in at]
        return [[self._sentence(s.passage.example, d) for d in some] for (s, _), some in zip(at, ranked, strict=True)]

    def _sentence(self, example, donor):
        return None if donor is None else f" {donor.question.rstrip('?')} {donor.answer_texts[0]}."


def fits(donor, example):
    return (
        donor.cluster != example.cluster
        and bool(donor.answers)
        and not any(gold in donor.answer_texts[0] for gold in example.answer_texts)
    )


DISTRACT_QA = Perturbation(
    name="my-distractor",
    nature="preserving",
    summary="a distracting sentence",
    source="Jia & Liang 2017",
    unit="question",
    languages="all",
    needs=lambda setting: (DataNeed("donors"),),
    prepare=lambda setting, given: Distractors(given["donors"]),
    applies=lambda setting: None if setting.kind == "span" and "context" in setting.fields else "only for QA contexts",
)
