"""Translation by seq2seq checkpoints: languages by each tokenizer's own means, bounded batches, the same bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.tiny_translators import NLLB_CODES, m2m_100, nllb, opus_mt

from crosswind.errors import UserError
from crosswind.model import seq2seq
from crosswind.model.seq2seq import Seq2Seq, _loaded
from crosswind.model.translation_codes import Codes, code_for, language_codes

SENTENCES = ["The old house.", "A dog sees the red cat, and the cat eats bread.", "Who sees the cat?"]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    root = tmp_path_factory.mktemp("translators")
    made = {
        "nllb": nllb(root / "nllb"),
        "m2m": m2m_100(root / "m2m"),
        "opus": opus_mt(root / "opus-mt-en-de"),
        "opus-many": opus_mt(root / "opus-mt-en-gem", "deu", "swh", "cmn_Hans"),
    }
    return made.__getitem__


@pytest.mark.parametrize(
    ("name", "target", "pair", "first"),
    [
        ("nllb", "de", "eng_Latn>deu_Latn", "deu_Latn"),
        ("nllb", "zh", "eng_Latn>zho_Hans", "zho_Hans"),
        ("m2m", "de", "en>de", "__de__"),
        ("opus", "de", "en>de", None),
        ("opus-many", "sw", "eng>swh", None),
    ],
)
def test_each_family_is_told_its_languages_by_its_own_means(
    models: Callable[[str], Path], name: str, target: str, pair: str, first: str | None
) -> None:
    model = Seq2Seq(str(models(name)), "en", target, beams=1)
    assert model.pair == pair
    tokens = model.tokenizer.convert_ids_to_tokens(model.tokenizer("The cat.")["input_ids"])
    if name == "nllb":
        assert tokens[0] == "eng_Latn"  # NLLB: <language> tokens </s>
    if name == "m2m":
        assert tokens[0] == "__en__"
    forced = None if model._forced is None else model.tokenizer.convert_ids_to_tokens(model._forced)
    assert forced == first
    assert model._prefix == (">>swh<< " if name == "opus-many" else "")
    translated = model.translate(SENTENCES)
    assert len(translated) == 3
    assert not any("_Latn" in text or "__" in text or ">>" in text for text in translated)


def test_a_translation_is_that_of_transformers_own_generation(models: Callable[[str], Path]) -> None:
    """Alone in its batch a sentence gets what the documented call of NLLB gives."""
    import torch
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    folder = str(models("nllb"))
    tokenizer = AutoTokenizer.from_pretrained(folder, src_lang="eng_Latn")
    module = AutoModelForSeq2SeqLM.from_pretrained(folder, dtype=torch.float32).eval()
    rows = tokenizer(SENTENCES[1], return_tensors="pt")
    most = min(2 * rows["input_ids"].shape[1] + 16, 62)
    forced = tokenizer.convert_tokens_to_ids("swh_Latn")
    output = module.generate(**rows, forced_bos_token_id=forced, num_beams=3, do_sample=False, max_new_tokens=most)
    expected = tokenizer.batch_decode(output, skip_special_tokens=True)[0].strip()
    assert Seq2Seq(folder, "en", "sw", beams=3).translate([SENTENCES[1]]) == [expected]


def test_batches_are_bounded_and_long_sentences_are_cut(
    models: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Seq2Seq(str(models("nllb")), "en", "de", beams=1, longest=40)
    sizes: list[tuple[int, int]] = []
    generate = model._generate

    def watched(texts: list[str]) -> list[str]:
        sizes.append((len(texts), max(model._tokens(t) for t in texts)))
        return generate(texts)

    monkeypatch.setattr(model, "_generate", watched)
    monkeypatch.setattr(seq2seq, "TOKENS", 120)
    long = "the cat sees the old dog and " * 5
    first = model.translate([*SENTENCES, long.strip(), SENTENCES[0]])
    assert all(rows * tokens <= 120 and tokens <= model.longest for rows, tokens in sizes)
    assert model.cut == 2  # the long one, and the one of 47 characters
    assert first[0] == first[4]
    assert model.translate([*SENTENCES, long.strip(), SENTENCES[0]]) == first


def test_a_model_without_the_asked_language_names_its_languages(models: Callable[[str], Path]) -> None:
    with pytest.raises(UserError, match=r"'nllb' does not translate Thai \(th\)") as caught:
        Seq2Seq(str(models("nllb")), "en", "th")
    assert caught.value.hint == f"its languages: {', '.join(NLLB_CODES)}"
    with pytest.raises(UserError, match="translates into de, not sw"):
        Seq2Seq(str(models("opus")), "en", "sw")
    with pytest.raises(UserError, match="translates from en, not fr"):
        Seq2Seq(str(models("opus")), "fr", "de")
    with pytest.raises(UserError, match="does not translate Hindi") as caught:
        Seq2Seq(str(models("opus-many")), "en", "hi")
    assert caught.value.hint == "its languages: cmn_Hans, deu, swh"
    with pytest.raises(UserError, match="has no language 'de_DE'"):
        Seq2Seq(str(models("nllb")), "en", "de", codes={"de": "de_DE"})


# NLLB Team 2022, Table 1, and the lists in transformers' tokenizers
@pytest.mark.parametrize(
    ("language", "codes", "code"),
    [
        ("ar", NLLB_CODES, "arb_Arab"),
        ("arz", NLLB_CODES, "arz_Arab"),
        ("zh", NLLB_CODES, "zho_Hans"),
        ("zh-Hant", NLLB_CODES, "zho_Hant"),
        ("qu", NLLB_CODES, "quy_Latn"),
        ("sw", NLLB_CODES, "swh_Latn"),
        ("fa", ["pes_Arab", "prs_Arab"], "pes_Arab"),
        ("ms", ["zsm_Latn", "ind_Latn"], "zsm_Latn"),
        ("id", ["zsm_Latn", "ind_Latn"], "ind_Latn"),
        ("et", ["est_Latn"], "est_Latn"),
        ("tl", ["tgl_Latn"], "tgl_Latn"),
        ("az", ["azb_Arab", "azj_Latn"], "azj_Latn"),
        ("lv", ["lvs_Latn", "ltg_Latn"], "lvs_Latn"),
        ("de", ["de_DE", "en_XX"], "de_DE"),
        ("zh", ["cmn_Hans", "cmn_Hant"], "cmn_Hans"),
    ],
)
def test_the_code_of_a_language_has_its_script(language: str, codes: list[str], code: str) -> None:
    assert code_for(language, codes, model="m") == code


def test_several_codes_that_may_be_meant_are_refused_unless_the_user_chooses() -> None:
    with pytest.raises(UserError, match=r"may be meant by 'qu': qup_Latn, qus_Latn, quy_Latn") as caught:
        code_for("qu", ["quy_Latn", "qus_Latn", "qup_Latn"], model="m")
    assert caught.value.hint
    assert code_for("qu", ["quy_Latn", "qus_Latn"], model="m", given="qus_Latn") == "qus_Latn"


def test_a_checkpoint_that_says_nothing_of_languages_is_refused() -> None:
    from tests.tiny_models import t5

    with pytest.raises(UserError, match="does not say which languages"):
        language_codes(t5(), "t5")


@pytest.mark.parametrize("content", [b"", b'{"num_beams": ', b"null", b"\0" * 9, b"[]"])
def test_damaged_settings_of_a_search_are_not_passed_over(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "generation_config.json").write_bytes(content)
    with pytest.raises(UserError, match=r"generation_config\.json"):
        _loaded(str(tmp_path), None, None)


def test_madlads_languages_stand_before_the_text() -> None:
    class Madlad:
        all_special_tokens: tuple[str, ...] = ("<2de>", "<2zh_Latn>", "</s>")

        def get_added_vocab(self) -> dict[str, int]:
            return {}

    assert language_codes(Madlad(), "m") == Codes("prefix", {"de": "<2de>", "zh_Latn": "<2zh_Latn>"})
