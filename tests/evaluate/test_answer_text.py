"""Answers are whole grapheme clusters, however a tokenizer counts decomposed text."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from crosswind.evaluate.predict import answer_text


@pytest.mark.parametrize("text", ["서울 대학교 학생 각도", "Größe Tiếng Việt", "เด็กเล็กอ่าน", "हिन्दी में किताब"])
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_an_answer_ends_with_the_grapheme_of_its_last_token(text: str, form: str, real_encoder: Path) -> None:
    context = unicodedata.normalize(form, text)  # type: ignore[arg-type]
    tokenizer = Tokenizer.from_file(str(real_encoder / "tokenizer.json"))
    offsets = tokenizer.encode(context, add_special_tokens=False).offsets
    answer, start, end = answer_text(context, offsets[0][0], offsets[-1][1])
    assert (answer, start, end) == (context, 0, len(context))


def test_a_korean_answer_in_nfd_keeps_its_last_vowel() -> None:
    context = unicodedata.normalize("NFD", "서울 대학교")
    # XLM-R's tokenizer composes: the offsets of 서울 are 0:3, of 서우.
    assert unicodedata.normalize("NFC", answer_text(context, 0, 3)[0]) == "서울"


def test_white_space_is_no_part_of_an_answer() -> None:
    assert answer_text("the old  house", 3, 9) == ("old", 4, 7)
