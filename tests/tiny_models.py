"""Tokenizers trained here and tiny randomly initialised encoders of several architectures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForMaskedLM,
    CanineTokenizer,
    PreTrainedTokenizerFast,
)
from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING

TEXTS = (
    "The quick brown fox jumps over the lazy dog.",
    "A man inspects the uniform of a figure in some East Asian country, doesn't he?",
    "Der Mann schläft; äußerst großes Fußballspiel!",
    "Мама мыла раму. Съешь ещё этих мягких французских булок.",
    "ประเทศไทยมีประชากรประมาณหกสิบหกล้านคน",
    "القاهرة هي عاصمة جمهورية مصر العربية.",
    "北京是中华人民共和国的首都,人口超过两千万。",
    "東京は日本の首都である。",
    "I ❤️ 🍕 and 👩‍👩‍👧 naïve café — ½ ﬁne",
    "हिन्दी भारत की राजभाषा है।",
)
CLS, SEP, PAD, UNK, MASK = "[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]"


def wordpiece(*, types: bool = True) -> PreTrainedTokenizerFast:
    """BERT's: lower case off, a segment id for each text."""
    fast = Tokenizer(models.WordPiece(unk_token=UNK))
    fast.normalizer = normalizers.BertNormalizer(lowercase=False)
    fast.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=220, special_tokens=[PAD, UNK, CLS, SEP, MASK], show_progress=False)
    fast.train_from_iterator(TEXTS, trainer)
    return _wrapped(fast, f"{CLS} $A {SEP}", f"{CLS}:0 $A:0 {SEP}:0 $B:1 {SEP}:1", types)


def byte_bpe(*, prefix: bool = True) -> PreTrainedTokenizerFast:
    """RoBERTa's: bytes, four special tokens around a pair."""
    fast = Tokenizer(models.BPE())
    fast.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix)
    fast.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=340,
        special_tokens=[CLS, PAD, SEP, UNK, MASK],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    fast.train_from_iterator(TEXTS, trainer)
    return _wrapped(fast, f"{CLS} $A {SEP}", f"{CLS} $A {SEP} {SEP} $B {SEP}", False)


def metaspace(*, scheme: str = "always") -> PreTrainedTokenizerFast:
    """XLM-R's: Unigram pieces that hold the space before them."""
    fast = Tokenizer(models.Unigram())
    fast.normalizer = normalizers.NFKC()
    fast.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=scheme)
    fast.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=260, special_tokens=[CLS, PAD, SEP, UNK, MASK], unk_token=UNK, show_progress=False
    )
    fast.train_from_iterator(TEXTS, trainer)
    return _wrapped(fast, f"{CLS} $A {SEP}", f"{CLS} $A {SEP} {SEP} $B {SEP}", False)


def canine() -> Any:
    """CANINE's: a token a character, no offsets."""
    return CanineTokenizer()


TOKENIZERS = {"wordpiece": wordpiece, "byte_bpe": byte_bpe, "metaspace": metaspace, "canine": canine}


def _wrapped(fast: Tokenizer, single: str, pair: str, types: bool) -> PreTrainedTokenizerFast:
    ids = [(t, fast.token_to_id(t)) for t in (CLS, SEP)]
    fast.post_processor = processors.TemplateProcessing(single=single, pair=pair, special_tokens=ids)
    names = ["input_ids", "token_type_ids", "attention_mask"] if types else ["input_ids", "attention_mask"]
    return PreTrainedTokenizerFast(
        tokenizer_object=fast,
        cls_token=CLS,
        sep_token=SEP,
        pad_token=PAD,
        unk_token=UNK,
        mask_token=MASK,
        model_input_names=names,
        model_max_length=128,
    )


_SIZE = {"num_hidden_layers": 2, "num_attention_heads": 2}
_WIDE = {**_SIZE, "hidden_size": 16, "intermediate_size": 24}
_DROP = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
# Architecture -> tokenizer and configuration; large enough weights that no two logits are alike.
ARCHITECTURES: dict[str, tuple[str, dict[str, Any]]] = {
    "xlm-roberta": ("metaspace", {**_WIDE, **_DROP, "max_position_embeddings": 130, "type_vocab_size": 1}),
    "bert": ("wordpiece", {**_WIDE, **_DROP, "max_position_embeddings": 128}),
    "distilbert": (
        "wordpiece",
        {"dim": 16, "hidden_dim": 24, "n_layers": 2, "n_heads": 2, "max_position_embeddings": 128, "dropout": 0.0}
        | {"attention_dropout": 0.0, "seq_classif_dropout": 0.0, "qa_dropout": 0.0},
    ),
    "electra": ("wordpiece", {**_WIDE, **_DROP, "embedding_size": 12, "max_position_embeddings": 128}),
    "deberta-v2": (
        "metaspace",
        {**_WIDE, **_DROP, "relative_attention": True, "pos_att_type": ["c2p", "p2c"], "position_biased_input": False}
        | {"max_position_embeddings": 128, "type_vocab_size": 0, "pooler_hidden_size": 16, "pooler_dropout": 0.0},
    ),
    "deberta": ("byte_bpe", {**_WIDE, **_DROP, "max_position_embeddings": 128, "pooler_hidden_size": 16}),
    "modernbert": ("byte_bpe", {**_WIDE, "max_position_embeddings": 128, "global_attn_every_n_layers": 2}),
    "canine": (
        "canine",
        {**_WIDE, **_DROP, "max_position_embeddings": 128, "num_hash_buckets": 64, "local_transformer_stride": 16},
    ),
}


def write_encoder(folder: Path, architecture: str, *, seed: int = 7, dtype: torch.dtype = torch.float32) -> Path:
    """A checkpoint as `transformers` writes it: masked-LM head where there is one, no pooler then."""
    name, options = ARCHITECTURES[architecture]
    tokenizer = TOKENIZERS[name]()
    known = {"vocab_size": len(tokenizer)} if name != "canine" else {}
    marks = {"pad_token_id": tokenizer.pad_token_id, "cls_token_id": tokenizer.cls_token_id}
    marks |= {"bos_token_id": tokenizer.cls_token_id, "eos_token_id": tokenizer.sep_token_id}
    marks |= {"sep_token_id": tokenizer.sep_token_id}
    config = AutoConfig.for_model(architecture, **known, **marks, **options, initializer_range=0.3)
    has_lm = type(config) in MODEL_FOR_MASKED_LM_MAPPING
    torch.manual_seed(seed)
    model = (AutoModelForMaskedLM if has_lm else AutoModel).from_config(config)
    model.to(dtype).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
