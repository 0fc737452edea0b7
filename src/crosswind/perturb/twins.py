"""Natural twins: a standard text and a variant of it that people wrote (typing errors, a dialect, another script).

A pair of data sets becomes a recorded perturbation: items are found again in each other, and what differs is the
rewrite, so that drops, consistency and damage are measured as of any other noise.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import regex
from rapidfuzz import fuzz

from crosswind.data.examples import (
    ChoiceExample,
    Dataset,
    Example,
    PairExample,
    SpanExample,
    TaggingExample,
    kind_of,
    text_fields,
)
from crosswind.errors import UserError
from crosswind.perturb.diff import rewrite_between
from crosswind.perturb.perturbed import Perturbed, PerturbedDataset
from crosswind.perturb.replay import replay
from crosswind.perturb.rewrite import Edit, Rewrite
from crosswind.run.step import digest

_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")
_LEAST = 50.0  # similarity (rapidfuzz's ratio, 0 to 100) below which two items are not the same
_MARK = regex.compile(r"<([^<>|]*)\|\d+>")  # how the noisy SNIPS writes a changed word: `<cancion|0>`
_OTHER_LABELS = 0.25  # share of row pairs of another label above which two files are not in one order
TWIN_FIELDS: tuple[str, ...] = ("words", "first", "second", "context", "question", "choices", "query")
"""The texts of examples that a variant has in another writing; the candidates of a pool stand as they are."""

_TRIED = 8  # standard items that share the most rare words with a variant, of which the most similar one is taken


@dataclass(frozen=True)
class Twins:
    """The standard set with its variants put in, and what became of these: how many were `aligned` to an item, `lost`
    (no item is like them), of another `label`, or `torn` (their words or answers do not fit the item's)."""

    data: PerturbedDataset
    aligned: int
    lost: int
    label: int
    torn: int


def twins(
    standard: Dataset, variant: Dataset, *, quotes: str = "", marks: bool = False, by_rows: bool = False
) -> Twins:
    """The rewrites that lead from the items of a data set to their variants; items without one stay as they are.

    `quotes` are characters that stand around every text of the variant and are none of it; with `marks` so are those
    of `<word|0>` around its changed words. With `by_rows` row i of one set is row i of the other, however little their
    texts have in common (another script, mixed languages). Raises a `UserError` where the two are of different kinds,
    where no variant is like an item, and by rows where the sets have different numbers of rows, or, of tasks with a
    label an example, more than a quarter of their rows different ones.
    """
    if kind_of(standard.examples[0]) != kind_of(variant.examples[0]):
        kinds = f"{kind_of(standard.examples[0])} and {kind_of(variant.examples[0])}"
        raise UserError(f"{standard.task} and {variant.task} are of different kinds ({kinds})", where="twins")
    variants = [_texts(e, quotes, marks) for e in variant.examples]
    pairs = _paired_rows(standard, variant) if by_rows else twin_pairs(standard, variant, quotes=quotes, marks=marks)
    if not pairs:
        raise no_twins(standard, variant)
    examples: list[Perturbed[Example]] = [Perturbed(e, {}) for e in standard.examples]
    label = torn = 0
    for i, j in pairs.items():
        example, other = standard.examples[i], variant.examples[j]
        if _label(example) != _label(other):
            label += 1
            continue
        changed = _rewritten(example, variants[j])
        if changed is None or not _same_answers(changed.example, other, quotes, marks):
            torn += 1
        else:
            examples[i] = changed
    named = {"standard": standard.fingerprint, "variant": variant.fingerprint, "quotes": quotes}
    print_ = digest(named | ({"marks": True} if marks else {}) | ({"rows": True} if by_rows else {}))
    dataset = replace(standard, examples=tuple(e.example for e in examples), fingerprint=print_)
    lost = len(variant.examples) - len(pairs)
    return Twins(PerturbedDataset(dataset, tuple(examples)), len(pairs), lost, label, torn)


def twin_pairs(standard: Dataset, variant: Dataset, *, quotes: str = "", marks: bool = False) -> dict[int, int]:
    """Which item of the standard set has which variant, found by their texts (`aligned_items`)."""
    return aligned_items(
        [_fields(_texts(e), e) for e in standard.examples],
        [_fields(_texts(e, quotes, marks), e) for e in variant.examples],
    )


def no_twins(standard: Dataset, variant: Dataset) -> UserError:
    """An error for two sets of which no items are alike."""
    what = f"no item of {variant.task} is like one of the {len(standard):,} of"
    hint = (
        "a variant is the same text written in another way, of items that the target's `limit` or `rows` take; files of"
        " one row order in two scripts: `rows: true`"
    )
    return UserError(f"{what} {standard.task} ({standard.language})", where="twins", hint=hint)


def rows_of(part: Dataset, whole: Dataset, variant: Dataset) -> Dataset:
    """The rows of a variant that stand where a part's items stand in the whole set, in the part's order."""
    if len(whole) != len(variant):
        raise _unequal(whole, variant)
    row = {example.id: i for i, example in enumerate(whole.examples)}
    return replace(variant, examples=tuple(variant.examples[row[example.id]] for example in part.examples))


def _paired_rows(standard: Dataset, variant: Dataset) -> dict[int, int]:
    """Row by row, where the two sets can be in one order."""
    if len(standard) != len(variant):
        raise _unequal(standard, variant)
    rows = list(zip(standard.examples, variant.examples, strict=True))
    labels = [
        (a.label, b.label)
        for a, b in rows
        if isinstance(a, (PairExample, ChoiceExample)) and isinstance(b, (PairExample, ChoiceExample))
    ]
    other = sum(a != b for a, b in labels)
    if other > _OTHER_LABELS * len(labels):
        what = f"{other:,} of {len(labels):,} rows of {variant.task} have another label than those of {standard.task}"
        raise UserError(what, where="twins", hint="by rows, both files hold the same items in the same order")
    return {i: i for i in range(len(rows))}


def _unequal(standard: Dataset, variant: Dataset) -> UserError:
    what = f"{variant.task} has {len(variant):,} rows, {standard.task} ({standard.language}) {len(standard):,}"
    hint = "by rows, every item has its variant; without `rows` a part of the items is found by its texts"
    return UserError(what, where="twins", hint=hint)


def without_word_marks(text: str) -> str:
    """A text without the marks of the noisy SNIPS around its changed words."""
    return str(_MARK.sub(r"\1", text))


def aligned_items(standard: Sequence[Sequence[str]], variant: Sequence[Sequence[str]]) -> dict[int, int]:
    """Index of a standard item -> index of its variant; each of either once.

    Sets of equal length whose rows are alike are aligned by row, others by text: the items that share the most
    rare words with a variant are compared with it, and pairs are taken by falling similarity.
    """
    first, second = [" ".join(t) for t in standard], [" ".join(t) for t in variant]
    if len(first) == len(second):
        alike = [_similarity(a, b) >= _LEAST for a, b in zip(standard, variant, strict=True)]
        if sum(alike) >= 0.95 * len(alike):
            return {i: i for i, same in enumerate(alike) if same}
    owners: defaultdict[str, list[int]] = defaultdict(list)
    for i, text in enumerate(first):
        for word in {w.lower() for w in _WORD.findall(text)}:
            owners[word].append(i)
    scored: list[tuple[float, int, int]] = []
    for j, text in enumerate(second):
        votes: Counter[int] = Counter()
        for word in {w.lower() for w in _WORD.findall(text)}:
            some = owners.get(word, ())
            weight = math.log(1 + len(first) / max(1, len(some)))
            if len(some) <= max(50, len(first) // 10):
                for i in some:
                    votes[i] += weight  # type: ignore[assignment]
        for i, _ in sorted(votes.items(), key=lambda v: (-v[1], v[0]))[:_TRIED]:
            similarity = _similarity(standard[i], variant[j])
            if similarity >= _LEAST:
                scored.append((-similarity, i, j))
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for _, i, j in sorted(scored):
        if i not in pairs and j not in taken:
            pairs[i] = j
            taken.add(j)
    return dict(sorted(pairs.items()))


def _similarity(one: Sequence[str], other: Sequence[str]) -> float:
    """The ratio of the least similar field, 0 to 100: an item is the same only if all of its texts are."""
    if len(one) != len(other):
        return float(fuzz.ratio(" ".join(one), " ".join(other)))
    return min((float(fuzz.ratio(a, b)) for a, b in zip(one, other, strict=True) if a or b), default=0.0)


def _texts(example: Example, quotes: str = "", marks: bool = False) -> tuple[str, ...]:
    texts = example.words if isinstance(example, TaggingExample) else tuple(text_fields(example).values())
    if marks:
        texts = tuple(map(without_word_marks, texts))
    return tuple(_unquoted(text, quotes) for text in texts) if quotes else texts


def _fields(texts: Sequence[str], example: Example) -> Sequence[str]:
    """What is compared: the texts of an example, the words of a tagged sentence as one."""
    return (" ".join(texts),) if isinstance(example, TaggingExample) else texts


def _unquoted(text: str, quotes: str) -> str:
    stripped = text.strip()
    if len(stripped) > 1 and stripped[0] in quotes and stripped[-1] == stripped[0]:
        return stripped[1:-1]
    return text


def _label(example: Example) -> object:
    """What has to be the same: the label, the tags, the texts of the answers' places; of queries nothing."""
    if isinstance(example, TaggingExample):
        return example.tags
    if isinstance(example, SpanExample):
        return len(example.answers or ())
    return getattr(example, "label", None)


def _same_answers(rewritten: Example, variant: Example, quotes: str, marks: bool) -> bool:
    """Whether the gold answers that a rewrite led to are those that the variant's own file gives."""
    if not isinstance(rewritten, SpanExample) or not isinstance(variant, SpanExample):
        return True
    ours, theirs = rewritten.answer_texts, variant.answer_texts
    if marks:
        theirs = tuple(map(without_word_marks, theirs))
    return all(_unquoted(b, quotes) == a for a, b in zip(ours, theirs, strict=True))


def _rewritten(example: Example, texts: Sequence[str]) -> Perturbed[Example] | None:
    rewrites: dict[str, Rewrite] = {}
    if isinstance(example, TaggingExample):
        if len(texts) != len(example.words) or any(not w or w.split() != [w] for w in texts):
            return None
        if texts != example.words:
            edits: list[Edit] = []
            at = 0
            for word, other in zip(example.words, texts, strict=True):
                if word != other:
                    edits.append((at, at + len(word), other))
                at += len(word) + 1
            rewrites["words"] = Rewrite.from_edits(" ".join(example.words), edits)
    else:
        names = text_fields(example)
        if len(names) != len(texts):
            return None
        for (name, text), other in zip(names.items(), texts, strict=True):
            if text != other:
                rewrites[name] = rewrite_between(text, other)
    try:
        return replay(example, rewrites)
    except ValueError:
        return None
