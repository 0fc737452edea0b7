"""Searches against exhaustive search on small spaces, and the engine that runs them."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crosswind.attack.counted import Counted, OverBudget
from crosswind.attack.engine import run_attack
from crosswind.attack.outcome import Attacked
from crosswind.attack.recipe import parse_recipe
from crosswind.attack.run import AttackBudget, attack_examples
from crosswind.attack.runner import PORTION, SearchPlan
from crosswind.attack.search import Asking, Estimates, Search
from crosswind.attack.search.beam import beam
from crosswind.attack.search.best_first import best_first
from crosswind.attack.search.coordinate import greedy_coordinate
from crosswind.attack.search.differential import differential_evolution
from crosswind.attack.search.exhaustive import exhaustive
from crosswind.attack.search.genetic import genetic
from crosswind.attack.search.gradient_beam import gradient_beam
from crosswind.attack.search.greedy import greedy_by_importance
from crosswind.attack.search.random_draws import random_draws
from crosswind.attack.search.steepest import steepest
from crosswind.attack.space import AttackSite, GoalVerdict, Space, State
from crosswind.attack.victim import PredictingVictim
from crosswind.data.examples import PairExample, QueryExample, TaggingExample
from crosswind.errors import UserError
from crosswind.evaluate.metrics.base import METRICS
from crosswind.perturb.applied import Constraint, Liberties
from crosswind.perturb.draw import key
from crosswind.perturb.example import passages
from crosswind.tasks.base import TASKS

SEARCHES: dict[str, Search] = {
    "greedy": greedy_by_importance(),
    "coordinate": greedy_coordinate(),
    "beam": beam(3),
    "best-first": best_first(4),
    "genetic": genetic(8, 6),
    "genetic-worst": genetic(4, 4, worst=True),
    "differential": differential_evolution(3, 8, 4),
    "random": random_draws(),
    "steepest": steepest(),
    "exhaustive": exhaustive(),
}
TEXTS = ("one two three", "four five", "six seven eight nine", "ten eleven", "a b c", "the last one of all")


def example(number: int, text: str | None = None) -> PairExample:
    return PairExample(f"t/{number}", f"c{number}", "en", TEXTS[number % len(TEXTS)] if text is None else text, "so", 0)


CLEAN = GoalVerdict(0.0, 1.0)


def space(of: PairExample, clean: GoalVerdict = CLEAN) -> Space:
    """Every word may become two others; the second word's region may also change as a whole with the first."""
    (passage,) = passages(of, ("first",))
    sites, start = [], 0
    for number, word in enumerate(of.first.split()):
        end = start + len(word)
        sites.append(AttackSite(0, start, end, (word.upper(), word[::-1] + "x"), Liberties(), number))
        start = end + 1
    if len(sites) > 1:
        sites.append(AttackSite(0, 0, sites[1].end, ("both",), Liberties(), 0))
    return Space(of, (passage,), tuple(sorted(sites, key=lambda s: (s.start, s.end))), clean)


def made_up(salt: int, hard: float = 0.02) -> PredictingVictim:
    """A victim whose scores are a hash of the text: right unless the hash is small."""

    def predict(examples: Sequence[Any]) -> list[dict[str, Any]]:
        records = []
        for e in examples:
            u = key(str(salt), e.first) / 2**64
            clean = e.first in TEXTS
            records.append({"scores": [1.0, 0.0 if clean or u >= hard else 2.0], "loss": 0.0 if clean else 1 + u})
        return records

    return PredictingVictim(predict, METRICS["accuracy"], classes=2)


def attack(search: Search, number_of: int = 6, *, budget: int = 50, salt: int = 1, **options: Any) -> list[Attacked]:
    chosen = [example(i) for i in range(number_of)]
    counted = Counted(made_up(salt), budget)
    plan = SearchPlan(search, ("task", "en", "recipe"), **options)
    results = run_attack(counted, chosen, lambda some: [space(e, v) for _, e, v in some], plan)
    return sorted(results, key=lambda o: o.id)


def states(search: Search, of: Space) -> list[State]:
    """All that a search asks for, where every text gets a verdict by a hash."""
    asked: list[State] = []
    generator = search.run(of, random.Random(1))
    try:
        some = next(generator)
        while True:
            asked += some
            some = generator.send([verdict(of, s) for s in some])
    except StopIteration:
        return asked


def verdict(of: Space, state: State) -> GoalVerdict | None:
    trial = of.trial(state)
    return None if trial is None else GoalVerdict(key(str(trial.example)) / 2**64, 1.0)


def brute(of: Space) -> set[State]:
    """Every set of changes that do not overlap, by its definition."""
    sets: set[State] = {()}
    for i, site in enumerate(of.sites):
        for old in [*sets]:
            regions = [(of.sites[j].start, of.sites[j].end) for j, _ in old]
            if all(site.end <= a or b <= site.start for a, b in regions):
                sets |= {(*old, (i, o)) for o in range(len(site.options))}
    return sets - {()}


@pytest.mark.parametrize("number", range(4))
def test_a_beam_without_width_asks_what_exhaustive_search_asks_and_that_is_every_set_of_changes(number: int) -> None:
    of = space(example(number))
    assert set(states(exhaustive(), of)) == brute(of)
    for search in (beam(), best_first(0)):
        asked = states(search, of)
        assert set(asked) <= brute(of)
        worst = max(verdict(of, s) or (0, 0) for s in asked)
        assert worst == max(verdict(of, s) or (0, 0) for s in brute(of))
    assert len(states(beam(), of)) == len(brute(of))  # and each once


@pytest.mark.parametrize("number", range(6))
@pytest.mark.parametrize("most", [None, 1, 2])
def test_random_draws_without_end_are_every_state_once(number: int, most: int | None) -> None:
    of = space(example(number))
    of.most_changes = most
    asked = states(random_draws(), of)
    assert len(asked) == len(set(asked))
    assert set(asked) == {s for s in brute(of) if most is None or len(s) <= most}


@pytest.mark.parametrize("name", ["exhaustive", "random", "beam"])
def test_a_space_that_ends_with_the_budget_is_exhausted(name: str) -> None:
    search = {**SEARCHES, "beam": beam()}[name]
    never = made_up(1, hard=0.0)
    of = space(example(1))
    whole = sum(of.trial(s) is not None for s in brute(of))
    assert whole == 9  # two words of two others each, and both at once

    def ended(budget: int, *checks: Constraint) -> tuple[str, int]:
        plan = SearchPlan(search, ("task", "en", "recipe"), checks=checks)
        counted = Counted(never, budget)
        (outcome,) = run_attack(counted, [example(1)], lambda some: [space(e, v) for _, e, v in some], plan)
        return outcome.end, outcome.queries

    assert ended(whole) == ("exhausted", whole)
    assert ended(whole + 1) == ("exhausted", whole)
    assert ended(whole - 1) == ("budget", whole - 1)
    # What is left once the budget is used up is refused: nothing more could be asked.
    both = Constraint("both", check=lambda pairs: ["both" not in after.text for _, after in pairs])
    assert ended(whole - 1, both) == ("exhausted", whole - 1)


@pytest.mark.parametrize("name", SEARCHES)
def test_no_search_leaves_the_space_and_none_beats_exhaustive_search(name: str) -> None:
    of = space(example(2))
    generator = SEARCHES[name].run(of, random.Random(3))
    asked: list[State] = []
    some = next(generator)
    for _ in range(20):
        asked += [s for s in some if not s or s[0][0] >= 0]
        try:
            some = generator.send([verdict(of, s) for s in some])
        except StopIteration:
            break
    assert asked
    assert {s for s in asked if s} <= brute(of)


@pytest.mark.parametrize("name", SEARCHES)
def test_the_same_attack_for_any_width_and_neighbours(name: str) -> None:
    whole = attack(SEARCHES[name], width=64)
    assert attack(SEARCHES[name], width=1) == whole
    assert attack(SEARCHES[name], width=7) == whole
    assert attack(SEARCHES[name], 3, width=2) == whole[:3]


@pytest.mark.parametrize("name", SEARCHES)
@given(st.integers(1, 40), st.integers(0, 5))
@settings(max_examples=8)
def test_budgets_are_kept_and_a_smaller_one_is_the_beginning_of_a_larger(name: str, budget: int, salt: int) -> None:
    small, large = attack(SEARCHES[name], 3, budget=budget, salt=salt), attack(SEARCHES[name], 3, budget=60, salt=salt)
    for a, b in zip(small, large, strict=True):
        assert a.queries <= budget
        assert a.passes <= a.queries
        assert list(a.curve) == [p for p in b.curve if p.query <= budget]
        assert (a.end == "success") == any(p.right == 0 and p.query <= budget for p in b.curve)


@pytest.mark.parametrize("name", SEARCHES)
def test_every_success_is_one_to_a_fresh_look(name: str) -> None:
    for outcome in attack(SEARCHES[name], budget=80, salt=4):
        if outcome.end == "success":
            number = int(outcome.id.removeprefix("t/"))
            text = outcome.rewrites["first"].apply(example(number).first)
            again = made_up(4)([replace(example(number), first=text)])
            assert again.right[0] == 0
            assert again.loss[0] == outcome.loss
            assert outcome.found_at <= outcome.queries <= 80


@pytest.mark.parametrize("shift", [0.0, -5.0])
def test_parents_are_drawn_by_their_fitness_also_where_losses_are_margins(shift: float) -> None:
    """All members but one are hopeless: their loss is 0, or far below. Every child is the fit one, mutated once."""
    generator = genetic(40, 2).run(space(example(2)), random.Random(1))
    first = next(generator)
    good = first[0]
    second = generator.send([GoalVerdict(shift + (0.0 if s != good else 60.0), 1.0) for s in first])
    assert second
    # One mutation adds a change to it, takes one away, or puts another in its place.
    assert all(len(set(state) ^ set(good)) <= 2 for state in second)


def test_what_is_refused_costs_no_query_and_is_counted() -> None:
    def no_capitals(pairs: Iterable[Any]) -> list[bool]:
        return [not any(c.isupper() for c in after.text) for _, after in pairs]

    checks = (Constraint("capitals", check=no_capitals),)
    outcomes = attack(exhaustive(), budget=500, salt=9, checks=checks)
    for outcome in outcomes:
        of = space(example(int(outcome.id.removeprefix("t/"))))
        asked = [s for s in brute(of) if of.trial(s)]
        refused = [s for s in asked if any(c.isupper() for c in of.trial(s).example.first)]  # type: ignore[union-attr]
        if outcome.end == "exhausted":
            assert outcome.queries == len(asked) - len(refused)
            assert outcome.refused["capitals"] == len(refused)


class Refusing:
    """A model behind a constraint, which refuses two texts of three by their hash and counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, pairs: Sequence[Any]) -> list[bool]:
        self.asked += [after.text for _, after in pairs]
        return [key(after.text) % 3 == 0 for _, after in pairs]


def told_apart(outcome: Attacked) -> dict[str, Any]:
    """An outcome without what was refused: how far a question was made is another matter."""
    return {**vars(outcome), "refused": None}


@pytest.mark.parametrize("name", SEARCHES)
def test_a_constraint_that_asks_a_model_changes_no_attack_and_is_asked_less(name: str) -> None:
    ended, asked = [], []
    for asks_model in (False, True):
        model = Refusing()
        check = Constraint("similar", check=model, asks_model=asks_model)
        ended.append([told_apart(o) for o in attack(SEARCHES[name], budget=12, salt=3, checks=(check,))])
        asked.append(len(model.asked))
    assert ended[0] == ended[1]
    assert asked[1] <= asked[0]
    if name == "exhaustive":  # its questions are larger than what the budget reaches
        assert asked[1] < asked[0]


@pytest.mark.parametrize("name", SEARCHES)
def test_what_a_model_may_refuse_is_bounded_for_any_width_and_budget(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crosswind.attack.runner.REFUSED", 3)
    monkeypatch.setattr("crosswind.attack.runner.REFUSED_A_QUERY", 1)

    def attacked(**options: Any) -> tuple[list[Attacked], int]:
        model = Refusing()
        check = Constraint("similar", check=model, asks_model=True)
        return attack(SEARCHES[name], salt=3, checks=(check,), **options), len(model.asked)

    whole, asked = attacked(budget=60)
    assert any(o.end == "refused" for o in whole)
    for outcome in whole:
        refused = outcome.refused.get("similar", 0)
        assert refused <= 3 + outcome.queries
        assert outcome.end != "refused" or refused
    assert asked <= sum(3 + 2 * o.queries + PORTION for o in whole)
    for width in (1, 2, 64):
        assert attacked(budget=60, width=width)[0] == whole
    for budget in (1, 2, 3, 5, 8, 13):
        for small, large in zip(attacked(budget=budget)[0], whole, strict=True):
            assert small.queries <= budget
            assert list(small.curve) == [p for p in large.curve if p.query <= budget]
            assert small.end == large.end or (small.end == "budget" and large.queries >= budget)


def test_cheaper_constraints_come_first_and_gradients_order_what_no_model_has_seen() -> None:
    short = Constraint("short", check=lambda pairs: [len(after.text) < 16 for _, after in pairs])
    ended, seen = [], []
    for asks_model in (False, True):
        model, victim = Refusing(), Graded(2)
        checks = (Constraint("similar", check=model, asks_model=asks_model), short)
        plan = SearchPlan(gradient_beam(3, 3), ("task", "en", "recipe"), checks=checks)
        chosen = [example(i) for i in range(6)]
        results = run_attack(Counted(victim, 300), chosen, lambda some: [space(e, v) for _, e, v in some], plan)
        # A gradient of which all that it orders is refused costs two queries more.
        ended.append(sorted((o.id, o.end, o.right, [(p.edit_rate, p.loss) for p in o.curve]) for o in results))
        seen.append(model.asked)
    assert ended[0] == ended[1]
    assert len(seen[1]) < len(seen[0])
    assert all(len(text) < 16 for text in seen[1])


def test_a_query_is_logical_and_a_pass_is_unique_to_its_example() -> None:
    counted = Counted(made_up(1), 4)
    one = example(0, "one x")
    counted([(0, one), (0, one), (1, one)])
    assert (counted.queries(0), counted.passes(0)) == (2, 1)
    assert (counted.queries(1), counted.passes(1)) == (
        1,
        1,
    )  # the memory knew it; the example asked it for the first time
    assert counted.forwards == 1
    counted.charge(0, 2)  # a gradient
    with pytest.raises(OverBudget):
        counted([(0, one)])
    with pytest.raises(UserError, match="budget is 0"):
        Counted(made_up(1), 0)


def test_the_memory_is_bounded_and_changes_no_score() -> None:
    texts = [example(i, f"text {i}") for i in range(20)]
    small, large = Counted(made_up(2), 100, remembered=3), Counted(made_up(2), 100)
    for _ in range(2):
        a, b = small([(0, t) for t in texts]), large([(0, t) for t in texts])
        assert a.loss.tolist() == b.loss.tolist()
    assert (small.forwards, large.forwards) == (37, 20)  # the last three are remembered
    assert len(small._memory) == 3


class InFours:
    """The made-up victim, whose passes hold four texts with the same first letter."""

    def __init__(self, salt: int) -> None:
        self.victim, self.passes = made_up(salt), list[list[str]]()

    def __call__(self, examples: Sequence[Any]) -> Any:
        self.passes.append([e.first[:1] for e in examples])
        return self.victim(examples)

    def full(self, examples: Sequence[Any]) -> list[int]:
        letters = [e.first[:1] for e in examples]
        return [i for i, x in enumerate(letters) if letters[: i + 1].count(x) <= letters.count(x) // 4 * 4]


@pytest.mark.parametrize("name", SEARCHES)
def test_what_waits_for_a_full_pass_ends_the_same(name: str) -> None:
    whole = attack(SEARCHES[name], 12)
    victim = InFours(1)
    chosen = [example(i) for i in range(12)]
    plan = SearchPlan(SEARCHES[name], ("task", "en", "recipe"), width=12)
    results = run_attack(Counted(victim, 50), chosen, lambda some: [space(e, v) for _, e, v in some], plan)
    assert sorted(results, key=lambda o: o.id) == whole
    filled = [p for p in victim.passes[1:] if all(p.count(x) % 4 == 0 for x in p)]
    assert filled


class Graded:
    """The made-up victim with made-up gradients; it counts the candidates that these ordered."""

    def __init__(self, salt: int) -> None:
        self.victim, self.salt, self.ordered = made_up(salt), salt, 0

    def __call__(self, examples: Sequence[Any]) -> Any:
        return self.victim(examples)

    def estimates(self, bases: Sequence[Any], candidates: Sequence[Sequence[Any]]) -> list[list[float]]:
        self.ordered += sum(map(len, candidates))
        return [
            [key(str(self.salt), b.first, c.first) / 2**64 for c in some]
            for b, some in zip(bases, candidates, strict=True)
        ]


class Gathered(Graded):
    """It notes how many candidates are in memory at once."""

    def __init__(self, salt: int) -> None:
        super().__init__(salt)
        self.calls: list[list[int]] = []

    def estimates(self, bases: Sequence[Any], candidates: Sequence[Sequence[Any]]) -> list[list[float]]:
        self.calls.append([*map(len, candidates)])
        return super().estimates(bases, candidates)


def test_the_texts_that_gradients_order_are_bounded_whatever_the_width(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = []
    for most in (1, 12, 10_000):
        monkeypatch.setattr("crosswind.attack.engine.ORDERED_AT_ONCE", most)
        victim = Gathered(3)
        plan = SearchPlan(gradient_beam(2, 3), ("task", "en", "recipe"), width=12)
        chosen = [example(i) for i in range(12)]
        results = run_attack(Counted(victim, 30), chosen, lambda some: [space(e, v) for _, e, v in some], plan)
        ended.append(sorted(results, key=lambda o: o.id))
        assert all(len(call) == 1 or sum(call) <= most for call in victim.calls)
        assert (max(map(len, victim.calls)) > 1) == (most > 1)
    assert ended[0] == ended[1] == ended[2]


def promising_nothing(search: Search) -> Search:
    """The same search, which does not say how many gradients follow."""

    def run(of: Space, rng: random.Random) -> Asking:
        generator = search.run(of, rng)
        answer = None
        while True:
            try:
                asked = generator.send(answer)
            except StopIteration:
                return
            answer = yield replace(asked, more=None) if isinstance(asked, Estimates) else asked

    return replace(search, run=run)


@pytest.mark.parametrize("refusing", [False, True])
def test_gradients_that_leave_no_query_are_charged_and_not_computed(refusing: bool) -> None:
    def no_x(pairs: Sequence[Any]) -> list[bool]:
        return ["xis" not in after.text for _, after in pairs]

    saved = 0
    for budget in range(1, 40):
        ended, ordered = [], []
        for search in (gradient_beam(3, 3), promising_nothing(gradient_beam(3, 3))):
            victim = Graded(budget)
            checks = (Constraint("no-x", check=no_x),) if refusing else ()
            plan = SearchPlan(search, ("task", "en", "recipe"), checks=checks)
            chosen = [example(i) for i in range(6)]
            results = run_attack(Counted(victim, budget), chosen, lambda some: [space(e, v) for _, e, v in some], plan)
            ended.append(sorted(results, key=lambda o: o.id))
            ordered.append(victim.ordered)
        assert ended[0] == ended[1]
        saved += ordered[1] - ordered[0]
    assert saved == 0 if refusing else saved > 100


def test_a_search_that_draws_starts_again_elsewhere() -> None:
    one = attack(genetic(2, 1), 3, budget=40, salt=3)
    three = attack(genetic(2, 1), 3, budget=40, salt=3, restarts=2)
    assert all(a.queries < b.queries for a, b in zip(one, three, strict=True) if a.end == "exhausted")


@pytest.mark.parametrize("search", [genetic(4, 3), differential_evolution(2, 4, 2)], ids=lambda s: s.name)
def test_a_start_asks_nothing_that_an_earlier_one_has_asked(search: Search) -> None:
    for outcome in attack(search, budget=500, salt=5, restarts=60):
        of = space(example(int(outcome.id.removeprefix("t/"))))
        assert outcome.queries == outcome.passes  # no text twice
        assert outcome.queries <= len(brute(of))
        assert outcome.end in ("success", "exhausted")
    small = attack(search, 2, budget=500, salt=5, restarts=60, checks=())[1]
    assert small.queries == 9 or small.end == "success"  # two words: sixty starts find the whole space


def test_a_small_space_is_exhausted_however_many_starts_are_allowed() -> None:
    """The most that a study takes: starts that ask nothing follow each other."""
    outcome = attack(genetic(4, 2), 2, budget=500, restarts=1000)[1]
    assert (outcome.end, outcome.queries) == ("exhausted", len(brute(space(example(1)))))


def test_draws_that_have_used_up_their_space_do_not_begin_again() -> None:
    never, of = made_up(1, hard=0.0), space(example(1))
    plan = SearchPlan(random_draws(), ("task", "en", "recipe"), restarts=3)
    (outcome,) = run_attack(Counted(never, 50), [example(1)], lambda some: [space(e, v) for _, e, v in some], plan)
    assert (outcome.end, outcome.queries) == ("exhausted", len(brute(of)))


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"scores": [1.0, float("nan")]}, "nan as a score"),
        ({"scores": ["0.5", "0.25"]}, "'0.5' as a score"),
        ({"scores": [1.0, True]}, "True as a score"),
        ({"scores": [1.0, 0.0], "loss": "0.5"}, "'0.5' as a loss"),
        ({"scores": [1.0, 2.0, 3.0]}, "gives 3 scores for t/0, which has 2"),
        ({"label": 1}, "gives no scores"),
        ([1.0, 2.0], "list for t/0"),
    ],
)
def test_a_victim_with_wrong_answers_is_refused_with_the_example(record: Any, message: str) -> None:
    victim = PredictingVictim(lambda examples: [record for _ in examples], METRICS["accuracy"], classes=2)
    with pytest.raises(UserError, match=message):
        Counted(victim, 5)([(0, example(0))])


TAGGED = TaggingExample("t/0", "t/0", "de", ("Ann", "kam"), ("B-PER", "O"))
ASKED = QueryExample("q/0", "q/0", "de", "wo", ("c/1", "c/2"))


@pytest.mark.parametrize(
    ("asked", "metric", "record", "message"),
    [
        (TAGGED, "seqeval-f1", {"tags": ["LABEL_3", "O"]}, "'LABEL_3' as a tag of t/0, which is none of the task's"),
        (TAGGED, "seqeval-f1", {"tags": ["b-per", "O"]}, "'b-per' as a tag of t/0"),
        (ASKED, "map@20", {"ranks": [1, 2, 3]}, "the ranks .1, 2, 3. for q/0, which has 2 right candidates: one rank"),
        (ASKED, "map@20", {"ranks": [4, 4]}, "the ranks .4, 4. for q/0"),
    ],
)
def test_predictions_that_no_text_of_the_task_can_have_are_refused(
    asked: Any, metric: str, record: Any, message: str
) -> None:
    victim = PredictingVictim(lambda examples: [record for _ in examples], METRICS[metric], tags=("O", "B-PER"))
    with pytest.raises(UserError, match=message):
        victim([asked])


def test_another_spelling_of_a_tag_is_the_tag() -> None:
    record = {"tags": ["PER", "O"]}
    spelled = {"PER": "B-PER"}
    victim = PredictingVictim(lambda _: [record], METRICS["seqeval-f1"], tags=("O", "B-PER"), aliases=spelled)
    assert victim([TAGGED]).right.tolist() == [1.0]


def test_outcomes_survive_being_written() -> None:
    for outcome in attack(greedy_by_importance(), budget=80, salt=4):
        assert Attacked.loads(outcome.dumps()) == outcome


def test_progress_counts_successes_among_what_was_right_also_of_an_earlier_call(tmp_path: Path) -> None:
    """Of 12 examples 4 are wrong before the attack; what hits a word of an even one breaks it."""
    examples = [replace(example(i, f"plain text {i}"), second="so") for i in range(12)]
    clean = {e.first: i for i, e in enumerate(examples)}

    def predict(some: Sequence[Any]) -> list[dict[str, Any]]:
        right = [clean[e.first] % 3 != 0 if e.first in clean else int(e.first[-1]) % 2 == 1 for e in some]
        return [{"scores": [1.0, 0.0, 0.0] if r else [0.0, 1.0, 0.0]} for r in right]

    def attacked(some: Sequence[PairExample]) -> str:
        notes: list[str] = []
        victim = PredictingVictim(predict, METRICS["accuracy"], classes=3)
        call = parse_recipe("deepwordbug@premise")
        setting, kept = call.setting(TASKS["xnli"], "en"), tmp_path / "finished.jsonl"
        budget = AttackBudget(8, width=2)
        said = {"finished": kept, "report": lambda done, total, note: notes.append(f"{done}/{total}: {note}")}
        attack_examples(victim, some, call, setting, budget, **said)  # type: ignore[arg-type]
        return notes[-1].rpartition(",")[0]

    first = sum(i % 3 != 0 and i % 2 == 0 for i in range(6))
    assert attacked(examples[:6]) == f"6/6: {first} of 4 that were right broken"
    whole = sum(i % 3 != 0 and i % 2 == 0 for i in range(12))
    assert attacked(examples) == f"12/12: {whole} of 8 that were right broken"
