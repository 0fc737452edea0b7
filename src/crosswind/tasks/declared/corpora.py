"""Raw and parallel text: NTREX-128, FLORES-200, the Bible corpus, and the user's own files."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from pathlib import Path

from crosswind.data.examples import ParallelLine, TextLine
from crosswind.data.files import Files
from crosswind.data.languages import registered
from crosswind.data.text import read_parallel, read_text
from crosswind.errors import UserError
from crosswind.reading import whole_text
from crosswind.tasks.base import Corpus

_NTREX = {
    "af": "afr", "ar": "arb", "az": "aze-Latn", "bg": "bul", "bn": "ben", "de": "deu", "el": "ell", "es": "spa",
    "et": "est", "eu": "eus", "fa": "fas", "fi": "fin", "fr": "fra", "gu": "guj", "ha": "hau", "he": "heb",
    "hi": "hin", "hu": "hun", "id": "ind", "it": "ita", "ja": "jpn", "ka": "kat", "kk": "kaz", "ko": "kor",
    "lt": "lit", "ml": "mal", "mr": "mar", "ms": "msa", "my": "mya", "nl": "nld", "pa": "pan", "pl": "pol",
    "pt": "por", "ro": "ron", "ru": "rus", "sw": "swa", "ta": "tam", "te": "tel", "th": "tha", "tl": "fil",
    "tr": "tur", "uk": "ukr", "ur": "urd", "vi": "vie", "wo": "wol", "yo": "yor", "zh": "zho-CN",
}  # fmt: skip

# The other languages of NTREX-128 as its files write them, by their codes in canonical form (km is khm)
_NTREX |= {registered(code).to_tag(): code for code in (
    "amh", "bak", "bel", "bem", "bod", "bos", "cat", "ces", "ckb-Arab", "cym", "dan", "div", "dzo", "eng-GB",
    "eng-IN", "eng-US", "ewe", "fao", "fij", "fra-CA", "fuc", "gle", "glg", "hmn", "hrv", "hye", "ibo", "isl",
    "kan", "khm", "kin", "kir", "kmr", "lao", "lav", "ltz", "mey", "mkd", "mlg", "mlt", "mon", "mri", "nde",
    "nep", "nno", "nob", "nso", "nya", "orm", "por-BR", "prs", "pus", "shi", "sin", "slk", "slv", "smo",
    "sna-Latn", "snd-Arab", "som", "spa-MX", "sqi", "srp-Cyrl", "srp-Latn", "ssw", "swe", "tah", "tat",
    "tgk-Cyrl", "tir", "ton", "tsn", "tuk", "uig", "uzb", "ven", "xho", "yue", "zho-TW", "zul",
)}  # fmt: skip

_FLORES = {
    "af": "afr_Latn", "ar": "arb_Arab", "az": "azj_Latn", "bg": "bul_Cyrl", "bn": "ben_Beng", "de": "deu_Latn",
    "el": "ell_Grek", "en": "eng_Latn", "es": "spa_Latn", "et": "est_Latn", "eu": "eus_Latn", "fa": "pes_Arab",
    "fi": "fin_Latn", "fr": "fra_Latn", "gu": "guj_Gujr", "ha": "hau_Latn", "he": "heb_Hebr", "hi": "hin_Deva",
    "ht": "hat_Latn", "hu": "hun_Latn", "id": "ind_Latn", "it": "ita_Latn", "ja": "jpn_Jpan", "jv": "jav_Latn",
    "ka": "kat_Geor", "kk": "kaz_Cyrl", "ko": "kor_Hang", "lt": "lit_Latn", "ml": "mal_Mlym", "mr": "mar_Deva",
    "ms": "zsm_Latn", "my": "mya_Mymr", "nl": "nld_Latn", "pa": "pan_Guru", "pl": "pol_Latn", "pt": "por_Latn",
    "qu": "quy_Latn", "ro": "ron_Latn", "ru": "rus_Cyrl", "sw": "swh_Latn", "ta": "tam_Taml", "te": "tel_Telu",
    "th": "tha_Thai", "tl": "tgl_Latn", "tr": "tur_Latn", "uk": "ukr_Cyrl", "ur": "urd_Arab", "vi": "vie_Latn",
    "wo": "wol_Latn", "yo": "yor_Latn", "zh": "zho_Hans", "zh-Hant": "zho_Hant",
}  # fmt: skip


def _locate_ntrex(files: Files, languages: tuple[str, ...]) -> tuple[Path, ...]:
    def path(language: str) -> Path:
        side = "src.eng" if language == "en" else f"ref.{_NTREX[language]}"
        name = f"NTREX-128/newstest2019-{side}.txt"
        return files.find(f"ntrex/{name}", name, what=f"ntrex, {language}")

    return tuple(path(language) for language in languages)


def _read_ntrex(paths: tuple[Path, ...], languages: tuple[str, ...]) -> tuple[ParallelLine, ...]:
    return read_parallel(paths, languages, "ntrex", numbered=True)


NTREX = Corpus(
    name="ntrex",
    kind="parallel",
    summary="human translations of English news (newstest2019) into 128 languages",
    languages=("en", *_NTREX),
    locate=_locate_ntrex,
    read=_read_ntrex,
    licence="CC BY-SA 4.0",
    citation="Federmann et al. 2022, NTREX-128: News Test References for MT Evaluation of 128 Languages",
)


def _flores(name: str, part: str) -> Corpus:
    def locate(files: Files, languages: tuple[str, ...]) -> tuple[Path, ...]:
        names = [f"{part}/{_FLORES[language]}.{part}" for language in languages]
        return tuple(
            files.find(f"flores200_dataset/{file}", f"flores/{file}", what=f"{name}, {language}")
            for file, language in zip(names, languages, strict=True)
        )

    def read(paths: tuple[Path, ...], languages: tuple[str, ...]) -> tuple[ParallelLine, ...]:
        return read_parallel(paths, languages, f"flores/{part}", numbered=True)

    return Corpus(
        name=name,
        kind="parallel",
        summary=f"human translations of English Wikimedia sentences (FLORES-200 {part})",
        languages=tuple(_FLORES),
        locate=locate,
        read=read,
        licence="CC BY-SA 4.0",
        citation="NLLB Team 2022, No Language Left Behind",
    )


FLORES = _flores("flores", "dev")
FLORES_DEVTEST = _flores("flores-devtest", "devtest")


_BIBLES = {
    "et": "Estonian-PART", "eu": "Basque-NT", "gu": "Gujarati-NT", "hy": "Armenian-PART", "lv": "Latvian-NT",
    "sw": "Swahili-NT", "uk": "Ukranian-NT", "zu": "Zulu-NT", "af": "Afrikaans", "ar": "Arabic", "bg": "Bulgarian",
    "de": "German", "el": "Greek", "en": "English", "es": "Spanish", "fi": "Finnish", "fr": "French", "he": "Hebrew",
    "hi": "Hindi", "hu": "Hungarian", "id": "Indonesian", "it": "Italian", "ja": "Japanese", "ko": "Korean",
    "lt": "Lithuanian", "ml": "Malayalam", "mr": "Marathi", "my": "Myanmar", "nl": "Dutch", "pl": "Polish",
    "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "te": "Telugu", "th": "Thai", "tl": "Tagalog",
    "tr": "Turkish", "vi": "Vietnamese", "wo": "Wolof-NT", "zh": "Chinese",
}  # fmt: skip
_VERSE = re.compile(r'<seg\b[^>]*\bid="([^"]+)"[^>]*>(.*?)</seg>', re.DOTALL)


def _locate_bibles(files: Files, languages: tuple[str, ...]) -> tuple[Path, ...]:
    names = [f"bibles/{_BIBLES[language]}.xml" for language in languages]
    return tuple(
        files.find(f"bible-corpus/{name}", name, what=f"bible-corpus, {language}")
        for name, language in zip(names, languages, strict=True)
    )


def _read_bibles(paths: tuple[Path, ...], languages: tuple[str, ...]) -> tuple[ParallelLine, ...]:
    """The verses that all languages have, in the order of the first."""
    verses = [_verses(path) for path in paths]
    shared = [name for name in verses[0] if all(name in others for others in verses[1:])]
    if not shared:
        hint = "some files hold the New Testament alone"
        raise UserError(f"no verse is in {' and in '.join(languages)}", where=str(paths[0]), hint=hint)
    return tuple(
        ParallelLine(
            f"bible-corpus/{name}", tuple((code, some[name]) for code, some in zip(languages, verses, strict=True))
        )
        for name in shared
    )


def _verses(path: Path) -> dict[str, str]:
    text = whole_text(path)
    verses = {name: " ".join(html.unescape(verse).split()) for name, verse in _VERSE.findall(text)}
    if not verses:
        raise UserError("no verse", where=str(path), hint='a file of the corpus has <seg id="b.MAT.1.1" type="verse">')
    return {name: verse for name, verse in verses.items() if verse}


BIBLES = Corpus(
    name="bible-corpus",
    kind="parallel",
    summary="translations of the Bible, aligned by verse",
    languages=tuple(_BIBLES),
    locate=_locate_bibles,
    read=_read_bibles,
    licence="CC0 1.0",
    citation="Christodouloupoulos & Steedman 2015, A massively parallel corpus: the Bible in 100 languages",
)


def text_file(path: Path, language: str, name: str = "") -> Corpus:
    """The user's own file of plain lines as a corpus, called `name` or like the file; may be .gz or .xz."""
    corpus = name or path.name.partition(".")[0]

    def locate(files: Files, languages: tuple[str, ...]) -> tuple[Path, ...]:
        return (_file(path),)

    def read(paths: tuple[Path, ...], languages: tuple[str, ...]) -> tuple[TextLine, ...]:
        return read_text(paths[0], corpus, language)

    return Corpus(corpus, "text", f"the lines of {path.name}", (language,), locate, read)


def parallel_files(paths: Mapping[str, Path], name: str) -> Corpus:
    """The user's own aligned files, `{language: path}`, one sentence a line, as a parallel corpus."""

    def locate(files: Files, languages: tuple[str, ...]) -> tuple[Path, ...]:
        return tuple(_file(paths[language]) for language in languages)

    def read(files: tuple[Path, ...], languages: tuple[str, ...]) -> tuple[ParallelLine, ...]:
        return read_parallel(files, languages, name)

    return Corpus(name, "parallel", f"aligned lines of {len(paths)} files", tuple(paths), locate, read)


def _file(path: Path) -> Path:
    file = Files(path.parent).has(path.name)
    if file is None:
        raise UserError("no such file", where=str(path), hint="name a text file with one sentence a line")
    return file
