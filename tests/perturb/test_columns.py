"""Batches of plain texts on arrays: what they give is what each text gives alone."""

from __future__ import annotations

import itertools
import json
import unicodedata

import hypothesis
import numpy as np
import pytest
import regex
from hypothesis import example as also
from hypothesis import given
from hypothesis import strategies as st

from crosswind.data.examples import PairExample
from crosswind.perturb.alternatives import weighted
from crosswind.perturb.applied import Constraint
from crosswind.perturb.codes import CodeSlices, CodeTable, TextBatch, code_points, gathered_slices, text_of
from crosswind.perturb.dataset import perturb_example, perturb_examples
from crosswind.perturb.draw import BETWEEN_PARTS, Sieve, below, choose, draw, draw_batch, draw_one, key, keys_of
from crosswind.perturb.form import uncomposed
from crosswind.perturb.graphemes import cluster_starts, cluster_starts_at, is_simple
from crosswind.perturb.lexicons import LexiconFolder
from crosswind.perturb.perturbation import Environment, NotApplicable
from crosswind.perturb.rewrite import Rewrite
from crosswind.perturb.spec import TextScope, parse_spec
from crosswind.perturb.words import Span, tokens, word_columns, words
from crosswind.perturb.wordwise import weighted_rows

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
    "substitute",
    "ocr",
    "invisible",
    "invisible(characters=wj)",
    "whitespace",
    "bidi",
    "punctuation",
    "repeat",
    "drop-word",
    "drop-function",
    "shuffle",
)
FREE = Constraint("free", mask=lambda passage, sites: [True] * len(sites))


@given(TEXTS)
def test_clusters_begin_where_the_regex_module_has_them(text: str) -> None:
    expected = [match.start() for match in regex.finditer(r"\X", text)]
    codes = code_points(text)
    assert np.flatnonzero(cluster_starts(codes)).tolist() == expected
    at = np.arange(len(text) + 1)
    assert at[cluster_starts_at(codes, at)].tolist() == sorted({*expected, 0, len(text)})


@given(st.lists(TEXTS, max_size=5))
@hypothesis.example(["a1\u0d4e 'b", "\u0d4e\u00a0\u0d15"])  # a letter that the next code point joins, be it a space
def test_a_batch_has_the_clusters_and_words_of_its_texts(texts: list[str]) -> None:
    batch = TextBatch(texts)
    assert batch.simple == is_simple(batch.text)
    long = "é" * 600  # with which the clusters of a batch are looked for on arrays
    for some in (texts, [*texts, long]):
        joined = TextBatch(some)
        found = [joined.text[a:b] for a, b in zip(*(c.tolist() for c in joined.clusters), strict=True)]
        assert found == [cluster for text in some for cluster in regex.findall(r"\X", text)]
    for language in ("en", "th", "zh"):
        starts, ends, numbers, names = word_columns(batch, language)
        assert [names.names[n] for n in numbers.tolist()] == [
            batch.text[a:b] for a, b in zip(starts.tolist(), ends.tolist(), strict=True)
        ]
        spans = [
            Span(w.start + shift, w.end + shift)
            for text, shift in zip(texts, batch.first.tolist(), strict=False)
            for w in words(text, language)
        ]
        assert [Span(a, b) for a, b in zip(starts.tolist(), ends.tolist(), strict=True)] == spans


@given(
    st.lists(
        st.lists(st.sampled_from(("a", "b", "a,", "$a", "é", "한")), max_size=4).map(" ".join), min_size=5, max_size=9
    ),
    st.sampled_from((0.3, 1.0)),
)
def test_an_order_that_reads_as_before_is_drawn_anew_in_a_batch_too(texts: list[str], severity: float) -> None:
    """Of two words one of two orders is the one they have."""
    examples = [PairExample(f"x/{i}", "x", "en", text, "") for i, text in enumerate(texts)]
    about = {"task": "t", "draw": 1, "fields": ("first",)}
    atoms = parse_spec("shuffle", severity=severity)
    together = perturb_examples(examples, atoms, **about)  # type: ignore[arg-type]
    assert together == [perturb_example(e, atoms, **about) for e in examples]  # type: ignore[arg-type]
    for text, perturbed in zip(texts, together, strict=True):
        assert severity < 1 or perturbed.changed == (len({text[w.start : w.end] for w in tokens(text, "en")}) > 1)


@given(st.lists(TEXTS, max_size=4))
@also(["", "\uf900"])  # at the start of a text, behind another
@also(["a", "\u0301b"])
def test_stretches_that_normalisation_would_change_are_those_of_texts_not_in_nfc(texts: list[str]) -> None:
    batch = TextBatch(texts)
    stretches = uncomposed(batch.codes, batch.text)
    changed = set((np.searchsorted(batch.first, stretches, side="right") - 1).tolist())
    assert changed == {i for i, text in enumerate(texts) if not unicodedata.is_normalized("NFC", text)}


@given(st.lists(st.text(st.sampled_from("abc é\r'7_"), max_size=9), max_size=4))
def test_words_and_letter_pairs_of_ascii_are_those_of_other_texts(texts: list[str]) -> None:
    batch = TextBatch(texts)
    starts, ends = (column.tolist() for column in word_columns(batch, "en")[:2])
    assert [batch.text[a:b] for a, b in zip(starts, ends, strict=True)] == [
        text[w.start : w.end] for text in texts for w in words(text, "en")
    ]
    pairs = [
        (i + shift, i + shift + 1, i + shift + 2)
        for text, shift in zip(texts, batch.first.tolist(), strict=False)
        for i in range(len(text) - 1)
        if text[i].isalpha() and text[i + 1].isalpha()
    ]
    assert list(zip(*(column.tolist() for column in batch.letter_pairs()), strict=True)) == pairs


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 5)), max_size=8))
def test_slices_of_an_array_one_after_another(slices: list[tuple[int, int]]) -> None:
    codes = np.arange(40) * 3
    starts, lengths = (np.array([s[n] for s in slices], dtype=np.int64) for n in (0, 1))
    expected = [code for start, length in slices for code in codes[start : start + length].tolist()]
    assert gathered_slices(codes, starts, lengths).tolist() == expected


@given(
    st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=3),
    st.lists(st.lists(st.integers(0, 9), unique=True), min_size=3, max_size=3),
    st.sampled_from((1e-300, 0.3, 0.5, 1.0)),
)
def test_a_batch_of_joined_texts_draws_what_each_text_draws(
    keys: list[int], offsets: list[list[int]], severity: float
) -> None:
    offsets = [sorted(some) for some in offsets[: len(keys)]]
    first = np.arange(len(keys) + 1) * 11
    starts = np.array([o + 11 * i for i, some in enumerate(offsets) for o in some], dtype=np.int64)
    drawn = draw_batch(np.array(keys, dtype=np.uint64), first, starts, severity)
    expected = draw(keys, offsets, severity)
    flat = [(i, offsets[i][index], u, bits) for i, some in enumerate(expected) for index, u, bits in some]
    got = zip(
        drawn.owners.tolist(), (starts[drawn.at] % 11).tolist(), drawn.u.tolist(), drawn.bits.tolist(), strict=True
    )
    assert [(i, offset, u * 2.0**-53, bits) for i, offset, u, bits in got] == flat
    sieve = Sieve(np.array(keys, dtype=np.uint64), severity)
    every = sieve.offsets(first)
    assert every.tolist() == sieve(first, np.arange(first[-1])).tolist()
    assert starts[drawn.at].tolist() == starts[np.isin(starts, every)].tolist()
    for number, some, of_text in zip(keys, offsets, expected, strict=True):
        columns = draw_one(number, np.array(some, dtype=np.int64), severity)
        assert list(zip(*columns, strict=True)) == of_text


@pytest.fixture(scope="module")
def lexicons(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    folder = tmp_path_factory.mktemp("lexicons")
    (folder / "en-de.txt").write_text("a ein\nb z\nab wer\n", encoding="utf-8")
    (folder / "en-zh.txt").write_text("a\t一\n北京\t城市\n", encoding="utf-8")
    return Environment(LexiconFolder(folder))


@pytest.mark.parametrize("spec", SPECS)
@given(data=st.data())
def test_a_text_becomes_the_same_alone_as_in_a_batch(spec: str, data: st.DataObject, lexicons: Environment) -> None:
    """Alone and with a constraint it is written site by site, in a batch on arrays: all is equal."""
    texts = data.draw(st.lists(TEXTS, min_size=5, max_size=8))
    language = data.draw(st.sampled_from(LANGUAGES))
    atoms = parse_spec(spec, severity=data.draw(st.sampled_from((0.3, 1.0))))
    if atoms.applies(TextScope(language, environment=lexicons)) is not None:
        return
    examples = [PairExample(f"x/{i}", "x", language, text, "") for i, text in enumerate(texts)]
    about = {"task": "t", "draw": 3, "fields": ("first",), "environment": lexicons}
    together = perturb_examples(examples, atoms, **about)  # type: ignore[arg-type]
    assert together == perturb_examples(examples, atoms, **about, constraints=[FREE])  # type: ignore[arg-type]
    for example, in_batch in zip(examples, together, strict=True):
        alone = perturb_example(example, atoms, **about)  # type: ignore[arg-type]
        assert in_batch == alone
        for rewrite in in_batch.rewrites.values():
            stored = json.loads(rewrite.dumps())
            assert stored == rewrite.to_json()
            assert Rewrite.from_json(stored).apply(example.first) == in_batch.example.first  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("spec", "language", "text"),
    [
        # A space or a sign with a mark behind it is one cluster: what takes the first away alone would tear it.
        ("drop-word", "fa", "کتاب \u200cها را"),
        ("drop-word", "vi", "ba \u0323# ba ba"),
        ("drop-function", "en", "the \u0301 house"),
        ("punctuation", "fa", "\u200b.\u200cها"),
        ("punctuation", "ar", "a\u0600·\rb"),
        # Letters and gaps that join what they come to stand beside: sara am, a consonant jamo, a lone virama.
        ("word-order", "en", "x\u2028\u0e33 abc"),
        ("shuffle", "en", "\u0e33 abc def"),
        ("shuffle", "ko", "\u1100 가 abc"),
        ("shuffle", "hi", "a\x85\u094dé क"),
    ],
)
def test_a_text_with_marks_out_of_place_becomes_the_same_in_a_batch(spec: str, language: str, text: str) -> None:
    about = {"task": "t", "fields": ("first",)}
    for draw_number in range(8):
        examples = [PairExample(f"x/{i}", "x", language, text, "") for i in range(6)]
        atoms = parse_spec(spec, severity=0.7)
        together = perturb_examples(examples, atoms, draw=draw_number, **about)  # type: ignore[arg-type]
        alone = [perturb_example(e, atoms, draw=draw_number, **about) for e in examples]  # type: ignore[arg-type]
        assert list(together) == alone


@pytest.fixture(scope="module")
def brought(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Tables of words as users bring them; of some words all that is known reads as they do."""
    folder = tmp_path_factory.mktemp("brought")
    table = "run\tran\tV;PST\nrun\truns\tV;PRS\nRun\tRuns\tN;PL\nété\te\u0301te\u0301s\tN;PL\n我\t我们\tN\n"
    for language in ("en", "de", "tr", "ja"):
        (folder / f"inflections-{language}.tsv").write_text(table, encoding="utf-8")
    nets = dict.fromkeys(("eng", "deu", "tur", "cmn"), "1-n\tx:lemma\trun\n1-n\tx:lemma\tété\n1-n\tx:lemma\t我\n")
    nets["jpn"] = "1-n\tx:lemma\t食べ\n1-n\tx:lemma\t我\n2-v\tx:lemma\t我\n"
    for name, text in nets.items():
        (folder / f"wn-data-{name}.tab").write_text(text, encoding="utf-8")
    errors = "run\trunn\t3\nrun\tRUN\t1\nété\te\u0301tee\t2\nété\tete\nite\tiTE\nwe\tWe\n我\t找\t5\n我\t俄\n"
    for language in ("en", "de", "tr", "zh", "ja"):
        (folder / f"errors-{language}.tsv").write_text(errors, encoding="utf-8")
    return {
        "inflect": f'inflect(tables="{folder}")',
        "synonym": f'synonym(wordnets="{folder}",senses=0)',
        "real-noise": f'real-noise(errors="{folder}")',
    }


@pytest.mark.parametrize("name", ["inflect", "synonym", "real-noise"])
@given(
    texts=st.lists(
        st.lists(
            st.sampled_from(
                ("run", "Run", "RUN", "We", "été", "ÉTÉ", "e\u0301te\u0301", "ITE", "İte", "我", "食べました", "x")
            )
            | TEXTS,
            max_size=6,
        ).map(" ".join),
        min_size=5,
        max_size=7,
    ),
    language=st.sampled_from(("en", "de", "tr", "zh", "ja")),
    severity=st.sampled_from((0.3, 1.0)),
)
def test_words_of_a_table_become_the_same_in_a_batch(
    name: str, texts: list[str], language: str, severity: float, brought: dict[str, str]
) -> None:
    atoms = parse_spec(brought[name], severity=severity)
    if atoms.applies(TextScope(language)) is not None:
        return
    examples = [PairExample(f"x/{i}", "x", language, text, "") for i, text in enumerate(texts)]
    about = {"task": "t", "draw": 3, "fields": ("first",)}
    together = perturb_examples(examples, atoms, **about)  # type: ignore[arg-type]
    assert together == perturb_examples(examples, atoms, **about, constraints=[FREE])  # type: ignore[arg-type]
    assert together == [perturb_example(e, atoms, **about) for e in examples]  # type: ignore[arg-type]


@pytest.mark.parametrize("language", ["zh", "zh-Hant"])
@pytest.mark.parametrize("to", ["other", "simplified", "traditional"])
def test_the_other_script_of_chinese_is_the_same_in_a_batch(to: str, language: str) -> None:
    lines = [
        "头发和发展，皇后在后面。",
        "頭髮 3月 OK 發展",
        "e\u0301 头\u0301发",
        "",
        "abc",
        "裏里面𠮷头发\u3000A头发\r\n发",
        "发" * 600,
    ]
    examples = [PairExample(f"x/{i}", "x", language, text, "头发") for i, text in enumerate(lines * 3)]
    atoms = parse_spec(f"chinese-script(to={to})", severity=0.6)
    about = {"task": "t", "draw": 2, "fields": ("first", "second")}
    together = perturb_examples(examples, atoms, **about)  # type: ignore[arg-type]
    assert together == perturb_examples(examples, atoms, **about, constraints=[FREE])  # type: ignore[arg-type]
    assert together == [perturb_example(e, atoms, **about) for e in examples]  # type: ignore[arg-type]
    assert any(p.changed for p in together)


@pytest.mark.parametrize(
    "spec", ["whitespace", "invisible", "keyboard", "word-order", "repeat", "drop-word", "shuffle"]
)
@pytest.mark.parametrize("unit", ["abbc d, e. ", "abcd", "क्षत्रिय क़लम ", "สวัสดีครับ", "e\u0301a"])
def test_a_long_text_goes_by_columns_alone_too(spec: str, unit: str) -> None:
    """With a constraint, though it forbids nothing, a text goes by its sites."""
    (example,) = [PairExample("x/1", "x", "en", unit * (5000 // len(unit)), "")]
    atoms = parse_spec(spec, severity=0.6)
    about = {"task": "t", "draw": 2, "fields": ("first",)}
    by_sites = perturb_examples([example], atoms, **about, constraints=[FREE])  # type: ignore[arg-type]
    assert perturb_examples([example], atoms, **about) == by_sites  # type: ignore[arg-type]


def test_keys_and_choices_in_one_pass_are_those_of_one_at_a_time() -> None:
    own = [("t", "en", f"x/{i}", "fïrst\ud800") for i in range(5)]
    assert keys_of(("1", "swap"), map(BETWEEN_PARTS.join, own)).tolist() == [key("1", "swap", *parts) for parts in own]
    bits = np.random.default_rng(1).integers(0, 2**64, 1000, dtype=np.uint64)
    n = np.random.default_rng(2).integers(1, 2**31, 1000, dtype=np.int64)
    assert below(bits, n).tolist() == [choose(b, m) for b, m in zip(bits.tolist(), n.tolist(), strict=True)]


@given(st.lists(st.lists(st.sampled_from((0.5, 1.0, 3.0, 7.0)), min_size=1, max_size=6), min_size=1, max_size=5))
def test_rows_that_bits_choose_by_weight_are_those_chosen_one_at_a_time(entries: list[list[float]]) -> None:
    sums = np.array([total for weights in entries for total in itertools.accumulate(weights)])
    after = np.cumsum([len(weights) for weights in entries])
    random = np.random.default_rng(1).integers(0, 2**64, 50, dtype=np.uint64)
    for low, high, weights in zip([0, *after.tolist()], after.tolist(), entries, strict=False):
        bits = np.append(random, np.array([0, 2**64 - 1], dtype=np.uint64))
        rows = weighted_rows(sums, np.full(len(bits), low), np.full(len(bits), high), bits)
        names = [str(n) for n in range(low, high)]
        assert [str(row) for row in rows.tolist()] == [weighted(names, weights, b) for b in bits.tolist()]


@given(st.lists(TEXTS, max_size=5), st.booleans(), st.integers(0, 2))
def test_the_words_at_which_a_site_is_asked_for_are_among_those_of_a_batch(
    texts: list[str], glued: bool, following: int
) -> None:
    batch = TextBatch(texts, Sieve(np.arange(len(texts), dtype=np.uint64), 0.4))
    every, some = (word_columns(batch, "en", glued=glued, asked=asked) for asked in (None, following))
    rows = list(zip(*(column.tolist() for column in every[:3]), strict=True))
    left = list(zip(*(column.tolist() for column in some[:3]), strict=True))
    assert left == [row for row in rows if row in set(left)]
    asked = set(batch.asked_offsets.tolist())
    for at, row in enumerate(rows):
        if row[0] in asked:
            phrase = [row]
            for before, after in itertools.pairwise(rows[at : at + 1 + following]):
                if batch.text[before[1] : after[0]].strip():
                    break
                phrase.append(after)
            assert set(phrase) <= set(left)


def test_a_word_behind_a_mark_that_is_in_no_word_is_asked_for() -> None:
    batch = TextBatch(["x \u0301ab"] * 64, Sieve(np.arange(64, dtype=np.uint64), 0.5))
    behind = {first + 3 for first in batch.first[:-1].tolist()} & set(batch.asked_offsets.tolist())
    assert behind
    assert behind <= set(word_columns(batch, "en", asked=0).starts.tolist())


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
    path.unlink()
    with pytest.raises(NotApplicable):
        perturb_example(example, spec, **about)  # type: ignore[arg-type]


def test_what_is_prepared_is_kept_by_perturbation_and_language(lexicons: Environment) -> None:
    atoms = [parse_spec(spec).atoms[0] for spec in ("keyboard:0.1", "keyboard(layout=de):0.1", "delete:0.1")]
    prepared = [atom.prepare(TextScope(code, environment=lexicons)) for atom in atoms for code in ("en", "de")]
    again = [atom.prepare(TextScope(code, environment=lexicons)) for atom in atoms for code in ("en", "de")]
    assert all(one is two for one, two in zip(prepared, again, strict=True))
    assert len(set(map(id, prepared))) == 6


@given(st.lists(TEXTS, max_size=5))
def test_texts_that_lie_one_after_another_are_joined_as_any_others(texts: list[str]) -> None:
    slices = CodeSlices.of(texts)
    assert text_of(slices.joined()) == "".join(texts)
    order = list(range(len(texts)))[::-1]
    turned = CodeSlices(slices.codes, slices.starts[order], slices.lengths[order])
    assert text_of(turned.joined()) == "".join(texts[::-1])
