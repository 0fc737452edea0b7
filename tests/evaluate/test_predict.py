"""Predictions of every kind: the same bits whatever the neighbours, ties to the lower index."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from crosswind.data.examples import (
    Candidate,
    ChoiceExample,
    PairExample,
    Pool,
    QueryExample,
    SpanExample,
    TaggingExample,
)
from crosswind.evaluate.predict import ANSWER_TOKENS, N_BEST, Predictor, _best_span, _Memory, embed_again, embed_pool
from crosswind.model.encoder import load_encoder
from crosswind.model.heads import Head, attach
from crosswind.model.pooling import Pooling
from crosswind.model.rows import Row
from tiny_models import TEXTS, write_encoder

LABELS = ("entailment", "neutral", "contradiction")
TAGS = ("NOUN", "VERB", "X", "PROPN")
KINDS: dict[Any, tuple[str, ...]] = {"pair": LABELS, "choice": (), "tagging": TAGS, "span": (), "query": ()}
MORE = [*TEXTS, *(a + " " + b for a, b in itertools.pairwise(TEXTS)), *(t[: 3 + i] for i, t in enumerate(TEXTS))]
POOL = Pool(tuple(Candidate(f"d{i}", "en", t, MORE[i - 1] if i % 3 == 0 else "") for i, t in enumerate(MORE)))


def examples(kind: Any) -> list[Any]:
    """Fifty of one kind: short ones, long ones, several windows."""
    texts = list(itertools.islice(itertools.cycle(MORE), 50))
    both = list(zip(texts, texts[7:] + texts[:7], range(50), strict=True))
    match kind:
        case "pair":
            return [PairExample(f"e{i}", "c", "en", a[i % 5 :], b, i % 3) for a, b, i in both]
        case "choice":
            return [ChoiceExample(f"e{i}", "c", "en", a, "Why?", (b, a[i:], "x")[: 2 + i % 2], 0) for a, b, i in both]
        case "tagging":
            return [TaggingExample(f"e{i}", "c", "en", (str(i), *(a + b).split())) for a, b, i in both]
        case "span":
            return [SpanExample(f"e{i}", "c", "en", a[:20], f"{i} {b} {a}", ()) for a, b, i in both]
        case _:
            return [QueryExample(f"e{i}", "c", "en", a[i % 4 :], (f"d{i % len(MORE)}",)) for a, _, i in both]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("encoders")


@pytest.fixture(scope="module")
def make(folder: Path) -> Callable[..., Predictor]:
    """`make("pair")`: a new predictor, without memory, of the tiny XLM-R or another encoder."""
    encoders: dict[str, Any] = {}
    heads: dict[tuple[str, str], Head] = {}

    def new(kind: Any, source: str = "xlm-roberta", **options: Any) -> Predictor:
        if source not in encoders:
            path = source if "/" in source else str(write_encoder(folder / source, source))
            encoders[source] = load_encoder(path, seed=1)
        if (source, kind) not in heads:
            heads[source, kind] = attach(encoders[source], kind, KINDS[kind], seed=1)
        return Predictor(encoders[source], heads[source, kind], **{"max_length": 48, "stride": 16, **options})

    return new


def predict(predictor: Predictor, chosen: Sequence[Any]) -> list[Any]:
    if predictor.head.kind != "query":
        return list(predictor.predict(chosen))
    vectors = embed_pool(predictor, POOL)
    records = predictor.predict(chosen, POOL, vectors)
    queries = predictor.embed([e.query for e in chosen])
    return [r | {"vector": q.tobytes()} for r, q in zip(records, queries, strict=True)]


@pytest.fixture
def use_threads() -> Iterator[Callable[[int], None]]:
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def check_canonical(new: Callable[[], Predictor], chosen: list[Any], splits: Sequence[Sequence[int]]) -> None:
    whole = predict(new(), chosen)
    assert predict(new(), chosen) == whole
    rng = np.random.default_rng(1)
    for split in splits:
        order = rng.permutation(len(chosen))
        found: dict[int, Any] = {}
        predictor = new()
        for part in np.split(order, np.cumsum(split)):
            if len(part):
                found.update(zip(part.tolist(), predict(predictor, [chosen[i] for i in part]), strict=True))
            predictor = new()
        assert [found[i] for i in range(len(chosen))] == whole


# Canonical shapes


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("kind", KINDS)
def test_predictions_are_bit_identical_whatever_the_neighbours_order_and_split(
    kind: str, precision: str, use_threads: Callable[[int], None], make: Callable[..., Predictor]
) -> None:
    use_threads(1)
    check_canonical(lambda: make(kind, precision=precision), examples(kind), ([1, 17, 30], [3] * 16))


# Two threads are slow where the cores are busy: fewer examples, batches whole and broken all the same.
@pytest.mark.parametrize(("kind", "precision"), [("pair", "bf16"), ("query", "fp32")])
def test_two_threads_predict_the_same_bits_whatever_the_neighbours(
    kind: str, precision: str, use_threads: Callable[[int], None], make: Callable[..., Predictor]
) -> None:
    use_threads(2)
    check_canonical(lambda: make(kind, precision=precision), examples(kind)[:20], ([1, 5],))


@pytest.mark.slow
@pytest.mark.parametrize(("precision", "threads"), [("fp32", 1), ("bf16", 1), ("fp32", 2), ("bf16", 2)])
def test_the_real_encoders_predictions_are_bit_identical_too(
    precision: str, threads: int, use_threads: Callable[[int], None], make: Callable[..., Predictor], real_encoder: Path
) -> None:
    use_threads(threads)
    chosen = examples("pair")[:4]
    whole = predict(make("pair", str(real_encoder), precision=precision), chosen)
    other = make("pair", str(real_encoder), precision=precision)
    assert [predict(other, [e])[0] for e in reversed(chosen[:2])] == whole[1::-1]
    assert predict(other, chosen[2:]) == whole[2:]


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["bert", "distilbert", "deberta-v2", "modernbert", "canine"])
def test_every_architecture_predicts_the_same_bits_alone(architecture: str, make: Callable[..., Predictor]) -> None:
    for kind in ("pair", "tagging"):
        chosen = examples(kind)[:8]
        whole = predict(make(kind, architecture), chosen)
        alone = make(kind, architecture)
        assert [predict(alone, [e])[0] for e in reversed(chosen)] == whole[::-1]


def test_every_forward_pass_has_the_rows_of_its_length_and_a_multiple_of_16_tokens(
    make: Callable[..., Predictor],
) -> None:
    predictor = make("pair")
    shapes: list[tuple[int, ...]] = []
    hook = predictor.encoder.backbone.register_forward_hook(
        lambda module, args, out: shapes.append(tuple(out.last_hidden_state.shape[:2]))
    )
    predict(predictor, examples("pair"))
    hook.remove()
    assert {(h, n) for h, n in shapes} == {(8 if n <= 32 else 4, n) for _, n in shapes}
    assert {n % 16 for _, n in shapes} == {0}
    assert min(n for _, n in shapes) <= 32 < max(n for _, n in shapes)
    predictor.device = torch.device("meta")  # an accelerator
    assert {predictor.height(n) for n in (16, 512)} == {16}


def test_a_model_whose_positions_are_no_multiple_of_16_reads_texts_of_full_length(folder: Path) -> None:
    source = write_encoder(folder / "short", "bert")
    encoder = load_encoder(str(source))
    encoder.tokenizer.model_max_length = 41
    encoder.backbone.embeddings.position_ids = encoder.backbone.embeddings.position_ids[:, :41]  # type: ignore[union-attr, index]
    predictor = Predictor(encoder, attach(encoder, "pair", LABELS, seed=1), max_length=128)
    assert predictor.max_length == 41
    records = predictor.predict([PairExample("e", "c", "en", TEXTS[0] * 9, TEXTS[1] * 9)])
    assert len(records[0]["scores"]) == 3


# What a record says


def test_pair_scores_are_the_models_logits_in_the_order_of_the_tasks_labels(make: Callable[..., Predictor]) -> None:
    chosen = examples("pair")[:5]
    predictor = make("pair")
    batch = [predictor.encoder.tokenizer(e.first, e.second, truncation=True, max_length=48) for e in chosen]
    model: Any = predictor.head.module
    with torch.inference_mode():
        logits = [
            model(**{k: torch.tensor([v]) for k, v in b.items() if k != "token_type_ids"}).logits[0] for b in batch
        ]
    for record, expected in zip(predictor.predict(chosen), logits, strict=True):
        assert record["scores"] == pytest.approx(expected.tolist(), abs=1e-5)
        assert record["predicted"] == int(expected.argmax())
    turned = Predictor(predictor.encoder, predictor.head, max_length=48, labels=LABELS[::-1]).predict(chosen)
    for a, b in zip(predictor.predict(chosen), turned, strict=True):
        assert a["scores"] == b["scores"][::-1]
        assert a["predicted"] == 2 - b["predicted"]


def test_a_class_that_the_task_does_not_have_is_never_right(make: Callable[..., Predictor]) -> None:
    predictor = make("pair")
    chosen = examples("pair")
    whole = make("pair").predict(chosen)
    beyond = whole[0]["predicted"]  # an output that is nobody's, and sometimes the best
    names = tuple("" if i == beyond else label for i, label in enumerate(LABELS))
    kept = [i for i in range(3) if i != beyond]
    head = Head("pair", names, predictor.head.module)
    some = Predictor(predictor.encoder, head, max_length=48, labels=[LABELS[i] for i in kept]).predict(chosen)
    assert some[0]["predicted"] == -1
    for mine, all_three in zip(some, whole, strict=True):
        best = all_three["predicted"]
        assert mine["predicted"] == (-1 if best == beyond else kept.index(best))
        assert mine["scores"] == [all_three["scores"][i] for i in kept]


def test_a_choice_gets_a_score_for_each_of_its_own_choices(make: Callable[..., Predictor]) -> None:
    chosen = examples("choice")
    for e, r in zip(chosen, predict(make("choice"), chosen), strict=True):
        assert len(r["scores"]) == len(e.choices)
        assert r["predicted"] == int(np.argmax(r["scores"]))


def test_equal_scores_go_to_the_lower_index(make: Callable[..., Predictor]) -> None:
    (record,) = make("choice").predict([ChoiceExample("e", "c", "en", "The fox", "Why?", ("x", "he", "he"))])
    assert record["scores"][1] == record["scores"][2]
    assert record["predicted"] != 2


@pytest.mark.parametrize("architecture", ["xlm-roberta", "canine"])
def test_every_word_gets_a_tag_across_windows(architecture: str, make: Callable[..., Predictor]) -> None:
    chosen = [
        *examples("tagging")[:10],
        TaggingExample("none", "c", "en", ()),
        TaggingExample("odd", "c", "en", ("", "\u0000", "fox")),
    ]
    records = predict(make("tagging", architecture, max_length=16), chosen)
    assert [len(r["tags"]) for r in records] == [len(e.words) for e in chosen]
    assert {t for r in records for t in r["tags"]} <= set(TAGS)


def test_tags_are_those_of_the_first_sub_tokens(make: Callable[..., Predictor]) -> None:
    predictor = make("tagging")
    example = TaggingExample("e", "c", "en", tuple(TEXTS[0].split()))
    batch = predictor.encoder.tokenizer([list(example.words)], is_split_into_words=True, return_tensors="pt")
    model: Any = predictor.head.module
    with torch.inference_mode():
        best = model(**batch).logits[0].argmax(-1).tolist()
    words = batch.word_ids(0)
    assert predictor.predict([example])[0]["tags"] == [TAGS[best[words.index(i)]] for i in range(len(example.words))]


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_predicted_is_remembered_by_its_texts(kind: str, make: Callable[..., Predictor]) -> None:
    predictor = make(kind)
    first = predict(predictor, examples(kind))
    runs: list[int] = []
    hook = predictor.encoder.backbone.register_forward_pre_hook(lambda module, args: runs.append(1))
    renamed = [replace(e, id="other") for e in examples(kind)]
    assert predict(predictor, renamed) == first
    assert not runs
    predict(make(kind), renamed[:1])
    assert runs
    hook.remove()


def test_memory_is_bounded_and_keeps_what_was_asked_for_last(make: Callable[..., Predictor]) -> None:
    chosen = examples("pair")
    whole = predict(make("pair"), chosen)
    predictor = make("pair", remembered=10)
    assert predict(predictor, chosen) == whole  # more than it remembers
    assert len(predictor._memory) == 10
    runs: list[int] = []
    hook = predictor.encoder.backbone.register_forward_pre_hook(lambda module, args: runs.append(1))
    assert predict(predictor, chosen[-10:]) == whole[-10:]
    assert not runs
    assert predict(predictor, [chosen[-10], chosen[0]]) == [whole[-10], whole[0]]  # the second drives out chosen[-9]
    runs.clear()
    predict(predictor, [chosen[-10]])
    assert not runs
    predict(predictor, [chosen[-9]])
    assert runs
    hook.remove()


# Spans


@settings(max_examples=300, deadline=None)
@given(n=st.integers(1, 70), seed=st.integers(0, 10_000), ties=st.booleans())
def test_the_best_span_is_that_of_an_exhaustive_search_over_the_20_best_borders(n: int, seed: int, ties: bool) -> None:
    """XTREME's run_squad: the window's 20 best starts and ends, at most 30 tokens; of equal sums the earliest."""
    rng = np.random.default_rng(seed)
    out = (rng.integers(-3, 3, (n + 6, 2)) if ties else rng.normal(size=(n + 6, 2))).astype(np.float32)
    positions = np.arange(4, 4 + n)
    offsets = np.stack([np.arange(n) * 3, np.arange(n) * 3 + 2], axis=1)
    row = Row(np.zeros(n + 6, dtype=np.int64), None, 0, positions, 0, offsets)
    start, end = out[positions].T
    best = [sorted(range(n + 6), key=lambda i: (-column[i], i))[:N_BEST] for column in out.T]
    best_starts, best_ends = ([i - 4 for i in of if 4 <= i < 4 + n] for of in best)
    legal = [(i, j) for i in best_starts for j in best_ends if i <= j < i + ANSWER_TOKENS]
    among, legal = bool(legal), legal or [(i, i) for i in range(n)]
    i, j = min(legal, key=lambda s: (-(start[s[0]] + end[s[1]]), s))
    score, null, first, last, is_best = _best_span(row, out)
    assert is_best == among
    assert score == float(start[i] + end[j])
    assert null == float(out[0, 0] + out[0, 1])
    assert (first, last) == (3 * i, 3 * j + 2)


@given(n=st.integers(1, N_BEST), seed=st.integers(0, 1000))
def test_in_a_short_window_the_best_span_is_that_of_all(n: int, seed: int) -> None:
    out = np.random.default_rng(seed).normal(size=(n, 2)).astype(np.float32)
    offsets = np.stack([np.arange(n), np.arange(n) + 1], axis=1)
    row = Row(np.zeros(n, dtype=np.int64), None, 0, np.arange(n), 0, offsets)
    best = max(out[i, 0] + out[j, 1] for i in range(n) for j in range(i, min(n, i + ANSWER_TOKENS)))
    assert _best_span(row, out)[0] == best


def test_an_answer_is_a_slice_of_the_context_without_white_space_around_it(make: Callable[..., Predictor]) -> None:
    for architecture in ("xlm-roberta", "bert", "modernbert", "canine"):
        chosen = examples("span")
        for e, r in zip(chosen, predict(make("span", architecture), chosen), strict=True):
            assert e.context[r["start"] : r["end"]] == r["text"] == r["text"].strip()


def test_an_empty_context_is_answered_by_nothing(make: Callable[..., Predictor]) -> None:
    (record,) = make("span").predict([SpanExample("e", "c", "en", "Who?", "", ())])
    assert (record["text"], record["start"], record["end"]) == ("", 0, 0)


def test_the_answer_is_the_best_of_all_windows_and_none_where_every_null_score_beats_it(
    make: Callable[..., Predictor],
) -> None:
    always, sometimes = make("span"), make("span", unanswerable=True)
    context = "the lazy dog"
    example = SpanExample("e", "c", "en", "Who?", context, ())
    windows = [(1.0, 3.0, 0, 3, True), (2.0, 2.5, 4, 8, True)]  # score, null score, start, end, one of the best
    assert always._answer(example, windows)["text"] == "lazy"
    assert sometimes._answer(example, windows) == {"text": "", "start": 0, "end": 0, "score": 2.0}
    kept = sometimes._answer(example, [(1.0, 3.0, 0, 3, True), (2.0, 1.5, 4, 8, True)])
    assert kept == {"text": "lazy", "start": 4, "end": 8, "score": 2.0}
    worse = always._answer(example, [(9.0, 3.0, 0, 3, False), (2.0, 2.5, 4, 8, True)])
    assert worse == {"text": "lazy", "start": 4, "end": 8, "score": 2.0}  # the other window has no span of its 20 best
    assert sometimes._answer(example, [(2.0, 2.0, 3, 8, True)]) == {"text": "lazy", "start": 4, "end": 8, "score": 2.0}


# Retrieval


def test_vectors_are_unit_and_a_text_is_read_with_its_own_context_only(make: Callable[..., Predictor]) -> None:
    predictor = make("query")
    vectors = embed_pool(predictor, POOL)
    assert vectors.shape == (len(POOL), 16)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(POOL)), abs=1e-6)
    alone = make("query").embed([POOL.candidates[1].text])  # without a context, beside others with one
    assert np.array_equal(alone[0], vectors[1])
    assert not np.array_equal(make("query").embed([POOL.candidates[3].text])[0], vectors[3])


def test_queries_are_cut_at_a_length_of_their_own(make: Callable[..., Predictor]) -> None:
    asked = [QueryExample("q", "c", "en", TEXTS[1], ("d1",))]
    seen: list[int] = []
    predictor = make("query", query_length=8)
    vectors = embed_pool(predictor, POOL)
    hook = predictor.encoder.backbone.register_forward_pre_hook(
        lambda module, args, kwargs: seen.append(int(kwargs["attention_mask"][0].sum())), with_kwargs=True
    )
    predictor.predict(asked, POOL, vectors)
    hook.remove()
    assert seen == [8]
    assert np.array_equal(vectors, embed_pool(make("query"), POOL))


def test_a_pool_is_written_block_by_block_and_read_from_its_file(
    make: Callable[..., Predictor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = embed_pool(make("query"), POOL)
    monkeypatch.setattr("crosswind.evaluate.predict.POOL_BLOCK", 7)
    written = embed_pool(make("query"), POOL, tmp_path / "vectors.npy")
    assert isinstance(written, np.memmap)
    assert np.array_equal(written, whole)
    assert np.array_equal(np.load(tmp_path / "vectors.npy"), whole)


@pytest.mark.parametrize("block", [2, 100])  # the pool's end is within a block, or at the end of one
def test_a_pools_vectors_are_taken_over_where_it_did_not_change(
    block: int, make: Callable[..., Predictor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crosswind.evaluate.predict.POOL_BLOCK", block)
    clean, again = tmp_path / "clean.npy", tmp_path / "again.npy"
    embed_pool(make("query"), POOL, clean)
    first, *others = POOL.candidates
    changed = replace(first, text=first.text + " once more")
    added = replace(first, id="added", text="something else")
    pool = Pool((changed, *others, added))

    predictor = make("query")
    asked: list[str] = []
    embed = predictor.embed
    monkeypatch.setattr(predictor, "embed", lambda texts, contexts: asked.extend(texts) or embed(texts, contexts))
    embed_again(predictor, pool, {first.id}, clean, again)

    assert asked == [changed.text, added.text]
    assert np.array_equal(np.load(again), embed_pool(make("query"), pool))


def test_the_prefix_goes_before_queries_and_candidates(make: Callable[..., Predictor]) -> None:
    encoder = make("query").encoder
    head = attach(encoder, "query", (), seed=1, pooling=Pooling(prefix="query: "))
    prefixed = Predictor(encoder, head, max_length=48)
    assert np.array_equal(prefixed.embed(["fox"]), make("query").embed(["query: fox"]))


def rank(vectors: list[list[float]], queries: list[list[float]], gold: list[tuple[str, ...]], **options: Any) -> Any:
    """Ranking alone: the vectors of the queries are put where the predictor remembers them."""
    predictor: Any = Predictor.__new__(Predictor)
    predictor._memory = _Memory(100)
    predictor.max_length = predictor.query_length = 48
    predictor._memory.update({(str(i), "", 48): np.array(q, dtype=np.float32) for i, q in enumerate(queries)})
    predictor.head = Head("query", (), torch.nn.Identity(), Pooling())
    pool = Pool(tuple(Candidate(f"d{i}", "en", "") for i in range(len(vectors))))
    asked = [QueryExample(f"q{i}", "c", "en", str(i), g) for i, g in enumerate(gold)]
    return predictor.predict(asked, pool, np.array(vectors, dtype=np.float32))


def test_the_nearest_candidate_is_found_as_in_tatoeba() -> None:
    records = rank([[1, 0], [0, 1], [0.6, 0.8]], [[0.8, 0.6], [0, 1]], [("d2",), ("d2",)])
    assert [r["top"] for r in records] == [["d2", "d0", "d1"], ["d1", "d2", "d0"]]
    assert [r["ranks"] for r in records] == [[1], [2]]
    assert [r["scores"] for r in records] == [pytest.approx([0.96, 0.8, 0.6]), pytest.approx([1.0, 0.8, 0.0])]
    assert [r["pool"] for r in records] == [3, 3]


def test_all_gold_candidates_are_ranked_as_in_lareqa() -> None:
    vectors = [[1.0, 0.05 * i] for i in range(25)]
    (record,) = rank(vectors, [[0.0, 1.0]], [("d24", "d3", "d20", "absent")])
    assert record["top"] == [f"d{i}" for i in range(24, 4, -1)]
    assert record["ranks"] == [1, 5, 22]


def test_candidates_of_equal_score_keep_the_order_of_the_pool() -> None:
    (record,) = rank([[0, 1], [1, 0], [1, 0], [0, 1], [1, 0]], [[1, 0]], [("d4", "d2", "d3")])
    assert record["top"] == ["d1", "d2", "d4", "d0", "d3"]
    assert record["scores"] == [1.0, 1.0, 1.0, 0.0, 0.0]
    assert record["ranks"] == [2, 3, 5]


@pytest.mark.parametrize("size", [17, 100, 999])
def test_the_same_text_at_both_ends_of_a_pool_has_the_same_score(size: int, make: Callable[..., Predictor]) -> None:
    """So that duplicates are ties, which go to the lower index."""
    predictor = make("query")
    rng = np.random.default_rng(size)
    vectors = rng.normal(size=(size, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[-1] = vectors[0] = vectors[size // 2] = predictor.embed(["the fox"])[0]
    pool = Pool(tuple(Candidate(f"d{i}", "en", "") for i in range(size)))
    asked = [QueryExample("q", "c", "en", t, (f"d{size - 1}", "d0", f"d{size // 2}")) for t in MORE[:20]]
    for record in predictor.predict(asked, pool, vectors):
        first, second, third = record["ranks"]
        assert (second, third) == (first + 1, first + 2)


def test_a_real_encoder_finds_translations_in_a_small_pool(make: Callable[..., Predictor], real_encoder: Path) -> None:
    english = ["I like to eat pizza.", "Where is the train station?", "My brother is a doctor.", "It is raining today."]
    german = ["Ich esse gerne Pizza.", "Wo ist der Bahnhof?", "Mein Bruder ist Arzt.", "Es regnet heute."]
    pool = Pool(tuple(Candidate(f"d{i}", "de", t) for i, t in enumerate(german)))
    queries = [QueryExample(f"q{i}", "c", "en", t, (f"d{i}",)) for i, t in enumerate(english)]
    predictor = make("query", str(real_encoder))
    records = predictor.predict(queries, pool, embed_pool(predictor, pool))
    assert sum(r["ranks"] == [1] for r in records) >= 2  # by chance one of four
