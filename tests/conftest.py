"""Shared fixtures: the official files and the small real encoder, used where they lie."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from crosswind.registry import declare

for name in ("OMP_NUM_THREADS", "POLARS_MAX_THREADS", "RAYON_NUM_THREADS"):
    os.environ.setdefault(name, "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

# A deadline in milliseconds fails on a busy machine.
settings.register_profile("crosswind", deadline=None)
settings.load_profile("crosswind")

TOGETHER = re.compile(r"[^\[]*::[^\[]*\[((?:mw)-\w+)")  # the microworld task that a test's parameters begin with


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """The tests of a file run in one process, which makes what they share once.

    A file that trains a model for each task is cut by task: it takes as long as a third of the suite.
    """
    from xdist.scheduler import LoadFileScheduling

    class ByFileAndTask(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            task = TOGETHER.match(nodeid) if file.endswith("test_microworld_ablations.py") else None
            return f"{file}::{task[1]}" if task else file

    return ByFileAndTask(config, log)


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The last lines say what was left out or skipped, and why."""
    reasons: Counter[str] = Counter()
    for report in terminalreporter.stats.get("skipped", ()):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reasons[re.sub(r" of [^:]*:", ":", str(reason).removeprefix("Skipped: "))] += 1
    count = sum(reasons.values())
    why = "; ".join(f"{n}: {reason}" for reason, n in reasons.most_common())
    if terminalreporter.config.option.markexpr == "not slow":
        terminalreporter.write_line("left out: the tests marked slow (make test-all runs them too)")
    terminalreporter.write_line(f"skipped {count} tests ({why})" if count else "skipped nothing")


SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(autouse=True)
def only_the_packages_tasks() -> Iterator[None]:
    """What a study of a test declared as its own data is gone when the next test begins."""
    yield
    declare({})


@pytest.fixture(scope="session")
def official_data(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """`official_data("xnli", "udpos")`: a folder that holds these sets in their official formats.

    `CROSSWIND_DATA` names a folder that holds them already; otherwise they are unpacked from
    `../shared/data`, and the test is skipped where that is absent.
    """
    given = os.environ.get("CROSSWIND_DATA")
    unpack = SHARED / "data" / "unpack"
    folder = Path(given) if given else tmp_path_factory.getbasetemp() / "official"

    def provide(*sets: str) -> Path:
        missing = [s for s in sets if not (folder / s).is_dir()]
        if missing and not unpack.exists():
            pytest.skip(f"needs the official files of {', '.join(missing)}: no ../shared/data, no CROSSWIND_DATA")
        if missing:
            subprocess.run([str(unpack), str(folder), *missing], check=True)
        return folder

    return provide


@pytest.fixture(scope="session")
def real_encoder() -> Path:
    """The small real multilingual encoder; the test is skipped where `../shared/models` is absent."""
    path = SHARED / "models" / "xlmr-mini"
    if not path.is_dir():
        pytest.skip("needs the encoder ../shared/models/xlmr-mini")
    return path


WORDS = {
    "en": "the,a,old,new,red,green,house,dog,cat,tree,river,road,sees,finds,likes,eats,water,bread,stone,friend",
    "es": "el,un,viejo,nuevo,rojo,verde,casa,perro,gato,árbol,río,camino,ve,encuentra,quiere,come,agua,pan,piedra",
    "hi": "एक,पुराना,नया,लाल,हरा,घर,कुत्ता,बिल्ली,पेड़,नदी,सड़क,देखता,पाता,चाहता,खाता,पानी,रोटी,पत्थर,दोस्त,और",
}
TAGS = ("DET", "ADJ", "NOUN", "VERB", "PUNCT")


def _sentence(language: str, name: str) -> list[str]:
    """A few words that depend on the name alone; a number makes the sentence the only one of its kind."""
    picked = hashlib.sha256(f"{language} {name}".encode()).digest()
    words = WORDS[language].split(",")
    return [words[b % len(words)] for b in picked[: 4 + picked[-1] % 4]] + [str(int.from_bytes(picked[:3]))]


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.fixture(scope="session")
def small_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of hand-made official files: UD treebanks (en, es, hi), SNLI, XNLI (en, es), Tatoeba (jv, sw)."""
    root = tmp_path_factory.mktemp("small-data")
    for language, treebank in (("en", "English"), ("es", "Spanish"), ("hi", "Hindi")):
        for split, count in (("train", 48), ("dev", 12), ("test", 20)):
            rows = []
            for i in range(count):
                words = _sentence(language, f"ud {split} {i}")
                rows.append(f"# sent_id = {split}-{i}")
                tags = [TAGS[len(word) % len(TAGS)] for word in words]
                rows += [f"{n + 1}\t{w}\t_\t{tags[n]}\t_\t_\t_\t_\t_\t_" for n, w in enumerate(words)]
                rows.append("")
            _write(root / f"ud/UD_{treebank}-Mini/{language}_mini-ud-{split}.conllu", "\n".join(rows) + "\n")
    labels = ("entailment", "neutral", "contradiction")
    pairs = [(" ".join(_sentence("en", f"p{i}")), " ".join(_sentence("en", f"h{i}")), labels[i % 3]) for i in range(90)]
    _write(root / "nli_en/snli/dev.csv", "premise,hypothesis,label\n" + "".join(f"{a},{b},{c}\n" for a, b, c in pairs))
    for language in ("en", "es"):
        for split, count in (("test", 5010), ("dev", 2490)):  # the official sizes are checked
            rows = [
                f"{' '.join(_sentence(language, f'x {split} p{i // 3}'))}\t"
                f"{' '.join(_sentence(language, f'x {split} h{i}'))}\t{labels[i % 3]}"
                for i in range(count)
            ]
            _write(root / f"xnli/{split}-{language}.tsv", "\n".join(rows) + "\n")
    for code, count in (("jav", 205), ("swh", 390)):
        for side, language in (("eng", "en"), (code, "es")):
            lines = [" ".join(_sentence(language, f"tatoeba {code} {i}")) for i in range(count)]
            _write(root / f"tatoeba/v1/tatoeba.{code}-eng.{side}", "\n".join(lines) + "\n")
    return root


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random XLM-R of two layers with a tokenizer of its own: a checkpoint folder like any other."""
    from transformers import XLMRobertaConfig

    from crosswind.model.encoder import new_encoder
    from crosswind.model.tokenizer import train_tokenizer

    texts = [" ".join(_sentence(language, f"text {i}")) for language in WORDS for i in range(200)]
    tokenizer = train_tokenizer(texts, 400)
    config = XLMRobertaConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=130,
        type_vocab_size=1,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    folder = tmp_path_factory.mktemp("encoder") / "tiny"
    new_encoder(config, tokenizer, seed=1).save(folder)
    return folder
