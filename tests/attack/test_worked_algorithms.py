"""The published settings beside the papers' algorithms, written out for tiny inputs, and a trigger as it was printed.

Where a paper's printed example could be verified, it is tested here or in `test_published_settings.py`: the trigger is
from Wallace et al. 2019, table 1, as texts that quote it have it. Followed by hand instead, an algorithm against a
plain transcription, with what `docs/attacks.md` lists as ours: BERT-Attack (Li et al. 2020, algorithm 1), BAE (Garg and
Ramakrishnan 2020, algorithm 1), CLARE (Li et al. 2021, algorithm 1), PolyGloss and Bumblebee (Tan and Joty 2021,
algorithms 1 and 2), the genetic search (Alzantot et al. 2018, algorithm 1), VIPER (Eger et al. 2019, section 4) and Bad
Characters (Boucher et al. 2022, differential evolution). Searches that draw are given the same random numbers.
"""

from __future__ import annotations

import heapq
import itertools
import math
import random
import re
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from crosswind.attack.recipe import needed_spec, parse_recipe
from crosswind.attack.run import AttackBudget, attack_examples
from crosswind.attack.search import Search
from crosswind.attack.search.differential import differential_evolution
from crosswind.attack.search.genetic import genetic
from crosswind.attack.space import AttackSite, GoalVerdict, Origin, Space
from crosswind.attack.victim import PredictingVictim
from crosswind.data.examples import PairExample
from crosswind.evaluate.metrics.base import METRICS
from crosswind.model.offsets import MASK_SIGN
from crosswind.perturb.applied import Liberties
from crosswind.perturb.draw import key
from crosswind.perturb.example import passages
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


def bae(gold: Gold) -> list[tuple[str, str]]:
    """Garg and Ramakrishnan 2020, algorithm 1: what is asked about for each word, in the order of their importance.

    A word is replaced or has another inserted behind it (BAE-R/I); the change after which the gold class is least
    likely stays, and the first that makes the prediction another ends the attack.
    """
    places = [(t, i) for t, words in enumerate(CLEAN) for i in range(len(words))]

    def without(place: tuple[int, int]) -> float:
        texts = [list(words) for words in CLEAN]
        texts[place[0]][place[1]] = ""
        return gold(*joined(tuple(map(tuple, texts))))

    asked: list[tuple[str, str]] = []
    taken: list[Action] = []
    reached = gold(FIRST, SECOND)
    for place in sorted(places, key=without):
        mine = [a for a in clare_actions() if (a.text, a.position) == place and a.cut < 2]
        tried = [(gold(*joined(applied([*taken, a]))), n, a) for n, a in enumerate(mine)]
        asked += [joined(applied([*taken, a])) for a in mine]
        p, _, best = min(tried)
        if p < reached:
            taken, reached = [*taken, best], p
        if p < 0.5:
            break
    return asked


@pytest.mark.parametrize("salt", range(20))
def test_bae_asks_what_the_papers_algorithm_asks_in_its_order(salt: int) -> None:
    gold = probability(salt, (0.47, 0.55)[salt % 2])
    victim, *ended = attacked("bae(model=M)", gold, _Proposing())
    fresh = [*dict.fromkeys(victim.asked)][1:]
    asked = bae(gold)
    words = sum(map(len, CLEAN))
    assert [sum(map(bool, first.split(" ") + second.split(" "))) for first, second in fresh[:words]] == [
        words - 1
    ] * words
    assert fresh[words:] == asked
    assert tuple(ended) == min([(FIRST, SECOND), *asked], key=lambda pair: gold(*pair))


# Of each word of the first text the word itself and its alternatives.
SLOTS = [
    ["dogs", "hunde", "köter", "welpen"],
    ["bark", "bellen"],
    ["at"],
    ["night", "nacht", "abend"],
    ["here", "hier"],
]


def chance(salt: int, low: float) -> Callable[[str], float]:
    return lambda text: 0.95 if text == FIRST else low + (1 - low) * (key(str(salt), text) % 10_000) / 10_001


def asked_by(search: Search, gold: Callable[[str], float], rng: random.Random) -> list[str]:
    """The texts that a search asks about, in order, until it ends; the prediction never changes."""
    example = PairExample("x/0", "x/0", "en", FIRST, SECOND, 0)
    cut = passages(example, ("first",))
    sites, start = [], 0
    for number, (word, *others) in enumerate(SLOTS):
        if others:
            sites.append(AttackSite(0, start, start + len(word), tuple(others), Liberties(), number))
        start += len(word) + 1
    space = Space(example, tuple(cut), tuple(sites), GoalVerdict(-math.log(gold(FIRST)), 1.0))
    return texts_asked(search, space, gold, rng)


def texts_asked(search: Search, space: Space, gold: Callable[[str], float], rng: random.Random) -> list[str]:
    asked: list[str] = []
    generator, verdicts = search.run(space, rng), None
    while True:
        try:
            states = generator.send(verdicts)
        except StopIteration:
            return asked
        trials = [space.trial(state) for state in states]
        texts = [FIRST if t is None else t.example.first for t in trials]  # type: ignore[union-attr]
        asked += [text for t, text in zip(trials, texts, strict=True) if t is not None]
        verdicts = [t and GoalVerdict(-math.log(gold(text)), 1.0) for t, text in zip(trials, texts, strict=True)]


def genetic_texts(gold: Callable[[str], float], rng: random.Random, population: int, generations: int) -> list[str]:
    """Alzantot et al. 2018, algorithm 1, on a list of words: what it asks about, in order."""
    clean = FIRST.split()
    asked: dict[str, None] = {}

    def fitness(words: Sequence[str]) -> float:
        return 1 - gold(" ".join(words))

    def perturbed(members: Sequence[list[str]]) -> list[list[str]]:
        """Of each a word that is as it was, drawn by how many alternatives it has, becomes the fittest of these."""
        changed, others, stays = [], list[list[str]](), list[list[str]]()
        for words in members:
            left = [i for i, w in enumerate(words) if w == clean[i] and len(SLOTS[i]) > 1]
            if left:
                (i,) = rng.choices(left, [len(SLOTS[i]) - 1 for i in left])
                changed.append([[*words[:i], other, *words[i + 1 :]] for other in SLOTS[i][1:]])
                others += changed[-1]
            else:
                changed.append([words])
                stays.append(words)
        # What has no word left is asked about as it is, behind the others of its generation.
        asked.update(dict.fromkeys(" ".join(words) for words in [*others, *stays]))
        return [max(some, key=fitness) for some in changed]

    members = perturbed([clean] * population)
    for _ in range(generations):
        best = max(members, key=fitness)
        total = sum(map(fitness, members))
        weights = [fitness(words) / total for words in members]
        parents = [rng.choices(members, weights, k=2) for _ in range(population - 1)]
        children = []
        for one, two in parents:
            # A word that neither parent changed is nobody's.
            child = [a if a == b == c or rng.random() < 0.5 else b for a, b, c in zip(one, two, clean, strict=True)]
            children.append(child)
        members = [best, *perturbed(children)]
    return [*asked]


@pytest.mark.parametrize("salt", range(20))
def test_the_genetic_search_asks_what_the_papers_algorithm_asks(salt: int) -> None:
    gold = chance(salt, 0.5)
    search = genetic(6, 4, worst=True)
    assert asked_by(search, gold, random.Random(salt)) == genetic_texts(gold, random.Random(salt), 6, 4)


def test_the_published_genetic_search_takes_the_worst_alternative() -> None:
    for setting, worst in (("", 0.0), (",setting=published", 1.0)):
        call = parse_recipe(f"genetic(model=M{setting})")
        assert dict(call.chosen_search(call.setting(TASKS["xnli"], "en")).settings)["worst"] == worst


def evolved_texts(gold: Callable[[str], float], rng: random.Random, edits: int, size: int, rounds: int) -> list[str]:
    """Differential evolution over places and choices: best/1/bin, mutation drawn anew for each generation."""
    changing = [i for i, slot in enumerate(SLOTS) if len(slot) > 1]

    def text(vector: Sequence[float]) -> str:
        words = FIRST.split()
        for place, choice in zip(vector[::2], vector[1::2], strict=True):
            i = changing[int(place * len(changing))]
            if words[i] == SLOTS[i][0]:
                words[i] = SLOTS[i][1 + int(choice * (len(SLOTS[i]) - 1))]
        return " ".join(words)

    asked: dict[str, None] = {}
    width = 2 * edits
    members = [[rng.random() for _ in range(width)] for _ in range(size)]
    asked.update(dict.fromkeys(map(text, members)))
    for _ in range(rounds):
        best = min(members, key=lambda v: gold(text(v)))
        factor = rng.uniform(0.5, 1.0)
        trials = []
        for n, member in enumerate(members):
            a, b = rng.sample([m for k, m in enumerate(members) if k != n], 2)
            always = rng.randrange(width)
            trial = list(member)
            for d in range(width):
                if d == always or rng.random() < 0.7:
                    trial[d] = best[d] + factor * (a[d] - b[d])
                    if not 0 <= trial[d] < 1:
                        trial[d] = rng.random()
            trials.append(trial)
        asked.update(dict.fromkeys(map(text, trials)))
        members = [t if gold(text(t)) <= gold(text(m)) else m for t, m in zip(trials, members, strict=True)]
    return [*asked]


@pytest.mark.parametrize("salt", range(20))
def test_bad_characters_evolves_as_differential_evolution_does(salt: int) -> None:
    gold, edits = chance(salt, 0.5), 1 + salt % 3
    search = differential_evolution(edits, 6, 5)
    assert asked_by(search, gold, random.Random(salt)) == evolved_texts(gold, random.Random(salt), edits, 6, 5)


def viper_texts(p: float, neighbours: int, rng: random.Random, many: int) -> list[tuple[str, str]]:
    """Eger et al. 2019, section 4: a letter becomes with probability p one of its neighbours, and one at least does."""
    families: dict[str, list[str]] = {}
    for char in map(chr, range(0x41, 0x20000)):
        name = unicodedata.name(char, "")
        composed = unicodedata.normalize("NFC", char) == char
        if composed and unicodedata.category(char) in {"Ll", "Lu", "Lo"} and " LETTER " in name:
            families.setdefault(name.split(" WITH ")[0], []).append(char)
    near = {c: [o for o in families[unicodedata.name(c)] if o != c][:neighbours] for c in "abcdeghiklnoprst"}
    whole = f"{FIRST}\n{SECOND}"
    letters = [i for i, c in enumerate(whole) if near.get(c)]
    drawn: dict[str, None] = {}
    while len(drawn) < many:
        wanted = max(1, [rng.random() < p for _ in letters].count(True))
        changed = list(whole)
        # Which letters these are and what they become are drawn together, in random order.
        for i in rng.sample(letters, len(letters)):
            other = near[whole[i]][rng.randrange(len(near[whole[i]]))]
            if wanted:
                changed[i], wanted = other, wanted - 1
            if not wanted:
                break
        drawn["".join(changed)] = None
    return [(first, second) for first, _, second in (text.partition("\n") for text in drawn)]


@pytest.mark.parametrize("p", ["0.1", "0.4", "1"])
def test_viper_draws_letters_as_the_paper_does(p: str) -> None:
    recipe = f"viper(p={p},neighbours=3)"
    victim, *_ = attacked(recipe, probability(1, 0.55))
    rng = random.Random(key("1", "xnli", "en", parse_recipe(recipe).name, "x/0", "0"))
    assert len(victim.asked) == 401
    assert victim.asked[1:] == viper_texts(float(p), 3, rng, 400)


class Phrase(NamedTuple):
    """Words `start:end` of the text stand for `words`, which are `begin:stop` of a translation into `language`."""

    start: int
    end: int
    words: str
    language: str
    begin: int
    stop: int


PHRASES = [
    Phrase(0, 1, "hunde", "de", 1, 2),
    Phrase(0, 1, "perros", "es", 0, 1),
    Phrase(0, 2, "hundegebell", "de", 1, 3),
    Phrase(1, 2, "bellen", "de", 2, 3),
    Phrase(1, 2, "ladran", "es", 1, 2),
    Phrase(2, 4, "nachts", "de", 0, 1),
    Phrase(3, 4, "noche", "es", 3, 4),
    Phrase(4, 5, "hier", "de", 3, 4),
    Phrase(4, 5, "aquí", "es", 2, 3),
]


def mixed(phrases: Sequence[Phrase]) -> str:
    words = FIRST.split()
    for phrase in sorted(phrases, reverse=True):
        words[phrase.start : phrase.end] = [phrase.words]
    return " ".join(words)


def bumblebee(gold: Callable[[str], float], width: int) -> list[set[str]]:
    """Tan and Joty 2021, algorithm 2: from left to right each state of the beam with each phrase; the best stay.

    Of two phrases side by side from one translation the second may not stand wholly before the first there.
    """
    asked: list[set[str]] = []
    beam: list[tuple[Phrase, ...]] = [()]
    for start, end in sorted({(p.start, p.end) for p in PHRASES}):
        new = []
        for state in beam:
            for phrase in (p for p in PHRASES if (p.start, p.end) == (start, end)):
                last = state[-1] if state else None
                if last is not None and start < last.end:
                    continue
                beside = last is not None and last.end == start and last.language == phrase.language
                if beside and phrase.stop <= last.begin:  # type: ignore[union-attr]
                    continue
                new.append((*state, phrase))
        asked.append({mixed(state) for state in new})
        beam = sorted([*beam, *new], key=lambda state: gold(mixed(state)))[: width or None]
    return asked


@pytest.mark.parametrize("width", [0, 1, 4])
@pytest.mark.parametrize("salt", range(8))
def test_bumblebee_asks_what_a_beam_over_code_mixed_phrases_asks(salt: int, width: int) -> None:
    gold = chance(salt, 0.5)
    example = PairExample("x/0", "x/0", "en", FIRST, SECOND, 0)
    words = [*re.finditer(r"\w+", FIRST)]
    sites = []
    for start, end in sorted({(p.start, p.end) for p in PHRASES}):
        mine = [p for p in PHRASES if (p.start, p.end) == (start, end)]
        origins = tuple((Origin(p.language, p.begin, p.stop),) for p in mine)
        begin, stop = words[start].start(), words[end - 1].end()
        sites.append(AttackSite(0, begin, stop, tuple(p.words for p in mine), Liberties(True), start, origins=origins))
    cut = tuple(passages(example, ("first",)))
    space = Space(example, cut, tuple(sites), GoalVerdict(-math.log(gold(FIRST)), 1.0))
    call = parse_recipe(f"bumblebee(embed=de,model=M,beam={width})")
    search = call.chosen_search(call.setting(TASKS["xnli"], "en"))
    rounds = bumblebee(gold, width)
    asked = iter(texts_asked(search, space, gold, random.Random(1)))
    assert [set(itertools.islice(asked, len(some))) for some in rounds] == rounds
    assert not [*asked]


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


# Wallace et al. 2019, table 1: a positive text of SST, and the trigger that makes the model call it negative.
TRIGGER = ("zoning", "tapping", "fiennes")
PRINTED = "zoning tapping fiennes Visually imaginative, thematically instructive and thoroughly delightful"


@pytest.mark.parametrize("breaks", [PRINTED, None, PRINTED.removeprefix("zoning ")])
def test_a_trigger_stands_before_the_text_as_its_paper_prints_it(breaks: str | None) -> None:
    """Of a model that is wrong of one text alone: of the printed one it is, of no other, and at one query."""
    text = PRINTED.removeprefix("zoning tapping fiennes ")
    victim = _Watching(lambda first, second: 0.1 if second == breaks else 0.9)
    call = parse_recipe("universal-trigger(setting=published)")
    setting = call.setting(TASKS["xnli"], "en", environment_of(None))
    example = PairExample("x/0", "x/0", "en", FIRST, text, 0)
    (outcome,) = attack_examples(victim, [example], call, setting, AttackBudget(9), trigger=TRIGGER)
    assert victim.asked == [(FIRST, text), (FIRST, PRINTED)]
    assert outcome.queries == 1
    assert outcome.end == ("success" if breaks == PRINTED else "exhausted")
    if breaks == PRINTED:
        assert {field: rewrite.apply(text) for field, rewrite in outcome.rewrites.items()} == {"second": PRINTED}
