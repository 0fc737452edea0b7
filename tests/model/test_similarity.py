"""The similarity of texts: a vector is its text's alone, and is remembered."""

from __future__ import annotations

from crosswind.model.similarity import EncoderSimilarity
from crosswind.study.encoders import place_of

TEXTS = [" ".join(["nadu", "belo", "suri"][i % 3] for i in range(n)) + "." for n in (1, 2, 5, 9, 14, 20, 40, 61)]


def test_a_vector_does_not_depend_on_what_is_read_beside_it() -> None:
    place = place_of("microworld")
    together = EncoderSimilarity(place)(list(zip(TEXTS, reversed(TEXTS), strict=True)))
    for i, pair in enumerate(zip(TEXTS, reversed(TEXTS), strict=True)):
        assert EncoderSimilarity(place)([pair]) == [together[i]]  # the same bits


def test_every_text_is_read_in_the_shape_of_its_own_length() -> None:
    shapes: list[list[tuple[int, ...]]] = []
    for some in (TEXTS, *([text] for text in TEXTS)):
        similarity, seen = EncoderSimilarity(place_of("microworld")), list[tuple[int, ...]]()
        similarity.embedder.register_forward_pre_hook(
            lambda module, args, batch, seen=seen: seen.append(tuple(batch["input_ids"].shape)), with_kwargs=True
        )
        similarity([(text, text) for text in some])
        shapes.append(seen)
    together, *alone = shapes
    assert set(together) == {shape for some in alone for shape in some}
    assert len(together) > 1


def test_texts_are_remembered_by_content_and_no_more_of_them_than_so_many() -> None:
    similarity = EncoderSimilarity(place_of("microworld"))
    pairs = [(TEXTS[0], text) for text in TEXTS[1:5]]
    first = similarity(pairs)
    assert similarity.embedded == 5
    assert similarity([*reversed(pairs)]) == [*reversed(first)]
    assert similarity([pairs[2], pairs[2], (TEXTS[2], TEXTS[0])])[0] == first[2]
    assert similarity.embedded == 5
    similarity.remembered = 2
    assert similarity(pairs) == first  # one call has what it needs, whatever is kept
    assert similarity.embedded == 5
    assert similarity(pairs[2:]) == first[2:]
    assert similarity.embedded == 6  # the first text was among the latest two no more
    assert similarity([]) == []
