"""Tags of sentences whose words move, come or go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from crosswind.data.examples import Span
from crosswind.perturb.pieces import Keep, Placement
from crosswind.perturb.rewrite import Rewrite


def entities(tags: Sequence[str]) -> list[list[int]]:
    """The word indices of each IOB2 entity, in order. A stray `I-X` begins an entity of its own."""
    runs: list[list[int]] = []
    for i, tag in enumerate(tags):
        if tag == "O":
            continue
        prefix = tag[:2]
        if prefix not in ("B-", "I-"):
            continue
        # Of the word before, an entity's too, the kind stands behind a prefix of the same length.
        if prefix == "I-" and runs and runs[-1][-1] == i - 1 and tags[i - 1][2:] == tag[2:]:
            runs[-1].append(i)
        else:
            runs.append([i])
    return runs


@lru_cache(maxsize=16384)  # the sentences of a large test set, whose tags are asked for several times
def entity_groups(tags: tuple[str, ...]) -> tuple[tuple[int, ...], ...]:
    """`entities`, kept."""
    return tuple(map(tuple, entities(tags)))


def of_entities(tags: Iterable[str]) -> bool:
    """Whether tags are entities' (`B-`, `I-`) or nothing's (`O`): of others every word has one."""
    return all(tag == "O" or tag[:2] in ("B-", "I-") for tag in tags)


def moved_tags(tags: Sequence[str], position: Mapping[int, int]) -> dict[int, str]:
    """The tag of each word that has a position in the sentence as it reads now.

    Inside an entity the tags keep their order (B first) when the words change theirs or some go.
    """
    new = {word: tags[word] for word in position}
    word_at = {at: word for word, at in position.items()}
    for group in entity_groups(tuple(tags)):
        moved = sorted((word for word in group if word in position), key=position.__getitem__)
        if not moved:
            continue
        for word, tag in zip(moved, [tags[i] for i in group], strict=False):
            new[word] = tag
        before = word_at.get(position[moved[0]] - 1)
        kind = new[moved[0]].partition("-")[2]
        if new[moved[0]][:2] == "I-" and before is not None and new[before].partition("-")[2] == kind:
            new[moved[0]] = f"B-{kind}"  # A stray `I-X` that now follows an X would continue it.
    return new


@lru_cache(maxsize=16384)
def unmoved_tags(tags: tuple[str, ...]) -> tuple[str, ...]:
    """`moved_tags` of a sentence whose words stand in their old order."""
    return tuple(moved_tags(tags, {i: i for i in range(len(tags))}).values())


def retagged(
    text: str, words: Sequence[Span], tags: Sequence[str] | None, labels: Sequence[Span], rewrite: Rewrite
) -> tuple[tuple[Span, ...], tuple[str, ...] | None] | None:
    """The words and tags of a sentence some of whose words came or went, in the order of the text.

    `words` and `tags` are those before the rewrite, `labels` the entities after it. `None` if a word is
    cut in two or joined with another, stands in two places, or comes without a tag.
    """
    placement = Placement(rewrite.pieces)
    places = {i: placement.place(w.start, w.end) for i, w in enumerate(words)}
    kept = [p for p in rewrite.pieces if isinstance(p, Keep)]
    for i, w in enumerate(words):
        if places[i] is None and any(k.start < w.end and w.start < k.end for k in kept):
            return None
    owners: dict[Span, int] = {}
    spans, at = [], 0
    for word in text.split(" "):
        if not word:
            return None
        spans.append(Span(at, at + len(word)))
        at += len(word) + 1
    for i, moved in places.items():
        if moved is None:
            continue
        owner = next((s for s in spans if s.start <= moved.start and moved.end <= s.end), None)
        if owner is None or owner in owners:
            return None
        owners[owner] = i
    if tags is None:
        return tuple(spans), None
    position = {owners[s]: n for n, s in enumerate(spans) if s in owners}
    new = moved_tags(tags, position)
    resolved = []
    for span in spans:
        tag = new[owners[span]] if span in owners else placement.tag(span.start, span.end)
        inside = next((e for e in labels if e.start < span.end and span.start < e.end), None)
        if not tag or (span not in owners and inside is not None and tag[:2] != "I-"):
            return None
        resolved.append(tag)
    return tuple(spans), tuple(resolved)
