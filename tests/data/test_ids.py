"""Ids by content."""

from __future__ import annotations

from crosswind.data.ids import ContentIds, text_hash


def test_a_text_is_named_by_its_hash_and_how_often_it_came_before() -> None:
    ids = ContentIds()
    assert [ids("a"), ids("b"), ids("a"), ids("a")] == [
        "ca978112ca1bbdca-0",  # printf a | sha256sum
        "3e23e8160039594a-0",
        "ca978112ca1bbdca-1",
        "ca978112ca1bbdca-2",
    ]
    assert ids.parts("b") == ("3e23e8160039594a", 1)


def test_the_hash_may_be_another_one() -> None:
    ids = ContentIds(str.upper)
    assert [ids("x"), ids("X")] == ["X-0", "X-1"]
    assert text_hash("a", 4) == "ca97"
