"""Attacks on real models of every kind: small transformers on the microworld's tasks."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from crosswind.attack.goal import BINARY
from crosswind.attack.gradient import loss_gradients
from crosswind.attack.outcome import Attacked
from crosswind.attack.pool import PoolSpaceMaker
from crosswind.attack.recipe import Call, parse_recipe, unattackable
from crosswind.attack.run import AttackBudget, attack_examples, outcome_table, perturbed_by
from crosswind.attack.search import Search
from crosswind.attack.search.beam import beam
from crosswind.attack.search.differential import differential_evolution
from crosswind.attack.search.genetic import genetic
from crosswind.attack.search.random_draws import random_draws
from crosswind.attack.space import GoalVerdict
from crosswind.attack.universal import TriggerSearch, _Search, _Vocabulary, find_trigger
from crosswind.attack.victim import ModelVictim, PredictingVictim
from crosswind.data.examples import Dataset, PairExample, Pool, QueryExample, Span, SpanExample, TaggingExample
from crosswind.data.source import open_source
from crosswind.errors import UserError
from crosswind.evaluate.metrics.base import METRICS
from crosswind.evaluate.predict import Predictor, embed_pool
from crosswind.evaluate.purify import Purification
from crosswind.model.encoder import load_encoder
from crosswind.model.heads import attach
from crosswind.model.rows import Padding, Row, encode_pairs, pad
from crosswind.perturb.lexicons import environment_of
from crosswind.perturb.perturbation import NotApplicable
from crosswind.perturb.replay import replay_dataset
from crosswind.perturb.words import words as words_of
from crosswind.study.encoders import place_of
from crosswind.tasks.base import TASKS, classes
from crosswind.tasks.load import load
from tiny_models import byte_bpe, write_encoder

KINDS = {"pair": "mw-nli", "choice": "mw-causes", "tagging": "mw-ner", "span": "mw-qa", "query": "mw-answers"}
ENVIRONMENT = environment_of("microworld")
SOURCE = open_source({"source": "microworld"})


def data_of(kind: str, language: str = "qla-Latn", limit: int = 8) -> Dataset:
    return load(TASKS[KINDS[kind]], language, "test", SOURCE, limit=limit)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return load_encoder(str(write_encoder(tmp_path_factory.mktemp("tiny") / "xlmr", "xlm-roberta")), seed=1)


@pytest.fixture(scope="module")
def victim(encoder: Any) -> Callable[..., ModelVictim]:
    """`victim("pair", data)`: a new victim with an untrained head."""
    heads: dict[str, Any] = {}

    def new(kind: Any, data: Dataset, **options: Any) -> ModelVictim:
        task = TASKS[KINDS[kind]]
        if kind not in heads:
            heads[kind] = attach(encoder, kind, classes(task), seed=3)
        predictor = Predictor(encoder, heads[kind], **{"max_length": 64, "stride": 16, **options})
        vectors = embed_pool(predictor, data.pool) if data.pool is not None else None
        return ModelVictim(predictor, METRICS[task.metric], pool=data.pool, vectors=vectors)

    return new


def mastered(data: Dataset, who: ModelVictim) -> Dataset:
    """The data with what an untrained model says of tagged sentences, questions and queries as the gold answers."""
    examples: list[Any] = []
    if data.pool is not None and who.vectors is not None:
        ranked = who.predictor.predict(data.examples, data.pool, who.vectors)
        best = [replace(e, gold=(p["top"][0],)) for e, p in zip(data.examples, ranked, strict=True)]  # type: ignore[call-arg]
        return replace(data, examples=tuple(best))
    for e, p in zip(data.examples, who(data.examples).predictions, strict=True):
        if isinstance(e, TaggingExample):
            examples.append(replace(e, tags=tuple(p["tags"])))
        elif isinstance(e, SpanExample):
            examples.append(replace(e, answers=(Span(p["start"], p["end"]),) if p["text"] else e.answers))
        else:
            examples.append(e)
    return replace(data, examples=tuple(examples))


class SearchedBy(Call):
    """A recipe's alternatives in another search."""

    search: Search

    def chosen_search(self, setting: Any) -> Search:
        return self.search


def searched_by(recipe: str, search: Search) -> Call:
    call = SearchedBy(**vars(parse_recipe(recipe)))
    object.__setattr__(call, "search", search)
    return call


def run(
    kind: str, who: ModelVictim, data: Dataset, recipe: str | Call, budget: AttackBudget, **options: Any
) -> list[Attacked]:
    call = parse_recipe(recipe) if isinstance(recipe, str) else recipe
    setting = call.setting(TASKS[KINDS[kind]], data.language, ENVIRONMENT)
    return attack_examples(who, data.examples, call, setting, budget, reach=who.reach, **options)


@pytest.mark.parametrize("kind", ["pair", "tagging", "span"])
def test_a_model_behind_an_input_defence_is_attacked_with_it(kind: Any, victim: Callable[..., ModelVictim]) -> None:
    data = data_of(kind)
    who = victim(kind, data)
    data = mastered(data, who)
    defended = ModelVictim(who.predictor, who.metric, purification=Purification(["sanitize"]))
    recipe = "bad-characters(class=deletion)" if kind == "span" else "bad-characters"
    bare, behind = (run(kind, one, data, recipe, AttackBudget(12)) for one in (who, defended))
    assert any(o.changed for o in bare)
    assert [o.clean_loss for o in behind] == [o.clean_loss for o in bare]
    assert not any(o.changed for o in behind)  # what nobody sees is taken out before the model reads it
    assert any(o.queries for o in behind)


def test_where_no_pass_is_full_the_texts_of_the_fullest_shape_are_asked_about(
    victim: Callable[..., ModelVictim],
) -> None:
    data = data_of("pair")
    who = victim("pair", data)
    pairs = [
        PairExample(f"p{n}", "p", data.language, "a " * n, "b", 0) for n in (3, 20, 3, 36, 21, 22, 4, 20, 37, 23, 24)
    ]
    shapes = [who.predictor.shape(row) for row in who.predictor.rows(pairs)]
    (fullest, most), *others = Counter(shapes).most_common()
    assert others
    assert most < who.predictor.height(fullest[0])
    assert all(many < most and many < who.predictor.height(shape[0]) for shape, many in others)
    assert who.full(pairs) == [i for i, shape in enumerate(shapes) if shape == fullest]
    assert who.full([]) == []
    # A full pass goes first, whatever else waits.
    many = [replace(pairs[3], first=f"{pairs[3].first} {'c' if i % 2 else 'd'}" + " a" * (i % 3)) for i in range(40)]
    full = who.full([*pairs, *many])
    counts = Counter(who.predictor.shape(row) for row in who.predictor.rows([[*pairs, *many][i] for i in full]))
    assert counts
    assert all(n % who.predictor.height(shape[0]) == 0 for shape, n in counts.items())


def test_a_gold_answer_is_where_an_input_defence_has_put_it(victim: Callable[..., ModelVictim]) -> None:
    data = data_of("span")
    who = victim("span", data)
    defended = ModelVictim(who.predictor, who.metric, purification=Purification(["sanitize"]))
    for example in data.examples:
        assert isinstance(example, SpanExample)
        assert example.answers
        start, end = example.answers[0].start, example.answers[0].end
        answer = example.context[start] + "\u200b" + example.context[start + 1 : end]
        context = "\u200b" + example.context[:start] + answer + example.context[end:]
        dirty = replace(example, context=context, answers=(Span(start + 1, end + 2),))
        clean = replace(example, answers=example.answers[:1])
        assert defended.read(dirty).answers == clean.answers
        assert defended([dirty]).loss.tolist() == who([clean]).loss.tolist()
        (answer_read,) = defended([dirty]).predictions
        assert answer_read["text"] == context[answer_read["start"] : answer_read["end"]]
        assert defended.estimates([dirty], [[clean]]) == [[0.0]]


@pytest.mark.parametrize("kind", KINDS)
def test_losses_are_those_of_the_output_computed_plainly(kind: Any, victim: Callable[..., ModelVictim]) -> None:
    data = data_of(kind)
    who = victim(kind, data)
    scores = who(data.examples)
    if kind == "query":
        assert data.pool is not None
        queries = who.predictor.embed([e.query for e in data.examples], max_length=who.predictor.query_length)  # type: ignore[union-attr]
        for i, (e, q) in enumerate(zip(data.examples, queries, strict=True)):
            similar = np.asarray(who.vectors, dtype=np.float64) @ q.astype(np.float64)
            gold = [data.pool.index[g] for g in e.gold]  # type: ignore[union-attr]
            wrong = np.delete(similar, gold).max()
            assert scores.loss[i] == pytest.approx(wrong - similar[gold].max(), abs=1e-5)
            assert scores.right[i] == float(scores.loss[i] < 0)
        return
    given = who.predictor.predict(data.examples)
    assert list(scores.predictions) == given
    for i, (e, outputs) in enumerate(zip(data.examples, who.predictor.outputs(data.examples), strict=True)):
        tensors = [torch.tensor(out, dtype=torch.float64) for _, out in outputs]
        if kind == "pair":
            expected = torch.nn.functional.cross_entropy(tensors[0], torch.tensor(e.label))  # type: ignore[union-attr]
        elif kind == "choice":
            expected = torch.nn.functional.cross_entropy(torch.stack(tensors).flatten(), torch.tensor(e.label))  # type: ignore[union-attr]
        elif kind == "tagging":
            words = torch.cat([t[row.positions] for t, (row, _) in zip(tensors, outputs, strict=True)])
            gold = [who.predictor.head.labels.index(t) for t in e.tags or ()]  # type: ignore[union-attr]
            expected = torch.nn.functional.cross_entropy(words, torch.tensor(gold))
        else:
            assert isinstance(e, SpanExample)
            flat = torch.cat(tensors)
            start, end = (torch.log_softmax(flat[:, side], 0) for side in (0, 1))
            losses, base = [], 0
            for row, out in outputs:
                for a in e.answers or ():
                    spans = list(zip(row.positions.tolist(), row.offsets.tolist(), strict=True))  # type: ignore[union-attr]
                    tokens = [base + p for p, (x, y) in spans if x < a.end and y > a.start]
                    if spans[0][1][0] <= a.start and spans[-1][1][1] >= a.end:
                        losses.append(-start[tokens[0]] - end[tokens[-1]])
                base += len(out)
            expected = torch.stack(losses).min()
        assert scores.loss[i] == pytest.approx(float(expected), abs=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_the_same_attack_of_every_kind_for_any_width_and_after_a_kill(
    kind: str, victim: Callable[..., ModelVictim], tmp_path: Path
) -> None:
    data = mastered(data_of(kind), victim(kind, data_of(kind)))
    recipe = "polygloss(embed=qlo,qcy)" if kind != "query" else "polygloss(embed=qlo)"
    whole = run(kind, victim(kind, data), data, recipe, AttackBudget(12, width=64))
    assert any(o.changed for o in whole)
    assert [o.dumps() for o in run(kind, victim(kind, data), data, recipe, AttackBudget(12, width=1))] == [
        o.dumps() for o in whole
    ]
    kept = tmp_path / "finished.jsonl"
    lines = [o.dumps() for o in whole]
    kept.write_text("\n".join([lines[3], lines[0], lines[5][: len(lines[5]) // 2]]))  # killed while it wrote
    again = run(kind, victim(kind, data), data, recipe, AttackBudget(12, width=7), finished=kept)
    assert [o.dumps() for o in again] == lines
    assert outcome_table(again).equals(outcome_table(whole))
    torn = lines[5][: len(lines[5]) // 2]
    assert sorted(json.loads(x)["id"] for x in kept.read_text().splitlines() if x != torn) == sorted(
        o.id for o in whole
    )
    one = Dataset(data.task, data.language, data.split, data.examples[2:3], data.pool)
    assert run(kind, victim(kind, data), one, recipe, AttackBudget(12)) == whole[2:3]


@pytest.mark.parametrize("search", [genetic(4, 2), random_draws(), differential_evolution(2, 4, 1)], ids=str)
def test_a_search_that_draws_on_a_model_is_the_same_for_any_width(
    search: Search, victim: Callable[..., ModelVictim]
) -> None:
    data = data_of("pair")
    call = searched_by("polygloss(embed=qlo)", search)
    restarts = 0 if search.name == "random" else 1
    runs = [
        [o.dumps() for o in run("pair", victim("pair", data), data, call, AttackBudget(16, restarts, width=width))]
        for width in (1, 7, 64)
    ]
    assert runs[0] == runs[1] == runs[2]
    assert any(o.changed for o in map(Attacked.loads, runs[0]))
    other = run("pair", victim("pair", data), data, call, AttackBudget(16, restarts, seed=2))
    assert [o.dumps() for o in other] != runs[0]


@pytest.mark.parametrize("kind", KINDS)
def test_what_an_attack_reports_is_what_a_fresh_forward_pass_says(
    kind: Any, victim: Callable[..., ModelVictim]
) -> None:
    data = mastered(data_of(kind), victim(kind, data_of(kind)))
    beam_of_two = searched_by("polygloss(embed=qlo)", beam(2))
    for recipe in ("deepwordbug", "deepwordbug.random", beam_of_two):
        outcomes = run(kind, victim(kind, data), data, recipe, AttackBudget(10))
        perturbed = perturbed_by(data, outcomes)
        replayed = replay_dataset(data, perturbed.table())
        assert [p.example for p in replayed.examples] == [p.example for p in perturbed.examples]
        fresh = victim(kind, data)([p.example for p in perturbed.examples])
        assert fresh.loss.tolist() == [o.loss for o in outcomes]
        assert fresh.right.tolist() == [o.right for o in outcomes]
        for o in outcomes:
            assert o.queries <= 10
            assert (o.end == "success") == (o.clean_right > 0 and o.right == 0)
            assert o.changed or o.right == o.clean_right
            if kind in BINARY and o.end == "wrong before":
                assert not o.changed


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_the_slopes_of_the_loss(kind: Any, victim: Callable[..., ModelVictim]) -> None:
    data = mastered(data_of(kind, limit=4), victim(kind, data_of(kind, limit=4)))
    if kind == "span":  # one window each
        short = [replace(e, question="Qx", context=e.context[:40], answers=(Span(0, 9),)) for e in data.examples]  # type: ignore[call-arg]
        data = replace(data, examples=tuple(short))
    who = victim(kind, data, max_length=120)
    predictor = who.predictor

    def loss(example: Any, embedded: list[Any], rows: list[Row]) -> float:
        outputs = []
        for row, vectors in zip(rows, embedded, strict=True):
            mask = torch.ones(1, len(row), dtype=torch.long)
            with torch.no_grad():
                out = predictor.head({"inputs_embeds": vectors[None], "attention_mask": mask})[0]
            outputs.append((row, out.numpy()))
        if kind == "query":
            return float(outputs[0][1] @ who.direction(example))
        return who._loss(example, outputs, predictor.read(example, outputs))

    slopes = 0
    for example, gradient in zip(data.examples, loss_gradients(who, data.examples), strict=True):
        rows = [row for row, _ in gradient]
        embedded = [predictor.encoder.embeddings(torch.tensor(row.ids)).detach() for row in rows]
        size = sum(float((g.astype(np.float64) ** 2).sum()) for _, g in gradient)
        step = 0.02 / max(size, 1e-12) ** 0.5
        up = loss(example, [e + step * torch.tensor(g) for e, (_, g) in zip(embedded, gradient, strict=True)], rows)
        down = loss(example, [e - step * torch.tensor(g) for e, (_, g) in zip(embedded, gradient, strict=True)], rows)
        assert (up - down) / (2 * step) == pytest.approx(size, rel=0.02, abs=1e-6)
        slopes += size > 1e-8
    assert slopes


def test_a_trigger_of_one_word_is_the_worst_of_all_words(monkeypatch: pytest.MonkeyPatch) -> None:
    dev = load(TASKS["mw-nli"], "qla-Latn", "dev", SOURCE, limit=6).examples
    encoder = load_encoder(place_of("microworld"), seed=1)
    head = attach(encoder, "pair", classes(TASKS["mw-nli"]), seed=2)
    who = ModelVictim(Predictor(encoder, head, max_length=64), METRICS["accuracy"])
    asked: list[int] = []

    class Counting(ModelVictim):
        def __call__(self, examples: Any) -> Any:
            asked.append(len(examples))
            return super().__call__(examples)

    counting = Counting(who.predictor, who.metric)
    how = TriggerSearch("second", 1, 10_000, 6)
    trigger = find_trigger(counting, dev, how, 10_000, 1)
    right = [e for e, r in zip(dev, who(dev).right.tolist(), strict=True) if r > 0]
    assert trigger.examples == len(right)
    assert trigger.before == pytest.approx(float(who(right).loss.mean()))
    # One by one, over every word of the texts that is one piece.
    words = {t[w.start : w.end] for e in dev for t in [e.second] for w in words_of(t, "en")}  # type: ignore[union-attr]
    tokenizer = who.predictor.encoder.tokenizer
    pieces = {w: tokenizer(w, add_special_tokens=False)["input_ids"] for w in sorted(words)}
    whole = [w for w, ids in pieces.items() if len(ids) == 1 and ids != [tokenizer.unk_token_id]]
    assert len(whole) > 3
    assert set(trigger.words) <= set(whole)
    losses = [who([replace(e, second=f"{w} {e.second}") for e in right]).loss.mean() for w in whole]  # type: ignore[call-arg, union-attr]
    assert trigger.after == pytest.approx(max(losses))
    # What it says that it used, beside the clean texts: two of each gradient are no texts.
    texts = sum(asked[1:]) / len(right)
    assert (trigger.queries - texts) % 2 == 0
    for budget in (1, 4, 9):
        asked.clear()
        assert find_trigger(counting, dev, replace(how, words=2, candidates=3), budget, 1).queries <= budget
        assert sum(asked[1:]) / len(right) <= budget
        drawn = find_trigger(counting, dev, replace(how, words=2, drawn=True), budget, 1)
        assert drawn.queries <= budget
        assert len(drawn.words) == 2
        # However many triggers there are, a call holds few texts.
        monkeypatch.setattr("crosswind.attack.universal.ASKED_AT_ONCE", 2 * len(right))
        asked.clear()
        assert find_trigger(counting, dev, replace(how, words=2, drawn=True), budget, 1) == drawn
        assert max(asked[1:]) <= 2 * len(right)
        monkeypatch.undo()
    # Random triggers are drawn until the budget is used up, or the words are.
    one = replace(how, drawn=True)
    assert find_trigger(counting, dev, one, len(whole) - 1, 1).queries == len(whole) - 1
    every = find_trigger(counting, dev, one, 2 * len(whole), 1)
    assert (every.queries, every.after) == (len(whole), pytest.approx(max(losses)))


@pytest.mark.parametrize(
    ("architecture", "one", "two"), [("xlm-roberta", "A", "in"), ("bert", "a", "t"), ("roberta", "in", "the")]
)
@pytest.mark.parametrize("length", [1, 2])
def test_a_triggers_gradient_is_that_of_its_own_tokens(
    architecture: str, one: str, two: str, length: int, tmp_path: Path
) -> None:
    folder = write_encoder(tmp_path / "tiny", architecture)
    if architecture == "roberta":  # the first word by another piece than those behind it
        byte_bpe(prefix=False).save_pretrained(folder)
    encoder = load_encoder(str(folder), seed=1)
    predictor = Predictor(encoder, attach(encoder, "pair", classes(TASKS["mw-nli"]), seed=2), max_length=64)
    who = ModelVictim(predictor, METRICS["accuracy"])
    trigger, other = " ".join([one] * length), " ".join([two] * length)
    dev = [
        PairExample("1", "1", "en", f"{trigger} {trigger} {two}", f"{two} {one}", 0),  # first texts hold it too
        PairExample("2", "2", "en", f"{two} {trigger}", one, 1),
    ]
    how = TriggerSearch("second", length, 3, 2)
    search = _Search(who, dev, how, _Vocabulary.of(who, dev, how), 50)
    search.best = (search.vocabulary.words.index(one),) * length
    pieces = encoder.tokenizer(other, add_special_tokens=False)["input_ids"]
    assert len(pieces) == length
    expected = [0.0] * length
    for example in dev:
        moved = replace(example, second=f"{trigger} {example.second}")
        encoded = encoder.tokenizer(moved.first, moved.second)
        start = encoded.sequence_ids().index(1)
        ((row, slopes),) = loss_gradients(who, [moved])[0]
        assert list(row.ids) == encoded["input_ids"]
        for i, piece in enumerate(pieces):
            expected[i] += float(slopes[start + i] @ encoder.embeddings(torch.tensor([piece]))[0].detach().numpy())
    assert min(map(abs, expected)) > 1e-7
    number = search.vocabulary.words.index(two)
    assert [search._expected(i)[number] for i in range(length)] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("kind", ["pair", "choice", "span"])
def test_a_trigger_stands_before_every_example_and_costs_one_query(
    kind: str, victim: Callable[..., ModelVictim]
) -> None:
    data = mastered(data_of(kind), victim(kind, data_of(kind)))
    who = victim(kind, data)
    field = {"pair": "second"}.get(kind, "context")
    outcomes = run(kind, who, data, "universal-trigger", AttackBudget(5), trigger=("ka", "lu"))
    for before, after, o in zip(data.examples, perturbed_by(data, outcomes).examples, outcomes, strict=True):
        old, new = getattr(before, field), getattr(after.example, field)
        assert new in (old, f"ka lu {old}")
        assert o.queries == (o.clean_right > 0)
        assert o.end in ("success", "exhausted", "wrong before")
        if isinstance(after.example, SpanExample) and o.changed:
            assert after.example.answer_texts == before.answer_texts  # type: ignore[union-attr]
        # What the attack says is what the model says of the text that it left.
        said = who([after.example])
        assert (o.right, o.loss) == pytest.approx((float(said.right[0]), float(said.loss[0])), abs=1e-5)
        # It leaves the trigger exactly where the model does worse with it.
        with_it = who([replace(before, **{field: f"ka lu {old}"})]) if not isinstance(before, SpanExample) else said
        worse = (-float(with_it.right[0]), float(with_it.loss[0])) > (-o.clean_right, o.clean_loss)
        assert o.changed == (bool(o.queries) and worse)
    assert run(kind, who, data, "universal-trigger", AttackBudget(5, width=1), trigger=("ka", "lu")) == outcomes


def test_a_copy_of_the_right_candidate_that_is_nearer_makes_a_query_wrong(
    victim: Callable[..., ModelVictim],
) -> None:
    data = mastered(data_of("query"), victim("query", data_of("query")))
    who = victim("query", data)
    assert data.pool is not None
    recipe = "hard-negative-pool(changes=1,sites=3,options=4)"
    outcomes = run("query", who, data, recipe, AttackBudget(200), pool=data.pool)
    assert run("query", who, data, recipe, AttackBudget(200, width=1), pool=data.pool) == outcomes
    perturbed = perturbed_by(data, outcomes)
    assert [p.example for p in perturbed.examples] == list(data.examples)
    assert len(perturbed.added) == sum(o.changed for o in outcomes) > 0
    assert perturbed.changed_share == pytest.approx(len(perturbed.added) / len(data))
    makers = PoolSpaceMaker(data.pool, 3, 4, 1)
    tried = 0
    for example, o in zip(data.examples, outcomes, strict=True):
        assert isinstance(example, QueryExample)
        if not o.positions or tried == 2:
            continue
        tried += 1
        right = data.pool.candidates[data.pool.index[example.gold[0]]]
        # Every copy with one word of the three longest exchanged, ranked in a pool that holds it.
        (space,) = makers([(0, example, GoalVerdict(0.0, 1.0))])
        copies = [space.trial(state).example.negatives[0] for state in space.singles()]  # type: ignore[union-attr]
        assert len(copies) == space.size <= 12
        vectors = who.predictor.embed([c.text for c in copies], [c.context for c in copies])
        verdicts = [(-o.clean_right, o.clean_loss)]
        for copy, vector in zip(copies, vectors, strict=True):
            assert sum(a != b for a, b in zip(copy.text.split(), right.text.split(), strict=True)) == 1
            pool, all_vectors = Pool((*data.pool.candidates, copy)), np.vstack([who.vectors, vector[None]])  # type: ignore[list-item]
            whole = ModelVictim(who.predictor, who.metric, pool=pool, vectors=all_vectors)([example])
            verdicts.append((-float(whole.right[0]), float(whole.loss[0])))
        # A greedy search need not find the worst: what it found is one of them, and no better than clean.
        assert (-o.right, o.loss) in verdicts
        assert (-o.right, o.loss) >= verdicts[0]
        assert o.end != "success" or (o.clean_right > 0 and o.right == 0)
    assert tried == 2
    refused = PredictingVictim(lambda examples: [], METRICS["accuracy"])
    call = parse_recipe(recipe)
    with pytest.raises(UserError, match="which this victim does not show"):
        attack_examples(
            refused, data.examples, call, call.setting(TASKS["mw-answers"], "qla-Latn", ENVIRONMENT), AttackBudget(5)
        )


@pytest.mark.parametrize(
    ("given", "exact"), [("changes=1,sites=1,options=6", True), ("changes=2,sites=2,options=3", False)]
)
def test_a_pool_attack_is_no_better_than_the_worst_of_all_copies(
    given: str, exact: bool, victim: Callable[..., ModelVictim]
) -> None:
    data = mastered(data_of("query"), victim("query", data_of("query")))
    who = victim("query", data)
    assert data.pool is not None
    outcomes = run("query", who, data, f"hard-negative-pool({given})", AttackBudget(200), pool=data.pool)
    added = {c.id: c for c in perturbed_by(data, outcomes).added}
    changes, sites, options = (int(part.partition("=")[2]) for part in given.split(","))
    makers = PoolSpaceMaker(data.pool, sites, options, changes)

    def ranked(example: Any, copies: list[Any]) -> list[tuple[float, float]]:
        """(−right, loss) in the pool with each copy, from a forward pass of its own."""
        vectors = who.predictor.embed([c.text for c in copies], [c.context for c in copies])
        verdicts = []
        for copy, vector in zip(copies, vectors, strict=True):
            pool, table = Pool((*data.pool.candidates, copy)), np.vstack([who.vectors, vector[None]])  # type: ignore[union-attr,list-item]
            said = ModelVictim(who.predictor, who.metric, pool=pool, vectors=table)([example])
            verdicts.append((-float(said.right[0]), float(said.loss[0])))
        return verdicts

    searched = [pair for pair in zip(data.examples, outcomes, strict=True) if pair[1].positions]
    searched = sorted(searched, key=lambda pair: not pair[1].changed)[:2]
    assert searched[0][1].changed
    assert len(searched) == 2
    for example, o in searched:
        assert isinstance(example, QueryExample)
        (space,) = makers([(0, example, GoalVerdict(0.0, 1.0))])
        words = itertools.product(*([None, *range(len(site.options))] for site in space.sites))
        chosen = [tuple((i, option) for i, option in enumerate(some) if option is not None) for some in words]
        states = [some for some in chosen if 0 < len(some) <= changes]
        assert len(states) == (6 if exact else 3 + 3 + 9)
        copies = [space.trial(state).example.negatives[0] for state in states]  # type: ignore[union-attr]
        worst = max([*ranked(example, copies), (-o.clean_right, o.clean_loss)])
        if exact:  # one word, all of whose options are tried
            assert (-o.right, o.loss) == worst
        assert (-o.right, o.loss) <= worst
        if o.changed:  # what it says of its copy a pass of that copy alone says too
            (copy,) = (c for name, c in added.items() if name.endswith(f"/negative/{example.id}/attack"))
            assert ranked(example, [copy]) == [(-o.right, pytest.approx(o.loss, abs=1e-6))]
            assert o.end != "success" or (o.clean_right, o.right) == (1, 0)


def test_a_model_without_a_table_of_embeddings_is_refused_in_a_sentence(
    victim: Callable[..., ModelVictim], encoder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = data_of("pair", limit=1)

    def raising() -> Any:
        raise NotImplementedError("`get_input_embeddings` not auto-handled")  # as CANINE's of transformers does

    monkeypatch.setattr(encoder.backbone, "get_input_embeddings", raising)
    with pytest.raises(UserError, match="takes no embeddings as input"):
        loss_gradients(victim("pair", data), data.examples)


@pytest.mark.parametrize("architecture", ["gpt2", "bert"])
def test_embeddings_of_a_padded_row_say_what_its_tokens_say(architecture: str, tmp_path: Path) -> None:
    # GPT-2's class looks for the last token by the ids of padding, which embeddings do not show.
    encoder = load_encoder(str(write_encoder(tmp_path / "tiny", architecture)), seed=1)
    head = attach(encoder, "pair", classes(TASKS["mw-nli"]), seed=2)
    head.module.eval()
    rows = encode_pairs(encoder.tokenizer, [PairExample("1", "1", "en", "the quick fox", "a dog in A", 0)], 64)
    batch = pad(rows, Padding.of(encoder.tokenizer), length=len(rows[0]) + 9)
    with torch.no_grad():
        expected = head(dict(batch))
        embedded = encoder.embeddings(batch.pop("input_ids"))
        assert torch.allclose(head({"inputs_embeds": embedded, **batch}), expected, atol=1e-5)


@pytest.mark.slow
def test_a_gradient_costs_two_queries_and_orders_what_is_asked(victim: Callable[..., ModelVictim]) -> None:
    data = data_of("pair", "en", limit=4)
    recipe = "hotflip(beam=3,edits=2)"
    whole = run("pair", victim("pair", data), data, recipe, AttackBudget(10, width=1))
    assert run("pair", victim("pair", data), data, recipe, AttackBudget(10, width=64)) == whole
    attacked = [o for o in whole if o.positions]
    # Two for the gradient, three states; then two for each of three states, and no query is left but two.
    assert {o.queries for o in attacked if o.end == "budget"} <= {9, 10}
    assert all(o.found_at not in (1, 2) for o in attacked)
    plain = PredictingVictim(lambda examples: [{"scores": [1, 0, 0]} for _ in examples], METRICS["accuracy"], classes=3)
    call = parse_recipe("hotflip")
    same = [replace(e, label=0) for e in data.examples]  # type: ignore[call-arg]
    with pytest.raises(UserError, match="gives no gradients"):
        attack_examples(plain, same, call, call.setting(TASKS["mw-nli"], "en", ENVIRONMENT), AttackBudget(10))


def test_only_what_the_window_shows_is_attacked(victim: Callable[..., ModelVictim]) -> None:
    data = data_of("pair")
    long = tuple(replace(e, first=" ".join([e.first] * 12)) for e in data.examples if isinstance(e, PairExample))
    data = replace(data, examples=long)
    who = victim("pair", data, max_length=40)
    outcomes = run("pair", who, data, "deepwordbug.random", AttackBudget(20))
    tried = [o for o in outcomes if o.positions]
    assert tried
    assert all(o.refused["beyond the window"] > 0 for o in tried)
    for example in long[:3]:
        reach = who.reach(example)["first"]
        (row,) = (r for r, _ in who.predictor.outputs([example])[0])
        inside = replace(example, first=example.first[: reach.end - 1] + "¤" + example.first[reach.end :])
        outside = replace(example, first=example.first[: reach.end] + "¤" * 5)
        assert who.predictor.outputs([inside])[0][0][0].ids.tolist() != row.ids.tolist()
        assert who.predictor.outputs([outside])[0][0][0].ids.tolist() == row.ids.tolist()


def test_a_recipe_for_another_kind_or_language_is_refused_with_the_reason(victim: Callable[..., ModelVictim]) -> None:
    data = data_of("pair")
    with pytest.raises(NotApplicable, match="no language of the microworld"):
        run("pair", victim("pair", data), data, "polygloss(embed=fr)", AttackBudget(5))
    with pytest.raises(UserError, match="the budget is 0"):
        run("pair", victim("pair", data), data, "deepwordbug", AttackBudget(0))
    unlabelled = replace(data, examples=tuple(replace(e, label=None) for e in data.examples))  # type: ignore[call-arg]
    with pytest.raises(UserError, match="carries no gold label"):
        run("pair", victim("pair", data), unlabelled, "deepwordbug", AttackBudget(5))
    call = parse_recipe("deepwordbug")
    assert "its pool's" in (unattackable(call, call.setting(TASKS["mw-sentences"], "qla-Latn", ENVIRONMENT)) or "")
    with pytest.raises(UserError, match=r"unknown recipe 'polyglos'[\s\S]*did you mean 'polygloss'"):
        parse_recipe("polyglos")
    with pytest.raises(UserError, match="unknown parameter of polygloss 'bem'"):
        parse_recipe("polygloss(bem=3)")
