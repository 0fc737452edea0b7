"""Tokenizers made here and tiny randomly initialised encoders of several architectures: the same in every process.

The trainers of Unigram and WordPiece count in hash maps, so that no two runs give the same pieces: these are listed.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForMaskedLM,
    ByT5Tokenizer,
    CanineTokenizer,
    PreTrainedTokenizerFast,
    XLNetTokenizer,
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
    words, pairs, letters = _words(), _pairs(), _letters()
    inside = [f"##{piece}" for piece in (*letters, *pairs)]
    short = [word for word in words if len(word) <= 3]  # as trained: most words are cut
    names = dict.fromkeys((PAD, UNK, CLS, SEP, MASK, *letters, *inside, *short))
    fast = Tokenizer(models.WordPiece({name: i for i, name in enumerate(names)}, unk_token=UNK))
    fast.normalizer = normalizers.BertNormalizer(lowercase=False)
    fast.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
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
    special = [(name, 0.0) for name in (CLS, PAD, SEP, UNK, MASK)]
    short = [(piece, score) for piece, score in _pieces() if len(piece) <= 4]  # as trained: most words are cut
    pairs = [(pair, -7.0) for pair in _pairs() if pair not in dict(short)]
    # No two ways of cutting a word have the same score: which of them is taken would be the implementation's matter.
    pieces = [(piece, score - 0.01 * i**0.5) for i, (piece, score) in enumerate([*short, *pairs])]
    fast = Tokenizer(models.Unigram([*special, *pieces], unk_id=3))
    fast.normalizer = normalizers.NFKC()
    fast.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=scheme)
    fast.decoder = decoders.Metaspace()
    return _wrapped(fast, f"{CLS} $A {SEP}", f"{CLS} $A {SEP} {SEP} $B {SEP}", False)


def xlnet() -> Any:
    """XLNet's: padding on the left, the classifying token at the end, with a segment id of its own."""
    pieces = [(t, 0.0) for t in ("<unk>", "<s>", "</s>", "<sep>", "<pad>", "<cls>", "<mask>", "<eop>", "<eod>")]
    names = ["input_ids", "token_type_ids", "attention_mask"]
    return XLNetTokenizer(vocab=pieces + _pieces(), unk_id=0, model_input_names=names)


def t5(end: str = "</s>") -> PreTrainedTokenizerFast:
    """T5's: nothing before a text, one end behind each."""
    fast = Tokenizer(models.Unigram([("<pad>", 0.0), (end, 0.0), ("<unk>", 0.0), *_pieces()], unk_id=2))
    fast.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    fast.decoder = decoders.Metaspace()
    fast.post_processor = processors.TemplateProcessing(
        single=f"$A {end}", pair=f"$A {end} $B {end}", special_tokens=[(end, 1)]
    )
    names = ["input_ids", "attention_mask"]
    return PreTrainedTokenizerFast(
        tokenizer_object=fast, eos_token=end, pad_token="<pad>", unk_token="<unk>", model_input_names=names
    )


def mbart() -> PreTrainedTokenizerFast:
    """mBART's: an end and the language behind a text, or behind two."""
    special = ["<s>", "<pad>", "</s>", "<unk>", "en_XX", "<mask>"]
    fast = Tokenizer(models.Unigram([*((t, 0.0) for t in special), *_pieces()], unk_id=3))
    fast.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    fast.decoder = decoders.Metaspace()
    fast.post_processor = processors.TemplateProcessing(
        single="$A </s> en_XX", pair="$A $B </s> en_XX", special_tokens=[("</s>", 2), ("en_XX", 4)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=fast,
        bos_token="<s>",
        eos_token="</s>",
        sep_token="</s>",
        cls_token="<s>",
        pad_token="<pad>",
        unk_token="<unk>",
        mask_token="<mask>",
        additional_special_tokens=["en_XX"],
        model_input_names=["input_ids", "attention_mask"],
    )


def gpt() -> PreTrainedTokenizerFast:
    """GPT-2's: bytes, nothing around a text; its one special token fills up."""
    fast = Tokenizer(models.BPE())
    fast.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    fast.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=340, special_tokens=["<|end|>"], initial_alphabet=alphabet, show_progress=False
    )
    fast.train_from_iterator(TEXTS, trainer)
    fast.post_processor = processors.ByteLevel(trim_offsets=False)
    names = ["input_ids", "attention_mask"]
    return PreTrainedTokenizerFast(
        tokenizer_object=fast, eos_token="<|end|>", pad_token="<|end|>", model_input_names=names
    )


def byt5() -> Any:
    """ByT5's: a token a byte, no fast class."""
    return ByT5Tokenizer(extra_ids=5)


def _pieces() -> list[tuple[str, float]]:
    """Pieces of the texts with their scores: every character, and every word."""
    words = {f"▁{word}" for word in _words()}
    letters = {"▁", *_letters()}
    return [(p, -2.0 - len(p) / 8) for p in sorted(words)] + [(c, -9.0) for c in sorted(letters - words)]


def _words() -> list[str]:
    return sorted({word for text in TEXTS for word in text.split()})


def _letters() -> list[str]:
    return sorted({letter for word in _words() for letter in word})


def _pairs() -> list[str]:
    """Two letters that stand together in a word."""
    return sorted({word[i : i + 2] for word in _words() for i in range(len(word) - 1)})


def canine() -> Any:
    """CANINE's: a token a character, no offsets."""
    return CanineTokenizer()


TOKENIZERS: dict[str, Callable[[], Any]] = {
    "wordpiece": wordpiece,
    "byte_bpe": byte_bpe,
    "metaspace": metaspace,
    "canine": canine,
    "xlnet": xlnet,
    "t5": t5,
    "mbart": mbart,
    "gpt": gpt,
    "byt5": byt5,
}


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
        {**_WIDE, **_DROP, "max_position_embeddings": 128, "num_hash_buckets": 128, "local_transformer_stride": 16},
    ),
}
_T5 = {"d_model": 16, "d_kv": 8, "d_ff": 24, "num_layers": 2, "num_heads": 2, "dropout_rate": 0.0}
_T5 |= {"decoder_start_token_id": 0, "initializer_factor": 2.0}
_BART = {"d_model": 16, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 2, "dropout": 0.0}
_BART |= {"decoder_attention_heads": 2, "encoder_ffn_dim": 24, "decoder_ffn_dim": 24, "max_position_embeddings": 128}
_BART |= {"init_std": 0.3, "attention_dropout": 0.0, "activation_dropout": 0.0, "forced_eos_token_id": None}
_GPT = {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 128}
_GPT |= {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
# Those that need more care, or were tried beside them: what each kind does with each is a table of the docs.
MORE_ARCHITECTURES: dict[str, tuple[str, dict[str, Any]]] = {
    "roberta": ("byte_bpe", {**_WIDE, **_DROP, "max_position_embeddings": 130, "type_vocab_size": 1}),
    "albert": ("wordpiece", {**_WIDE, **_DROP, "embedding_size": 12, "max_position_embeddings": 128}),
    "rembert": (
        "wordpiece",
        {**_WIDE, **_DROP, "input_embedding_size": 12, "output_embedding_size": 12, "max_position_embeddings": 128}
        | {"classifier_dropout_prob": 0.0},
    ),
    "xmod": (
        "metaspace",
        {**_WIDE, **_DROP, "max_position_embeddings": 130, "type_vocab_size": 1, "languages": ["en_XX"]}
        | {"default_language": "en_XX"},
    ),
    "xlm": (
        "byte_bpe",
        {"emb_dim": 16, "n_layers": 2, "n_heads": 2, "max_position_embeddings": 128, "n_langs": 1}
        | {"dropout": 0.0, "attention_dropout": 0.0, "embed_init_std": 0.3, "init_std": 0.3, "use_lang_emb": False},
    ),
    "funnel": (
        "wordpiece",
        {"block_sizes": [1, 1], "d_model": 16, "n_head": 2, "d_head": 8, "d_inner": 24, "num_decoder_layers": 1}
        | {"hidden_dropout": 0.0, "attention_dropout": 0.0, "activation_dropout": 0.0, "initializer_std": 0.3},
    ),
    "eurobert": ("byte_bpe", {**_WIDE, "num_key_value_heads": 2, "max_position_embeddings": 128}),
    "gpt2": ("gpt", _GPT),
    "xlnet": (
        "xlnet",
        {"d_model": 16, "n_layer": 2, "n_head": 2, "d_inner": 24, "dropout": 0.0, "ff_activation": "gelu"},
    ),
    "big_bird": (
        "metaspace",
        {**_WIDE, **_DROP, "max_position_embeddings": 512, "block_size": 4, "num_random_blocks": 1},
    ),
    "longformer": (
        "metaspace",
        {**_WIDE, **_DROP, "max_position_embeddings": 130, "type_vocab_size": 1, "attention_window": 8},
    ),
    "t5": ("t5", _T5),
    "mt5": ("t5", {**_T5, "feed_forward_proj": "gated-gelu"}),
    "byt5": ("byt5", _T5),
    "mbart": ("mbart", _BART),
}
ALL_ARCHITECTURES = {**ARCHITECTURES, **MORE_ARCHITECTURES}
MODEL_TYPES = {"byt5": "t5"}  # where an architecture is called otherwise


def write_encoder(folder: Path, architecture: str, *, seed: int = 7, dtype: torch.dtype = torch.float32) -> Path:
    """A checkpoint as `transformers` writes it: masked-LM head where there is one, no pooler then."""
    name, options = ALL_ARCHITECTURES[architecture]
    tokenizer = TOKENIZERS[name]()
    known = {"vocab_size": len(tokenizer)} if name != "canine" else {}
    end = tokenizer.eos_token_id if tokenizer.sep_token_id is None else tokenizer.sep_token_id
    marks = {"pad_token_id": tokenizer.pad_token_id, "cls_token_id": tokenizer.cls_token_id}
    marks |= {"bos_token_id": tokenizer.cls_token_id, "eos_token_id": end, "sep_token_id": tokenizer.sep_token_id}
    if architecture == "xlm":
        known["pad_index"] = tokenizer.pad_token_id
    model_type = MODEL_TYPES.get(architecture, architecture)
    config = AutoConfig.for_model(model_type, **known, **marks, **options, initializer_range=0.3)
    has_lm = type(config) in MODEL_FOR_MASKED_LM_MAPPING
    torch.manual_seed(seed)
    model = (AutoModelForMaskedLM if has_lm else AutoModel).from_config(config)
    model.to(dtype).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
