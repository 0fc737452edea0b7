"""Batches of plain texts on arrays: what they give is what each text gives alone."""

from __future__ import annotations

import json

import numpy as np
import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from crosswind.data.examples import PairExample
from crosswind.perturb.codes import CodeTable, TextBatch, code_points
from crosswind.perturb.dataset import perturb_example, perturb_examples
from crosswind.perturb.draw import below, choose, key, keys_of
from crosswind.perturb.graphemes import cluster_starts
from crosswind.perturb.lexicons import LexiconFolder
from crosswind.perturb.perturbation import Environment, NotApplicable
from crosswind.perturb.rewrite import Rewrite
from crosswind.perturb.spec import TextScope, parse_spec
from crosswind.perturb.words import Span, word_columns, words

# Of each class of UAX #29, letters of several scripts, and what stands between texts.
CHARACTERS = (
    'ab Zß\r\n\x1e\u0301\u0308\u200d\u200cक्तिाीुंरकతెన్குกำเ็้ด가각각ㄱ\u0600\u0661👍🏽👩❤️🇩🇪🇫𑄴\u1cf5我北京。é,5$-مرحبَא"'
)
TEXTS = st.text(st.sampled_from(CHARACTERS) | st.characters(exclude_categories=("Cs",)), max_size=24)
LANGUAGES = ("en", "de", "hi", "th", "zh", "ko", "ar", "my", "vi")
SPECS = (
    "swap(scripts=all)",
    "keyboard",
    "homoglyph",
    "diacritics",
    "word-order(window=3)",
    "codemix(embed=de,zh)",
    "swap(scripts=all):0.5+keyboard",
    "delete",
    "insert",
    "visual",
)


@given(TEXTS)
def test_clusters_begin_where_the_regex_module_has_them(text: str) -> None:
    expected = [match.start() for match in regex.finditer(r"\X", text)]
    assert np.flatnonzero(cluster_starts(code_points(text))).tolist() == expected


@given(st.lists(TEXTS, max_size=5))
def test_a_batch_has_the_clusters_and_words_of_its_texts(texts: list[str]) -> None:
    batch = TextBatch(texts)
    found = [batch.text[a:b] for a, b in zip(*(c.tolist() for c in batch.clusters), strict=True)]
    assert found == [cluster for text in texts for cluster in regex.findall(r"\X", text)]
    for language in ("en", "th", "zh"):
        starts, ends = word_columns(batch, language)
        spans = [
            Span(w.start + shift, w.end + shift)
            for text, shift in zip(texts, batch.first.tolist(), strict=False)
            for w in words(text, language)
        ]
        assert [Span(a, b) for a, b in zip(starts.tolist(), ends.tolist(), strict=True)] == spans


@pytest.fixture(scope="module")
def lexicons(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    folder = tmp_path_factory.mktemp("lexicons")
    (folder / "en-de.txt").write_text("a ein\nb z\nab wer\n", encoding="utf-8")
    (folder / "en-zh.txt").write_text("a\t一\n北京\t城市\n", encoding="utf-8")
    return Environment(LexiconFolder(folder))


@pytest.mark.parametrize("spec", SPECS)
@given(data=st.data())
def test_a_text_becomes_the_same_alone_as_in_a_batch(spec: str, data: st.DataObject, lexicons: Environment) -> None:
    """Alone it goes by its sites, in a batch by columns: texts, rewrites and counts are equal."""
    texts = data.draw(st.lists(TEXTS, min_size=5, max_size=8))
    language = data.draw(st.sampled_from(LANGUAGES))
    atoms = parse_spec(spec, severity=data.draw(st.sampled_from((0.3, 1.0))))
    if atoms.applies(TextScope(language, environment=lexicons)) is not None:
        return
    examples = [PairExample(f"x/{i}", "x", language, text, "") for i, text in enumerate(texts)]
    about = {"task": "t", "draw": 3, "fields": ("first",), "environment": lexicons}
    together = perturb_examples(examples, atoms, **about)  # type: ignore[arg-type]
    for example, in_batch in zip(examples, together, strict=True):
        alone = perturb_example(example, atoms, **about)  # type: ignore[arg-type]
        assert in_batch == alone
        for rewrite in in_batch.rewrites.values():
            stored = json.loads(rewrite.dumps())
            assert stored == rewrite.to_json()
            assert Rewrite.from_json(stored).apply(example.first) == in_batch.example.first  # type: ignore[union-attr]


def test_keys_and_choices_in_one_pass_are_those_of_one_at_a_time() -> None:
    own = [("t", "en", f"x/{i}", "fïrst\ud800") for i in range(5)]
    assert keys_of(("1", "swap"), own).tolist() == [key("1", "swap", *parts) for parts in own]
    bits = np.random.default_rng(1).integers(0, 2**64, 1000, dtype=np.uint64)
    n = np.random.default_rng(2).integers(1, 2**31, 1000, dtype=np.int64)
    assert below(bits, n).tolist() == [choose(b, m) for b, m in zip(bits.tolist(), n.tolist(), strict=True)]


def test_a_table_works_out_a_code_point_once() -> None:
    asked = []
    table = CodeTable(lambda char: asked.append(char) or ord(char) % 3)  # type: ignore[func-returns-value]
    assert table(code_points("abca")).tolist() == [1, 2, 0, 1]
    assert table(code_points("cab")).tolist() == [0, 1, 2]
    assert sorted(asked) == ["a", "b", "c"]


def test_a_lexicon_that_changes_is_read_again(tmp_path: object, lexicons: Environment) -> None:
    (example,) = [PairExample("x/1", "x", "en", "a b ab", "")]
    assert isinstance(lexicons.lexicons, LexiconFolder)
    about = {"task": "t", "draw": 1, "fields": ("first",), "environment": lexicons}
    spec = parse_spec("codemix(embed=de):1")
    assert perturb_example(example, spec, **about).example.first == "ein z wer"  # type: ignore[arg-type, union-attr]
    path = lexicons.lexicons.folder / "en-de.txt"
    before = path.stat().st_mtime_ns
    path.write_text("a kein\nb z\nab wer\n", encoding="utf-8")
    import os

    os.utime(path, ns=(before + 10**9, before + 10**9))
    assert perturb_example(example, spec, **about).example.first == "kein z wer"  # type: ignore[arg-type, union-attr]
    with pytest.raises(NotApplicable):
        perturb_example(example, parse_spec("codemix(embed=fr):1"), **about)  # type: ignore[arg-type]
