"""The code-mixing attacks' own limits: PolyGloss's stop list and sense filter, Bumblebee's equivalence constraint."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from crosswind.attack.prepare import SpaceMaker
from crosswind.attack.recipe import needed_spec, parse_recipe, unattackable
from crosswind.attack.space import GoalVerdict, Space
from crosswind.data.examples import Dataset, PairExample
from crosswind.perturb.lexicons import environment_of
from crosswind.perturb.needs import DataNeed
from crosswind.perturb.senses import stands_in
from crosswind.tasks.base import TASKS


def data(language: str, first: str, second: str) -> Dataset:
    return Dataset("xnli", language, "test", (PairExample("x1", "x1", language, first, second, 0),))


ENGLISH = data("en", "The dog was in a house", "that dog barks")
GERMAN = data("de", "Der Hund war in einem Hausboot", "dieser köter bellt")


def space(recipe: str, lexicons: Path | None, given: dict[str, Any], english: Dataset = ENGLISH) -> Space:
    call = parse_recipe(recipe)
    setting = call.setting(TASKS["xnli"], "en", environment_of(lexicons))
    assert unattackable(call, setting) is None
    needs = needed_spec(call, setting).needs(setting.scope(call.declaration.fields(setting)))
    resolved = {n: given[n.language or "" if isinstance(n, DataNeed) else "model"] for n in needs}
    (made,) = SpaceMaker(call.declaration, setting, resolved=resolved)(
        [(0, english.examples[0], GoalVerdict(0.0, 1.0))]
    )
    return made


def options(made: Space) -> set[tuple[str, str]]:
    return {(made.passages[s.passage].text[s.start : s.end], str(o)) for s in made.sites for o in s.options}


@pytest.fixture
def lexicons(tmp_path: Path) -> Path:
    pairs = (
        "the der",
        "dog hund",
        "dog köter",
        "was war",
        "in in",
        "a einem",
        "house haus",
        "that dieser",
        "barks bellt",
    )
    (tmp_path / "en-de.txt").write_text("\n".join(pairs) + "\n", encoding="utf-8")
    return tmp_path


def test_the_eight_words_of_the_stop_list_stay(lexicons: Path) -> None:
    # The list of the released code: is, was, am, are, were, the, a, that.
    changed = {word for word, _ in options(space("polygloss(embed=de)", lexicons, {}))}
    assert changed == {"dog", "house", "barks"}
    free = space("polygloss(embed=de,stop=none)", lexicons, {})
    assert {word for word, _ in options(free)} == changed | {"The", "was", "a", "that"}
    control = parse_recipe("polygloss.random(embed=de)")
    assert control.declaration.constraints(
        control.setting(TASKS["xnli"], "en")
    )  # the control leaves them alone as well
    assert not control.declaration.constraints(control.setting(TASKS["xnli"], "de"))


def test_the_sense_filter_keeps_what_stands_in_the_reference(lexicons: Path) -> None:
    every = options(space("polygloss(embed=de)", lexicons, {}))
    assert every == {("dog", "hund"), ("dog", "köter"), ("house", "haus"), ("barks", "bellt")}
    made = space("polygloss(embed=de,senses=reference)", lexicons, {"de": GERMAN})
    by_text = {
        (s.passage, made.passages[s.passage].text[s.start : s.end]): tuple(map(str, s.options)) for s in made.sites
    }
    # Each text by its own translation; `haus` is a part of `Hausboot` and no word.
    assert by_text == {(0, "dog"): ("hund",), (1, "dog"): ("köter",), (1, "barks"): ("bellt",)}
    assert not space("polygloss(embed=de,senses=reference)", lexicons, {"de": data("de", "", "")}).sites
    recipe = parse_recipe("polygloss(embed=de)").declaration
    for senses, words in (("all", ""), ("reference", "the test set's own translations")):
        call = parse_recipe(f"polygloss(embed=de,senses={senses})")
        assert words in recipe.knows(call.setting(TASKS["xnli"], "en"))
        assert bool(words) == bool(recipe.knows(call.setting(TASKS["xnli"], "en")))
    call = parse_recipe("polygloss(embed=de,senses=reference)")
    lone = call.setting(TASKS["panx"], "en", environment_of(lexicons))
    assert "have a translation into an embedded language" in (unattackable(call, lone) or "")


def test_a_word_stands_in_a_text_as_a_whole_or_in_a_script_without_spaces() -> None:
    assert stands_in("hund", "Der HUND.", "de")
    assert not stands_in("hund", "Hunde", "de")
    assert stands_in("房子", "我的房子很大", "zh")
    assert not stands_in("", "x", "de")


class _Aligner:
    """Links the words of two texts in the same order, or in the opposite one."""

    def __init__(self, reverse: bool) -> None:
        self.reverse = reverse

    def __call__(self, pairs: Sequence[tuple[Sequence[str], Sequence[str]]]) -> list[list[tuple[int, int]]]:
        made = []
        for mine, theirs in pairs:
            count = min(len(mine), len(theirs))
            made.append([(i, count - 1 - i if self.reverse else i) for i in range(count)])
        return made


def pairs_of(made: Space) -> dict[tuple[str, str], bool]:
    """Of every two single words of the first text whether both may change."""
    text = made.passages[0].text
    words = [i for i, s in enumerate(made.sites) if s.passage == 0 and " " not in text[s.start : s.end]]
    return {
        (text[made.sites[i].start : made.sites[i].end], text[made.sites[j].start : made.sites[j].end]): (
            made.trial(((i, 0), (j, 0))) is not None
        )
        for i in words
        for j in words
        if i < j
    }


def test_bumblebees_neighbours_do_not_go_backwards_in_one_translation() -> None:
    english, german = data("en", "one two, three", "x"), data("de", "eins zwei drei", "y")
    french = data("fr", "un deux trois", "z")

    def made(reverse: bool) -> Space:
        return space("bumblebee(embed=de,model=M)", None, {"de": german, "model": _Aligner(reverse)}, english)

    assert set(pairs_of(made(False)).values()) == {True}
    # Backwards: neighbours are refused, with a comma between them too; with a word between them they are none.
    assert pairs_of(made(True)) == {("one", "two"): False, ("two", "three"): False, ("one", "three"): True}
    both = space("bumblebee(embed=de,fr,model=M)", None, {"de": german, "fr": french, "model": _Aligner(True)}, english)
    sites = {both.passages[0].text[s.start : s.end]: i for i, s in enumerate(both.sites) if s.passage == 0}
    one, two = sites["one"], sites["two"]
    order = [str(o) for o in both.sites[one].options]
    german_first, french_first = order.index("drei"), order.index("trois")
    at = [str(o) for o in both.sites[two].options].index("zwei")
    assert both.trial(((one, german_first), (two, at))) is None
    assert both.trial(((one, french_first), (two, at))) is not None  # another language: no jump
