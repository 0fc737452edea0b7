"""Translation by a seq2seq checkpoint of transformers: NLLB, M2M-100, mBART-50, opus-mt, MADLAD-400."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForSeq2SeqLM

from crosswind.errors import UserError
from crosswind.model.encoder import load_config, load_tokenizer, quiet
from crosswind.model.foreign import checkpoint_json, first_line
from crosswind.model.translation_codes import Codes, code_for, language_codes, stands_for

ROWS = 16
"""Sentences of a batch at most."""
TOKENS = 2048
"""Tokens of a batch at most, padding included."""
LONGEST = 400
"""Tokens of a sentence at most, where the checkpoint's own limit is not lower; what is longer is cut at a space."""


class Seq2Seq:
    """A checkpoint that translates from one language into another, by beam search (1: greedy).

    `codes` names the checkpoint's own codes for our languages, where they are not plain. `cut` counts the sentences
    that were translated in parts, `unfinished` those whose translation reached the limit of tokens.
    Raises `UserError` for what cannot be loaded, and for a language that it does not translate: that names its own.
    """

    def __init__(
        self,
        model: str,
        source: str,
        target: str,
        *,
        revision: str | None = None,
        codes: Mapping[str, str] | None = None,
        beams: int = 4,
        longest: int | None = None,
        device: torch.device | None = None,
    ) -> None:
        self.name = Path(model).name
        self.beams = beams
        self.device = device or torch.device("cpu")
        self.tokenizer: Any = load_tokenizer(model, revision)
        given = codes or {}
        known = language_codes(self.tokenizer, self.name)
        self._prefix, self._forced, self.pair = _directed(self.tokenizer, known, source, target, given, self.name)
        self._languages = frozenset(map(int, self.tokenizer.convert_tokens_to_ids([*known.tokens.values()])))
        config = load_config(model, revision)
        self.module: Any = _loaded(model, config, revision).to(self.device).eval()
        limits = [longest or LONGEST, getattr(config, "max_position_embeddings", None), self.tokenizer.model_max_length]
        self.longest = min(int(limit) for limit in limits if limit) - 2
        self.cut = self.unfinished = 0

    def translate(self, texts: Sequence[str]) -> list[str]:
        """The translation of each sentence, in order; the same call gives the same bytes."""
        parts = [self._parts(text) for text in texts]
        self.cut += sum(len(p) > 1 for p in parts)
        flat = list(dict.fromkeys(part for one in parts for part in one))
        made: dict[str, str] = {}
        for batch in self._batches(flat):
            made |= dict(zip(batch, self._generate(batch), strict=True))
        return [" ".join(made[part] for part in one) for one in parts]

    def _tokens(self, text: str) -> int:
        return len(self.tokenizer(self._prefix + text)["input_ids"])

    def _parts(self, text: str) -> list[str]:
        """The text, or halves of it cut at a space until each fits."""
        if self._tokens(text) <= self.longest or len(text) < 2:
            return [text]
        middle = len(text) // 2
        spaces = [i for i, character in enumerate(text) if character.isspace() and 0 < i < len(text) - 1]
        at = min(spaces, key=lambda i: abs(i - middle)) if spaces else middle
        return [*self._parts(text[:at].rstrip() or text[:at]), *self._parts(text[at:].lstrip() or text[at:])]

    def _batches(self, texts: Sequence[str]) -> Iterator[list[str]]:
        """Texts of similar length together, the longest first."""
        lengths = {text: self._tokens(text) for text in texts}
        ordered = sorted(texts, key=lambda text: (-lengths[text], text))
        batch: list[str] = []
        for text in ordered:
            if batch and (len(batch) == ROWS or lengths[batch[0]] * (len(batch) + 1) > TOKENS):
                yield batch
                batch = []
            batch.append(text)
        if batch:
            yield batch

    def _generate(self, texts: Sequence[str]) -> list[str]:
        with quiet():
            rows = self.tokenizer([self._prefix + text for text in texts], return_tensors="pt", padding=True)
            inputs = {name: rows[name].to(self.device) for name in ("input_ids", "attention_mask")}
            most = min(2 * inputs["input_ids"].shape[1] + 16, self.longest)
            with torch.inference_mode():
                output = self.module.generate(
                    **inputs,
                    num_beams=self.beams,
                    do_sample=False,
                    max_new_tokens=most,
                    max_length=None,
                    forced_bos_token_id=self._forced,
                )
        end = self.module.generation_config.eos_token_id
        ends = set(end) if isinstance(end, list) else {end}
        self.unfinished += sum(not ends & set(row.tolist()[1:]) for row in output)
        # M2M-100's tokenizer need not count the language that the output begins with among its special tokens.
        rest = [[token for token in row if token not in self._languages] for row in output.tolist()]
        decoded: list[str] = self.tokenizer.batch_decode(rest, skip_special_tokens=True)
        return [text.strip() for text in decoded]


def _directed(
    tokenizer: Any, known: Codes, source: str, target: str, given: Mapping[str, str], model: str
) -> tuple[str, int | None, str]:
    """What goes before a text, the token that the output must begin with, and the pair of codes, for notes."""
    match known.scheme:
        case "forced":
            ours = code_for(source, known.tokens, model=model, given=given.get(source))
            theirs = code_for(target, known.tokens, model=model, given=given.get(target))
            tokenizer.src_lang = ours
            return "", int(tokenizer.convert_tokens_to_ids(known.tokens[theirs])), f"{ours}>{theirs}"
        case "prefix":
            _check_side(known.source, source, given, model, "from")
            theirs = code_for(target, known.tokens, model=model, given=given.get(target))
            return f"{known.tokens[theirs]} ", None, f"{known.source or '?'}>{theirs}"
        case "pair":
            _check_side(known.source, source, given, model, "from")
            _check_side(known.target, target, given, model, "into")
            return "", None, f"{known.source}>{known.target}"


def _check_side(code: str | None, language: str, given: Mapping[str, str], model: str, way: str) -> None:
    """A `UserError` where a checkpoint for one language translates from, or into, another."""
    if code is None or given.get(language) == code or stands_for(code, language):
        return
    raise UserError(
        f"{model!r} translates {way} {code}, not {language}",
        where="translate.model",
        hint=f"its language is {code}: name a checkpoint for {language}, or say codes: {{{language}: {code}}}",
    )


def _loaded(model: str, config: Any, revision: str | None) -> Any:
    # transformers passes over a damaged one in silence, and the settings of its search with it.
    checkpoint_json(model, "generation_config.json", revision)
    try:
        with quiet():
            return AutoModelForSeq2SeqLM.from_pretrained(
                model, config=config, revision=revision, dtype=torch.float32, use_safetensors=True,
                trust_remote_code=False,
            )  # fmt: skip
    except Exception as error:
        raise UserError(
            f"cannot load {model!r} as a translation model ({first_line(error)})",
            where="translate.model",
            hint="name a folder or hub id of a seq2seq checkpoint with safetensors weights",
        ) from error
