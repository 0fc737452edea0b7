"""Training a tokenizer from text."""

from __future__ import annotations

from typing import Any

SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")  # XLM-R's special tokens; their ids are 0, 1, 2, 3 and the last


def train_tokenizer(texts: list[str], vocab_size: int) -> Any:
    """A BPE tokenizer with XLM-R's template and Metaspace, trained on the texts."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    fast = Tokenizer(models.BPE(unk_token="<unk>"))
    fast.normalizer = normalizers.NFKC()
    fast.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    fast.decoder = decoders.Metaspace()
    trainer = trainers.BpeTrainer(vocab_size=vocab_size - 1, special_tokens=list(SPECIAL[:4]), show_progress=False)
    fast.train_from_iterator(texts, trainer)
    fast.add_special_tokens(["<mask>"])
    fast.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=fast,
        bos_token="<s>",
        eos_token="</s>",
        cls_token="<s>",
        sep_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        mask_token="<mask>",
        model_max_length=512,
        model_input_names=["input_ids", "attention_mask"],
    )
