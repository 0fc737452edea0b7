"""Questions about texts: span QA, and answer retrieval over a pool of sentences in many languages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from crosswind.data.examples import Candidate, Pool, QueryExample, SpanExample
from crosswind.data.microworld import scenes
from crosswind.data.microworld.draws import Draw
from crosswind.data.microworld.frames import Clause
from crosswind.data.microworld.item import Item
from crosswind.data.microworld.names import BANKS
from crosswind.data.microworld.render import Renderer, renderer

QUESTIONS = 4  # of one text


@dataclass(frozen=True, slots=True)
class Asked:
    """A question: the sentence that answers it, and the role that it asks for."""

    sentence: int
    role: str
    clause: Clause


@dataclass(frozen=True, slots=True)
class Text:
    """What is told, and four questions with four answers."""

    name: str
    told: tuple[Clause, ...]
    questions: tuple[Asked, ...]


def text(seed: int, split: str, group: int) -> Text:
    """Two themes about three people; two questions of each theme.

    What a question asks for has several candidates in the text: the same was said of others.
    """
    draw = Draw("questions", seed, split, group)
    bank = BANKS[split]
    while True:
        cast = scenes.people(draw, bank, 3)
        themes = scenes.facts(draw, bank, cast, 2, 3)
        if len({t[0].clause.verb for t in themes}) < 2:
            continue
        facts = draw.shuffled([fact for group_ in themes for fact in group_])
        told = tuple(scenes.styled(draw, fact.clause) for fact in facts)
        questions = []
        answers: set[object] = set()
        for theme in themes:
            for fact in draw.distinct(theme, 2):
                role = draw.pick(fact.theme.asks)
                at = facts.index(fact)
                questions.append(Asked(at, role, scenes.asking(fact.clause._replace(other=draw.chance(0.5)), role)))
                answers.add(fact.person if role == "subject" else fact.value)
        if len(answers) == QUESTIONS:
            return Text(f"mw-questions/{split}/p{group}", told, tuple(questions))


def qa(seed: int, split: str, index: int) -> Item:
    """One question of a text; the answer is a phrase of it."""
    group, within = divmod(index, QUESTIONS)
    found = text(seed, split, group)
    asked = found.questions[within]
    item = f"mw-questions/{split}/{index}"

    def render(words: Renderer) -> SpanExample:
        code = words.language.code
        context, roles = words.laid_out([words.sentence(clause) for clause in found.told])
        answer = roles[asked.sentence][asked.role]
        return SpanExample(item, found.name, code, words.text([asked.clause]), context, (answer,), code)

    return render


def queries(seed: int, split: str, index: int, pool: Sequence[str]) -> Item:
    """The question as a query; right is the sentence that answers it, in every language of the pool."""
    group, within = divmod(index, QUESTIONS)
    found = text(seed, split, group)
    asked = found.questions[within]
    item = f"mw-questions/{split}/{index}"
    gold = tuple(f"{found.name}/{code}/{asked.sentence}" for code in pool)

    def render(words: Renderer) -> QueryExample:
        return QueryExample(item, found.name, words.language.code, words.text([asked.clause]), gold)

    return render


def pool(seed: int, split: str, size: int, languages: Sequence[str]) -> Pool:
    """Every sentence of the texts that `size` questions ask about, in every language, with its text as context."""
    candidates = []
    for code in languages:
        words = renderer(code)
        for group in range(-(-size // QUESTIONS)):
            found = text(seed, split, group)
            context = words.text(found.told)
            candidates += [
                Candidate(f"{found.name}/{code}/{n}", code, words.text([clause]), context, found.name)
                for n, clause in enumerate(found.told)
            ]
    return Pool(tuple(candidates))
