"""Damage: how much of a text a rewriting changed, on several axes.

One character of Chinese carries more than one of English, so no axis alone compares languages:

* words hit: words of the original that are not kept whole, that moved or that were joined to a neighbour, and words
  that were put in;
* edits: the fewest characters to delete, insert, replace or exchange with their neighbour (optimal string alignment,
  Boytsov 2011, "Indexing methods for approximate dictionary searching", §2.2.3); characters are code points, not the
  keystrokes behind them: a syllable of Hangul or a character of Chinese is one;
* chrF: character n-grams up to 6 in common with the original, white space left out, recall twice as heavy as
  precision (Popović 2015, "chrF: character n-gram F-score for automatic MT evaluation"; sacreBLEU's chrF2).

What a model sees of it (input ids changed, unknown tokens) is measured where one predicts: `evaluate/seen.py`.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from rapidfuzz.distance import OSA

from crosswind.data.examples import Dataset, Example, Pool, Span, whole_texts
from crosswind.perturb.diff import rewrite_between
from crosswind.perturb.example import candidate_passage
from crosswind.perturb.passage import SEPARATOR, WHOLE
from crosswind.perturb.perturbed import Perturbed, PerturbedDataset
from crosswind.perturb.pieces import Keep
from crosswind.perturb.rewrite import Rewrite
from crosswind.perturb.spec import POOL
from crosswind.perturb.words import words as words_of

SAMPLE = 1000
"""Examples of a data set of which the damage is measured, where nothing else is asked for."""

_Run = tuple[int, int]
_ORDER, _BETA2 = 6, 4.0  # Popović's n-grams up to 6, and β² of β = 2


@dataclass(frozen=True, slots=True)
class Damage:
    """Sums over texts, unchanged ones included: add two to have both. `similarity` is the sum of their chrF."""

    texts: int = 0
    changed: int = 0
    words: int = 0
    words_hit: int = 0
    characters: int = 0
    edits: int = 0
    similarity: float = 0.0

    def __add__(self, other: Damage) -> Damage:
        return Damage(
            self.texts + other.texts,
            self.changed + other.changed,
            self.words + other.words,
            self.words_hit + other.words_hit,
            self.characters + other.characters,
            self.edits + other.edits,
            self.similarity + other.similarity,
        )

    @property
    def word_share(self) -> float:
        """Words hit for each word of the originals; above 1 where more words were put in than there were."""
        return self.words_hit / self.words if self.words else 0.0

    @property
    def edit_share(self) -> float:
        """Edits for each character of the originals."""
        return self.edits / self.characters if self.characters else 0.0

    @property
    def edits_per_text(self) -> float:
        """Edits for each text."""
        return self.edits / self.texts if self.texts else 0.0

    @property
    def chrf(self) -> float:
        """The mean chrF of the texts against their originals, 0 to 100; 100 is no change."""
        return self.similarity / self.texts if self.texts else 100.0

    @classmethod
    def none(cls, text: str, words: int) -> Damage:
        """That of a text that was left as it is."""
        return cls(1, 0, words, 0, len(text), 0, 100.0)


def damage(before: str, after: str, rewrite: Rewrite, words: Sequence[Span]) -> Damage:
    """The damage of one text that a `rewrite` made `after` of; `words` are those of `before`."""
    if before == after:
        return Damage.none(before, len(words))
    return Damage(
        texts=1,
        changed=1,
        words=len(words),
        words_hit=rewrite.words_hit(words),
        characters=len(before),
        edits=int(OSA.distance(before, after)),
        similarity=chrf(before, after, rewrite),
    )


def damage_of(clean: Dataset, perturbed: PerturbedDataset, fields: Iterable[str], most: int = SAMPLE) -> Damage:
    """The damage of a data set, over the texts in those of its `fields` that may change.

    `choices` stands for all options and `pool` for the texts of the pool; the texts of candidates that a
    perturbation added have no original and are left out. Measured are at most `most` examples and as many
    candidates, evenly spread: a mean over a thousand is exact enough, and measuring takes longer than perturbing.
    """
    names = set(fields)
    total = Damage()
    after = perturbed.examples or [Perturbed(e, {}) for e in clean.examples]
    for i in _spread(len(clean.examples), most):
        for part in _of_example(clean.examples[i], after[i], names):
            total += part
    if POOL in names and clean.pool is not None:
        for i in _spread(len(clean.pool), most):
            candidate = clean.pool.candidates[i]
            now = perturbed.candidates[i] if perturbed.candidates else Perturbed(candidate, {})
            passage = candidate_passage(candidate)
            name = passage.field.partition(".")[2]
            total += _one(passage.text, getattr(now.example, name), now.rewrites.get(name), candidate.language)
    return total


def damage_sample(data: Dataset, most: int = SAMPLE) -> Dataset:
    """The examples and candidates of a data set of which `damage_of` measures, as a data set of their own."""
    examples = tuple(data.examples[i] for i in _spread(len(data.examples), most))
    pool = data.pool and Pool(tuple(data.pool.candidates[i] for i in _spread(len(data.pool), most)))
    return replace(data, examples=examples, pool=pool)


def chrf(reference: str, hypothesis: str, rewrite: Rewrite | None = None) -> float:
    """The chrF2 of a hypothesis, 0 to 100, as sacreBLEU has it for one sentence.

    With the `rewrite` that made the hypothesis of the reference only n-grams at its edits are counted: those within
    what it keeps are in both.
    """
    rewrite = rewrite or Rewrite.of((), len(reference))
    runs_before, runs_after, before, after = _runs(rewrite, reference, hypothesis)
    precision = recall = 0.0
    orders = 0
    for n in range(1, _ORDER + 1):
        n_before, n_after = len(before) - n + 1, len(after) - n + 1
        if n_before <= 0 or n_after <= 0:
            break
        kept = sum(max(0, end - start - n + 1) for start, end in runs_after)
        lost = Counter(before[i : i + n] for i in _outside(runs_before, n, n_before))
        same = 0
        for i in _outside(runs_after, n, n_after):
            gram = after[i : i + n]
            if lost.get(gram, 0):
                lost[gram] -= 1
                same += 1
        precision += (kept + same) / n_after
        recall += (kept + same) / n_before
        orders += 1
    if not orders or precision + recall == 0:
        return 0.0
    precision, recall = precision / orders, recall / orders
    return 100 * (1 + _BETA2) * precision * recall / (_BETA2 * precision + recall)


def _runs(rewrite: Rewrite, before: str, after: str) -> tuple[list[_Run], list[_Run], str, str]:
    """What a rewrite keeps, as runs of both texts without white space, each in its own order, and these texts.

    A rewrite that keeps something twice has no runs: what is in the result twice is in the original once.
    """
    kept = sorted(p for p in rewrite.pieces if isinstance(p, Keep))
    if any(a.end > b.start for a, b in itertools.pairwise(kept)):
        return [], [], _squeezed(before), _squeezed(after)
    runs_before: list[_Run] = []
    at = done = 0
    for start, end in kept:
        at += len(_squeezed(before[done:start]))
        runs_before.append((at, at + len(_squeezed(before[start:end]))))
        at, done = runs_before[-1][1], end
    runs_after: list[_Run] = []
    at = 0
    for piece in rewrite.pieces:
        text = before[piece.start : piece.end] if isinstance(piece, Keep) else piece.text
        end = at + len(_squeezed(text))
        if isinstance(piece, Keep):
            runs_after.append((at, end))
        at = end
    return runs_before, runs_after, _squeezed(before), _squeezed(after)


def _squeezed(text: str) -> str:
    return "".join(text.split())


def _outside(runs: Sequence[_Run], n: int, count: int) -> Iterator[int]:
    """The starts below `count` of the n-grams that lie in no run."""
    at = 0
    for start, end in runs:
        if end - start >= n:
            yield from range(at, start)
            at = end - n + 1
    yield from range(at, count)


def _of_example(example: Example, changed: Perturbed[Example], names: set[str]) -> Iterator[Damage]:
    texts = whole_texts(example)
    rewrites = changed.rewrites
    if WHOLE in rewrites and len(rewrites) == 1:
        after = SEPARATOR.join(whole_texts(changed.example).values())
        yield _one(SEPARATOR.join(texts.values()), after, rewrites[WHOLE], example.language)
        return
    after_texts = whole_texts(changed.example) if rewrites else texts
    for name, text in texts.items():
        if not text or not (name in names or name.partition(".")[0] in names):
            continue
        language = getattr(example, "context_language", "") if name == "context" else ""
        yield _one(text, after_texts.get(name, text), rewrites.get(name), language or example.language)


def _one(before: str, after: str, rewrite: Rewrite | None, language: str) -> Damage:
    spans = _words(before, language)
    if before == after:
        return Damage.none(before, len(spans))
    if rewrite is None or rewrite.length != len(before) or rewrite.apply(before) != after:
        rewrite = rewrite_between(before, after)
    return damage(before, after, rewrite, spans)


@lru_cache(maxsize=1 << 14)
def _words(text: str, language: str) -> tuple[Span, ...]:
    """The words of a text, kept from one condition to the next."""
    return tuple(words_of(text, language))


def _spread(count: int, most: int) -> Iterable[int]:
    """At most `most` indices below `count`, evenly spread."""
    return range(count) if count <= most else (i * count // most for i in range(most))
