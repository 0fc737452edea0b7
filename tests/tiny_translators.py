"""Tiny seq2seq checkpoints with random weights: NLLB, M2M-100, and opus-mt for one pair and for several languages."""

from __future__ import annotations

import json
from pathlib import Path

import sentencepiece
import torch
from transformers import M2M100Config, M2M100ForConditionalGeneration, MarianConfig, MarianMTModel, NllbTokenizer

TEXTS = (
    "The old house stands at the river. A dog sees the red cat, and the cat eats bread [here].",
    "Das alte Haus steht am Fluss. Ein Hund sieht die rote Katze, und die Katze isst Brot.",
    "Who sees the cat? What does the cat eat? 1987 {a} <b> «c» (d)",
    "Der Hund. Nyumba ya zamani. Mbwa anaona paka mwekundu.",
)
_SIZE = {"d_model": 16, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2}
_SIZE |= {"decoder_attention_heads": 2, "encoder_ffn_dim": 24, "decoder_ffn_dim": 24, "max_position_embeddings": 64}
NLLB_CODES = ["arb_Arab", "arz_Arab", "deu_Latn", "eng_Latn", "quy_Latn", "swh_Latn", "zho_Hans", "zho_Hant"]


def nllb(folder: Path) -> Path:
    """NLLB's architecture and tokenizer class, for eight languages."""
    letters = sorted({c for text in TEXTS for c in text if c != " "} | {"▁"})
    vocab = {token: i for i, token in enumerate(["<s>", "<pad>", "</s>", "<unk>", *letters])}
    tokenizer = NllbTokenizer(vocab=vocab, merges=[], extra_special_tokens=NLLB_CODES, src_lang="eng_Latn")
    tokenizer.save_pretrained(folder)
    return _m2m(folder, len(tokenizer))


def m2m_100(folder: Path) -> Path:
    """M2M-100's architecture and tokenizer class, with all of its hundred languages."""
    folder.mkdir(parents=True)
    pieces = _pieces(folder, "sentencepiece.bpe")
    vocab = {token: i for i, token in enumerate(["<s>", "<pad>", "</s>", "<unk>", *pieces])}
    (folder / "vocab.json").write_text(json.dumps(vocab))
    settings = {"tokenizer_class": "M2M100Tokenizer", "src_lang": "en", "tgt_lang": "de"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return _m2m(folder, len(vocab) + 100 + 8)


def opus_mt(folder: Path, *targets: str) -> Path:
    """An opus-mt model from English into German, or into several languages (`deu`, `swh`)."""
    folder.mkdir(parents=True)
    pieces = _pieces(folder, "source")
    (folder / "target.spm").write_bytes((folder / "source.spm").read_bytes())
    tokens = ["</s>", "<unk>", *(f">>{code}<<" for code in targets), *pieces, "<pad>"]
    (folder / "vocab.json").write_text(json.dumps({token: i for i, token in enumerate(tokens)}))
    settings = {"tokenizer_class": "MarianTokenizer", "source_lang": "eng" if targets else "en"}
    settings["target_lang"] = "gem" if targets else "de"
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    pad = len(tokens) - 1
    torch.manual_seed(3)
    config = MarianConfig(
        vocab_size=len(tokens), pad_token_id=pad, eos_token_id=0, decoder_start_token_id=pad, bos_token_id=0,
        forced_eos_token_id=0, init_std=0.5, **_SIZE,
    )  # fmt: skip
    MarianMTModel(config).save_pretrained(folder)
    return folder


def _m2m(folder: Path, size: int) -> Path:
    torch.manual_seed(3)
    config = M2M100Config(
        vocab_size=size, pad_token_id=1, bos_token_id=0, eos_token_id=2, decoder_start_token_id=2, init_std=0.5,
        dropout=0.0, **_SIZE,
    )  # fmt: skip
    M2M100ForConditionalGeneration(config).save_pretrained(folder)
    return folder


def _pieces(folder: Path, name: str) -> list[str]:
    """The pieces of a SentencePiece model that is trained on the texts, which lies in the folder as `NAME.model`."""
    suffix = ".model" if name.startswith("sentencepiece") else ".spm"
    text = folder / "text.txt"
    text.write_text("\n".join(TEXTS * 4))
    sentencepiece.SentencePieceTrainer.train(
        input=str(text), model_prefix=str(folder / "piece"), vocab_size=120, minloglevel=2, hard_vocab_limit=False
    )
    (folder / "piece.model").rename(folder / f"{name}{suffix}")
    text.unlink()
    lines = (folder / "piece.vocab").read_text().splitlines()
    (folder / "piece.vocab").unlink()
    return [line.split("\t")[0] for line in lines if line.split("\t")[0] not in ("<s>", "</s>", "<unk>")]
