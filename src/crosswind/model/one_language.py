"""Models that ask what language a text is in, which Crosswind reads all texts alike: what a reader must know of it.

XLM has embeddings of languages (Conneau and Lample 2019), X-MOD adapters (Pfeiffer et al. 2022), the tokenizers of
mBART, M2M100 and NLLB write the language's code into every text. One reading for all languages keeps rows of several
languages in one batch and scores comparable; it is not how such a model was trained, so it is noted and signed.
"""

from __future__ import annotations

from crosswind.model.encoder import Encoder


def language_read(encoder: Encoder) -> tuple[str, str] | None:
    """(what the signature says, a note) of a model that would be told the language; `None` for all others."""
    config = encoder.config
    if getattr(config, "use_lang_emb", False) and int(getattr(config, "n_langs", 1) or 1) > 1:
        note = (
            f"The model has embeddings of {config.n_langs} languages, and is told none: texts of every language are"
            " read without them, which is not how it was trained."
        )
        return "none", note
    adapter = getattr(config, "default_language", None)
    if adapter:
        note = f"The model has an adapter a language; texts of every language are read with that of {adapter}."
        return str(adapter), note
    code = getattr(encoder.tokenizer, "src_lang", None)
    if code:
        note = f"The tokenizer marks each text's language; texts of every language are marked {code}."
        return str(code), note
    return None
