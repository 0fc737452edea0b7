"""Lines as they come: batches of what has arrived, and ids in bounded memory."""

from __future__ import annotations

import codecs
import io
import itertools
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswind.errors import UserError
from crosswind.perturb.lines import LINES_COUNTED, ArrivingLines, line_ids, perturb_stream
from crosswind.perturb.spec import parse_spec


class Dripping(io.RawIOBase):
    """A stream that gives its chunks one at a time, as a pipe does."""

    def __init__(self, chunks: list[bytes]) -> None:
        self.chunks, self.read = list(chunks), 0  # type: ignore[assignment]

    def read1(self, size: int) -> bytes:
        self.read += 1  # type: ignore[operator, assignment]
        return self.chunks.pop(0) if self.chunks else b""


@given(st.lists(st.binary(min_size=1, max_size=6).map(lambda b: bytes(65 + c % 3 if c % 4 else 10 for c in b))))
def test_lines_are_the_bytes_of_the_stream_however_they_arrive(chunks: list[bytes]) -> None:
    batches = list(ArrivingLines(Dripping(chunks), "drip"))  # type: ignore[arg-type]
    lines = [line for batch in batches for line in batch]
    assert "".join(line.text + line.end for line in lines).encode() == b"".join(chunks)
    assert all("\n" not in line.text for line in lines)
    assert [line.end for line in lines[:-1]] == ["\n"] * len(lines[:-1])


def test_a_byte_order_mark_is_kept_and_changes_no_draw() -> None:
    plain = b"the old house by the river\r\nand the small boat\r\n"

    def noisy(content: bytes) -> bytes:
        batches = perturb_stream(ArrivingLines(io.BytesIO(content), "x"), parse_spec("swap:0.3"), "en")
        return "".join(line.whole for batch in batches for line, _ in batch).encode()

    assert noisy(plain) != plain
    assert noisy(codecs.BOM_UTF8 + plain) == codecs.BOM_UTF8 + noisy(plain)
    # Behind the first line the character is part of a text.
    lines = [line for batch in ArrivingLines(io.BytesIO(codecs.BOM_UTF8.join((b"a\n", b"b"))), "x") for line in batch]
    assert [(line.mark, line.text) for line in lines] == [("", "a"), ("", "\ufeffb")]


def test_a_batch_is_what_has_arrived() -> None:
    drip = Dripping([b"one\ntwo\nth", b"ree\n", b"four"])
    arriving = iter(ArrivingLines(drip, "drip"))  # type: ignore[arg-type]
    assert [line.text for line in next(arriving)] == ["one", "two"]
    assert drip.read == 1
    assert [[line.text for line in batch] for batch in arriving] == [["three"], ["four"]]


def test_lines_before_a_fault_come_before_it() -> None:
    arriving = iter(ArrivingLines(io.BytesIO(b"one\ntwo\ncaf\xe9\nfour\n"), "in.txt"))
    assert [line.text for line in next(arriving)] == ["one", "two"]
    with pytest.raises(UserError, match=r"in\.txt:3"):
        next(arriving)


def test_occurrences_are_counted_among_a_bounded_number_of_lines() -> None:
    ids = list(line_ids(itertools.repeat("a line", LINES_COUNTED + 2)))
    assert len(set(ids)) == LINES_COUNTED
    assert ids[-2:] == ids[:2]


@pytest.mark.slow
def test_memory_does_not_grow_with_the_lines() -> None:
    """Every line is another: after twice as many lines as are counted no more is held than after as many."""
    text = (f"line number {n} of many\n".encode() for n in range(3 * LINES_COUNTED))
    chunks = (b"".join(itertools.islice(text, 512)) for _ in itertools.count())

    class Endless:
        def read1(self, size: int) -> bytes:
            return next(chunks)

    tracemalloc.start()
    try:
        peaks = []
        done = 0
        for batch in perturb_stream(ArrivingLines(Endless(), "x"), parse_spec("diacritics:0.1"), "de"):  # type: ignore[arg-type]
            done += len(batch)
            if done % LINES_COUNTED == 0:
                peaks.append(tracemalloc.get_traced_memory()[1])
                tracemalloc.reset_peak()
        assert len(peaks) == 3
        assert max(peaks[1:]) < 1.1 * peaks[0]
    finally:
        tracemalloc.stop()
