"""`setting=published` of every recipe: the paper's numbers, and the changes that papers print as their examples.

The examples marked *verified* stand in texts that quote the paper; the others are written from memory.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from crosswind.attack.cosine import cosine_note, cosines_of
from crosswind.attack.outcome import Attacked
from crosswind.attack.prepare import SpaceMaker
from crosswind.attack.recipe import RECIPES, constraints_of, needed_spec, parse_recipe
from crosswind.attack.run import AttackBudget, attack_examples, outcome_table
from crosswind.attack.space import GoalVerdict, Space
from crosswind.attack.victim import ModelVictim, PredictingVictim
from crosswind.data.examples import Dataset, PairExample, Span, SpanExample
from crosswind.errors import UserError
from crosswind.evaluate.metrics.base import METRICS
from crosswind.evaluate.predict import Predictor
from crosswind.model.encoder import load_encoder
from crosswind.model.heads import attach
from crosswind.model.offsets import MASK_SIGN, raw, tokenize
from crosswind.perturb.draw import key
from crosswind.perturb.needs import DataNeed
from crosswind.tasks.base import TASKS, classes
from tiny_models import TEXTS, byte_bpe, wordpiece, write_encoder

NEEDED = {"model": "M", "embed": "de", "similarity": "E"}

# Recipe -> what its paper gives (of parameters that it has), and where that stands.
PAPERS: dict[str, dict[str, Any]] = {
    "add-one-sent": {"at": ("end",)},  # Jia & Liang 2017, §3.3: appended; verified by their example
    "add-sent": {"at": ("end",)},
    "bad-characters": {"edits": 5, "population": 32, "generations": 10},  # Boucher et al. 2022, §V
    "bae": {"top": 50, "cosine": 0.936},  # quoted in TextAttack's recipe: K=50; 0.8, by their formula 0.936
    "bert-attack": {"top": 48, "edits": 0.4, "probe": "mask"},  # Li et al. 2020, §4.2 and §3.1
    "bumblebee": {"beam": 1},  # default of run_bumblebee_nli.py
    "bumblebee-derived": {"beam": 1},
    # The authors' code, github.com/cookielee77/CLARE: config.py (synonym_num), utils/hyper_parameters.py (mnli)
    "clare": {"cosine": 0.7, "replacing": 0.0005, "inserting": 0.0, "merging": 0.005, "top": 50},
    "deepwordbug": {"distance": 30, "letters": "alphabet"},  # quoted in TextAttack's recipe
    # Alzantot et al. 2018, §4, as quoted; a mutation takes the worst alternative (§3, Perturb).
    "genetic": {"top": 8, "population": 60, "generations": 20, "mutation": "worst", "edits": 0.2},
    "hotflip": {"beam": 10},  # quoted in TextAttack's recipe
    "morpheus": {},
    "polygloss": {"beam": 0, "translations": 0, "stop": "english"},  # defaults of run_polygloss_nli.py
    "stresstest": {},
    "textbugger": {"cosine": 0.8, "lookalikes": "printed"},  # Li et al. 2019, §III-B; 0.8 quoted in TextAttack's
    "universal-trigger": {"words": 3, "candidates": 40},
    "viper": {"p": 0.4, "neighbours": 20},
}


def published(name: str) -> str:
    """The published setting with what has to be named."""
    recipe = RECIPES[name]
    wanted = [p.name for p in recipe.params if p.default is None and not p.location]
    given = ",".join(f"{n}={NEEDED[n]}" for n in [*wanted, *recipe.published_needs])
    return f"{name}(setting=published{',' if given else ''}{given})"


@pytest.mark.parametrize("name", sorted(RECIPES.names()))
def test_the_published_setting_takes_the_papers_numbers(name: str) -> None:
    task = TASKS[{"span": "xquad", "tagging": "panx", "query": "lareqa"}.get(RECIPES[name].kinds[0], "xnli")]
    if name not in PAPERS:
        assert name in ("entity-swap", "hard-negative-pool")  # searches of our own
        with pytest.raises(UserError, match="no published setting"):
            parse_recipe(f"{name}(setting=published)")
        return
    call = parse_recipe(published(name))
    setting = call.setting(task, "en")
    assert {n: setting.params[n] for n in PAPERS[name]} == PAPERS[name]
    assert dict(RECIPES[name].published or {}) == PAPERS[name]
    declared = {p.name: p for p in RECIPES[name].params}
    for parameter, value in PAPERS[name].items():  # each could be written by hand, and then holds as well
        shown = ",".join(value) if isinstance(value, tuple) else value
        by_hand = parse_recipe(f"{published(name)[:-1]},{parameter}={shown})").setting(task, "en")
        assert by_hand.params == setting.params
        assert declared[parameter].default is not None
    assert parse_recipe(call.name) == call
    RECIPES[name].search(setting)
    assert all(c.needs() or c.made() for c in constraints_of(call, setting))


def test_what_is_written_beside_the_published_setting_holds() -> None:
    usual = parse_recipe("deepwordbug(setting=published,distance=0,letters=keyboard)")
    params = usual.setting(TASKS["xnli"], "en").params
    assert (params["distance"], params["letters"]) == (0, "keyboard")
    assert usual.name == "deepwordbug(letters=keyboard,distance=0,setting=published)"
    assert parse_recipe("deepwordbug(setting=published,distance=30)").name == "deepwordbug(setting=published)"


@pytest.mark.parametrize("name", ["bae", "clare", "textbugger"])
def test_a_published_setting_that_keeps_texts_by_an_encoder_is_refused_without_one(name: str) -> None:
    model = "" if name == "textbugger" else "model=M,"
    with pytest.raises(UserError, match="needs similarity") as refused:
        parse_recipe(f"{name}({model}setting=published)")
    assert "similarity=" in str(refused.value.hint)


def test_the_usual_settings_are_called_as_before() -> None:
    names = ["bae(model=M)", "bert-attack(model=M)", "clare(model=M)", "textbugger", "deepwordbug", "add-sent"]
    assert [parse_recipe(n).name for n in names] == names
    for name in names:
        call = parse_recipe(name)
        assert constraints_of(call, call.setting(TASKS["xnli"], "en")) == ()
        assert not call.declaration.masks(call.setting(TASKS["xnli"], "en"))


def space(recipe: str, example: Any, task: str = "xnli", resolved: Any = None) -> Space:
    call = parse_recipe(recipe)
    made = SpaceMaker(call.declaration, call.setting(TASKS[task], "en"), resolved=resolved)
    (only,) = made([(0, example, GoalVerdict(0.0, 1.0))])
    return only


def reached(recipe: str, text: str) -> set[str]:
    """Every text that one change of a recipe makes of an English one."""
    some = space(recipe, PairExample("x/0", "x/0", "en", text, "", 0))
    trials = [some.trial(state) for state in some.singles()]
    return {t.example.first for t in trials if t is not None}  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("recipe", "before", "after"),
    [
        # TextBugger (Li et al. 2019), table of the five bugs: Insert, Delete, Swap, Sub-C. The row `foolish` is
        # verified by texts that quote it, the others are from memory. Sub-W (silly, terribly, cliche) is left out. Not
        # reached is Sub-C's c1iches: `cl` together is what print takes for `d`.
        ("textbugger(setting=published,similarity=E)", "foolish", ["f oolish", "folish", "fooilsh", "fo0lish"]),
        ("textbugger(setting=published,similarity=E)", "awfully", ["awfull y", "awfuly", "awfluly", "awfu1ly"]),
        ("textbugger(setting=published,similarity=E)", "cliches", ["clich es", "clichs", "clcihes"]),
        # DeepWordBug (Gao et al. 2018), table of transformers, from memory: Substitution, Swap, Deletion, Insertion.
        ("deepwordbug(setting=published)", "Team", ["Texm", "Taem", "Tem", "Tezam"]),
        ("deepwordbug(setting=published)", "Artist", ["Arxist", "Artsit", "Artst", "Articst"]),
        ("deepwordbug(setting=published)", "Computer", ["Computnr", "Comptuer", "Compter", "Comnputer"]),
        # HotFlip (Ebrahimi et al. 2018), table 1 (verified): `mood` becomes `mooP`; here a letter keeps its case.
        ("hotflip(setting=published)", "mood", ["moop"]),
    ],
)
def test_the_papers_own_example_lies_in_the_recipes_space(recipe: str, before: str, after: Sequence[str]) -> None:
    texts = reached(recipe, f"So much {before} here.")
    assert [word for word in after if f"So much {word} here." not in texts] == []


def test_morpheus_example_lies_in_its_space(tmp_path: Path) -> None:
    # Tan et al. 2020, figure 1, from memory: "When is the suspended team scheduled to return?" becomes
    # "When are the suspended team schedule to returned?"
    rows = [("be", "is", "V"), ("be", "are", "V"), ("schedule", "scheduled", "V"), ("schedule", "schedule", "V")]
    rows += [("return", "return", "V"), ("return", "returned", "V")]
    table = tmp_path / "eng.tsv"
    table.write_text("\n".join("\t".join(row) for row in rows), encoding="utf-8")
    text = "When is the suspended team scheduled to return?"
    some = space(f'morpheus(setting=published,tables="{table}")', PairExample("x/0", "x/0", "en", text, "", 0))
    wanted = {"is": "are", "scheduled": "schedule", "return": "returned"}
    state: tuple[tuple[int, int], ...] = ()
    for i, site in enumerate(some.sites):
        word = text[site.start : site.end]
        extended = some.extended(state, i, site.options.index(wanted[word]))
        assert extended is not None
        state = extended
    trial = some.trial(state)
    assert trial is not None
    assert trial.example.first == "When are the suspended team schedule to returned?"  # type: ignore[union-attr]


@pytest.mark.parametrize("recipe", ["add-sent(setting=published)", "add-one-sent(setting=published)"])
def test_jia_and_liangs_sentence_is_appended_where_it_stands_in_the_data(recipe: str) -> None:
    # Jia & Liang 2017, figure 1 (verified). Their sentence is generated; ours stands in another paragraph.
    context = (
        "Peyton Manning became the first quarterback ever to lead two different teams to multiple Super Bowls. The "
        "past record was held by John Elway, who led the Broncos to victory in Super Bowl XXXIII at age 38."
    )
    added = "Quarterback Jeff Dean had jersey number 37 in Champ Bowl XXXIV."
    question = "What is the name of the quarterback who was 38 in Super Bowl XXXIII?"

    def asked(name: str, text: str, answer: str) -> SpanExample:
        at = text.index(answer)
        return SpanExample(f"x/{name}", name, "en", question, text, (Span(at, at + len(answer)),))

    mine = asked("0", context, "John Elway")
    data = Dataset("xquad", "en", "test", (mine, asked("1", added, "Jeff Dean")), fingerprint="f")
    call = parse_recipe(recipe)
    setting = call.setting(TASKS["xquad"], "en")
    needs = needed_spec(call, setting).needs(setting.scope(call.declaration.attacked(setting)))
    assert all(isinstance(need, DataNeed) for need in needs)
    some = space(recipe, mine, "xquad", dict.fromkeys(needs, data))
    trials = [some.trial(state) for state in some.singles()]
    contexts = {t.example.context for t in trials if t is not None}  # type: ignore[union-attr]
    assert contexts == {f"{context} {added}"}


@pytest.mark.parametrize("make", [wordpiece, byte_bpe])
def test_the_sign_of_a_mask_is_the_tokenizers_mask_token(make: Any) -> None:
    tokenizer = make()
    for text in TEXTS[:4]:
        words = text.split()
        for at in (0, len(words) // 2, len(words) - 1):
            masked = " ".join([*words[:at], MASK_SIGN, *words[at + 1 :]])
            ((ids, spans),) = raw(tokenizer, [masked])
            expected = [
                *raw(tokenizer, [masked[: masked.index(MASK_SIGN)].rstrip()])[0][0],
                tokenizer.mask_token_id,
                *raw(tokenizer, [masked[masked.index(MASK_SIGN) + len(MASK_SIGN) :]])[0][0],
            ]
            assert ids == expected
            assert masked[slice(*spans[ids.index(tokenizer.mask_token_id)])] == MASK_SIGN
            plain = [(i, s) for i, s in zip(ids, spans, strict=True) if i != tokenizer.mask_token_id]
            assert all(0 <= a <= b <= len(masked) for _, (a, b) in plain)
    # The mask token's own name in a text is text, as ever, and so is a private character.
    assert tokenizer.mask_token_id not in raw(tokenizer, [f"a {MASK_SIGN[0]} b"])[0][0]
    assert tokenizer.mask_token_id not in raw(tokenizer, [f"a {tokenizer.mask_token} b"])[0][0]


def test_a_real_tokenizer_masks_as_its_library_does(real_encoder: Path) -> None:
    tokenizer = load_encoder(str(real_encoder)).tokenizer
    for text in (*TEXTS[:4], "Zwei, drei. Vier"):
        words = text.split()
        for at in range(len(words)):
            before, after = words[:at], words[at + 1 :]
            theirs = tokenizer(" ".join([*before, tokenizer.mask_token, *after]), add_special_tokens=False).input_ids
            ((mine, _),) = raw(tokenizer, [" ".join([*before, MASK_SIGN, *after])])
            assert mine == theirs


def hashed(examples: Any) -> list[dict[str, Any]]:
    """Always right, with a loss by a hash of the text, 0 of the original ones."""
    clean = pairs()
    return [{"loss": 0.0 if e in clean else key(repr(e)) / 2**64, "scores": [1.0, 0.0, 0.0]} for e in examples]


def pairs() -> list[PairExample]:
    texts = [f"The dog number {i} barks at nine cats" for i in (1, 2)]
    return [PairExample(f"x/{i}", f"x/{i}", "en", text, "A dog is here", 0) for i, text in enumerate(texts)]


class _Filler:
    """Stands in for a masked language model: the same two words everywhere, one of them unlikely."""

    def fill(self, blanks: Sequence[Any], most: int) -> list[list[tuple[str, float]]]:
        return [[("house", 0.5), ("river", 0.0001)] for _ in blanks]


def attacked(recipe: str, victim: Any, resolved: dict[str, Any], budget: int = 60) -> list[Attacked]:
    call = parse_recipe(recipe)
    setting = call.setting(TASKS["xnli"], "en")
    needs = needed_spec(call, setting).needs(setting.scope(call.declaration.attacked(setting)))
    every = (*needs, *(n for c in constraints_of(call, setting) for n in c.needs()))
    given = {need: resolved[need.role] for need in every}
    return attack_examples(victim, pairs(), call, setting, AttackBudget(budget), resolved=given)


def test_bae_and_clare_keep_texts_that_the_named_encoder_finds_similar() -> None:
    asked: list[tuple[str, str]] = []

    def similarity(some: Sequence[tuple[str, str]]) -> list[float]:
        asked.extend(some)
        return [0.95 if "house" in new else 0.8 for _, new in some]

    resolved = {"masked-lm": _Filler(), "similarity": similarity}
    victim = PredictingVictim(hashed, METRICS["accuracy"], classes=3)
    for recipe, refusing in (
        ("bae(model=M,setting=published,similarity=E)", True),
        ("clare(model=M,setting=published,similarity=E)", False),
        ("bae(model=M)", False),
    ):
        asked.clear()
        outcomes = attacked(recipe, victim, resolved)
        name = "similarity(model=E,least=0.936)"
        assert all(bool(o.refused.get(name)) == refusing for o in outcomes), recipe
        assert bool(asked) == ("similarity" in recipe)
        call = parse_recipe(recipe)
        setting = call.setting(TASKS["xnli"], "en")
        judges: dict[Any, Any] = {n: similarity for c in constraints_of(call, setting) for n in c.needs()}
        cosines = cosines_of(call, setting, pairs(), outcomes, (), judges)
        note = cosine_note(call, cosines)
        columns = outcome_table(outcomes, cosines)["similarity"]
        found = [json.loads(text) for text in columns]
        assert [bool(one) for one in found] == [bool(judges) and o.changed for o in outcomes]
        if recipe.startswith("bae(model=M,setting"):  # texts of .95 alone passed
            assert [one for one in found if one] == [{"E": 0.95}] * sum(o.changed for o in outcomes)
            assert "is 0.950 on average and 0.950 at least (E)" in note
        assert bool(note) == bool(judges)
        # Words below CLARE's least probabilities are none of its alternatives; any word may be put in.
        if recipe.startswith("clare"):
            assert all(o.positions < o.alternatives < 2 * o.positions for o in outcomes)
    call = parse_recipe("textbugger(similarity=E)")
    with pytest.raises(UserError, match="needs its similarity"):
        attack_examples(victim, pairs(), call, call.setting(TASKS["xnli"], "en"), AttackBudget(5))


def test_clares_actions_have_a_least_probability_each() -> None:
    setting = parse_recipe("clare(model=M,setting=published,similarity=E)").setting(TASKS["xnli"], "en")
    assert list(RECIPES["clare"].specs(setting)) == [
        "mlm(model=M,mode=replace,top=50,least=0.0005,victim=other)",
        "mlm(model=M,mode=insert,top=50,victim=other)",
        "mlm(model=M,mode=merge,top=50,least=0.005,victim=other)",
    ]
    usual = parse_recipe("clare(model=M)").setting(TASKS["xnli"], "en")
    assert not any("least" in spec for spec in RECIPES["clare"].specs(usual))


def test_deepwordbugs_distance_is_kept() -> None:
    victim = PredictingVictim(hashed, METRICS["accuracy"], classes=3)
    for most in (1, 3):
        call = parse_recipe(f"deepwordbug(distance={most})")
        outcomes = attack_examples(victim, pairs(), call, call.setting(TASKS["xnli"], "en"), AttackBudget(400))
        for example, o in zip(pairs(), outcomes, strict=True):
            assert most > 1 or o.refused["edit-distance(most=1)"]
            for field, rewrite in o.rewrites.items():
                text = getattr(example, field)
                assert levenshtein(text, rewrite.apply(text)) <= most


def levenshtein(a: str, b: str) -> int:
    """Straight from the definition."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
    return row[-1]


def test_bert_attack_measures_importance_behind_the_victims_mask(tmp_path: Path) -> None:
    seen: list[str] = []

    class Watching(PredictingVictim):
        mask = MASK_SIGN

        def __call__(self, examples: Sequence[Any]) -> Any:
            seen.extend(e.first for e in examples)
            return super().__call__(examples)

    victim = Watching(hashed, METRICS["accuracy"], classes=3)
    attacked("bert-attack(model=M,setting=published)", victim, {"masked-lm": _Filler()})
    assert f"The dog number 1 barks at nine {MASK_SIGN}" in seen
    assert f"The {MASK_SIGN} number 2 barks at nine cats" in seen
    seen.clear()
    attacked("bert-attack(model=M)", victim, {"masked-lm": _Filler()})
    assert not any(MASK_SIGN in text for text in seen)
    assert "The dog number 1 barks at nine " in seen
    plain = PredictingVictim(hashed, METRICS["accuracy"], classes=3)
    with pytest.raises(UserError, match="shows no mask token"):
        attacked("bert-attack(model=M,setting=published)", plain, {"masked-lm": _Filler()})
    attacked("bert-attack(model=M,setting=published,probe=nothing)", plain, {"masked-lm": _Filler()}, 5)
    encoder = load_encoder(str(write_encoder(tmp_path / "xlmr", "xlm-roberta")), seed=1)
    model = ModelVictim(
        Predictor(encoder, attach(encoder, "pair", classes(TASKS["xnli"]), seed=1)), METRICS["accuracy"]
    )
    assert model.mask == MASK_SIGN
    (outcome, _) = attacked("bert-attack(model=M,setting=published)", model, {"masked-lm": _Filler()}, 9)
    assert outcome.queries == 9 or outcome.end in ("success", "wrong before")
    (row,) = tokenize(encoder.tokenizer, [f"The {MASK_SIGN} barks"], [None], 32)
    assert list(row.ids).count(encoder.tokenizer.mask_token_id) == 1
