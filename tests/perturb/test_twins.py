"""Natural twins: items found again, differences recorded, real noise of XNLI, PAN-X and their edit types."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from crosswind.data.examples import (
    Candidate,
    Dataset,
    Example,
    PairExample,
    Pool,
    QueryExample,
    Span,
    SpanExample,
    TaggingExample,
)
from crosswind.data.sources.files import FilesSource
from crosswind.errors import UserError
from crosswind.perturb.damage import damage_of
from crosswind.perturb.edit_types import counted, distance, edit_types, shares
from crosswind.perturb.replay import replay_dataset
from crosswind.perturb.twins import TWIN_FIELDS, aligned_items, rows_of, twins
from crosswind.study.own import declare_own, read_task_file
from crosswind.study.spec import parse_study
from crosswind.tasks.base import TASKS
from crosswind.tasks.load import load

WORDS = ["river", "house", "tree", "stone", "garden", "winter", "letter", "paper", "market", "window", "field"]


def sentences(n: int) -> list[str]:
    draw = random.Random(7)
    return [" ".join(draw.choices(WORDS, k=7)) + f" {i}." for i in range(n)]


def data(examples: list[Example], task: str = "xnli") -> Dataset:
    return Dataset(task, "en", "test", tuple(examples), fingerprint=task)


def pairs(texts: list[str], task: str = "xnli", label: int = 0) -> list[Example]:
    return [PairExample(f"{task}/{i}", f"{task}/{i}", "en", t, "So it is.", label) for i, t in enumerate(texts)]


def noisy(text: str) -> str:
    return text.replace("river", "rivr").replace("house", "huose").replace("garden", "Garden")


def test_a_part_of_the_items_in_another_order_is_found_again() -> None:
    texts = sentences(60)
    chosen = [41, 3, 17, 8]
    made = twins(data(pairs(texts)), data(pairs([noisy(texts[i]) for i in chosen], "noisy")))
    assert (made.aligned, made.lost, made.label, made.torn) == (4, 0, 0, 0)
    after = [e.example.first for e in made.data]  # type: ignore[union-attr]
    assert after == [noisy(t) if i in chosen else t for i, t in enumerate(texts)]
    assert [e.example.id for e in made.data] == [f"xnli/{i}" for i in range(60)]
    # It is stored and replayed as any other rewrite.
    replayed = replay_dataset(data(pairs(texts)), made.data.table())
    assert [e.example for e in replayed] == [e.example for e in made.data]


def test_equal_sets_are_aligned_by_row_even_where_items_are_alike() -> None:
    texts = ["The same sentence.", "The same sentence.", "The same sentence."]
    assert aligned_items([[t] for t in texts], [[t] for t in texts]) == {0: 0, 1: 1, 2: 2}


def test_variants_of_another_label_or_of_no_item_are_counted_and_left_out() -> None:
    texts = sentences(40)
    other = [*pairs([noisy(texts[5])], "noisy", label=1), *pairs(["Etwas ganz anderes, ohne Beziehung dazu"], "noisy")]
    made = twins(data(pairs(texts)), data([*other, *pairs([noisy(texts[9])], "noisy")], "noisy"))
    assert (made.aligned, made.lost, made.label, made.torn) == (2, 1, 1, 0)
    assert made.data.changed_ids <= {"xnli/9"}


def test_words_keep_their_tags_and_another_number_of_words_does_not_fit() -> None:
    tags = ("O", "B-LOC", "O")
    standard = [TaggingExample(f"t/{i}", f"t/{i}", "en", (t, "Berlin", "lies"), tags) for i, t in enumerate(WORDS)]
    variant = [TaggingExample("v/0", "v/0", "en", ("rivr", "Berln", "lies"), tags)]
    variant += [TaggingExample("v/1", "v/1", "en", ("hou", "se", "Berlin", "lies"), ("O", "O", "B-LOC", "O"))]
    made = twins(data([*standard], "panx"), data([*variant], "noisy"))
    assert made.data.examples[0].example == TaggingExample("t/0", "t/0", "en", ("rivr", "Berln", "lies"), tags)
    assert made.label + made.torn + made.lost == 1


def test_a_variant_whose_own_answer_is_another_does_not_fit() -> None:
    def question(context: str, answer: str) -> Example:
        start = context.index(answer)
        return SpanExample("q", "q", "en", "Which town is it?", context, (Span(start, start + len(answer)),))

    standard = data([question("They came from Berlin to see Dresden in May.", "Berlin")], "xquad")
    same = twins(standard, data([question("They cmae from Berlni to see Dresden in May.", "Berlni")], "noisy"))
    assert (same.aligned, same.torn) == (1, 0)
    assert same.data.examples[0].example.answer_texts == ("Berlni",)  # type: ignore[union-attr]
    other = twins(standard, data([question("They cmae from Berlni to see Dresden in May.", "Dresden")], "noisy"))
    assert (other.aligned, other.torn) == (1, 1)
    assert other.data.examples[0].example == standard.examples[0]


def test_kinds_that_differ_and_sets_without_a_common_item_are_refused() -> None:
    tagged = data([TaggingExample("t", "t", "en", ("a",), ("O",))], "panx")
    with pytest.raises(UserError, match="of different kinds"):
        twins(data(pairs(["a b"])), tagged)
    with pytest.raises(UserError, match="no item of"):
        twins(data(pairs(["river house"])), data(pairs(["völlig anders geschrieben hier", "x"], "noisy")))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("the river", "teh river", {"exchange": 1}),
        ("the river", "the rver", {"deletion": 1}),
        ("the river", "the riveer", {"insertion": 1}),
        ("the river", "the rivar", {"replacement": 1}),
        ("the river", "The river", {"case": 1}),
        ("das schöne", "das schone", {"diacritic": 1}),
        ("die größeren", "die grösseren", {"replacement": 1, "insertion": 1}),  # no capital of it
        ("wir müssten", "wir müßten", {"replacement": 1, "deletion": 1}),
        ("ΟΔΟΣ", "οδος", {"case": 4}),
        ("the river", "theriver", {"space": 1}),
        ("the river.", "the river", {"punctuation": 1}),
        ("the river", "the bank", {"word": 1}),
        ("हिन्दी भाषा", "हिन्दि भाषा", {"replacement": 1}),
    ],
)
def test_types_of_edits(before: str, after: str, expected: dict[str, int]) -> None:
    assert dict(edit_types(before, after)) == expected


def test_distributions_of_edits_are_compared() -> None:
    one = counted([("the river", "teh river"), ("a", "a"), ("the river", "the rver")])
    assert shares(one)["exchange"] == 0.5
    assert distance(one, one) == 0
    assert distance(one, {"word": 3}) == 1
    assert distance({}, {}) == 0


def blocks(page: str) -> list[str]:
    """What stands between fences in a page of the documents."""
    text = (Path(__file__).parents[2] / "docs" / page).read_text(encoding="utf-8")
    return text.split("```")[1::2]


def test_the_noisy_snips_is_a_twin_as_the_docs_declare_it(official_data: Callable[..., Path]) -> None:
    root = official_data("real-noise")
    (block,) = (b for b in blocks("natural-noise.md") if "snips-noisy:" in b)
    study = parse_study(STUDY + block)
    declare_own(study.tasks, root)
    (twin,) = study.section("twins")
    # Rows of each data.tsv, and the first line of each seq.in, the authors' own text without marks.
    spanish = "me gustaría tener esta cancion en mi lista de reproducción Classical Relaxations"
    french = "J’aimerais ajouter cete piste a ma liste de lecture Classical Relaxations ."
    for language, items, first in (("es", 686, spanish), ("fr", 691, french)):
        clean, noisy = (load(TASKS[n], language, "test", FilesSource(root)) for n in (twin.target, twin.variant))
        made = twins(clean, noisy, marks=twin.marks)
        assert (len(clean), made.aligned, made.lost, made.label, made.torn) == (items, items, 0, 0, 0)
        assert made.data.examples[0].example.first == first  # type: ignore[union-attr]
        assert len(made.data.changed_ids) == items


def test_the_noisy_panx_is_read_as_the_docs_declare_it(official_data: Callable[..., Path]) -> None:
    root = official_data("real-noise")
    (block,) = (b for b in blocks("natural-noise.md") if "panx-noisy:" in b)
    declare_own(parse_study(STUDY + block).tasks, root)
    data = load(TASKS["panx-noisy"], "fr", "test", FilesSource(root))
    second = data.examples[1]
    assert isinstance(second, TaggingExample)
    assert second.words == ("Liste", "des", "Communes", "de", "la", "Haute-Saône")
    assert second.tags == ("B-LOC", "I-LOC", "I-LOC", "I-LOC", "I-LOC", "I-LOC")


STUDY = "name: docs\nencoder: x\nroutes: {none: []}\ntargets: {tasks: {xnli: null}}\n"

REAL = """
noisy:
  like: xnli
  files: real-noise/paper_data/xnli/test_{language}_typos_0.05.tsv
  labels: {0: entailment, 1: neutral, 2: contradiction}
  columns: {first: premise, second: hypothesis, label: label}
  parallel: true
"""


@pytest.mark.slow
def test_the_real_noise_of_xnli_is_found_in_its_items(official_data: Callable[..., Path], tmp_path: Path) -> None:
    root = official_data("xnli", "real-noise")
    path = tmp_path / "noisy.yaml"
    path.write_text(REAL)
    declare_own(read_task_file(path), root)
    source = FilesSource(root)
    standard = load(TASKS["xnli"], "de", "test", source)
    variant = load(TASKS["noisy"], "de", "test", source)
    made = twins(standard, variant, quotes="'")
    # The pack's README: 658 items of the clean test set.
    assert len(variant) == 658
    assert made.aligned >= 650
    assert made.label <= 5
    assert made.data.changed_share > 0.12
    changed = [(a, p.example) for a, p in zip(standard.examples, made.data, strict=True) if p.changed]
    types = shares(counted((getattr(a, f), getattr(b, f)) for a, b in changed for f in ("first", "second")))
    assert types["word"] < 0.5


def test_the_damage_of_a_variant_of_queries_is_that_of_the_queries() -> None:
    texts = sentences(20)
    pool = Pool(tuple(Candidate(f"c{i}", "en", t) for i, t in enumerate(texts)))

    def queries(written: list[str]) -> Dataset:
        items = tuple(QueryExample(f"q{i}", f"q{i}", "en", t, (f"c{i}",)) for i, t in enumerate(written))
        return Dataset("tatoeba", "en", "test", items, pool, fingerprint=written[0])

    clean = queries([t.replace("house", "river") for t in texts])
    made = twins(clean, queries([e.query.replace("river", "rivr") for e in clean.examples]), by_rows=True)  # type: ignore[union-attr]
    rivers = sum(e.query.count("river") for e in clean.examples)  # type: ignore[union-attr]
    assert rivers > 10
    assert damage_of(clean, made.data, TWIN_FIELDS).edits == rivers


HINDI = ["नदी के पास एक घर है।", "वह कल बाज़ार गया था।", "मुझे यह किताब पसंद है।", "आज बहुत ठंड है।"]


@pytest.mark.parametrize(
    "variant",
    [
        [
            "nadi ke paas ek ghar hai.",
            "vah kal bazaar gaya tha.",
            "mujhe yah kitaab pasand hai.",
            "aaj bahut thand hai.",
        ],
        ["river ke paas ek house hai।", "वह yesterday market गया था।", "मुझे ये book पसंद है।", "today बहुत cold है।"],
    ],
    ids=["romanised", "code-switched"],
)
def test_rows_in_another_script_or_with_another_language_mixed_in_are_paired_by_row(variant: list[str]) -> None:
    standard, other = data(pairs(HINDI)), data(pairs(variant, "other"))
    made = twins(standard, other, by_rows=True)
    assert (made.aligned, made.lost, made.label, made.torn) == (4, 0, 0, 0)
    assert [e.example.first for e in made.data] == variant  # type: ignore[union-attr]
    assert [e.example.id for e in made.data] == [f"xnli/{i}" for i in range(4)]
    replayed = replay_dataset(standard, made.data.table())
    assert [e.example for e in replayed] == [e.example for e in made.data]
    # A part of the test set takes its own rows of the variant.
    part = data([standard.examples[i] for i in (1, 3)])
    assert [e.first for e in rows_of(part, standard, other).examples] == [variant[1], variant[3]]  # type: ignore[union-attr]


def test_romanised_words_keep_their_tags() -> None:
    tags = ("B-PER", "O", "B-LOC", "O")
    standard = data([TaggingExample("t", "t", "hi", ("राम", "कल", "दिल्ली", "गया"), tags)], "panx")
    other = data([TaggingExample("v", "v", "hi", ("Raam", "kal", "Dilli", "gaya"), tags)], "latin")
    made = twins(standard, other, by_rows=True)
    assert made.data.examples[0].example == TaggingExample("t", "t", "hi", ("Raam", "kal", "Dilli", "gaya"), tags)


def test_rows_of_another_label_are_left_out_and_another_order_or_length_is_refused() -> None:
    texts = [f"नदी {i}" for i in range(8)]
    standard = data([*pairs(texts[:4], label=0), *pairs(texts[4:], label=1)])
    latin = [f"nadi {i}" for i in range(8)]
    one = data([*pairs(latin[:5], label=0), *pairs(latin[5:], label=1)], "latin")  # of eight rows one has another label
    made = twins(standard, one, by_rows=True)
    assert (made.aligned, made.label) == (8, 1)
    assert made.data.examples[4].example == standard.examples[4]
    with pytest.raises(UserError, match="8 of 8 rows of latin have another label"):
        twins(standard, data([*pairs(latin[4:], label=1), *pairs(latin[:4], label=0)], "latin"), by_rows=True)
    with pytest.raises(UserError, match=r"latin has 2 rows, xnli \(en\) 8"):
        twins(standard, data(pairs(latin[:2]), "latin"), by_rows=True)
    with pytest.raises(UserError, match="latin has 2 rows"):
        rows_of(standard, standard, data(pairs(latin[:2]), "latin"))
    with pytest.raises(UserError, match="no item of latin is like one") as refused:
        twins(standard, data(pairs(latin), "latin"))
    assert "rows: true" in str(refused.value.hint)
