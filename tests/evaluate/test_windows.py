"""Windows and answers are those of Hugging Face's own pieces: the tokenizer's overflow, and n-best post-processing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer

from crosswind.data.examples import SpanExample
from crosswind.evaluate.predict import Predictor
from crosswind.model.encoder import load_encoder
from crosswind.model.heads import attach
from crosswind.model.rows import encode_spans

LENGTH, STRIDE = 384, 128


def questions(folder: Path, language: str) -> list[SpanExample]:
    articles = json.loads((folder / "xquad" / f"xquad.{language}.json").read_text(encoding="utf-8"))["data"]
    return [
        SpanExample(question["id"], "c", language, question["question"], paragraph["context"], ())
        for article in articles
        for paragraph in article["paragraphs"]
        for question in paragraph["qas"]
    ]


def overflow(tokenizer: Any, example: SpanExample) -> Any:
    """What Hugging Face's run_qa.py gives the model."""
    return tokenizer(
        example.question,
        example.context,
        truncation="only_second",
        max_length=LENGTH,
        stride=STRIDE,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
    )


@torch.inference_mode()
def official_answer(model: Any, features: Any, context: str) -> tuple[float, str]:
    """`postprocess_qa_predictions` of Hugging Face's run_qa.py: 20 best starts and ends a window, at most 30 tokens."""
    candidates: list[tuple[float, str]] = []
    for i, ids in enumerate(features["input_ids"]):
        out = model(input_ids=torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long))
        start, end = out.start_logits[0].numpy(), out.end_logits[0].numpy()
        of_context = [number == 1 for number in features.sequence_ids(i)]
        offsets = [o if inside else None for o, inside in zip(features["offset_mapping"][i], of_context, strict=True)]
        for s in np.argsort(start)[-1 : -20 - 1 : -1].tolist():
            for e in np.argsort(end)[-1 : -20 - 1 : -1].tolist():
                if offsets[s] is None or offsets[e] is None or e < s or e - s + 1 > 30:
                    continue
                candidates.append((float(start[s] + end[e]), context[offsets[s][0] : offsets[e][1]]))
    return max(candidates, key=lambda c: c[0], default=(0.0, ""))


@pytest.mark.parametrize("language", ["de", "ru", "zh"])
def test_the_windows_of_xquad_are_the_tokenizers_own(
    language: str, real_encoder: Path, official_data: Callable[..., Path]
) -> None:
    tokenizer = AutoTokenizer.from_pretrained(real_encoder)
    asked = questions(official_data("xquad"), language)
    rows: list[list[Any]] = [[] for _ in asked]
    for row in encode_spans(tokenizer, asked, LENGTH, STRIDE):
        rows[row.owner].append(row)
    several = 0
    for example, mine in zip(asked, rows, strict=True):
        if mine[0].cut:
            continue  # run_qa.py cuts no question
        features = overflow(tokenizer, example)
        assert [row.ids.tolist() for row in mine] == features["input_ids"]
        for row, offsets in zip(mine, features["offset_mapping"], strict=True):
            assert row.offsets.tolist() == [list(offsets[p]) for p in row.positions]
        several += len(mine) > 1
    assert len(asked) == 1190
    assert several > 20


@pytest.mark.slow
@pytest.mark.parametrize("language", ["de", "ru", "zh"])
def test_the_answers_to_xquad_are_those_of_the_official_post_processing(
    language: str, real_encoder: Path, official_data: Callable[..., Path]
) -> None:
    encoder = load_encoder(str(real_encoder))
    head = attach(encoder, "span", (), seed=5)
    head.module.eval()
    every = questions(official_data("xquad"), language)
    asked = [*sorted(every, key=lambda e: -len(e.context))[:120:40], *every[:3]]  # some of several windows
    with torch.no_grad():  # a head that does not say nearly the same of every token
        torch.nn.init.normal_(head.module.qa_outputs.weight, std=1.0, generator=torch.Generator().manual_seed(5))
    answers = Predictor(encoder, head).predict(asked)
    for example, answer in zip(asked, answers, strict=True):
        score, text = official_answer(head.module, overflow(encoder.tokenizer, example), example.context)
        assert answer["text"] == text.strip()
        assert answer["score"] == pytest.approx(score, abs=1e-4)
