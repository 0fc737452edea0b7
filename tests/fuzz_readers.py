"""The readers that `fuzz.py` feeds, each with small right files."""

# ruff: noqa: E501

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

Read = Callable[[Path], object]


@dataclass(frozen=True)
class Reader:
    """A reader: the right files that it takes, by their names below a folder, and how it is called on the folder."""

    name: str
    files: Mapping[str, bytes]
    read: Read


def _squad(language: str, extra: Mapping[str, object] | None = None) -> bytes:
    contexts = ("Die Ärzte sagten: zwölf Tage. Dann nichts mehr.", "A small house 😀 by the river. It is old.")
    answers = (("zwölf Tage", "Ärzte", "nichts"), ("house 😀", "river", "old"))
    paragraphs = [
        {
            "context": context,
            "qas": [
                {
                    "id": f"{language}-{i}{k}",
                    "question": f"What is {text}?",
                    "answers": [{"text": text, "answer_start": context.index(text)}],
                }
                for k, text in enumerate(texts)
            ],
            **(extra or {}),
        }
        for i, (context, texts) in enumerate(zip(contexts, answers, strict=True))
    ]
    return json.dumps(
        {"version": "1.1", "data": [{"title": "t", "paragraphs": paragraphs}]}, ensure_ascii=False
    ).encode()


def _tsv(*rows: str) -> bytes:
    return "".join(row.replace("|", "\t") + "\n" for row in rows).encode()


def _jsonl(*rows: Mapping[str, object]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def _csv(*rows: str) -> bytes:
    return ("\n".join(rows) + "\n").encode()


_SENTENCES = {"sentence_breaks": "[[0, 29], [30, 47]]", "sentences": "['Die Ärzte sagten.', 'Dann nichts mehr.']"}
_CONLLU = b"# sent_id = 1\n# text = Der Hund\n1\tDer\tder\tDET\t_\t_\t2\tdet\t_\t_\n2\tHund\tHund\tNOUN\t_\t_\t0\troot\t_\t_\n\n"
_COPA = {"premise": "Es regnet.", "choice1": "Es ist nass.", "choice2": "Es ist Tag.", "question": "effect", "label": 0}

_TASK_FILES: tuple[tuple[str, str, str, dict[str, bytes]], ...] = (
    ("xnli", "de", "test", {"xnli/test-de.tsv": _tsv("a|b|neutral", 'c "d"|e|entailment', "f|g|contradiction")}),
    ("xnli", "de", "dev", {"XNLI-1.0/xnli.dev.tsv": _tsv(
        "language|gold_label|sentence1_binary_parse|sentence2_binary_parse|sentence1_parse|sentence2_parse|sentence1|"
        "sentence2|promptID|pairID|genre|label1|label2|label3|label4|label5|sentence1_tokenized|sentence2_tokenized|match",
        "de|neutral|||||A.|B.|1|1|x|neutral|neutral|neutral|neutral|neutral|A .|B .|True")}),
    ("pawsx", "de", "test", {"pawsx/test-de.tsv": _tsv('"a ""b"""|c|1', "d|e|0")}),
    ("pawsx", "de", "dev", {"pawsx/x-final/de/dev_2k.tsv": _tsv("id|sentence1|sentence2|label", "1|a|b|1", "2|c|d|0")}),
    ("xcopa", "et", "test", {"xcopa/data/et/test.et.jsonl": _jsonl({**_COPA, "idx": 0, "changed": False})}),
    ("copa", "en", "train", {"copa/train.en.jsonl": _jsonl({**_COPA, "idx": 0}, {**_COPA, "idx": 1, "label": 1})}),
    ("udpos", "de", "test", {"udpos/test-de.tsv": _tsv("Der|DET", "Hund|NOUN", "", "ja|INTJ")}),
    ("udpos", "de", "test", {"ud/UD_German-GSD/de_gsd-ud-test.conllu": _CONLLU + _CONLLU.replace(b"= 1", b"= 2")}),
    ("panx", "de", "test", {"panx/test-de.tsv": _tsv("Anna|B-PER", "Ott|I-PER", "geht|O", "", "ja|O")}),
    ("xquad", "de", "test", {"xquad/xquad.de.json": _squad("de")}),
    ("squad2", "en", "dev", {"squad2/dev-v2.0.json": _squad("en")}),
    ("mlqa", "de", "dev", {
        "mlqa/MLQA_V1/dev/dev-context-de-question-de.json": _squad("q"),
        "mlqa/MLQA_V1/dev/dev-context-en-question-en.json": _squad("q")}),
    ("tydiqa", "en", "train", {"tydiqa/tydiqa-goldp-v1.1-train.json": _squad("english")}),
    ("lareqa", "de", "test", {f"lareqa/xquad-r/{x}.json": _squad("q", _SENTENCES) for x in
        ("ar", "de", "el", "en", "es", "hi", "ru", "th", "tr", "vi", "zh")}),
    ("tatoeba", "de", "test", {"tatoeba/v1/tatoeba.deu-eng.deu": b"eins\nzwei\n", "tatoeba/v1/tatoeba.deu-eng.eng": b"one\ntwo\n"}),
    ("mnli", "en", "dev", {"nli_en/mnli/dev.csv": _csv("premise,hypothesis,label", '"a, ""b""",c,neutral', "d,e,entailment")}),
    ("snli", "en", "dev", {"snli_1.0/snli_1.0_dev.jsonl": _jsonl({"sentence1": "a", "sentence2": "b", "gold_label": "neutral"})}),
    ("anli", "en", "dev_r1", {"anli_v1.0/R1/dev.jsonl": _jsonl({"uid": "u", "context": "a", "hypothesis": "b", "label": "c"})}),
    ("qqp", "en", "dev", {"qqp/dev.tsv": _tsv("id|qid1|qid2|question1|question2|is_duplicate", "0|1|2|a?|b?|0", "1|3|4|c?|d?|1")}),
    ("siqa", "en", "dev", {
        "socialiqa-train-dev/dev.jsonl": _jsonl({"context": "c", "question": "q", "answerA": "a", "answerB": "b", "answerC": "c"}),
        "socialiqa-train-dev/dev-labels.lst": b"1\n"}),
    ("hellaswag", "en", "dev", {"hellaswag/hellaswag_val.jsonl": _jsonl(
        {"ind": 1, "ctx": "a b", "ctx_a": "a", "ctx_b": "b", "endings": ["w", "x", "y", "z"], "label": 3, "activity_label": "A",
         "source_id": "s~1", "split": "val", "split_type": "indomain"})}),
    ("cosmosqa", "en", "dev", {"cosmosqa/valid.csv": _csv("id,context,question,answer0,answer1,answer2,answer3,label", "1,c,q,a,b,c,d,2")}),
    ("commonsenseqa", "en", "dev", {"commonsenseqa/dev_rand_split.jsonl": _jsonl(
        {"id": "1", "answerKey": "A", "question": {"stem": "s", "choices": [{"label": x, "text": x} for x in "ABCDE"]}})}),
    ("openbookqa", "en", "dev", {"openbookqa/Main/dev.tsv": _tsv("ID|Question Stem|Choices|Complete Question|Answer Key", "7-1|s|(A) a (B) b (C) c (D) d|s (A) a (B) b (C) c (D) d|B")}),
    ("piqa", "en", "dev", {"piqa/valid.jsonl": _jsonl({"goal": "g", "sol1": "a", "sol2": "b"}), "piqa/valid-labels.lst": b"0\n"}),
    ("winogrande", "en", "dev", {"winogrande_1.1/dev.jsonl": _jsonl({"qID": "1-1", "sentence": "A _ b", "option1": "x", "option2": "y", "answer": "1"})}),
    ("e-care", "en", "dev", {"e-care/Causal_Reasoning/dev.jsonl": _jsonl(
        {"index": "d-0", "premise": "p", "ask-for": "cause", "hypothesis1": "a", "hypothesis2": "b", "label": 1})}),
)  # fmt: skip


def _task_reader(name: str, language: str, split: str, files: dict[str, bytes]) -> Reader:
    def read(folder: Path) -> object:
        from crosswind.data.source import Portion
        from crosswind.data.sources.files import FilesSource
        from crosswind.tasks.base import TASKS

        source = FilesSource(folder)
        portion = Portion(language, split)
        source.fingerprint(TASKS[name], portion)
        return source.content(TASKS[name], portion)

    kind = next(iter(files)).rpartition(".")[2]
    return Reader(f"{name}-{split}-{kind}", files, read)


_STUDY = b"""name: small
encoder: microworld
data: {source: microworld, seed: 3, lines: 100}
seeds: [1, 2]
draws: 2
routes:
  none: []
  english: [{tasks: [mw-nli], mlm: {languages: [en], share: 0.5, corpora: [mw-text]}, budget: {examples: 100},
    training: {batch_size: 8, learning_rate: 1e-4}}]
defences: {none: {}, more: {training: {dropout: 0.2}}}
targets:
  languages: [qla-Latn]
  limit: 10
  tasks: {mw-nli: {rows: 0-9, train: {tasks: [{name: mw-nli, split: dev}], budget: {steps: 3}}}, mw-qa: null}
perturb: ["keyboard:0.1,0.2", {spec: "swap:0.1", targets: [mw-nli]}]
notes: ["a note"]
"""


def _read_study(folder: Path) -> object:
    from crosswind.study.spec import read_study

    return read_study(folder / "study.yaml", ["draws=3"])


def _read_pretraining(folder: Path) -> object:
    from crosswind.study.pretrain import read_config

    return read_config(folder / "pretrain.yaml")


def _plan_study(folder: Path) -> object:
    _main("run", folder / "study.yaml", "--dry-run", "--store", folder / "store", "--out", folder / "out")
    return None


def _main(*arguments: str | Path) -> None:
    """The command line in this process."""
    from crosswind.cli import main

    before, sys.argv = sys.argv, ["crosswind", *map(str, arguments)]
    try:
        main()
    finally:
        sys.argv = before


def _set_key(folder: Path) -> object:
    from crosswind.plain_yaml import parse_yaml
    from crosswind.reading import whole_text
    from crosswind.study.spec import set_key

    value = parse_yaml(_STUDY.decode(), "study")
    for line in whole_text(folder / "overrides").split("\n"):
        set_key(value, line)
    return value


def _text(folder: Path) -> object:
    from crosswind.data.text import read_parallel, read_text

    read_text(folder / "a.txt", "mine", "de")
    return read_parallel([folder / "a.txt", folder / "b.txt"], ["de", "en"], "mine")


def _lexicon(folder: Path) -> object:
    from crosswind.perturb.lexicons import LexiconFolder

    return LexiconFolder(folder).translations("de", "en")


def _parquet(folder: Path) -> object:
    from crosswind.reading import parquet_file

    return parquet_file(folder / "a.parquet").to_dicts()


def _parquet_bytes(**columns: list[object]) -> bytes:
    import polars as pl

    stream = io.BytesIO()
    pl.DataFrame(columns).write_parquet(stream)
    return stream.getvalue()


def _perturbed(folder: Path) -> object:
    _main("perturb", "keyboard:0.3", folder / "lines.txt", "--language", "de", "-o", folder / "out.txt")
    return None


def _scored(folder: Path) -> object:
    task = next(path.name for path in (folder / "labels").iterdir())
    benchmark = "xtreme" if task in ("pawsx", "bucc2018") else "xtreme-r"
    options = ("--json", "--allow-missing", "--benchmark", benchmark)
    _main("score", folder / "predictions", folder / "labels", *options)
    return None


_OWN = b"""
ner: {like: panx, files: "ner/{language}/{split}.txt", languages: [hau, yor], separator: " ", map: {B-DATE: O}}
pairs: {kind: pair, files: "pairs/{split}-{language}.csv", columns: {first: text_a, second: text_b, label: gold}, labels: [no, yes], languages: [de]}
copa-ko: {like: copa, files: "COPA/{split}.tsv", columns: {premise: sentence, choice1: "1", choice2: "2", question: Q, label: Answer}, labels: {"1": 0, "2": 1}, languages: [ko]}
squad-it: {like: squad, files: "it-{split}.json", languages: [it], bad_answers: drop}
table: {kind: pair, files: "{split}.parquet", columns: {first: a, second: b, label: c}, labels: [no, yes], languages: [de]}
"""


def _own(folder: Path) -> object:
    """The declarations of own tasks, and the data of each."""
    from crosswind.data.sources.files import FilesSource
    from crosswind.study.own import declare_own, read_task_file
    from crosswind.tasks.base import TASKS
    from crosswind.tasks.load import load

    names = read_task_file(folder / "tasks.yaml")
    declare_own(names, folder)
    for name in names:
        load(TASKS[name], TASKS[name].languages[0], "test", FilesSource(folder))
    return None


_OWN_FILES: dict[str, bytes] = {
    "ner/hau/test.txt": b"Abuja B-LOC\na O\nLitinin B-DATE\n\nBello B-PER\n",
    "ner/yor/test.txt": b"Abuja B-LOC\n",
    "pairs/test-de.csv": _csv("text_a,text_b,gold", '"a, ""b""",c,no', "d,e,yes"),
    "COPA/test.tsv": _tsv("sentence|1|2|Q|Answer", "a|b|c|cause|1", "d|e|f|effect|2"),
    "it-test.json": _squad("it"),
}


_SUBMISSIONS: dict[str, tuple[bytes, bytes]] = {
    "xnli/test-de.tsv": (_tsv("neutral", "entailment"), _tsv("neutral", "contradiction")),
    "pawsx/test-de.tsv": (_tsv("0", "1"), _tsv("1", "1")),
    "panx/test-de.tsv": (_tsv("B-PER", "O", "", "O"), _tsv("B-PER", "O", "", "O")),
    "udpos/test-de.tsv": (_tsv("DET", "NOUN", "", "X"), _tsv("DET", "NOUN", "", "X")),
    "xquad/test-de.json": (b'{"de-00": "Tage", "de-01": "x", "de-02": ""}', _squad("de")),
    "mlqa/test-de.json": (b'{"de-00": "Tage", "de-01": "x", "de-02": ""}', _squad("de")),
    "tatoeba/test-de.tsv": (b"0\n1\n", b"0\n1\n"),
    "xcopa/test-et.jsonl": (b'{"label": 0}\n{"label": 1}\n', b'{"label": 0}\n{"label": 0}\n'),
    "bucc2018/test-de.tsv": (_tsv("de-1|en-1", "de-2|en-3"), _tsv("de-1|en-1", "de-2|en-2")),
    "lareqa/test-de.json": (b'{"q": ["a", "b"]}', b'{"q": ["a"]}'),
    "mewslix/test-de.json": (b'{"q": ["a", "b"]}', b'{"q": ["a"]}'),
}


def _checkpoint(folder: Path) -> object:
    """What is read of a checkpoint before its weights are."""
    from crosswind.model.encoder import load_config
    from crosswind.model.foreign import checkpoint_json
    from crosswind.model.recorded import CONFIG, class_names, recorded_facts
    from crosswind.model.sentence import sentence_modules
    from crosswind.study.encoders import describe_encoder, encoder_fingerprint

    source = str(folder)
    encoder_fingerprint(source)
    described = describe_encoder(source)
    config = checkpoint_json(source, CONFIG) or {}
    names = class_names(config.get("id2label", {}), source)
    return described, names, recorded_facts(source), sentence_modules(source), load_config(source)


def _tokenizer(folder: Path) -> object:
    from crosswind.model.encoder import load_tokenizer

    return load_tokenizer(str(folder))


def _adapter(folder: Path) -> object:
    from crosswind.errors import UserError
    from crosswind.model.foreign import refuse_adapter

    try:
        return refuse_adapter(str(folder))
    except UserError as error:
        if "holds an adapter" not in error.what:
            raise
        return error


def _object(**values: object) -> bytes:
    return json.dumps(values).encode()


def _safetensors(**shapes: list[int]) -> bytes:
    """A file of zeros."""
    import math

    header: dict[str, object] = {}
    end = 0
    for name, shape in shapes.items():
        start, end = end, end + 4 * math.prod(shape)
        header[name.replace("_", ".")] = {"dtype": "F32", "shape": shape, "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + bytes(end)


_MODULES = [{"idx": i, "path": path, "type": f"sentence_transformers.models.{kind}"}
    for i, (path, kind) in enumerate([("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Dense", "Dense")])]  # fmt: skip

_CHECKPOINT: dict[str, bytes] = {
    "config.json": _object(model_type="bert", hidden_size=8, num_hidden_layers=2, num_attention_heads=2, vocab_size=30,
        intermediate_size=8, id2label={"0": "no", "1": "yes"}, label2id={"no": 0, "yes": 1}, num_labels=2),
    "crosswind.json": _object(kind="pair", labels=["no", "yes"], pooling={"mode": "mean", "layer": 1, "prefix": "q: "},
        classifier_pooling="mean"),
    "modules.json": json.dumps(_MODULES).encode(),
    "1_Pooling/config.json": _object(word_embedding_dimension=8, pooling_mode_mean_tokens=True),
    "2_Dense/config.json": _object(in_features=2, out_features=3, bias=False, activation_function="torch.nn.Tanh"),
    "2_Dense/model.safetensors": _safetensors(linear_weight=[3, 2]),
    "sentence_bert_config.json": _object(max_seq_length=128, do_lower_case=False),
    "config_sentence_transformers.json": _object(prompts={"query": "query: "}, default_prompt_name="query"),
    "tokenizer_config.json": _object(tokenizer_class="BertTokenizer"),
    "model.safetensors": _safetensors(embeddings_weight=[30, 8]),
}  # fmt: skip

_TOKENIZER: dict[str, bytes] = {
    "config.json": _object(model_type="bert"),
    "tokenizer_config.json": _object(tokenizer_class="BertTokenizer", do_lower_case=False, pad_token="[PAD]",
        model_max_length=128, added_tokens_decoder={"0": {"content": "[PAD]", "special": True}}),
    "special_tokens_map.json": _object(pad_token="[PAD]", unk_token="[UNK]"),
    "vocab.txt": "".join(f"{x}\n" for x in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklm")).encode(),
}  # fmt: skip


def readers() -> list[Reader]:
    """Every reader of files that others write."""
    scored = [
        Reader(f"score-{name.partition('/')[0]}", {f"predictions/{name}": given, f"labels/{name}": gold}, _scored)
        for name, (given, gold) in _SUBMISSIONS.items()
    ]
    return [
        *(_task_reader(*declared) for declared in _TASK_FILES),
        Reader("study", {"study.yaml": _STUDY}, _read_study),
        Reader("plan", {"study.yaml": _STUDY}, _plan_study),
        Reader("set", {"overrides": b"seeds=[1, 2]\ndata.root=DIR\nroutes.english.0.budget.examples=20"}, _set_key),
        Reader("pretrain", {"pretrain.yaml": _PRETRAIN}, _read_pretraining),
        Reader("text", {"a.txt": b"eins zwei\ndrei\n\n", "b.txt": b"one two\nthree\n\n"}, _text),
        Reader("lexicon", {"en-de.txt": b"house Haus\nhouse\tHaus\ntree Baum\n"}, _lexicon),
        Reader("parquet", {"a.parquet": _parquet_bytes(id=["a", "b"], words=[["x"], ["y", "z"]])}, _parquet),
        Reader(
            "own",
            {"tasks.yaml": _OWN, **_OWN_FILES, "test.parquet": _parquet_bytes(a=["x", "y"], b=["z", "w"], c=[0, 1])},
            _own,
        ),
        Reader("perturb", {"lines.txt": "Der Hund läuft.\nÄrzte 한글 😀\n".encode()}, _perturbed),
        Reader("checkpoint", _CHECKPOINT, _checkpoint),
        Reader("tokenizer", _TOKENIZER, _tokenizer),
        Reader("adapter", {"adapter_config.json": _object(base_model_name_or_path="ann/base")}, _adapter),
        *scored,
    ]


_PRETRAIN = b"""name: tiny
encoder: null
tokenizer: {vocab_size: 500}
model: {hidden_size: 32, num_hidden_layers: 2, num_attention_heads: 2, intermediate_size: 64}
text: [{name: ntrex, languages: [de, en], rows: 0-99}]
budget: {steps: 3}
training: {batch_size: 4}
"""
