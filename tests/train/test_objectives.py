"""Every objective's loss against one computed with plain transformers and torch on the same examples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from crosswind.data.examples import (
    Candidate,
    ChoiceExample,
    PairExample,
    ParallelLine,
    Pool,
    QueryExample,
    Span,
    SpanExample,
    TaggingExample,
    TextLine,
)
from crosswind.errors import UserError
from crosswind.model.encoder import Encoder, load_encoder
from crosswind.model.heads import attach
from crosswind.model.pooling import Pooling
from crosswind.model.rows import encode_spans
from crosswind.train.masked import MaskedLM, masked_lm
from crosswind.train.objective import Objective, Visit
from crosswind.train.objectives import task_objective
from tiny_models import TEXTS

Fresh = Callable[..., Encoder]
INPUTS = ("input_ids", "attention_mask", "token_type_ids")
CPU = torch.device("cpu")
LABELS = ("entailment", "neutral", "contradiction")
TAGS = ("NOUN", "VERB", "X")

PAIRS = [PairExample(f"p{i}", "c", "en", a, TEXTS[-1 - i], i % 3) for i, a in enumerate(TEXTS)]
CHOICES = [
    ChoiceExample("c0", "c", "en", "The fox jumps.", "Why?", ("the dog", "a man inspects it", "rain"), 1),
    ChoiceExample("c1", "c", "en", "", "Who?", ("he", "they"), 0),
    ChoiceExample("c2", "c", "en", "Мама мыла раму.", "", ("首都", "x", "uniform", "the lazy dog", "½"), 4),
]
SENTENCES = [
    TaggingExample(f"t{i}", "c", "en", tuple(t.split()), tuple(TAGS[(i + k) % 3] for k in range(len(t.split()))))
    for i, t in enumerate(TEXTS)
]
SPANS = [
    SpanExample("s0", "c", "en", "Who jumps?", TEXTS[0], (Span(4, 19),)),  # quick brown fox
    SpanExample("s1", "c", "th", "Who?", TEXTS[4], ()),
    SpanExample("s2", "c", "zh", "首都", TEXTS[6], (Span(0, 2), Span(3, 5))),
]
POOL = Pool(tuple(Candidate(f"d{i}", "en", t, TEXTS[i - 1] if i % 2 else "") for i, t in enumerate(TEXTS)))
QUERIES = [QueryExample(f"q{i}", "c", "en", TEXTS[i][:20], (f"d{i}",)) for i in range(5)]
LINES = [TextLine(f"l{i}", "en", t) for i, t in enumerate(TEXTS)]


def summed_loss(objective: Objective, visits: list[Visit], step: int, device: torch.device) -> torch.Tensor:
    """The summed loss of some examples: batches, forward passes, loss."""
    batches = tuple(b.to(device) for b in objective.batch(visits, step))
    return objective.loss(batches, [objective.forward(b) for b in batches])


def total(objective: Any, indices: Sequence[int]) -> tuple[torch.Tensor, int]:
    objective.encoder.modules().eval()
    if hasattr(objective, "head"):
        objective.head.module.eval()
    return summed_loss(objective, [Visit(i) for i in indices], 0, CPU), sum(objective.terms(i) for i in indices)


@pytest.mark.parametrize("architecture", ["xlm-roberta", "bert", "distilbert"])
def test_the_loss_of_pairs_is_transformers_own(architecture: str, fresh_encoder: Fresh) -> None:
    encoder = fresh_encoder(architecture)
    head: Any = attach(encoder, "pair", LABELS, seed=1)
    loss, terms = total(task_objective("t", encoder, head, PAIRS, max_length=128), range(10))
    texts = [e.first for e in PAIRS], [e.second for e in PAIRS]
    batch = encoder.tokenizer(*texts, padding=True, return_tensors="pt")
    expected = head.module(**batch, labels=torch.tensor([e.label for e in PAIRS])).loss
    assert terms == 10
    torch.testing.assert_close(loss / terms, expected)


@pytest.mark.parametrize("architecture", ["xlm-roberta", "bert", "distilbert", "deberta"])
def test_the_loss_of_choices_is_that_of_each_example_alone_with_its_own_number_of_choices(
    architecture: str, fresh_encoder: Fresh
) -> None:
    encoder = fresh_encoder(architecture)
    head: Any = attach(encoder, "choice", (), seed=1)
    loss, terms = total(task_objective("t", encoder, head, CHOICES, max_length=128), [0, 1, 2])
    expected = torch.zeros(())
    for e in CHOICES:
        prompt = " ".join(x for x in (e.context, e.question) if x)
        batch = encoder.tokenizer([prompt] * len(e.choices), list(e.choices), padding=True, return_tensors="pt")
        if architecture == "deberta":  # our own head: a score a row
            scores = head.module(**batch)
        else:
            scores = head.module(**{k: v.unsqueeze(0) for k, v in batch.items()}).logits[0]
        expected = expected - F.log_softmax(scores, -1)[e.label or 0]
    assert terms == 3
    torch.testing.assert_close(loss, expected)


@pytest.mark.parametrize("architecture", ["xlm-roberta", "bert", "modernbert"])
def test_the_loss_of_tags_is_transformers_own_on_first_sub_tokens(architecture: str, fresh_encoder: Fresh) -> None:
    encoder = fresh_encoder(architecture)
    head: Any = attach(encoder, "tagging", TAGS, seed=1)
    loss, terms = total(task_objective("t", encoder, head, SENTENCES, max_length=128), range(10))
    batch = encoder.tokenizer(
        [list(e.words) for e in SENTENCES], is_split_into_words=True, padding=True, return_tensors="pt"
    )
    labels = torch.full_like(batch["input_ids"], -100)
    for i, e in enumerate(SENTENCES):
        words = batch.word_ids(i)
        for k, tag in enumerate(e.tags or ()):
            labels[i, words.index(k)] = TAGS.index(tag)
    assert terms == sum(len(e.words) for e in SENTENCES) == int((labels != -100).sum())
    torch.testing.assert_close(loss / terms, head.module(**batch, labels=labels).loss)


def test_the_loss_of_tags_is_the_same_in_windows_that_hold_the_same_words(fresh_encoder: Fresh) -> None:
    """Terms are words, whichever window they stand in."""
    encoder = fresh_encoder()
    objective = task_objective("t", encoder, attach(encoder, "tagging", TAGS, seed=1), SENTENCES, max_length=12)
    assert max(len(objective.rows(i)) for i in range(10)) > 1
    loss, terms = total(objective, range(10))
    alone = [total(objective, [i]) for i in range(10)]
    assert terms == sum(n for _, n in alone) == sum(len(e.words) for e in SENTENCES)
    torch.testing.assert_close(loss, torch.stack([v for v, _ in alone]).sum())


@pytest.mark.parametrize("architecture", ["xlm-roberta", "bert", "distilbert", "electra"])
def test_the_loss_of_spans_is_transformers_own_row_by_row(architecture: str, fresh_encoder: Fresh) -> None:
    """Row by row: transformers lets padding into its softmax, so that its loss depends on the batch."""
    encoder = fresh_encoder(architecture)
    head: Any = attach(encoder, "span", (), seed=1)
    loss, terms = total(task_objective("t", encoder, head, SPANS, max_length=128), [0, 1, 2])
    expected = torch.zeros(())
    for e in SPANS:
        batch = encoder.tokenizer(e.question, e.context, return_tensors="pt")
        start = end = 0
        if e.answers:
            a = e.answers[0]
            start = batch.char_to_token(a.start, sequence_index=1)
            end = batch.char_to_token(a.end - 1, sequence_index=1)
        positions = {"start_positions": torch.tensor([start]), "end_positions": torch.tensor([end])}
        expected = expected + head.module(**batch, **positions).loss
    assert terms == 3
    torch.testing.assert_close(loss, expected)


def test_every_window_of_a_long_context_is_a_term(fresh_encoder: Fresh) -> None:
    encoder = fresh_encoder()
    long = SpanExample("s", "c", "en", "Who?", " ".join(TEXTS), (Span(4, 19),))
    objective = task_objective("t", encoder, attach(encoder, "span", (), seed=1), [long], max_length=32, stride=8)
    rows = encode_spans(encoder.tokenizer, [long], 32, 8)
    assert objective.terms(0) == len(rows) > 5


def test_the_in_batch_softmax_is_that_of_the_scaled_cosines(fresh_encoder: Fresh) -> None:
    encoder = fresh_encoder()
    head: Any = attach(encoder, "query", (), seed=1, pooling=Pooling("mean", None, "query: "))
    objective = task_objective("t", encoder, head, QUERIES, max_length=128, pool=POOL)
    assert objective.whole_batch
    loss, terms = total(objective, range(5))

    def embed(text: str, context: str = "") -> torch.Tensor:
        pair = (text, context) if context else (text,)
        out = encoder.backbone(**encoder.tokenizer(*pair, return_tensors="pt")).last_hidden_state[0].mean(0)
        return out / out.norm()

    queries = torch.stack([embed("query: " + e.query) for e in QUERIES])
    golds = torch.stack([embed("query: " + c.text, c.context) for c in POOL.candidates[:5]])
    expected = F.cross_entropy(100.0 * queries @ golds.T, torch.arange(5), reduction="sum")
    assert terms == 5
    torch.testing.assert_close(loss, expected, rtol=1e-4, atol=1e-4)


def test_a_candidate_that_is_right_for_another_query_of_the_batch_is_not_its_negative(fresh_encoder: Fresh) -> None:
    encoder = fresh_encoder()
    head: Any = attach(encoder, "query", (), seed=1)
    shared = [
        QueryExample("q0", "c", "en", "fox", ("d0", "d1")),  # positive d0; d1 is right too
        QueryExample("q1", "c", "en", "man", ("d1",)),
        QueryExample("q2", "c", "en", "dog", ("d2",)),
    ]
    objective = task_objective("t", encoder, head, shared, max_length=128, pool=POOL)
    loss, _ = total(objective, [0, 1, 2])
    pairs = [total(objective, [0, 2])[0], total(objective, [1, 0, 2])[0]]
    queries, golds = (
        head({k: torch.from_numpy(v) for k, v in batch.items()})
        for batch in (_padded(objective, 0, encoder), _padded(objective, 1, encoder))
    )
    cosines = 100.0 * queries @ golds.T
    expected = (
        torch.logsumexp(cosines[0, [0, 2]], 0) - cosines[0, 0]  # without d1
        + torch.logsumexp(cosines[1], 0) - cosines[1, 1]
        + torch.logsumexp(cosines[2], 0) - cosines[2, 2]
    )  # fmt: skip
    torch.testing.assert_close(loss, expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(pairs[1], loss, rtol=1e-4, atol=1e-4)
    # The same example twice in a batch, as at the border of two epochs, is not its own negative.
    twice, _ = total(objective, [2, 2, 0])
    once, _ = total(objective, [2, 0])
    alone = torch.logsumexp(cosines[2, [2, 0]], 0) - cosines[2, 2]
    doubled = torch.logsumexp(cosines[0, [0, 2, 2]], 0) - torch.logsumexp(cosines[0, [0, 2]], 0)
    torch.testing.assert_close(twice, once + alone + doubled, rtol=1e-4, atol=1e-4)


def test_the_same_sentence_in_another_paragraph_is_no_negative(fresh_encoder: Fresh) -> None:
    encoder = fresh_encoder()
    head: Any = attach(encoder, "query", (), seed=1)
    first = POOL.candidates[0]
    pool = Pool((first, replace(first, id="again", context="Another paragraph. " + first.text), POOL.candidates[2]))
    queries = [
        QueryExample(f"q{i}", "c", "en", text, (pool.candidates[i].id,)) for i, text in enumerate(("a", "b", "c"))
    ]
    objective = task_objective("t", encoder, head, queries, max_length=128, pool=pool)
    _, candidates = objective.batch([Visit(i, 0) for i in range(3)], 0)
    assert candidates.targets["right"].tolist() == [[False, True, False], [True, False, False], [False] * 3]


def _padded(objective: Any, which: int, encoder: Encoder) -> dict[str, Any]:
    rows = [objective.rows(i)[which] for i in range(3)]
    length = max(len(r) for r in rows)
    pad_id = encoder.tokenizer.pad_token_id
    ids = np.array([[*r.ids, *[pad_id] * (length - len(r))] for r in rows])
    return {"input_ids": ids, "attention_mask": (ids != pad_id).astype(np.int64)}


# Masked LM


def record(objective: MaskedLM, indices: Sequence[int], step: int) -> tuple[torch.Tensor, dict[str, Any]]:
    """The loss, and the batch with its masks as the backbone saw it."""
    seen: dict[str, Any] = {}
    hook = objective.encoder.backbone.register_forward_pre_hook(
        lambda module, args, kwargs: seen.update(dict(zip(INPUTS, args, strict=False)) | kwargs), with_kwargs=True
    )
    objective.encoder.modules().eval()
    loss = summed_loss(objective, [Visit(i) for i in indices], step, CPU)
    hook.remove()
    return loss, {k: seen[k] for k in INPUTS if k in seen}


def original(objective: MaskedLM, indices: Sequence[int], shape: torch.Size) -> torch.Tensor:
    ids = torch.full(shape, int(objective.encoder.tokenizer.pad_token_id))
    for r, i in enumerate(indices):
        row = objective.rows(i)[0].ids
        ids[r, : len(row)] = torch.from_numpy(row)
    return ids


@pytest.mark.parametrize("architecture", ["xlm-roberta", "bert", "distilbert", "electra", "modernbert", "deberta-v2"])
def test_the_masked_lm_loss_is_transformers_own_at_the_chosen_positions(
    architecture: str, fresh_encoder: Fresh
) -> None:
    encoder = fresh_encoder(architecture)
    objective = masked_lm("mlm", encoder, LINES, max_length=128, seed=3)
    assert encoder.lm is not None
    for step in range(3):
        loss, batch = record(objective, range(10), step)
        gold = original(objective, range(10), batch["input_ids"].shape)
        losses = F.cross_entropy(encoder.lm(**batch).logits.flatten(0, 1), gold.flatten(), reduction="none")
        losses = losses.view(gold.shape)
        changed = batch["input_ids"] != gold
        count = sum(objective.terms(i) for i in range(10))
        # Chosen pieces that stay as they were are not seen from outside: add the best-fitting ones.
        assert int(changed.sum()) <= count
        rest = float(loss - losses[changed].sum())
        free = losses[~changed & (batch["attention_mask"] == 1)]
        unseen = count - int(changed.sum())
        if unseen == 0:
            assert rest == pytest.approx(0.0, abs=1e-3)
        else:
            assert float(free.min()) * unseen - 1e-3 <= rest <= float(free.max()) * unseen + 1e-3
        if unseen == 1:
            assert float((free - rest).abs().min()) < 1e-3


def test_masks_follow_devlin_and_spare_special_tokens(fresh_encoder: Fresh) -> None:
    """15 % chosen; of these 80 % masked, 10 % random, 10 % as they were (Devlin et al. 2019, §3.1)."""
    encoder = fresh_encoder()
    tokenizer = encoder.tokenizer
    objective = masked_lm("mlm", encoder, [TextLine("l", "en", " ".join(TEXTS[:2]))], max_length=128, seed=3)
    size = len(objective.rows(0)[0])
    chosen = objective.terms(0)
    assert chosen == round(0.15 * (size - 2))
    masked = changed = 0
    places: set[int] = set()
    for step in range(150):
        _, batch = record(objective, [0], step)
        ids, gold = batch["input_ids"][0], original(objective, [0], batch["input_ids"].shape)[0]
        assert ids[0] == gold[0]
        assert ids[size - 1] == gold[size - 1]
        masked += int((ids == tokenizer.mask_token_id).sum())
        changed += int((ids != gold).sum())
        places |= set(torch.nonzero(ids != gold).flatten().tolist())
    draws = 150 * chosen
    assert masked / draws == pytest.approx(0.8, abs=4 * (0.16 / draws) ** 0.5)
    assert changed / draws == pytest.approx(0.9, abs=4 * (0.09 / draws) ** 0.5 + 0.01)
    assert places == set(range(1, size - 1))


def test_masks_depend_on_seed_step_and_example_but_not_on_the_batch(fresh_encoder: Fresh) -> None:
    encoder = fresh_encoder()

    def masks(seed: int, step: int, indices: list[int]) -> list[list[int]]:
        objective = masked_lm("mlm", encoder, LINES, max_length=128, seed=seed)
        _, batch = record(objective, indices, step)
        return [r[: len(objective.rows(i)[0])].tolist() for i, r in zip(indices, batch["input_ids"], strict=True)]

    assert masks(1, 0, [2, 0, 5])[1] == masks(1, 0, [0])[0]
    assert masks(1, 0, [0]) != masks(1, 1, [0])
    assert masks(1, 0, [0]) != masks(2, 0, [0])


def test_translation_lm_reads_two_languages_of_a_line_as_a_pair(fresh_encoder: Fresh) -> None:
    encoder = fresh_encoder()
    texts = (("en", TEXTS[0]), ("ru", TEXTS[3]), ("th", TEXTS[4]))
    objective = masked_lm(
        "tlm", encoder, [LINES[1], *[ParallelLine(f"p{i}", texts) for i in range(40)]], max_length=128, seed=3
    )
    assert objective.rows(0)[0].ids.tolist() == encoder.tokenizer(TEXTS[1])["input_ids"]
    possible = {tuple(encoder.tokenizer(a, b)["input_ids"]) for _, a in texts for _, b in texts if a != b}
    found = {tuple(objective.rows(i)[0].ids.tolist()) for i in range(1, 41)}
    assert found == possible
    assert len(objective.lengths) == 41


def test_the_real_encoder_predicts_masked_words_far_better_than_chance(real_encoder: Path) -> None:
    """Chance is ln 64004 = 11.1 nats."""
    encoder = load_encoder(str(real_encoder))
    lines = [
        TextLine("a", "en", "Paris is the capital of France and the largest city of the country."),
        TextLine("b", "de", "Berlin ist die Hauptstadt von Deutschland und die größte Stadt des Landes."),
    ]
    objective = masked_lm("mlm", encoder, lines, max_length=64, seed=1)
    encoder.modules().eval()
    with torch.inference_mode():
        terms = objective.terms(0) + objective.terms(1)
        losses = [float(summed_loss(objective, [Visit(0), Visit(1)], s, CPU)) / terms for s in range(6)]
    assert np.mean(losses) < 6.0


def test_padding_does_not_go_beyond_the_models_positions(fresh_encoder: Fresh) -> None:
    encoder = fresh_encoder("bert")
    encoder.tokenizer.model_max_length = 41
    encoder.backbone.embeddings.position_ids = encoder.backbone.embeddings.position_ids[:, :41]  # type: ignore[union-attr, index]
    head = attach(encoder, "pair", LABELS, seed=1)
    long = [PairExample("p", "c", "en", TEXTS[0] * 9, TEXTS[1] * 9, 1)]
    assert torch.isfinite(total(task_objective("t", encoder, head, long, max_length=41), [0])[0])


def test_queries_and_candidates_have_lengths_of_their_own(fresh_encoder: Fresh) -> None:
    encoder = fresh_encoder()
    head = attach(encoder, "query", (), seed=1)
    same = task_objective("t", encoder, head, QUERIES, max_length=24, pool=POOL)
    shorter = task_objective("t", encoder, head, QUERIES, max_length=24, query_length=6, pool=POOL)
    assert max(len(same.rows(i)[0]) for i in range(5)) > 6
    assert max(len(shorter.rows(i)[0]) for i in range(5)) == 6
    assert [len(shorter.rows(i)[1]) for i in range(5)] == [len(same.rows(i)[1]) for i in range(5)]


# The middle of a step


@pytest.mark.parametrize("architecture", ["xlm-roberta", "bert", "distilbert", "modernbert"])
@pytest.mark.parametrize("kind", ["pair", "choice", "tagging", "span", "query", "mlm"])
def test_the_words_own_embeddings_give_the_same_gradient_as_the_words(
    kind: Any, architecture: str, fresh_encoder: Fresh
) -> None:
    encoder = fresh_encoder(architecture)
    data: dict[Any, Any] = {"pair": PAIRS, "choice": CHOICES, "tagging": SENTENCES, "span": SPANS, "query": QUERIES}
    objective: Objective
    if kind == "mlm":
        objective = masked_lm("mlm", encoder, LINES, max_length=64, seed=1)
    else:
        head = attach(encoder, kind, {"pair": LABELS, "tagging": TAGS}.get(kind, ()), seed=1)
        objective = task_objective("t", encoder, head, data[kind], max_length=64, pool=POOL)
    encoder.modules().eval()
    visits = [Visit(0), Visit(2), Visit(1)]
    parameters = [p for p in encoder.backbone.parameters() if p.requires_grad]
    plain = summed_loss(objective, visits, 0, CPU)
    batches = objective.batch(visits, 0)
    outputs = [objective.forward(b, encoder.embeddings(b.inputs["input_ids"])) for b in batches]
    wrapped = objective.loss(batches, outputs)
    torch.testing.assert_close(wrapped, plain)
    for a, b in zip(
        torch.autograd.grad(plain, parameters, allow_unused=True),
        torch.autograd.grad(wrapped, parameters, allow_unused=True),
        strict=True,
    ):
        if a is not None and b is not None:
            torch.testing.assert_close(b, a, rtol=1e-4, atol=1e-5)
        else:
            assert a is b is None


# Errors


@pytest.mark.parametrize(
    ("kind", "example"),
    [
        ("pair", PairExample("x", "c", "en", "a", "b")),
        ("choice", ChoiceExample("x", "c", "en", "a", "b", ("c", "d"))),
        ("tagging", TaggingExample("x", "c", "en", ("a",))),
        ("span", SpanExample("x", "c", "en", "a", "b")),
    ],
)
def test_an_unlabelled_example_is_refused_by_its_id(kind: Any, example: Any, fresh_encoder: Fresh) -> None:
    encoder = fresh_encoder()
    labels = {"pair": LABELS, "tagging": TAGS}.get(kind, ())
    with pytest.raises(UserError, match="mnli: example x has no label"):
        task_objective("mnli", encoder, attach(encoder, kind, labels, seed=1), [example], max_length=32)


def test_clusters_are_of_one_language_and_retrieval_has_none(fresh_encoder: Fresh) -> None:
    """Or a batch of a multilingual phase would hold translations of one text where an English one holds many texts."""
    encoder = fresh_encoder("bert")
    one = replace(PAIRS[0], cluster="p", language="en")
    examples = [one, replace(one, id="1"), replace(one, id="2", language="de")]
    first, second, other = task_objective(
        "t", encoder, attach(encoder, "pair", LABELS, seed=1), examples, max_length=32
    ).clusters or ("", "", "")
    assert first == second != other
    query = attach(encoder, "query", (), seed=1, pooling=Pooling())
    assert task_objective("t", encoder, query, QUERIES, max_length=32, pool=POOL).clusters is None


def test_a_retrieval_task_without_a_pool_is_refused(fresh_encoder: Fresh) -> None:
    encoder = fresh_encoder()
    with pytest.raises(UserError, match="without a pool"):
        task_objective("tatoeba", encoder, attach(encoder, "query", (), seed=1), QUERIES, max_length=32)


def test_masked_lm_needs_a_head_and_a_mask_token(fresh_encoder: Fresh) -> None:
    encoder = fresh_encoder()
    with pytest.raises(UserError, match="no masked-LM head"):
        masked_lm("mlm", Encoder(encoder.backbone, None, encoder.tokenizer), LINES, max_length=32, seed=1)
    encoder.tokenizer.mask_token = None
    with pytest.raises(UserError, match="no mask token"):
        masked_lm("mlm", encoder, LINES, max_length=32, seed=1)
