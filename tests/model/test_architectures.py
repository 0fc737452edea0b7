"""What each kind of task does with each architecture: as plain transformers does, by a head of ours, or refused."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoConfig, AutoModel

from crosswind.data.examples import ChoiceExample, Kind, PairExample, SpanExample, TaggingExample
from crosswind.errors import UserError
from crosswind.evaluate.predict import Predictor
from crosswind.model.checkpoint import load_head, save_head
from crosswind.model.encoder import load_encoder
from crosswind.model.heads import AUTO_CLASSES, RowScorer, attach
from crosswind.model.rows import Row, encode_choices, encode_pairs, encode_spans, encode_tagging, encode_texts
from tiny_models import ALL_ARCHITECTURES, TEXTS

DOCS = Path(__file__).resolve().parents[2] / "docs" / "architectures.md"
KINDS: tuple[Kind, ...] = ("pair", "choice", "tagging", "span", "query")
LABELS: dict[Kind, tuple[str, ...]] = {
    "pair": ("entailment", "neutral", "contradiction"),
    "choice": (),
    "tagging": ("B-PER", "I-PER", "B-LOC", "I-LOC", "O"),
    "span": (),
    "query": (),
}
NAMES = ("first", "second", "third")
SHORT, LONG = TEXTS[0], " ".join(TEXTS[:2])


def has_class(source: str, kind: Kind) -> bool:
    """Whether transformers has a class of this kind for the architecture."""
    return kind == "query" or type(AutoConfig.from_pretrained(source)) in AUTO_CLASSES[kind]._model_mapping


def write_plain(source: str, kind: Kind, folder: Path) -> str:
    """Somebody else's fine-tuned checkpoint: transformers' own class of the kind, drawn at random."""
    shutil.copytree(source, folder)
    if kind == "query":
        return str(folder)
    config = AutoConfig.from_pretrained(source)
    if LABELS[kind]:
        config.id2label = dict(enumerate(LABELS[kind]))
        config.label2id = {label: i for i, label in enumerate(LABELS[kind])}
    torch.manual_seed(3)
    AUTO_CLASSES[kind].from_config(config).save_pretrained(folder)
    return str(folder)


def rows_of(kind: Kind, tokenizer: Any) -> list[Row]:
    """Rows of different lengths; those of spans in several windows."""
    match kind:
        case "pair":
            pairs = [(SHORT, TEXTS[2]), (LONG, TEXTS[3]), (TEXTS[2], "Der Mann")]
            return encode_pairs(tokenizer, [PairExample(str(i), "c", "en", a, b) for i, (a, b) in enumerate(pairs)], 96)
        case "choice":
            choices = [ChoiceExample("a", "c", "en", SHORT, "Why?", ("the dog", "a man and a fox", LONG))]
            return encode_choices(tokenizer, choices, 96)
        case "tagging":
            words = [TaggingExample(str(i), "c", "en", tuple(t.split())) for i, t in enumerate((SHORT, TEXTS[3], LONG))]
            return encode_tagging(tokenizer, words, 96)
        case "span":
            both = [("Who jumps?", LONG), ("What?", SHORT), ("Who does the man inspect in a country?", LONG)]
            spans = [
                SpanExample(str(i), "c", "en", question, context, ()) for i, (question, context) in enumerate(both)
            ]
            return encode_spans(tokenizer, spans, 64, 16)
        case "query":
            return encode_texts(tokenizer, [SHORT, LONG, TEXTS[3]], 96)


def plain_inputs(row: Row) -> dict[str, torch.Tensor]:
    """A row alone, without any padding."""
    inputs = {
        "input_ids": torch.from_numpy(row.ids)[None],
        "attention_mask": torch.ones(1, len(row), dtype=torch.int64),
    }
    return inputs if row.types is None else inputs | {"token_type_ids": torch.from_numpy(row.types)[None]}


@torch.inference_mode()
def plain_output(model: Any, kind: Kind, row: Row, tokenizer: Any) -> np.ndarray[Any, Any]:
    """What transformers' class says of a row alone."""
    inputs = plain_inputs(row)
    if model.config.model_type in ("funnel", "canine"):
        # They join neighbouring tokens, so that transformers' own padding changes their scores.
        inputs = dict(tokenizer.pad(inputs, padding=True, pad_to_multiple_of=16, return_tensors="pt"))
    if kind == "choice":
        scores: np.ndarray[Any, Any] = model(**{k: v[None] for k, v in inputs.items()}).logits[0, 0].numpy()
        return scores
    if kind == "query":
        half = model.get_encoder() if model.config.is_encoder_decoder else model
        mean = half(**inputs).last_hidden_state[0, : len(row)].mean(0)
        vector: np.ndarray[Any, Any] = (mean / mean.norm()).numpy()
        return vector
    out = model(**inputs)
    logits: torch.Tensor = torch.stack((out.start_logits, out.end_logits), -1) if kind == "span" else out.logits
    one: np.ndarray[Any, Any] = logits[0].numpy()
    return one[: len(row)] if kind in ("tagging", "span") else one


def of_row(kind: Kind) -> Callable[[Row, Any], Any]:
    return lambda row, out: np.array(out[: len(row)] if kind in ("tagging", "span") else out)


@pytest.fixture(scope="module")
def predictor_of(checkpoints: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """`predictor_of("t5", "pair")`: a predictor, and transformers' model behind it or None where the head is ours."""

    @functools.cache
    def make(architecture: str, kind: Kind) -> tuple[Predictor, Any]:
        folder = tmp_path_factory.mktemp("models") / architecture
        source = checkpoints[architecture]
        if has_class(source, kind):
            path = write_plain(source, kind, folder)
            encoder, head = load_head(path, kind, LABELS[kind])
            auto = AutoModel if kind == "query" else AUTO_CLASSES[kind]
            options = {"attention_type": "original_full"} if architecture == "big_bird" else {}
            return Predictor(encoder, head, max_length=96), auto.from_pretrained(path, **options).eval()
        encoder = load_encoder(source, seed=1)
        save_head(folder, encoder, attach(encoder, kind, LABELS[kind], seed=3))
        encoder, head = load_head(str(folder), kind, LABELS[kind])
        assert isinstance(head.module, RowScorer)
        return Predictor(encoder, head, max_length=96), None

    return make


COMBINATIONS = [(a, k) for a in ALL_ARCHITECTURES for k in KINDS]


@pytest.mark.slow
@pytest.mark.parametrize(("architecture", "kind"), COMBINATIONS)
def test_every_kind_computes_what_plain_transformers_computes_or_has_a_head_of_ours(
    architecture: str, kind: Kind, predictor_of: Callable[..., Any]
) -> None:
    predictor, plain = predictor_of(architecture, kind)
    tokenizer = predictor.encoder.tokenizer
    rows = rows_of(kind, tokenizer)
    assert len({len(row) for row in rows}) > 1
    for row, output in zip(rows, predictor.forward(rows, of_row(kind), NAMES), strict=True):
        assert np.isfinite(output).all()
        if plain is not None:
            expected = plain_output(plain, kind, row, tokenizer)
            # an output is a sum of products: where they cancel, its rounding is in units of the
            # products, not of what is left (mT5 starts with outputs of 30)
            rounding = max(2e-5, 4e-6 * float(np.abs(expected).max()))
            np.testing.assert_allclose(output, expected, rtol=1e-4, atol=rounding)


@pytest.mark.parametrize(("architecture", "kind"), COMBINATIONS)
def test_a_row_has_the_same_bits_whatever_was_predicted_before_or_beside_it(
    architecture: str, kind: Kind, predictor_of: Callable[..., Any]
) -> None:
    predictor, _ = predictor_of(architecture, kind)
    rows = rows_of(kind, predictor.encoder.tokenizer)
    full = [row for row in rows if len(row) % 16 == 0]
    assert kind not in ("pair", "query") or len(full) < len(rows)
    read = of_row(kind)
    together = predictor.forward(rows, read, NAMES)
    backwards = predictor.forward(rows[::-1], read, NAMES)[::-1]
    alone = [predictor.forward([row], read, NAMES)[0] for row in rows]
    beside = predictor.forward([*rows, *rows * 7], read, NAMES)[: len(rows)]
    for first, *others in zip(together, backwards, alone, beside, strict=True):
        assert all(first.tobytes() == other.tobytes() for other in others)


def table(outcomes: dict[tuple[str, Kind], str]) -> str:
    lines = ["| architecture | " + " | ".join(KINDS) + " |", "|---" * (len(KINDS) + 1) + "|"]
    lines += [f"| {a} | " + " | ".join(outcomes[a, k] for k in KINDS) + " |" for a in ALL_ARCHITECTURES]
    return "\n".join(lines)


def test_the_table_in_the_docs_is_what_these_tests_find(predictor_of: Callable[..., Any]) -> None:
    outcomes = {}
    for architecture, kind in COMBINATIONS:
        try:
            _, plain = predictor_of(architecture, kind)
        except UserError:
            outcomes[architecture, kind] = "refused"
        else:
            outcomes[architecture, kind] = "own head" if plain is None else "equal"
    assert table(outcomes) in DOCS.read_text(encoding="utf-8"), table(outcomes)
