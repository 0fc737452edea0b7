"""Training on perturbed examples: who is perturbed, how often, and that nothing else changes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from crosswind.data.examples import Candidate, PairExample, Pool, QueryExample, Span, SpanExample, TaggingExample
from crosswind.model.encoder import Encoder
from crosswind.model.heads import attach
from crosswind.perturb.perturbation import Environment
from crosswind.perturb.spec import parse_spec
from crosswind.train.augment import Augmentation, Augmented, augmented_examples
from crosswind.train.loop import train
from crosswind.train.objective import Visit
from crosswind.train.objectives import task_objective
from crosswind.train.settings import Training

Fresh = Callable[..., Encoder]
LABELS = ("entailment", "neutral", "contradiction")
PAIRS = [
    PairExample(f"p{i}", f"c{i}", ("en", "de")[i % 2], f"The quick brown fox number {i}", f"A lazy dog {i}", i % 3)
    for i in range(400)
]
SWAP = parse_spec("swap:0.5")
UPPER = parse_spec("keyboard:0.9")


def epoch_of(augmentations: list[Augmentation], epoch: int, *, seed: int = 1, examples: Any = PAIRS) -> list[Any]:
    return augmented_examples(examples, augmentations, task="nli", seed=seed, epoch=epoch, fields=("first", "second"))


def changed(examples: list[Any]) -> set[str]:
    return {a.id for a, b in zip(PAIRS, examples, strict=True) if a != b}


def test_a_share_of_the_examples_is_perturbed_and_labels_stay() -> None:
    made = epoch_of([Augmentation(SWAP, 0.3)], 0)
    assert 80 < len(changed(made)) < 160  # binomial(400, .3): mean 120, standard deviation 9
    assert [(e.id, e.label, e.language) for e in made] == [(e.id, e.label, e.language) for e in PAIRS]


def test_another_epoch_or_seed_draws_anew_and_the_same_one_repeats() -> None:
    first = epoch_of([Augmentation(SWAP, 1.0)], 0)
    assert epoch_of([Augmentation(SWAP, 1.0)], 0) == first
    assert epoch_of([Augmentation(SWAP, 1.0)], 1) != first
    assert epoch_of([Augmentation(SWAP, 1.0)], 0, seed=2) != first
    assert changed(epoch_of([Augmentation(SWAP, 0.3)], 0)) != changed(epoch_of([Augmentation(SWAP, 0.3)], 1))


def test_an_example_does_not_depend_on_its_company() -> None:
    whole = epoch_of([Augmentation(SWAP, 0.5)], 3)
    assert epoch_of([Augmentation(SWAP, 0.5)], 3, examples=PAIRS[7:9]) == whole[7:9]


def test_several_augmentations_divide_the_examples() -> None:
    both = epoch_of([Augmentation(SWAP, 0.25), Augmentation(UPPER, 0.25)], 0)
    first = changed(epoch_of([Augmentation(SWAP, 0.25)], 0))
    assert first < changed(both)
    assert 160 < len(changed(both)) < 240
    by_id = {e.id: e for e in both}
    alone = {e.id: e for e in epoch_of([Augmentation(SWAP, 0.25)], 0)}
    assert all(by_id[i] == alone[i] for i in first)


def test_each_example_gets_its_own_embedded_languages(tmp_path: Path) -> None:
    from crosswind.perturb.lexicons import environment_of

    for language in ("de", "fr", "ru"):
        (tmp_path / f"en-{language}.txt").write_text("".join(f"{w} {w}{language}\n" for w in ("the", "quick", "brown")))
    environment: Environment = environment_of(str(tmp_path))
    spec = parse_spec("codemix(embed=de,fr,ru):1")
    examples = [
        PairExample(f"p{i}", "c", "en", "the quick brown the quick brown the quick brown", "x", 0) for i in range(90)
    ]
    made = augmented_examples(
        examples,
        [Augmentation(spec, 1.0, pick=2)],
        task="t",
        seed=1,
        epoch=0,
        fields=("first",),
        environment=environment,
    )
    mixes = Counter(frozenset(word[-2:] for word in e.first.split()) for e in made)
    assert all(len(mix) <= 2 for mix in mixes)
    pairs = {mix for mix in mixes if len(mix) == 2}
    assert pairs == {frozenset(p) for p in (("de", "fr"), ("de", "ru"), ("fr", "ru"))}


def test_code_mixed_training_takes_phrases_of_two_languages_an_example(tmp_path: Path) -> None:
    # CAT (Tan & Joty 2021): two embedded languages an example, a third of the sentences, .15 of the phrases.
    phrases = ("the quick", "brown fox", "jumps over", "lazy dogs")
    for language in ("de", "fr", "ru"):
        lines = [f"{phrase}\t{phrase.replace(' ', '-')}-{language} x\t3" for phrase in phrases]
        (tmp_path / f"en-{language}.phrases.tsv").write_text("\n".join(lines), encoding="utf-8")
    spec = parse_spec(f'codemix-phrase(embed=de,fr,ru,phrases="{tmp_path}"):0.15')
    text = "the quick brown fox jumps over lazy dogs"
    examples = [PairExample(f"p{i}", "c", "en", text, "x", 0) for i in range(600)]
    cat = [Augmentation(spec, 0.33, pick=2)]
    epochs = [augmented_examples(examples, cat, task="t", seed=1, epoch=epoch, fields=("first",)) for epoch in range(2)]
    assert epochs[0] != epochs[1]
    new = [re.findall(r"([a-z]+-[a-z]+)-(de|fr|ru) x", e.first) for some in epochs for e in some]  # type: ignore[union-attr]
    phrases_of = [phrase for found in new for phrase, _ in found]
    # Of 1,200 examples .33 are chosen, and .15 of their four phrases change: 238 in the mean, standard deviation 18.
    assert 170 < len(phrases_of) < 310
    assert set(phrases_of) == {phrase.replace(" ", "-") for phrase in phrases}
    assert {language for found in new for _, language in found} == {"de", "fr", "ru"}
    assert all(len({language for _, language in found}) <= 2 for found in new)
    mixed = [e.first for some in epochs for e in some if e.first != text]  # type: ignore[union-attr]
    assert 100 < len(mixed) < 240  # 1 - .85^4 = .478 of the 396 that are chosen: 189


def objective_of(fresh_encoder: Fresh, kind: str) -> tuple[Any, list[Any], Pool | None]:
    encoder = fresh_encoder("xlm-roberta")
    texts = [f"The quick brown fox jumps over {i} dogs" for i in range(6)]
    pool = Pool(tuple(Candidate(f"d{i}", "en", f"{t} indeed") for i, t in enumerate(texts)))
    examples: dict[str, list[Any]] = {
        "pair": [PairExample(f"p{i}", "c", "en", t, t, i % 3) for i, t in enumerate(texts)],
        "tagging": [TaggingExample(f"t{i}", "c", "en", tuple(t.split()), ("X",) * 8) for i, t in enumerate(texts)],
        "span": [SpanExample(f"s{i}", "c", "en", "Who jumps?", t, (Span(4, 19),)) for i, t in enumerate(texts)],
        "query": [QueryExample(f"q{i}", "c", "en", t, (f"d{i}",)) for i, t in enumerate(texts)],
    }
    labels = {"pair": LABELS, "tagging": ("X", "Y")}.get(kind, ())
    return attach(encoder, kind, labels, seed=1), examples[kind], pool  # type: ignore[arg-type]


FIELDS = {"pair": ("first", "second"), "tagging": ("words",), "span": ("question", "context"), "query": ("query",)}


@pytest.mark.parametrize("kind", ["pair", "tagging", "span", "query"])
def test_a_batch_over_two_epochs_holds_the_rows_of_each(fresh_encoder: Fresh, kind: str) -> None:
    head, examples, pool = objective_of(fresh_encoder, kind)
    encoder = fresh_encoder("xlm-roberta")

    def of_epoch(epoch: int) -> Any:
        made = augmented_examples(
            examples, [Augmentation(SWAP, 0.7)], task="t", seed=1, epoch=epoch, fields=FIELDS[kind]
        )
        return task_objective("t", encoder, head, made, max_length=64, pool=pool)

    clean = task_objective("t", encoder, head, examples, max_length=64, pool=pool)
    both = Augmented(clean, of_epoch, 4)
    visits = [Visit(0, 0), Visit(3, 1), Visit(1, 0), Visit(3, 0)]
    batches = both.batch(visits, 0)
    rows = [of_epoch(v.epoch).rows(v.example) for v in visits]
    if kind == "query":
        seen = [[b.inputs["input_ids"][i] for b in batches] for i in range(4)]
    else:
        (batch,) = batches
        seen = [[batch.inputs["input_ids"][i]] for i in range(4)]
    for of_visit, expected in zip(seen, rows, strict=True):
        for ids, row in zip(of_visit, expected, strict=True):
            assert ids[: len(row)].tolist() == list(row.ids)
    assert [both.terms(*v) for v in visits] == [of_epoch(v.epoch).terms(v.example) for v in visits]


def test_training_on_augmented_examples_is_resumed_bit_for_bit(fresh_encoder: Fresh, tmp_path: Path) -> None:
    def run(folder: Path | None, steps: int) -> dict[str, torch.Tensor]:
        encoder = fresh_encoder("xlm-roberta")
        head = attach(encoder, "pair", LABELS, seed=1)
        examples = PAIRS[:7]

        def of_epoch(epoch: int) -> Any:
            made = epoch_of([Augmentation(SWAP, 0.5)], epoch, examples=examples)
            return task_objective("t", encoder, head, made, max_length=32)

        clean = task_objective("t", encoder, head, examples, max_length=32)
        settings = Training(batch_size=3, learning_rate=1e-3, decay="constant")
        modules = {"encoder": encoder.modules(), "head": head.module}
        train(modules, [Augmented(clean, of_epoch, 3)], [1.0], steps, settings, seed=1, folder=folder, interval=0)
        return {n: p.detach().clone() for n, p in encoder.backbone.named_parameters()}

    whole = run(None, 5)
    run(tmp_path, 2)
    resumed = run(tmp_path, 5)
    assert all(torch.equal(whole[n], resumed[n]) for n in whole)
