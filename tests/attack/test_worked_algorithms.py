"""The published settings beside the papers' algorithms, written out for tiny inputs, and a trigger as it was printed.

Where a paper's printed example could be verified, it is tested here or in `test_published_settings.py`: the trigger is
from Wallace et al. 2019, table 1, as texts that quote it have it. Followed by hand instead, an algorithm against a
plain transcription: BERT-Attack (Li et al. 2020, algorithm 1), CLARE (Li et al. 2021, algorithm 1) and PolyGloss (Tan
and Joty 2021, algorithm 1).

Not tested on a worked example, because none could be verified and none is made up: Bumblebee (figure 1 of its paper is
a picture), BAE, Genetic, VIPER, Bad Characters.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from crosswind.attack.recipe import needed_spec, parse_recipe
from crosswind.attack.run import AttackBudget, attack_examples
from crosswind.attack.universal import with_trigger
from crosswind.attack.victim import PredictingVictim
from crosswind.data.examples import PairExample
from crosswind.evaluate.metrics.base import METRICS
from crosswind.model.offsets import MASK_SIGN
from crosswind.perturb.draw import key
from crosswind.perturb.lexicons import environment_of
from crosswind.tasks.base import TASKS

Gold = Callable[[str, str], float]
"""The probability of the gold class of a premise and a hypothesis; below one half the prediction is another class."""

FIRST, SECOND = "dogs bark at night here", "cats sleep"


class _Watching(PredictingVictim):
    """A victim by a table of probabilities that keeps what it is asked about, in order."""

    mask = MASK_SIGN

    def __init__(self, gold: Gold) -> None:
        self.asked: list[tuple[str, str]] = []

        def predict(examples: Sequence[Any]) -> list[dict[str, Any]]:
            records = []
            for e in examples:
                self.asked.append((e.first, e.second))
                p = gold(e.first, e.second)
                records.append({"loss": -math.log(p), "scores": [p, 1 - p, 0.0]})
            return records

        super().__init__(predict, METRICS["accuracy"], classes=3)


def probability(salt: int, low: float) -> Gold:
    """By a hash of the texts: between `low` and 1, and .95 for the clean ones."""

    def gold(first: str, second: str) -> float:
        if (first, second) == (FIRST, SECOND):
            return 0.95
        return low + (1 - low) * (key(str(salt), first, second) % 10_000) / 10_001

    return gold


def attacked(recipe: str, gold: Gold, model: Any = None, lexicons: Path | None = None) -> tuple[_Watching, str, str]:
    """The victim with what it was asked, and the two texts at the end: those of a success, or the worst."""
    victim = _Watching(gold)
    call = parse_recipe(recipe)
    setting = call.setting(TASKS["xnli"], "en", environment_of(lexicons))
    needs = needed_spec(call, setting).needs(setting.scope(call.declaration.attacked(setting)))
    example = PairExample("x/0", "x/0", "en", FIRST, SECOND, 0)
    (outcome,) = attack_examples(
        victim, [example], call, setting, AttackBudget(400), resolved=dict.fromkeys(needs, model)
    )
    texts = {"first": FIRST, "second": SECOND}
    first, second = (
        outcome.rewrites[field].apply(text) if field in outcome.rewrites else text for field, text in texts.items()
    )
    return victim, first, second


class _Proposing:
    """A masked language model with two words for each place, by what stands around it."""

    def fill(self, blanks: Sequence[Any], most: int) -> list[list[tuple[str, float]]]:
        return [[(word, 0.5 / n) for n, word in enumerate(proposed(b.text[: b.start]), 1)] for b in blanks]


def proposed(before: str) -> list[str]:
    return [f"w{'abcdefgh'[len(before.split())]}{c}" for c in "xy"]


def bert_attack(gold: Gold) -> tuple[str, str]:
    """Li et al. 2020, algorithm 1, on words alone: at most 40 % of them change."""
    texts = (FIRST.split(), SECOND.split())
    places = [(t, i) for t, some in enumerate(texts) for i in range(len(some))]
    limit = int(0.4 * len(places))

    def of(some: Sequence[Sequence[str]]) -> tuple[str, str]:
        return " ".join(some[0]), " ".join(some[1])

    def replaced(some: tuple[list[str], ...], place: tuple[int, int], word: str) -> tuple[list[str], ...]:
        copied = tuple(list(one) for one in some)
        copied[place[0]][place[1]] = word
        return copied

    now, changed = texts, 0
    reached = gold(*of(now))
    # The most important word is the one without which the gold class is least likely.
    for place in sorted(places, key=lambda p: gold(*of(replaced(texts, p, MASK_SIGN)))):
        if changed == limit:
            break
        best = None
        for word in proposed(" ".join(texts[place[0]][: place[1]])):
            candidate = replaced(now, place, word)
            p = gold(*of(candidate))
            if p < 0.5:
                return of(candidate)
            if p < reached:
                best, reached = candidate, p
        if best is not None:
            now, changed = best, changed + 1
    return of(now)


@pytest.mark.parametrize("salt", range(20))
def test_bert_attack_ends_where_the_papers_algorithm_ends(salt: int) -> None:
    gold = probability(salt, (0.45, 0.55)[salt % 2])
    victim, *ended = attacked("bert-attack(model=M,setting=published)", gold, _Proposing())
    # The importance of words is asked first, behind the victim's mask, and of each word once.
    masked = list(itertools.takewhile(lambda pair: pair == (FIRST, SECOND) or MASK_SIGN in "".join(pair), victim.asked))
    assert sum(MASK_SIGN in "".join(pair) for pair in masked) == len((FIRST + " " + SECOND).split())
    assert tuple(ended) == bert_attack(gold)


Texts = tuple[tuple[str, ...], ...]
CLEAN: Texts = (tuple(FIRST.split()), tuple(SECOND.split()))


def joined(texts: Texts) -> tuple[str, str]:
    first, second = (" ".join(words) for words in texts)
    return first, second


class Action(NamedTuple):
    """What CLARE does at a position: `cut` words from `at` on become `word`; an insertion cuts none."""

    text: int
    position: int
    at: int
    cut: int
    word: str

    def apart(self, other: Action) -> bool:
        """Whether none changes what the other does; what is inserted may stand at the border of a replaced word."""
        if self.text != other.text:
            return True
        first, second = sorted((self, other), key=lambda a: (a.at, a.at + a.cut))
        return first.at + first.cut <= second.at


def applied(actions: Sequence[Action]) -> Texts:
    texts = [list(words) for words in CLEAN]
    for a in sorted(actions, key=lambda a: (a.at, a.cut), reverse=True):
        texts[a.text][a.at : a.at + a.cut] = [a.word]
    return tuple(tuple(words) for words in texts)


def clare_actions() -> list[Action]:
    """Replace a word, insert one behind it, merge it with the next, at each position of both texts."""
    actions = []
    for text, words in enumerate(CLEAN):
        for i in range(len(words)):
            places = [(i, 1), (i + 1, 0), (i, 2)] if i + 1 < len(words) else [(i, 1)]
            for at, cut in places:
                actions += [Action(text, i, at, cut, word) for word in proposed(" ".join(words[:at]))]
    return actions


def clare(gold: Gold) -> list[Texts]:
    """Li et al. 2021, algorithm 1: the texts that follow the actions alone, until the prediction is another.

    Of each position the action is kept after which the gold class is least likely; the highest-scoring one of those
    that are left is applied in each step, whatever it brings there. No more words are hit than there are.
    """
    most = sum(map(len, CLEAN))

    def score(action: Action) -> float:
        return 1 - gold(*joined(applied([action])))

    kept: dict[tuple[int, int], Action] = {}
    for action in clare_actions():
        place = (action.text, action.position)
        if place not in kept or score(action) > score(kept[place]):
            kept[place] = action
    asked, done = [], list[Action]()
    for action in sorted(kept.values(), key=score, reverse=True):
        hit = sum(max(1, a.cut) for a in (*done, action))
        if all(action.apart(other) for other in done) and hit <= most:
            done.append(action)
            asked.append(applied(done))
            if gold(*joined(asked[-1])) < 0.5:
                break
    return asked[1:]


@pytest.mark.parametrize("salt", range(20))
def test_clare_applies_the_best_action_of_each_position_in_the_papers_order(salt: int) -> None:
    single = {joined(applied([action])) for action in clare_actions()}
    by_hash = probability(salt, (0.35, 0.55)[salt % 2])

    def gold(first: str, second: str) -> float:  # one action alone never suffices: several follow
        p = by_hash(first, second)
        return max(p, 0.5 + p / 10) if (first, second) in single else p

    victim, *ended = attacked("clare(model=M)", gold, _Proposing())
    fresh = [pair for pair in dict.fromkeys(victim.asked) if pair != (FIRST, SECOND)]
    assert set(fresh[: len(single)]) == single
    expected = [joined(texts) for texts in clare(gold)]
    assert expected
    assert fresh[len(single) :] == expected
    assert tuple(ended) == min(fresh, key=lambda pair: gold(*pair))


LEXICON = {"dogs": ["hunde", "köter"], "bark": ["bellen"], "night": ["nacht"], "cats": ["katzen"], "sleep": ["ruhen"]}


def polygloss(gold: Gold) -> list[tuple[str, str]]:
    """What Tan and Joty 2021, algorithm 1, asks about, in order, until the prediction is another: no beam.

    The state of the highest loss is taken up; of the next word of each text every translation is tried, and leaving it.
    """
    lanes = [[i for i, w in enumerate(text.split()) if w in LEXICON] for text in (FIRST, SECOND)]
    start = (tuple(FIRST.split()), tuple(SECOND.split()))
    count = itertools.count()
    queue: list[Any] = [(math.log(gold(FIRST, SECOND)), next(count), start, (0, 0))]
    asked: list[tuple[str, str]] = []
    losses: dict[Any, float] = {}
    seen = {(start, (0, 0))}
    while queue:
        loss, _, texts, at = heapq.heappop(queue)
        left = []
        for lane in (0, 1):
            if at[lane] == len(lanes[lane]):
                continue
            behind = (at[0] + (lane == 0), at[1] + (lane == 1))
            left.append((texts, behind))
            place = lanes[lane][at[lane]]
            for translation in LEXICON[texts[lane][place]]:
                other = list(texts[lane])
                other[place] = translation
                new = (tuple(other), texts[1]) if lane == 0 else (texts[0], tuple(other))
                if new not in losses:
                    shown = (" ".join(new[0]), " ".join(new[1]))
                    losses[new] = -math.log(gold(*shown))
                    asked.append(shown)
                    if losses[new] > -math.log(0.5):
                        return asked
                if (new, behind) not in seen:
                    seen.add((new, behind))
                    heapq.heappush(queue, (-losses[new], next(count), new, behind))
        for state in left:
            if state not in seen:
                seen.add(state)
                heapq.heappush(queue, (loss, next(count), *state))
    return asked


@pytest.mark.parametrize("salt", range(20))
def test_polygloss_asks_what_the_papers_algorithm_asks_in_its_order(salt: int, tmp_path: Path) -> None:
    rows = [f"{word} {other}\n" for word, others in LEXICON.items() for other in others]
    (tmp_path / "en-de.txt").write_text("".join(rows), encoding="utf-8")
    gold = probability(salt, (0.45, 0.55)[salt % 2])
    victim, *ended = attacked("polygloss(embed=de,setting=published)", gold, lexicons=tmp_path)
    expected = polygloss(gold)
    # A text is asked about once; the round in which the prediction changes is asked to its end.
    fresh = [pair for pair in dict.fromkeys(victim.asked) if pair != (FIRST, SECOND)]
    assert fresh[: len(expected)] == expected
    worst = min([(FIRST, SECOND), *fresh], key=lambda pair: gold(*pair))
    assert tuple(ended) == worst
    if gold(*worst) >= 0.5:  # all of the space: three, two, two, two and two choices
        assert len(fresh) == 3 * 2**4 - 1 == len(expected)


def test_a_trigger_stands_before_the_text_as_its_paper_prints_it() -> None:
    text = "Visually imaginative, thematically instructive and thoroughly delightful"
    trial = with_trigger(PairExample("x", "x", "en", "", text, 0), "second", ("zoning", "tapping", "fiennes"))
    assert trial is not None
    assert trial.example.second == f"zoning tapping fiennes {text}"  # type: ignore[union-attr]
