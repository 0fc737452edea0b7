"""Questions about texts: span QA, and answer retrieval over a pool of sentences in many languages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from crosswind.data.examples import Candidate, Pool, QueryExample, SpanExample
from crosswind.data.microworld import scenes
from crosswind.data.microworld.draws import WorldDraw
from crosswind.data.microworld.frames import Clause
from crosswind.data.microworld.item import Item
from crosswind.data.microworld.render import Renderer, renderer

QUESTIONS_A_TEXT = 4  # of one text


@dataclass(frozen=True, slots=True)
class Asked:
    """A question: the sentence that answers it, and the role that it asks for."""

    sentence: int
    role: str
    clause: Clause


@dataclass(frozen=True, slots=True)
class ToldText:
    """What is told, and four questions with four answers."""

    name: str
    clauses: tuple[Clause, ...]
    questions: tuple[Asked, ...]


@lru_cache(maxsize=10_000)
def told_text(kind: str, seed: int, split: str, group: int) -> ToldText:
    """Two themes about two people (of the kind `answers` three); two questions of each theme.

    What a question asks for has several candidates in the text: the same was said of others. The
    questions of the kind `answers` all name somebody, in full, for "who was tired?" has no one answer in a pool.
    """
    draw = WorldDraw(kind, seed, split, group)
    while True:
        cast = scenes.people(draw, split, 3, full=1.0) if kind == "answers" else scenes.people(draw, split, 2)
        themes = scenes.facts(draw, split, cast, 2, len(cast))
        if len({t[0].clause.verb for t in themes}) < 2:
            continue
        facts = draw.shuffled([fact for group_ in themes for fact in group_])
        clauses = tuple(scenes.styled(draw, fact.clause) for fact in facts)
        questions = []
        answers: set[object] = set()
        for theme in themes:
            for fact in draw.distinct(theme, 2):
                asks = fact.theme.asks
                role = draw.pick([r for r in asks if r != "subject"] if kind == "answers" else asks)
                at = facts.index(fact)
                questions.append(Asked(at, role, scenes.asking(fact.clause._replace(other=draw.chance(0.5)), role)))
                answers.add(_answer(fact, role))
        if len(answers) == QUESTIONS_A_TEXT:
            return ToldText(f"mw-{kind}/{split}/p{group}", clauses, tuple(questions))


def _answer(fact: scenes.Fact, role: str) -> object:
    if role == "subject":
        return fact.person
    if isinstance(fact.value, scenes.Deed):
        return fact.value.place if role == "in" else fact.value.noun
    return fact.value


def qa(seed: int, split: str, index: int) -> Item:
    """One question of a text; the answer is a phrase of it."""
    group, within = divmod(index, QUESTIONS_A_TEXT)
    passage = told_text("qa", seed, split, group)
    asked = passage.questions[within]
    item = f"mw-qa/{split}/{index}"

    def render(words: Renderer) -> SpanExample:
        code = words.language.code
        context, roles = words.laid_out([words.sentence(clause) for clause in passage.clauses])
        answer = roles[asked.sentence][asked.role]
        return SpanExample(item, passage.name, code, words.text([asked.clause]), context, (answer,), code)

    return render


def queries(seed: int, split: str, index: int, pool: Sequence[str]) -> Item:
    """The question as a query; right is the sentence that answers it, in every language of the pool."""
    group, within = divmod(index, QUESTIONS_A_TEXT)
    passage = told_text("answers", seed, split, group)
    asked = passage.questions[within]
    item = f"mw-answers/{split}/{index}"
    gold = tuple(f"{passage.name}/{code}/{asked.sentence}" for code in pool)

    def render(words: Renderer) -> QueryExample:
        return QueryExample(item, passage.name, words.language.code, words.text([asked.clause]), gold)

    return render


def pool(seed: int, split: str, size: int, languages: Sequence[str]) -> Pool:
    """Every sentence of the texts that `size` questions ask about, in every language, with its text as context."""
    candidates = []
    for code in languages:
        words = renderer(code)
        for group in range(-(-size // QUESTIONS_A_TEXT)):
            passage = told_text("answers", seed, split, group)
            context = words.text(passage.clauses)
            candidates += [
                Candidate(f"{passage.name}/{code}/{n}", code, words.text([clause]), context, passage.name)
                for n, clause in enumerate(passage.clauses)
            ]
    return Pool(tuple(candidates))
