"""Words by the user's tables and by libraries, sentences that distract, options and pools."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from crosswind import perturb
from crosswind.data.examples import (
    Candidate,
    ChoiceExample,
    Dataset,
    PairExample,
    Pool,
    QueryExample,
    Span,
    SpanExample,
    TaggingExample,
)
from crosswind.data.sources.files import FilesSource
from crosswind.errors import UserError
from crosswind.perturb.alternatives import Listed, Sites
from crosswind.perturb.dataset import perturb_dataset, perturb_example
from crosswind.perturb.families.mlm import Blank
from crosswind.perturb.lines import perturb_lines
from crosswind.perturb.longest import entries_inside, longest_entries
from crosswind.perturb.needs import DataNeed, StepNeed
from crosswind.perturb.noise import perturb_passages
from crosswind.perturb.passage import Passage
from crosswind.perturb.spec import TextScope, parse_spec
from crosswind.tasks.base import TASKS
from crosswind.tasks.load import load

Official = Callable[..., Path]


def everything(spec: str, text: str, language: str) -> str:
    (line,) = perturb_lines([text], parse_spec(spec, severity=1), language)
    return line


def test_the_longest_entry_of_a_lexicon_counts_where_no_space_separates_words() -> None:
    def entries(borders: list[tuple[int, int]], lexicon: set[str]) -> list[tuple[int, int]]:
        starts, ends = np.array(borders).T
        known = lexicon.__contains__
        low, high = longest_entries("北京大学处理者", starts, ends, known, lambda word: entries_inside(word, known))
        return list(zip(low.tolist(), high.tolist(), strict=True))

    assert entries([(0, 2), (2, 4), (4, 7)], {"北京大学", "大学", "处理"}) == [(0, 4)]
    assert entries([(0, 4), (4, 7)], {"北京", "大学", "大", "处理"}) == [(0, 2), (2, 4)]


@pytest.mark.parametrize(
    ("word", "entries", "parts"),
    [
        ("北京大学", {"大学"}, []),  # what is left of a word would be none
        ("北京大学生", {"北京大学", "大学生", "北京"}, ["北京", "大学生"]),
        ("Nicklas", {"Nick", "las"}, []),
        ("ロイヤル", {"ロイ", "ヤル"}, []),
        ("โดย", {"โด"}, []),
    ],
)
def test_a_word_becomes_entries_only_where_they_are_all_of_it(word: str, entries: set[str], parts: list[str]) -> None:
    assert [word[a:b] for a, b in entries_inside(word, entries.__contains__)] == parts


def tagged(spec: str, words: str, tags: str, language: str = "en") -> TaggingExample:
    example = TaggingExample("t/1", "t/1", language, tuple(words.split()), tuple(tags.split()))
    new = perturb_example(example, parse_spec(spec, severity=1), task="udpos", draw=1, fields=("words",)).example
    assert isinstance(new, TaggingExample)
    return new


def test_an_inflected_form_is_of_the_part_of_speech_of_the_tag(tmp_path: Path) -> None:
    (tmp_path / "eng").mkdir()
    (tmp_path / "eng" / "eng").write_text("run\trun\tN;SG\nrun\truns\tN;PL\nrun\trun\tV;NFIN\nrun\tran\tV;PST\n")
    spec = f'inflect(tables="{tmp_path}")'
    assert tagged(spec, "the run", "DET NOUN").words == ("the", "runs")
    assert tagged(spec, "they Run", "PRON VERB").words == ("they", "Ran")
    assert {everything(spec, "a run", "en") for _ in range(2)} <= {"a runs", "a ran"}
    assert "not inflected" in str(parse_spec(spec, severity=1).applies(TextScope("vi")))
    assert "no inflection table of de" in str(parse_spec(spec, severity=1).applies(TextScope("de")))
    (tmp_path / "eng" / "eng").write_text("run\truns\n")
    with pytest.raises(UserError, match="2 columns") as error:
        everything(spec, "a run", "en")
    assert str(error.value.where).endswith("eng:1")


def test_a_treebank_gives_paradigms(tmp_path: Path) -> None:
    rows = [("Häuser", "Haus", "NOUN"), ("Haus", "Haus", "NOUN"), ("das", "der", "DET")]
    lines = [f"{i}\t{form}\t{lemma}\t{tag}\t_\t_\t_\t_\t_\t_" for i, (form, lemma, tag) in enumerate(rows, 1)]
    (tmp_path / "de_x-ud-test.conllu").write_text("\n".join(["# text", *lines]) + "\n", encoding="utf-8")
    assert everything(f'inflect(tables="{tmp_path}")', "das Haus", "de") == "das Häuser"


def test_synonyms_are_of_words_with_one_meaning(tmp_path: Path) -> None:
    rows = [("1-n", "voiture"), ("1-n", "auto"), ("2-n", "banc"), ("3-n", "banc"), ("3-n", "siège")]
    text = "".join(f"{synset}\tfra:lemma\t{word}\n" for synset, word in rows)
    (tmp_path / "wn-data-fra.tab").write_text("# WOLF\n" + text, encoding="utf-8")
    spec = f'synonym(wordnets="{tmp_path}")'
    assert everything(spec, "Voiture et banc", "fr") == "Auto et banc"
    assert everything(f'synonym(wordnets="{tmp_path}",senses=2)', "le banc", "fr") == "le siège"
    assert tagged(spec, "voiture voiture", "NOUN VERB", "fr").words == ("auto", "voiture")
    with pytest.raises(UserError, match="synonym needs a wordnet"):
        parse_spec("synonym:1").applies(TextScope("fr"))


def test_the_language_of_a_file_is_said_by_its_name_or_beside_it(tmp_path: Path) -> None:
    named, bare = tmp_path / "errors-en.tsv", tmp_path / "typos"
    for path in (named, bare):
        path.write_text("the\tteh\n")
    assert everything(f'real-noise(errors="{named}")', "the", "en") == "teh"
    with pytest.raises(UserError, match=r"whether errors-en.tsv is of de, its name does not say") as error:
        everything(f'real-noise(errors="{named}")', "the", "de")
    assert "language=en" in str(error.value.hint)
    with pytest.raises(UserError, match="whether typos is of en"):
        everything(f'real-noise(errors="{bare}")', "the", "en")
    spec = f'real-noise(errors="{bare}",language=en)'
    assert everything(spec, "the", "en") == "teh"
    assert "no error lexicon of de" in str(parse_spec(spec, severity=1).applies(TextScope("de")))
    # Where a file lies and how its language is said are no part of what is drawn.
    assert parse_spec(spec, severity=1).atoms[0].identity == parse_spec("real-noise", severity=1).atoms[0].identity
    net = tmp_path / "wn-data-fra.tab"
    net.write_text("1-n\tfra:lemma\tvoiture\n1-n\tfra:lemma\tauto\n")
    assert everything(f'synonym(wordnets="{net}")', "voiture", "fr") == "auto"


def test_misspellings_come_as_often_as_they_were_seen(tmp_path: Path) -> None:
    (tmp_path / "en.tsv").write_text("the\tteh\t9\nthe\thte\t1\n")
    spec = f'real-noise(errors="{tmp_path}")'
    lines = perturb_lines(["The dog"] * 2000, parse_spec(spec, severity=1), "en")
    counts = Counter(line.split()[0] for line in lines)
    assert counts.total() == counts["Teh"] + counts["Hte"] == 2000
    assert abs(counts["Hte"] - 200) < 5 * (2000 * 0.1 * 0.9) ** 0.5
    for content in ("the teh\n", "teh->the, disabled because it is a name\n"):
        (tmp_path / "en.tsv").write_text(content)
        assert everything(f'real-noise(errors="{tmp_path / "en.tsv"}")', "the", "en") == "teh"
    (tmp_path / "en.tsv").write_text("the\tteh\tmany\n")
    with pytest.raises(UserError, match="'many' is no count"):
        everything(spec, "the", "en")
    for content in ("the\t\t3\n", "->the\n"):  # the word would vanish
        (tmp_path / "en.tsv").write_text(content)
        with pytest.raises(UserError, match="has no misspelling"):
            everything(spec, "the", "en")


@pytest.mark.slow  # uroman reads its data for seconds
def test_words_in_latin_letters() -> None:
    # uroman 1.3.1.1, its command line: uroman.sh -l rus, hin, kor
    assert everything("romanize", "Маленький, 5", "ru") == "Malenky, 5"
    assert everything("romanize", "नदियों के", "hi") == "nadiyom ke"
    assert everything("romanize", "ロンドン 漢字", "ja") == "rondon 漢字"
    assert parse_spec("romanize:1").applies(TextScope("sw")) == "sw is written in Latin letters"


def test_chinese_words_in_the_other_script() -> None:
    assert everything("chinese-script", "头发发展", "zh") == "頭髮發展"
    assert everything("chinese-script(to=simplified)", "头髮", "zh") == "头发"


def test_the_longest_phrase_becomes_its_translation(tmp_path: Path) -> None:
    rows = ["in the\tim\t3", "in the garden\tim Garten\t2", "dog\tHund\t5", "dog\tKöter\t1"]
    (tmp_path / "en-de.phrases.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    spec = f'codemix-phrase(embed=de,phrases="{tmp_path}")'
    assert everything(spec, "In the garden, in the house", "en") == "Im Garten, im house"
    lines = list(perturb_lines(["a dog"] * 600, parse_spec(spec, severity=1), "en"))
    assert abs(lines.count("a Köter") - 100) < 5 * (600 * 5 / 36) ** 0.5
    (tmp_path / "en-zh.phrases.tsv").write_text("the dog\t这狗\t4\n", encoding="utf-8")
    back = f'codemix-phrase(embed=en,phrases="{tmp_path}")'
    assert everything(back, "Hund", "de") == "Dog"
    assert parse_spec(spec, severity=1).applies(TextScope("de")) is not None
    assert everything(back, "他看这狗跑。", "zh") in ("他看 the dog 跑。", "他看这狗跑。")
    assert "no phrase table" in str(parse_spec(back, severity=1).applies(TextScope("fr")))
    (tmp_path / "tr-de.phrases.tsv").write_text("IŞIK\tLicht\t1\nİstanbul\tIstanbul (D)\t1\n", encoding="utf-8")
    turkish = f'codemix-phrase(embed=de,phrases="{tmp_path}")'
    assert everything(turkish, "ışık, İstanbul, işik", "tr") == "Licht, Istanbul (D), işik"
    for row in ("dog\tHund\n", "dog\t\t3\n", f"dog\tHund\t{'9' * 400}\n"):
        (tmp_path / "en-de.phrases.tsv").write_text(row)
        with pytest.raises(UserError, match="no row of a phrase table"):
            everything(spec, "a dog", "en")


def test_code_mixing_takes_the_longest_entry_where_no_space_separates_words(tmp_path: Path) -> None:
    (tmp_path / "zh-de.txt").write_text("北京大学 uni-peking\n大学 uni\n自然语言处理 nlp\n", encoding="utf-8")
    spec = f'codemix(embed=de,lexicon="{tmp_path}")'
    assert everything(spec, "在北京大学和自然语言处理", "zh") == "在 uni-peking 和 nlp"
    (tmp_path / "th-de.txt").write_text("มหาวิทยาลัย uni\nภาษาไทย thai\n", encoding="utf-8")
    assert everything(spec, "เรียนภาษาไทยที่มหาวิทยาลัย", "th") == "เรียน thai ที่ uni"


def test_words_repeat_with_their_tags_and_go_with_them() -> None:
    twice = tagged("repeat", "dogs bark .", "NOUN VERB PUNCT")
    assert twice.words == ("dogs", "dogs", "bark", "bark", ".")
    assert twice.tags == ("NOUN", "NOUN", "VERB", "VERB", "PUNCT")
    bare = tagged("drop-function", "the end of it", "DET NOUN ADP PRON")
    assert (bare.words, bare.tags) == (("end", "it"), ("NOUN", "PRON"))
    assert len(tagged("drop-word", "a b c", "X X X").words) in (1, 2)  # the last two have one space
    assert everything("drop-function", "The end of the day", "en") == "end day"
    names = tagged("punctuation", "Yahoo ! Inc .", "B-ORG I-ORG I-ORG O")
    assert (names.words, names.tags) == (("Yahoo", "Inc"), ("B-ORG", "I-ORG"))


def test_shuffled_answers_and_entities_stay_whole() -> None:
    context = "It was built in New York by two men"
    at = context.index("New York")
    example = SpanExample("q", "q", "en", "Where?", context, (Span(at, at + 8),))
    new = perturb_example(example, parse_spec("shuffle:1"), task="xquad", draw=2, fields=("context",)).example
    assert isinstance(new, SpanExample)
    assert new.answer_texts == ("New York",)
    assert sorted(new.context.split()) == sorted(context.split())
    assert new.context != context


@pytest.mark.parametrize("mode", ["tautology", "negation", "length"])
def test_what_distracts_from_an_inference_is_in_every_language_of_xnli(mode: str) -> None:
    spec = parse_spec(f"distract-nli(mode={mode}):1")
    for language in TASKS["xnli"].languages:
        assert spec.applies(TextScope.of(TASKS["xnli"], language)) is None
    pair = PairExample("x", "x", "en", "A dog runs.", "It moves!", 0)
    new = perturb_example(pair, spec, task="xnli", draw=1, fields=("first", "second")).example
    assert isinstance(new, PairExample)
    assert (new.first, new.second) == {
        "tautology": ("A dog runs.", "It moves and true is true!"),
        "negation": ("A dog runs.", "It moves and false is not true!"),
        "length": ("A dog runs" + " and true is true" * 5 + ".", "It moves!"),
    }[mode]


def test_a_distractor_holds_no_gold_answer_and_is_of_another_article(official_data: Official) -> None:
    data = load(TASKS["xquad"], "en", "test", FilesSource(official_data("xquad")))
    few = Dataset("xquad", "en", data.split, data.examples[::40])
    result = perturb_dataset(
        few, parse_spec("distract-qa:1"), draw=1, fields=("context",), resolved={DataNeed("donors"): data}
    )
    paragraphs = list(dict.fromkeys(e.cluster for e in data))
    homes = {e.context: paragraphs.index(e.cluster) for e in data if isinstance(e, SpanExample)}
    assert result.changed_share > 0.9
    for old, new in zip(few.examples, result.dataset.examples, strict=True):
        assert isinstance(old, SpanExample)
        assert isinstance(new, SpanExample)
        assert new.answers == old.answers
        sentence = new.context[len(old.context) + 1 :]
        assert not any(answer.casefold() in sentence.casefold() for answer in old.answer_texts)
        if sentence:
            home = next(at for context, at in homes.items() if sentence in " ".join(context.split()))
            assert abs(home - homes[old.context]) >= 5


def test_the_right_option_is_right_in_any_order() -> None:
    items = tuple(ChoiceExample(f"c/{i}", "c", "sw", "Mvua.", "", ("a", "b"), i % 2) for i in range(20))
    data = Dataset("xcopa", "sw", "test", items)
    result = perturb_dataset(data, parse_spec("option-order:1"), draw=0, fields=("choices",))
    for old, new in zip(items, result.dataset.examples, strict=True):
        assert isinstance(new, ChoiceExample)
        assert (new.choices, new.label) == (("b", "a"), 1 - (old.label or 0))


def test_hard_negatives_are_near_and_wrong() -> None:
    texts = ("the river is long", "a mountain stands", "we eat bread today")
    pool = Pool(tuple(Candidate(f"c{i}", "en", text) for i, text in enumerate(texts)))
    queries = tuple(QueryExample(f"q{i}", f"q{i}", "de", "frage", (f"c{i}",)) for i in range(3))
    data = Dataset("tatoeba", "de", "test", queries, pool)
    spec = parse_spec("hard-negatives(count=2):1")
    result = perturb_dataset(data, spec, draw=0, fields=("query",), resolved={DataNeed("donors"): data})
    assert [e.gold for e in result.dataset.examples if isinstance(e, QueryExample)] == [("c0",), ("c1",), ("c2",)]
    assert len(result.added) == 6
    for negative in result.added:
        old = texts[int(negative.id[1])].split()
        changed = [(a, b) for a, b in zip(old, negative.text.split(), strict=True) if a != b]
        assert len(changed) == 1
        assert len(changed[0][0]) == max(map(len, old))


class _Fixed:
    """A masked language model that knows three words."""

    def fill(self, blanks: list[Blank], most: int) -> list[list[tuple[str, float]]]:
        self.seen = blanks
        return [[("cat", 0.6), ("дом", 0.3), ("bird", 0.1)][:most] for _ in blanks]


def test_a_masked_model_replaces_inserts_and_merges() -> None:
    model = _Fixed()
    outcomes = {}
    for mode in ("replace", "insert", "merge"):
        spec = parse_spec(f"mlm(model=m,mode={mode},top=1):1")
        needs = dict.fromkeys(spec.needs(TextScope("en")), model)
        (outcomes[mode],) = perturb_lines(["A dog sees."], spec, "en", resolved=needs)
    assert outcomes.pop("merge") in ("Cat sees.", "A cat.")
    assert outcomes == {"replace": "Cat cat cat.", "insert": "A cat dog cat sees."}
    spec = parse_spec("mlm(model=m):1")
    (sites,) = (
        spec.atoms[0]
        .prepare(TextScope("en"), dict.fromkeys(spec.needs(TextScope("en")), model))
        .sites([Passage.line("A dog.", "en")])
    )
    assert len(sites) == 2
    assert parse_spec("mlm(model=m,mode=insert):1").applies(TextScope("en", "tagging", ("words",))) is not None


def test_a_model_that_is_not_loaded_is_named_as_one() -> None:
    with pytest.raises(UserError, match=r"^mlm needs its masked-lm, a model \(m\), which is not loaded here"):
        list(perturb_lines(["A dog sees."], parse_spec("mlm(model=m):1"), "en"))
    assert StepNeed("words", "lexicon").absent == "which a step of a study makes (lexicon)"


@pytest.mark.slow
def test_a_real_masked_model_fills_blanks(real_encoder: Path) -> None:
    from crosswind.model.filling import EncoderFiller

    model = EncoderFiller(str(real_encoder))
    blanks = [Blank("Paris is the capital of .", 24, 24, False), Blank("A  <mask> dog.", 2, 2, False)]
    alone = [model.fill([blank], 5)[0] for blank in blanks]
    assert model.fill(blanks, 5) == alone
    assert all(0 < p < 1 for words in alone for _, p in words)


def test_an_order_that_reads_as_before_is_drawn_anew() -> None:
    """Half of the orders of two words, and most of one odd word among equal ones, are the text itself."""
    for text in ("left right", "no no no no no no no no yes", "a a b", "ja ja nein ja"):
        for draw in range(40):
            new = perturb(text, "shuffle:1", "en", seed=draw)
            assert new != text
            assert sorted(new.split()) == sorted(text.split())
    assert perturb("no no no", "shuffle:1", "en") == "no no no"  # it has no other order
    orders = {perturb("x y z", "shuffle:1", "en", seed=draw) for draw in range(60)}
    assert orders == {"x z y", "y x z", "y z x", "z x y", "z y x"}
    # What exchanges two neighbours never takes equal ones. One pair of those that overlap changes.
    for text, spec in (("aa ab ba bb", "swap:1"), ("aab", "swap:1"), ("no no yes no", "word-order(window=3):1")):
        assert all(perturb(text, spec, "en", seed=draw) != text for draw in range(20))


def test_equal_options_change_places_with_others_only() -> None:
    items = tuple(ChoiceExample(f"c/{i}", "c", "en", "Why?", "", ("a", "a", "b"), 2) for i in range(40))
    result = perturb_dataset(
        Dataset("xcopa", "en", "test", items), parse_spec("option-order:1"), draw=0, fields=("choices",)
    )
    orders = set()
    for new in result.dataset.examples:
        assert isinstance(new, ChoiceExample)
        assert new.choices[new.label or 0] == "b"
        orders.add(new.choices)
    assert orders == {("a", "b", "a"), ("b", "a", "a")}
    assert parse_spec("option-order:1").resources(TextScope("en", "choice", ("choices",))) == {"option-order": "2"}
    assert parse_spec("shuffle:1").resources(TextScope("en"))["shuffle"] == "2"


def test_what_reads_as_before_is_counted() -> None:
    def same(passage: Passage) -> Sites:
        return Sites([0, 4], [3, 7], lambda i: ("one", "two")[i : i + 1])

    atom = parse_spec("case:1").atoms[0]
    lines = [Passage.line("one two", "en")]
    noised = perturb_passages(lines, [(atom, "case")], draw_number=0, prepared={(atom, "en", "line"): Listed(same)})
    assert (noised.written, noised.counts) == ([None], {0: {"same text": 2}})
