"""Lexicons, phrase tables and lists: on hand-made text with known answers, on real text, on damaged files."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from crosswind.cli import app
from crosswind.data.examples import ParallelLine
from crosswind.data.files import Files
from crosswind.errors import UserError
from crosswind.perturb.lexicons import LexiconFolder, environment_of, oracle_sources
from crosswind.perturb.lines import perturb_lines
from crosswind.perturb.spec import parse_spec
from crosswind.prepare.align import Link
from crosswind.prepare.inflections import inflection_table, read_treebank
from crosswind.prepare.lexicon import derive_lexicon, phrase_spans
from crosswind.prepare.measured import LexiconScore, score_lexicon
from crosswind.prepare.misspellings import error_lexicon, word_errors
from crosswind.prepare.parallel import pairs_of_lines
from crosswind.prepare.wordlists import letter_counts, word_counts
from crosswind.run.progress import Silent
from crosswind.run.store import Store
from crosswind.steps.lexicon import LexiconParams
from crosswind.study.lexicon import derive_into, measure
from crosswind.tasks.base import CORPORA

WORDS = {
    "house": "Haus",
    "river": "Fluss",
    "tree": "Baum",
    "dog": "Hund",
    "cat": "Katze",
    "road": "Weg",
    "stone": "Stein",
}


def sentences(count: int = 120, *, seed: int = 3) -> list[tuple[str, str]]:
    """Sentences of the words above with "the", of which German has one form here, and the adjective behind its noun."""
    random = np.random.default_rng(seed)
    names = list(WORDS)
    pairs = []
    for _ in range(count):
        some = [names[i] for i in random.choice(len(names), 3, replace=False)]
        english = f"The red {some[0]} and the {some[1]} see the {some[2]}."
        pairs.append((english, f"Die {WORDS[some[0]]} rote und die {WORDS[some[1]]} sehen die {WORDS[some[2]]}."))
    return pairs


def test_words_get_the_translation_that_they_are_linked_to_and_phrases_keep_their_order() -> None:
    derived = derive_lexicon(sentences(), "en", "de")
    assert {w: derived.words[w][0][0] for w in WORDS} == {w: t.lower() for w, t in WORDS.items()}
    assert derived.words["the"][0][0] == "die"
    assert derived.pairs == 120
    assert derived.phrases["red house"][0][0] == "haus rote"
    assert derived.phrases["the red river"][0][0] == "die fluss rote"


def test_phrases_are_all_consistent_ones_by_exhaustive_search() -> None:
    random = np.random.default_rng(1)
    for _ in range(60):
        n, m = random.integers(1, 7, 2).tolist()
        links: list[Link] = sorted({(int(random.integers(n)), int(random.integers(m))) for _ in range(5)})
        expected = set()
        for start, low in itertools.product(range(n), range(m)):
            for end, high in itertools.product(range(start + 1, n + 1), range(low + 1, m + 1)):
                inside = [(s, t) for s, t in links if start <= s < end or low <= t < high]
                consistent = inside and all(start <= s < end and low <= t < high for s, t in inside)
                sources, targets = {s for s, _ in inside}, {t for _, t in inside}
                tight = {start, end - 1} <= sources and {low, high - 1} <= targets
                if consistent and tight and end - start <= 3 and high - low <= 3:
                    expected.add((start, end, low, high))
        assert set(phrase_spans(links, longest=3)) == expected


def test_a_lexicon_is_measured_against_one_that_people_made() -> None:
    derived = {"house": ("haus", "heim"), "dog": ("katze", "hund"), "xyz": ("q",)}
    gold = {"house": ("Haus",), "dog": ("Hund", "Köter"), "cat": ("Katze",)}
    assert score_lexicon(derived, gold) == LexiconScore(3, 2, 0.5, 1.0)
    assert score_lexicon({}, gold) == LexiconScore(0, 0, 0.0, 0.0)


def test_a_derived_lexicon_is_what_codemix_reads_and_is_found_again(tmp_path: Path) -> None:
    files = [tmp_path / "en.txt", tmp_path / "de.txt"]
    for side, path in enumerate(files):
        path.write_text("".join(pair[side] + "\n" for pair in sentences()))
    params, store = LexiconParams("bilingual", ()), Store(tmp_path / "store")
    out = tmp_path / "lexicons"
    assert derive_into(params, ["en-de"], out, store, Silent(), files=files) == [("en-de", "derived")]
    assert derive_into(params, ["en-de"], out, store, Silent(), files=files) == [("en-de", "derived before")]
    assert LexiconFolder(out).translations("en", "de")["house"][0] == "haus"
    mixed = [*perturb_lines(["A house."], parse_spec("codemix(embed=de):1"), "en", environment=environment_of(out))]
    assert mixed == ["A haus."]
    origin = json.loads((out / "en-de.origin.json").read_text())
    assert origin["sources"] == ["en.txt", "de.txt"]
    assert origin["oracle"] == []
    phrases = dict(line.split("\t")[:2] for line in (out / "en-de.phrases.tsv").read_text().splitlines())
    assert phrases["red house"] == "haus rote"
    # Other text is another lexicon.
    files[0].write_text(files[0].read_text().replace("road", "way"))
    assert derive_into(params, ["en-de"], out, store, Silent(), files=files) == [("en-de", "derived")]
    assert measure(out, out)[0][1].first == 1.0


def test_test_text_is_noted_as_oracle_access(tmp_path: Path, small_data: Path) -> None:
    data = {"source": "files", "root": str(small_data)}
    params = LexiconParams("bilingual", (), ("xnli",), score=0.0, phrases=False)
    ((name, note),) = derive_into(params, ["en-es"], tmp_path / "out", Store(tmp_path / "s"), Silent(), data=data)
    assert name == "en-es"
    assert "derived from the test text of xnli (oracle access)" in note
    assert json.loads((tmp_path / "out" / "en-es.origin.json").read_text())["oracle"] == ["xnli"]
    # A study that perturbs with it says so.
    assert oracle_sources(tmp_path / "out") == ["xnli"]
    assert oracle_sources(tmp_path) == []


def test_verses_are_parallel_where_both_bibles_have_them(official_data: Callable[..., Path]) -> None:
    files, bibles = Files(official_data("bible-corpus")), CORPORA["bible-corpus"]
    lines = bibles.read(bibles.locate(files, ("sw", "eu")), ("sw", "eu"))
    assert len(lines) > 7800  # the pack's README: 7,853 and 7,952 verses
    assert isinstance(lines[0], ParallelLine)
    assert lines[0].id == "bible-corpus/b.MAT.1.1"
    ((swahili, basque), *_) = pairs_of_lines(lines, "sw", "eu")  # type: ignore[arg-type]
    assert swahili.startswith("Yesu Kristo alikuwa mzawa wa Daudi, mzawa wa Abrahamu.")
    assert basque


def test_alphabets_and_frequencies() -> None:
    assert letter_counts(["Ẹ́gbà ń kọ́ ẹ́ xя", "gb"], "yo")[:2] == [("b", 2), ("g", 2)]
    assert dict(letter_counts(["ẹ́ ẹ́"], "yo")) == {"ẹ́": 2}
    assert dict(letter_counts(["किताब की"], "hi")) == {"क": 2, "त": 1, "ब": 1}
    assert "я" not in dict(letter_counts(["xя"], "en"))
    assert dict(letter_counts(["東京タワー、です a"], "ja")).keys() == {*"東京タワです"} | (
        {"ー"} & dict(letter_counts(["ー"], "ja")).keys()
    )
    assert word_counts(["Das Haus, das Tor", "das"], "de") == [("das", 3), ("haus", 1), ("tor", 1)]
    assert word_counts(["İI"], "tr") == [("iı", 1)]


def test_inflections_of_a_treebank_and_of_unimorph(tmp_path: Path) -> None:
    treebank = tmp_path / "x.conllu"
    rows = ["1\tDogs\tdog\tNOUN\t_\tNumber=Plur\t_\t_\t_\t_", "2\tdog\tdog\tNOUN\t_\tNumber=Sing\t_\t_\t_\t_"]
    rows += [
        "3\tof\tof\tADP\t_\t_\t_\t_\t_\t_",
        "3-4\tdu\t_\t_\t_\t_\t_\t_\t_\t_",
        "4\tcat\tcat\tNOUN\t_\tNumber=Sing\t_\t_\t_\t_",
    ]
    treebank.write_text("# text\n" + "\n".join(rows) + "\n\n")
    unimorph = tmp_path / "deu"
    unimorph.write_text("Haus\tHauses\tN;GEN;SG\nHaus\tHaus\tN;NOM;SG\n\n")
    assert inflection_table([treebank, unimorph]) == [
        ("Haus", "Haus", "N;NOM;SG"), ("Haus", "Hauses", "N;GEN;SG"),
        ("dog", "dog", "NOUN;Number=Sing"), ("dog", "dogs", "NOUN;Number=Plur"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("form", "text", "expected"),
    [
        ("pairs", "I hav a dogg here\tI have a dog here\n", [("dog", "dogg", 1), ("have", "hav", 1)]),
        ("pairs", "the red hat\tthe blue hat\n", []),  # another word was meant
        ("codespell", "hte->the, he,\nfoo->food, a name\n", [("food", "foo", 1), ("he", "hte", 1), ("the", "hte", 1)]),
        ("spellings", "luck lock lucke\n", [("luck", "lock", 1), ("luck", "lucke", 1)]),
    ],
)  # fmt: skip
def test_error_lexicons(form: str, text: str, expected: list[tuple[str, str, int]], tmp_path: Path) -> None:
    path = tmp_path / "errors"
    path.write_text(text)
    assert error_lexicon([path], "en", form) == expected


def test_a_word_that_was_put_in_is_no_misspelling() -> None:
    assert [*word_errors("we went home now", "we went home", "en")] == []


@pytest.mark.parametrize(
    ("what", "form", "text", "line"),
    [
        ("inflections", "pairs", "a\tb\tN\nlemma form\n", 2),
        ("inflections.conllu", "pairs", "1\tDogs\tdog\n", 1),
        ("errors", "pairs", "teh\tthe\nno tab\n", 2),
        ("errors", "codespell", "teh the\n", 1),
        ("errors", "spellings", "the teh\n\nalone\n", 3),
    ],
)
def test_a_damaged_file_is_named_with_its_line_and_exit_code_2(
    what: str, form: str, text: str, line: int, tmp_path: Path
) -> None:
    path = tmp_path / f"file{'.conllu' if 'conllu' in what else ''}"
    path.write_text(text)
    words = ["lexicon", what.partition(".")[0], str(path), "--languages", "en", "--format", form, "--quiet"]
    ran = CliRunner().invoke(app, [*words, "--out", str(tmp_path / "out"), "--store", str(tmp_path / "store")])
    assert isinstance(ran.exception, UserError)
    assert f"{path}:{line}" in str(ran.exception)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["bilingal", "--languages", "en-de", "--out", "x"], "unknown derivation 'bilingal'"),
        (["bilingual", "--languages", "en", "--out", "x", "--from", "ntrex"], "no pair of languages"),
        (["bilingual", "--languages", "en-de", "--out", "x"], "derived from either files"),
        (["errors", "--languages", "en", "--out", "x", "--from", "ntrex"], "derived from files"),
        (["bilingual", "--languages", "en-de", "--out", "x", "--from", "ntrx", "--data", "."], "unknown corpus"),
        (["measure", "x"], "measure takes a folder"),
    ],
)  # fmt: skip
def test_mistakes_on_the_command_line_are_named(words: list[str], message: str) -> None:
    ran = CliRunner().invoke(app, ["lexicon", *words])
    assert isinstance(ran.exception, UserError)
    assert message in str(ran.exception)


@pytest.mark.slow
def test_a_lexicon_of_news_agrees_with_muse(official_data: Callable[..., Path], tmp_path: Path) -> None:
    """Precision at 1 of 2,000 sentences of NTREX-128; docs/lexicons.md has more languages and more text."""
    data = {"source": "files", "root": str(official_data("ntrex", "muse"))}
    params = LexiconParams("bilingual", (), ("ntrex",), phrases=False)
    derive_into(params, ["en-de"], tmp_path / "out", Store(tmp_path / "store"), Silent(), data=data)
    ((_, score),) = measure(tmp_path / "out", Path(data["root"]) / "muse" / "dictionaries")
    assert score.known > 1200
    assert score.first > 0.8


def test_a_treebank_reads_only_inflected_words(official_data: Callable[..., Path]) -> None:
    path = official_data("ud") / "ud" / "UD_Hindi-PUD"
    rows = [row for file in sorted(path.glob("*.conllu")) for row in read_treebank(file)]
    assert len(rows) > 3000
    assert all(len(row) == 3 and ";" in row[2] for row in rows)


def test_perturbations_read_what_is_derived(tmp_path: Path) -> None:
    out, store = tmp_path / "out", Store(tmp_path / "store")
    (tmp_path / "edits").write_text("we went too the hose\twe went to the house\n")
    derive_into(LexiconParams("errors", ()), ["en"], out, store, Silent(), files=[tmp_path / "edits"])
    (tmp_path / "en.unimorph").write_text("dog\tdogs\tN;PL\ndog\tdog\tN;SG\n")
    derive_into(LexiconParams("inflections", ()), ["en"], out, store, Silent(), files=[tmp_path / "en.unimorph"])
    files = [tmp_path / "en", tmp_path / "de"]
    for side, path in enumerate(files):
        path.write_text("".join(pair[side] + "\n" for pair in sentences()))
    derive_into(LexiconParams("bilingual", ()), ["en-de"], out, store, Silent(), files=files)

    def perturbed(spec: str, text: str) -> str:
        return next(perturb_lines([text], parse_spec(spec), "en"))

    assert perturbed(f'real-noise(errors="{out}/errors-en.tsv"):1', "the house") == "the hose"
    assert perturbed(f'inflect(tables="{out}/inflections-en.tsv"):1', "a dog runs") == "a dogs runs"
    assert "rote" in perturbed(f'codemix-phrase(embed=de,phrases="{out}"):1', "The red house and the red river")
