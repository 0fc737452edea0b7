"""Data that lack what a perturbation of their kind changes are refused, never left as they are without a word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crosswind.cli import app
from crosswind.data.examples import ChoiceExample, Dataset, Example, PairExample, Span, SpanExample, TaggingExample
from crosswind.perturb.dataset import perturb_dataset, perturb_examples
from crosswind.perturb.example import cut_passages
from crosswind.perturb.perturbation import NotApplicable
from crosswind.perturb.spec import TextScope, parse_spec
from crosswind.run.progress import Silent
from crosswind.run.store import Store
from crosswind.study.evaluate import evaluation
from crosswind.study.items import export_items
from crosswind.tasks.base import TASKS


def question(n: int, answered: bool) -> SpanExample:
    context = f"Person {n} was born in Town{n}. Nothing else is known."
    start = context.index("Town")
    answers = (Span(start, start + len(f"Town{n}")),) if answered else ()
    return SpanExample(f"q/{n}", f"p/{n}", "en", f"Where was person {n} born?", context, answers)


def sentence(n: int, tags: tuple[str, ...] | None, *words: str) -> TaggingExample:
    return TaggingExample(f"t/{n}", f"t/{n}", "de", words or ("Ada", "singt"), tags)


def perturbed(task: str, language: str, examples: list[Example], spec: str, needs: Any = None) -> tuple[Example, ...]:
    dataset = Dataset(task, language, "test", tuple(examples))
    parsed, fields = parse_spec(spec), TASKS[task].perturbed
    scope = TextScope(language, TASKS[task].kind, fields, task=task)
    resolved = {need: (needs or {}).get(need.role, dataset) for need in parsed.needs(scope)}
    return perturb_dataset(dataset, parsed, draw=1, fields=fields, resolved=resolved).dataset.examples


def test_a_distractor_needs_questions_with_answers() -> None:
    with pytest.raises(NotApplicable, match=r"^distract-qa: no question of xquad test, en, has an answer"):
        perturbed("xquad", "en", [question(n, answered=False) for n in range(20)], "distract-qa:1")
    mixed: list[Example] = [question(n, answered=n > 0) for n in range(20)]
    assert perturbed("xquad", "en", mixed, "distract-qa:1") != tuple(mixed)


def test_entities_are_swapped_where_tags_say_which_they_are() -> None:
    tagged: list[Example] = [sentence(1, ("B-PER", "O")), sentence(2, ("B-PER", "O"), "Kurt", "liest")]
    donors = Dataset("panx", "de", "test", tuple(tagged))
    new = perturbed("panx", "de", tagged, "entity-swap:1")
    assert [e.words for e in new if isinstance(e, TaggingExample)] == [("Kurt", "singt"), ("Ada", "liest")]
    for tags in (None, ("O", "O")):
        bare: list[Example] = [sentence(1, tags), sentence(2, tags)]
        with pytest.raises(NotApplicable, match=r"^entity-swap: no sentence of panx test, de, has an entity"):
            perturbed("panx", "de", bare, "entity-swap:1")
        with pytest.raises(NotApplicable, match=r"^entity-swap: no sentence has an entity in its tags"):
            perturbed("panx", "de", bare, "entity-swap:1", {"donors": donors})


def test_an_entity_of_which_no_donor_has_the_type_stays_as_it_is() -> None:
    town = sentence(3, ("O", "B-LOC"), "in", "Ulm")
    donors = Dataset("panx", "de", "test", (sentence(1, ("B-PER", "O")), sentence(2, ("B-PER", "O"), "Kurt", "liest")))
    (new,) = perturbed("panx", "de", [town], "entity-swap:1", {"donors": donors})
    assert new == town
    scope = TextScope("de", "tagging", ("words",), task="panx")
    spec = parse_spec("entity-swap:1")
    alternatives = spec.atoms[0].prepare(scope, dict.fromkeys(spec.needs(scope), donors))
    passages, _ = cut_passages([town], ("words",), task="panx", protect="none", whole=False)
    (sites,) = alternatives.sites(passages)
    assert [list(some) for some in alternatives.all([(sites, 0)])] == [[]]


def test_options_change_places_where_two_differ() -> None:
    equal: list[Example] = [ChoiceExample(f"c/{i}", "c", "et", "Miks?", "", ("ja", "ja"), 0) for i in range(3)]
    with pytest.raises(NotApplicable, match=r"^option-order: no question has two options that differ"):
        perturbed("xcopa", "et", equal, "option-order:1")
    # What is drawn into training in small parts is no whole set: there such a question stays as it is.
    kept = perturb_examples(equal, parse_spec("option-order:1"), task="xcopa", draw=1, fields=("choices",))
    assert [p.example for p in kept] == equal
    other = ChoiceExample("c/3", "c", "et", "Miks?", "", ("ja", "ei"), 0)
    new = perturbed("xcopa", "et", [*equal, other], "option-order:1")
    assert new[:3] == tuple(equal)
    assert new[3] == ChoiceExample("c/3", "c", "et", "Miks?", "", ("ei", "ja"), 1)


def test_phrases_are_taken_from_translations_of_the_same_items() -> None:
    pair = PairExample("x/1", "x/1", "de", "Der Hund.", "Ein Hund.", 0)
    other = Dataset("xnli", "en", "test", (PairExample("x/2", "x/2", "en", "The dog.", "A dog.", 0),))
    same = Dataset("xnli", "en", "test", (PairExample("x/1", "x/1", "en", "The dog.", "A dog.", 0),))

    def linked(pairs: Any) -> list[list[tuple[int, int]]]:
        return [[(i, i) for i in range(min(map(len, pair)))] for pair in pairs]

    spec, given = "translated-phrase(embed=en,model=m):1", {"aligner": linked}
    with pytest.raises(NotApplicable, match=r"^translated-phrase: no item has its translation among the data of en"):
        perturbed("xnli", "de", [pair], spec, given | {"translation en": other})
    (new,) = perturbed("xnli", "de", [pair], spec, given | {"translation en": same})
    assert new != pair


def test_a_file_that_lacks_it_is_an_error_of_the_user(tmp_path: Path) -> None:
    (tmp_path / "panx").mkdir()
    (tmp_path / "panx" / "test-de.tsv").write_text("Ada\tO\nsingt\tO\n\n", encoding="utf-8")
    with pytest.raises(NotApplicable, match=r"^entity-swap: no sentence of panx test, de, has an entity"):
        app(["perturb", "entity-swap:1", "--task", "panx", "--language", "de", "--data", str(tmp_path)])


def test_in_a_study_its_cell_is_not_applicable_and_the_others_are_made(tmp_path: Path) -> None:
    (tmp_path / "hau.txt").write_text("Ada O\ntana O\nwaka O\n\nKurt O\nyana O\nkaratu O\n\n", encoding="utf-8")
    file = tmp_path / "mine.yaml"
    file.write_text('mine: {like: panx, files: "{language}.txt", languages: [hau], separator: " "}\n', encoding="utf-8")
    specs = ["entity-swap:1", "swap:0.9"]
    study = evaluation("items", [], task_file=file, perturb=specs, predictions=())
    made = export_items(study, "hf", tmp_path / "out", Store(tmp_path / "store"), Silent())
    lacking = "entity-swap: no sentence of mine test, hau, has an entity in its tags"
    assert any(f"mine hau: no entity-swap:1 ({lacking})" in note for note in made.notes), made.notes
    assert [c["folder"] for c in made.conditions] == ["clean", "swap-0.9-none-draw1"]
