"""The constraint part-of-speech: what treebanks know of a word and of what stands for it."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from crosswind.attack.recipe import needed_spec, parse_recipe
from crosswind.attack.run import AttackBudget, attack_examples, perturbed_by
from crosswind.attack.victim import PredictingVictim
from crosswind.data.examples import Dataset, PairExample, TaggingExample
from crosswind.data.tagging import read_conllu
from crosswind.errors import UserError
from crosswind.evaluate.metrics.base import METRICS
from crosswind.perturb.brought import stamped
from crosswind.perturb.constraint import constraint_resources, constraints_as_written, parse_constraints, refusal_of
from crosswind.perturb.constraints.part_of_speech import replaced_words
from crosswind.perturb.draw import key
from crosswind.perturb.example import passages
from crosswind.perturb.extent import Extent
from crosswind.perturb.passage import Passage
from crosswind.perturb.pos import UPOS
from crosswind.perturb.spec import TextScope
from crosswind.perturb.treebanks import pos_lexicon, treebank_words
from crosswind.study.evaluate import evaluation
from crosswind.study.plan import make_plan
from crosswind.tasks.base import TASKS

ENGLISH = {"the": "DET", "dog": "NOUN", "cat": "NOUN", "barks": "VERB", "sleeps": "VERB", "run": "NOUN VERB"}
GERMAN = {"hund": "NOUN", "bellt": "VERB"}


def write_treebank(path: Path, words: dict[str, str]) -> None:
    rows = [(form, tag) for form, tags in words.items() for tag in tags.split()]
    lines = [f"{i}\t{form}\t_\t{tag}\t_\t_\t0\troot\t_\t_" for i, (form, tag) in enumerate(rows, 1)]
    text = "\n".join(["# sent_id = 1", "1-2\tdont\t_\t_\t_\t_\t_\t_\t_\t_", *lines, "", ""])
    path.write_text(text, encoding="utf-8")


@pytest.fixture
def treebanks(tmp_path: Path) -> Path:
    write_treebank(tmp_path / "en_small-ud-test.conllu", ENGLISH)
    write_treebank(tmp_path / "de_small-ud-test.conllu", GERMAN)
    return tmp_path


def passage(text: str, tags: Sequence[str] | None = None, language: str = "en") -> Passage:
    if tags is None:
        example: Any = PairExample("x/0", "x/0", language, text, "", 0)
        return passages(example, ("first",), task="xnli")[0]
    example = TaggingExample("x/0", "x/0", language, tuple(text.split()), tuple(tags))
    return passages(example, ("words",), task="udpos")[0]


def lets(constraint: str, before: Passage, *after: str) -> list[bool]:
    (named,) = parse_constraints([constraint])
    check = named.made().check
    assert check is not None
    return list(check([(before, passage(a, before.tags)) for a in after]))


def test_a_word_becomes_words_of_its_part_of_speech(treebanks: Path) -> None:
    named = f'part-of-speech(treebanks="{treebanks}")'
    before = passage("The dog barks.")
    texts = [
        "The cat barks.",
        "The sleeps barks.",
        "The zzz barks.",
        "The run barks.",
        "The cat cat.",
        "The dog barks.",
    ]
    #        a noun             a verb               not known         a noun as well    a verb becomes a noun
    assert lets(named, before, *texts) == [True, False, True, True, False, True]
    # A word that the treebank does not know may become anything; words that come or go are not compared.
    assert lets(named, passage("The wug barks."), "The sleeps barks.", "The barks.", "The the wug barks.") == [True] * 3


def test_of_a_tagged_sentence_the_gold_tag_counts(treebanks: Path) -> None:
    named = f'part-of-speech(treebanks="{treebanks}")'
    noun = passage("The run barks", ["DET", "NOUN", "VERB"])
    verb = passage("The run barks", ["DET", "VERB", "VERB"])
    assert lets(named, noun, "The cat barks", "The sleeps barks") == [True, False]
    assert lets(named, verb, "The cat barks", "The sleeps barks") == [False, True]
    # What the treebank does not know has a gold tag all the same.
    assert lets(named, passage("The wug barks", ["DET", "NOUN", "VERB"]), "The sleeps barks") == [False]


def test_words_of_embedded_languages_are_known_by_their_treebanks(treebanks: Path) -> None:
    before = passage("The dog barks.")
    own = f'part-of-speech(treebanks="{treebanks}")'
    both = f'part-of-speech(treebanks="{treebanks}",embed=de)'
    assert lets(own, before, "The Hund barks.", "The bellt barks.") == [True, True]
    assert lets(both, before, "The Hund barks.", "The bellt barks.", "The sleeps barks.") == [True, False, False]


def test_only_replaced_words_are_compared() -> None:
    def replaced(a: str, b: str) -> list[tuple[str, str | None, str]]:
        return list(replaced_words(passage(a), passage(b)))

    assert replaced("one two three", "one 2 three") == [("two", None, "2")]
    assert replaced("one two three", "uno dos three") == [("one", None, "uno"), ("two", None, "dos")]
    assert replaced("one two three", "one three") == []
    assert replaced("one two three", "one two and three") == []
    tagged = list(replaced_words(passage("a b", ["DET", "NOUN"]), passage("a c", ["DET", "NOUN"])))
    assert tagged == [("b", "NOUN", "c")]


def test_a_language_without_a_treebank_and_a_constraint_without_a_folder_are_refused(treebanks: Path) -> None:
    named = parse_constraints([f'part-of-speech(treebanks="{treebanks}")'])
    assert refusal_of(named, TextScope("en")) is None
    assert refusal_of(named, TextScope("fi")) == "there is no treebank of fi among those named"
    embedded = parse_constraints([f'part-of-speech(treebanks="{treebanks}",embed=fr,de)'])
    assert refusal_of(embedded, TextScope("en")) == "there is no treebank of fr among those named"
    with pytest.raises(UserError, match="needs treebanks"):
        refusal_of(parse_constraints(["part-of-speech"]), TextScope("en"))
    with pytest.raises(UserError, match="no treebank of fi"):
        lets(f'part-of-speech(treebanks="{treebanks}")', passage("x y", language="fi"), "x z")
    (treebanks / "en_small-ud-test.conllu").write_text("1\tdog\tNOUN\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"3 columns where CoNLL-U has 10"):
        lets(f'part-of-speech(treebanks="{treebanks}")', passage("x y"), "x z")


def test_treebanks_that_know_no_part_of_speech_or_are_of_another_language_are_refused(tmp_path: Path) -> None:
    named = f'part-of-speech(treebanks="{tmp_path}")'
    row = "1\tdog\t_\t{}\t_\t_\t0\troot\t_\t_\n"
    faults = {
        "": "no word has a part of speech",
        row.format("noun"): "no word has a part of speech",
        row.format("NOUN").replace("1", "first", 1): "'first' is no number of a word",
        row.format("NOUN").replace("dog", "", 1): "a word without a form",
    }
    for text, what in faults.items():
        (tmp_path / "en_small-ud-test.conllu").write_text(text, encoding="utf-8")
        with pytest.raises(UserError, match=what):
            lets(named, passage("x y"), "x z")
    write_treebank(tmp_path / "fro_small-ud-test.conllu", ENGLISH)  # Old French
    assert refusal_of(parse_constraints([named]), TextScope("fr")) == "there is no treebank of fr among those named"
    write_treebank(tmp_path / "fr-ud-test.conllu", ENGLISH)
    assert refusal_of(parse_constraints([named]), TextScope("fr")) is None


def test_where_its_data_lie_is_no_part_of_its_name(treebanks: Path) -> None:
    written = f'part-of-speech(treebanks="{treebanks}",embed=de)'
    named = parse_constraints([written, "digits"])
    assert [c.identity for c in named] == ["digits", "part-of-speech(embed=de)"]
    assert Extent(constraints=named).suffix == "~digits+part-of-speech(embed=de)"
    before = constraint_resources(named, TextScope("en"))
    assert sorted(before) == [
        "constraint/digits",
        "constraint/part-of-speech",
        "constraint/part-of-speech de treebanks/de_small-ud-test.conllu",
        "constraint/part-of-speech en treebanks/en_small-ud-test.conllu",
    ]
    write_treebank(treebanks / "de_small-ud-test.conllu", {"katze": "NOUN"})
    after = constraint_resources(named, TextScope("en"))
    assert [name for name in before if before[name] != after[name]] == [sorted(before)[2]]
    assert constraints_as_written("", ["digits"]) == parse_constraints(["digits"])


def test_a_plan_says_where_the_treebanks_lie_outside_of_keys(
    treebanks: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    for file in treebanks.glob("*.conllu"):
        shutil.copy(file, elsewhere)
    plans = []
    for folder in (treebanks, elsewhere):
        constraint = f'part-of-speech(treebanks="{folder}")'
        attack = [{"recipe": "deepwordbug", "budget": 3, "examples": 2, "constraints": [constraint]}]
        noise: dict[str, Any] = {"perturb": ["swap:0.1"], "constraints": [constraint]}
        study = evaluation("microworld", ["mw-nli"], languages=["en"], limit=4, attack=attack, **noise)
        plans.append(make_plan(study))
    assert list(plans[0].graph) == list(plans[1].graph)
    for plan, folder in zip(plans, (treebanks, elsewhere), strict=True):
        specs = plan.graph.context["specs"]
        steps = [k for k, step in plan.graph.items() if step.kind in ("attack", "rewrite")]
        assert steps
        for k in steps:
            params: Any = plan.graph[k].params
            assert list(params["constraints"]) == ["part-of-speech"]
            (constraint,) = constraints_as_written(specs[f"constraints {k}"], ())
            assert dict(constraint.params)["treebanks"] == str(folder)
    attacks = {c.condition.attack for c in plans[0].cells}
    assert attacks == {"none", "deepwordbug;part-of-speech", "deepwordbug.random;part-of-speech"}


def test_a_real_treebank_gives_its_words_and_tags(official_data: Callable[..., Path]) -> None:
    (path,) = (official_data("ud") / "ud" / "UD_German-GSD").glob("de_*test.conllu")
    expected: defaultdict[str, set[str]] = defaultdict(set)
    sentences = list(read_conllu(path, UPOS))  # another reader of the same format
    for _, words, tags in sentences:
        for word, tag in zip(words, tags or (), strict=True):
            expected[word.lower()].add(tag)
    known = pos_lexicon(stamped([path]), False)
    assert {w: set(tags) for w, tags in known.items()} == dict(expected)
    assert sum(1 for _ in treebank_words(path)) == sum(len(words) for _, words, _ in sentences)
    # Words of the German test set of UD 2: an article that is a pronoun and a relative one too, a noun, a verb.
    assert {"DET", "PRON"} <= known["die"]
    assert known["jahr"] == {"NOUN"}


class _Filler:
    """Stands in for a masked language model: words of every part of speech."""

    def fill(self, blanks: Sequence[Any], most: int) -> list[list[tuple[str, float]]]:
        words = ("Haus", "geht", "kleine", "und", "Stadt", "wurde", "neuen", "oder", "Wuggel")
        return [[(w, 1 / (i + 10)) for i, w in enumerate(words)] for _ in blanks]


def test_an_attack_on_tagging_keeps_gold_tags_right(official_data: Callable[..., Path]) -> None:
    folder = official_data("ud") / "ud"
    (path,) = (folder / "UD_German-GSD").glob("de_*test.conllu")
    examples = [
        TaggingExample(f"udpos/test/{name}", name, "de", words, tags)
        for name, words, tags in list(read_conllu(path, UPOS))[:4]
    ]
    data = Dataset("udpos", "de", "test", tuple(examples), fingerprint="f")

    def predict(some: Any) -> list[dict[str, Any]]:
        return [{"loss": key(repr(e)) / 2**64, "tags": list(e.tags)} for e in some]

    victim = PredictingVictim(predict, METRICS[TASKS["udpos"].metric])
    call = parse_recipe("bert-attack(model=M)")
    setting = call.setting(TASKS["udpos"], "de")
    needs = needed_spec(call, setting).needs(setting.scope(call.declaration.attacked(setting)))
    known = pos_lexicon(stamped([path]), False)
    (named,) = parse_constraints([f'part-of-speech(treebanks="{folder}")'])
    wrong = {}
    for constraints in ((), (named.made(),)):
        outcomes = attack_examples(
            victim,
            data.examples,
            call,
            setting,
            AttackBudget(150),
            resolved=dict.fromkeys(needs, _Filler()),
            constraints=constraints,
        )
        assert any(o.changed for o in outcomes)
        wrong[bool(constraints)] = [
            (a, tag, b)
            for before, after in zip(data.examples, perturbed_by(data, outcomes).examples, strict=True)
            for a, tag, b in zip(before.words, before.tags, after.example.words, strict=True)  # type: ignore[union-attr]
            if a != b and known.get(b.lower()) and tag not in known[b.lower()]
        ]
        assert all(bool(o.refused.get("part-of-speech")) == bool(constraints) for o in outcomes)
    assert len(wrong[False]) > 2
    assert wrong[True] == []
