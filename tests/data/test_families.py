"""Families of languages, and of the pairs of a question and a passage in another language."""

from __future__ import annotations

import pytest

from crosswind.data.families import OTHER, family_of_pair


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("hi", "IE: Indo-Aryan"),
        ("de-hi", "IE: Indo-Aryan"),
        ("sr-Latn", "IE: Slavic"),
        ("zh-Hant", "Sino-Tibetan"),
        ("zh-Hant-de", "IE: Germanic"),
        ("qla-Latn", OTHER),
    ],
)
def test_a_pair_is_of_its_questions_language_and_a_script_is_no_language(name: str, family: str) -> None:
    assert family_of_pair(name) == family
