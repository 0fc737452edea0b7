"""Universal triggers: the same few words before every example, searched on development data.

Wallace et al. 2019 (Universal Adversarial Triggers for Attacking and Analyzing NLP), §2: the gradient of the loss by
the embeddings of the trigger is summed over a batch of examples; of each position the words that it prefers to first
order (HotFlip) are asked about on the batch, and the best stays; again and again, until nothing improves.

The words are those of the development texts that are one piece of the victim's vocabulary. A query is a text that is
asked about, for each development example; a gradient costs two. The control draws triggers of the same length from the
same words, as many as the budget allows.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crosswind.attack.counted import GRADIENT_QUERIES
from crosswind.attack.space import AttackSite, GoalVerdict, Space, Trial
from crosswind.attack.victim import ModelVictim
from crosswind.data.examples import Example, text_fields
from crosswind.errors import UserError
from crosswind.perturb.applied import Liberties
from crosswind.perturb.draw import key
from crosswind.perturb.example import passages
from crosswind.perturb.words import words as words_of

if TYPE_CHECKING:
    from crosswind.model.offsets import Template

TriggerWords = tuple[str, ...]

ASKED_AT_ONCE = 4096  # texts of a call: a budget of triggers for all development examples would fill the memory


@dataclass(frozen=True)
class TriggerSearch:
    """How a trigger is searched: `words` long, before the text `field`, on at most `examples` development examples.

    `candidates` words are asked about for each position; `drawn` is the control.
    """

    field: str
    words: int
    candidates: int
    examples: int
    drawn: bool = False


@dataclass(frozen=True)
class Trigger:
    """The trigger, what it cost for each development example, and the mean loss of these before and after."""

    words: TriggerWords
    queries: int
    examples: int
    before: float
    after: float


def with_trigger(example: Example, field: str, words: TriggerWords) -> Trial | None:
    """An example with the words before a text; `None` where the text is empty or a label would be lost."""
    return space_of(example, GoalVerdict(0.0, 1.0), field, words).trial(((0, 0),))


def space_of(example: Example, clean: GoalVerdict, field: str, words: TriggerWords) -> Space:
    """The space of an example whose only change is the trigger."""
    cut = tuple(passages(example, (field,)))
    sites = tuple(AttackSite(i, 0, 0, (" ".join(words) + " ",), Liberties(True), 0) for i in range(len(cut)))
    return Space(example, cut, sites, clean, float("inf"), 1)


def find_trigger(victim: ModelVictim, dev: Sequence[Example], how: TriggerSearch, budget: int, seed: int) -> Trigger:
    """The trigger that raises the mean loss of development examples most, within `budget` queries for each of them.

    Examples that the victim has wrong are left out, unless it has all of them wrong. Raises a `UserError` where no word
    is one piece of the vocabulary.
    """
    chosen = [e for e in dev[: how.examples] if text_fields(e).get(how.field)]
    clean = victim(chosen)
    batch = [e for e, right in zip(chosen, clean.right.tolist(), strict=True) if right > 0] or chosen
    vocabulary = _Vocabulary.of(victim, dev, how)
    search = _Search(victim, batch, how, vocabulary, budget)
    search.draw(random.Random(key(str(seed), "trigger", how.field))) if how.drawn else search.climb()
    kept = {id(e) for e in batch}
    before = [loss for e, loss in zip(chosen, clean.loss.tolist(), strict=True) if id(e) in kept]
    words = tuple(vocabulary.words[i] for i in search.best)
    return Trigger(words, search.used, len(batch), float(np.mean(before)), search.loss)


@dataclass(frozen=True)
class _Vocabulary:
    """TriggerWords of one piece, the most frequent first.

    `pieces` and `vectors` `(words, width)` of each: as the text's first word, and behind another one, which byte-level
    BPE writes with its blank and so by another piece.
    """

    words: TriggerWords
    pieces: tuple[tuple[int, ...], tuple[int, ...]]
    vectors: tuple[Any, Any]

    @classmethod
    def of(cls, victim: ModelVictim, dev: Sequence[Example], how: TriggerSearch) -> _Vocabulary:
        import torch

        from crosswind.model.offsets import raw

        seen: Counter[str] = Counter()
        for example in dev:
            text = text_fields(example).get(how.field, "")
            seen.update(text[w.start : w.end] for w in words_of(text, example.language))
        ordered = sorted(seen, key=lambda w: (-seen[w], w))
        encoder = victim.predictor.encoder
        many = min(how.words, 2)
        cut = raw(encoder.tokenizer, [" ".join([word] * many) for word in ordered], offsets=False)
        whole = [
            (word, ids[0], ids[-1])
            for word, (ids, _) in zip(ordered, cut, strict=True)
            if len(ids) == many and encoder.tokenizer.unk_token_id not in ids
        ]
        if not whole:
            raise UserError(
                "no word of the development data is one piece of the model's vocabulary",
                where="recipe",
                hint="attack it with a recipe that changes the words at hand",
            )
        words, first, later = zip(*whole, strict=True)
        with torch.no_grad():
            vectors = [
                encoder.embeddings(torch.tensor(pieces, device=victim.predictor.device)).double().cpu().numpy()
                for pieces in (first, later)
            ]
        return cls(words, (first, later), (vectors[0], vectors[1]))


class _Search:
    """The best trigger so far (`best`, numbers of words), its mean loss, and the queries used for each example."""

    def __init__(
        self, victim: ModelVictim, batch: Sequence[Example], how: TriggerSearch, vocabulary: _Vocabulary, budget: int
    ) -> None:
        self.victim, self.batch, self.how, self.vocabulary, self.budget = victim, batch, how, vocabulary, budget
        self.used = 0
        self.best: tuple[int, ...] = ()
        self.loss = -np.inf

    def draw(self, rng: random.Random) -> None:
        """Random triggers, each once: the best of as many as the budget allows, or of all."""
        every = len(self.vocabulary.words)
        drawn: dict[tuple[int, ...], None] = {}
        while len(drawn) < min(self.budget, every**self.how.words):
            drawn.setdefault(tuple(rng.randrange(every) for _ in range(self.how.words)))
        self._ask(list(drawn))

    def climb(self) -> None:
        """The most frequent word in every position at first; then position after position, until nothing improves."""
        self._ask([(0,) * self.how.words])
        improved = True
        while improved:
            improved = False
            for position in range(self.how.words):
                if self.used + GRADIENT_QUERIES >= self.budget:
                    return
                self.used += GRADIENT_QUERIES
                order = np.argsort(-self._expected(position), kind="stable").tolist()
                now = self.best
                wanted = [(*now[:position], word, *now[position + 1 :]) for word in order if word != now[position]]
                improved |= self._ask(wanted[: min(self.how.candidates, self.budget - self.used)])

    def _ask(self, triggers: Sequence[tuple[int, ...]]) -> bool:
        """Take the best of some triggers if it is better than the best so far; each costs a query."""
        improved = False
        many = max(1, ASKED_AT_ONCE // len(self.batch))
        for start in range(0, len(triggers), many):
            some = triggers[start : start + many]
            texts = [text for trigger in some for text in self._texts(trigger)]
            self.used += len(some)
            means = self.victim(texts).loss.reshape(len(some), len(self.batch)).mean(axis=1)
            if means.max() > self.loss:
                at = int(means.argmax())
                self.best, self.loss = some[at], float(means[at])
                improved = True
        return improved

    def _texts(self, trigger: tuple[int, ...]) -> list[Example]:
        words = tuple(self.vocabulary.words[i] for i in trigger)
        trials = [with_trigger(example, self.how.field, words) for example in self.batch]
        return [e if t is None else t.example for e, t in zip(self.batch, trials, strict=True)]

    def _expected(self, position: int) -> Any:
        """By how much the loss would rise for each word in a position, to first order `(words,)`."""
        from crosswind.attack.gradient import loss_gradients
        from crosswind.model.offsets import template

        pieces, vectors = self.vocabulary.pieces, self.vocabulary.vectors[position > 0]
        stands = [pieces[i > 0][word] for i, word in enumerate(self.best)]
        shape = template(self.victim.predictor.encoder.tokenizer)
        begins = self.victim.predictor.head.kind == "choice"  # whose context is a row's first text
        total = np.zeros(vectors.shape[1])
        for gradient in loss_gradients(self.victim, [self.victim.read(e) for e in self._texts(self.best)]):
            for row, slopes in gradient:
                at = _position_of(stands, row.ids, shape, begins=begins)
                if at is not None:
                    total += slopes[at + position].astype(np.float64)
        return vectors @ total


def _position_of(pieces: Sequence[int], ids: Any, shape: Template, *, begins: bool) -> int | None:
    """Where a row of tokens holds the pieces of a trigger that `begins` the row's first text, or its second one.

    The other text may hold the same pieces. Without special tokens between the texts it is the last place of all.
    """
    listed, head, middle = [int(i) for i in ids], len(shape.head), list(shape.middle)
    starts = list(range(head, len(listed) - len(pieces) + 1))
    if begins:
        starts = starts[:1]
    elif middle:
        starts = [i + len(middle) for i in starts if listed[i : i + len(middle)] == middle][:1]
    return next((i for i in reversed(starts) if listed[i : i + len(pieces)] == list(pieces)), None)
