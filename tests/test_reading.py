"""The one way in: whatever a file holds, it is read or an error names file, line and column."""

from __future__ import annotations

import errno
import gzip
import lzma
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from crosswind.errors import UserError, shown
from crosswind.reading import (
    csv_records,
    expanded,
    json_file,
    json_lines,
    json_value,
    lines,
    opened,
    parquet_file,
    whole_text,
)


def test_a_very_deep_json_file_is_an_error_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "deep.json"
    path.write_text("\n" + "[" * 100_000)
    with pytest.raises(UserError, match=r"deep\.json:2: not JSON that can be read: nested too deeply \(column 201\)"):
        json_file(path)


def test_a_number_of_thousands_of_digits_is_an_error_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    path.write_text('{"a": 1}\n{"a": ' + "9" * 5000 + "}\n")
    with pytest.raises(UserError, match=r"long\.jsonl:2: .*a number of thousands of digits \(column 7\)"):
        list(json_lines(path))


@pytest.mark.parametrize("text", ["\\ud83d", "\\ude00\\ud83d", "\\ud83dx\\ude00", "\\uD83D\\uD83D\\uDE00"])
def test_half_of_a_surrogate_pair_in_json_is_an_error_with_its_place(tmp_path: Path, text: str) -> None:
    path = tmp_path / "half.json"
    path.write_text('{"data":\n ["' + text + '"]}')
    with pytest.raises(UserError, match=r"half\.json:2: half of a surrogate pair, \\u[dD]\w{3}, .* \(column \d+\)"):
        json_file(path)


def test_whole_surrogate_pairs_and_escaped_backslashes_are_text() -> None:
    assert json_value('["\\ud83d\\ude00", "\\\\ud83d", "\\uD83D\\uDE00\\ud83d\\ude00"]', "x") == [
        "😀",
        "\\ud83d",
        "😀😀",
    ]


def test_an_object_with_a_key_twice_is_refused_where_keys_are_answers(tmp_path: Path) -> None:
    path = tmp_path / "test-de.json"
    path.write_text('{"q1": "a",\n "q1": "b"}')
    assert json_file(path) == {"q1": "b"}
    with pytest.raises(UserError, match=r"test-de\.json:2: the key 'q1' is given twice \(column 2\)"):
        json_file(path, unique=True)


def test_broken_json_names_line_and_column(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"data": [\n1,\n  }')
    with pytest.raises(UserError, match=r"a\.json:3: not JSON: .* \(column 3\)"):
        json_file(path)


def test_a_folder_a_link_to_nothing_a_loop_and_a_device_are_named(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "dangling").symlink_to("nowhere")
    for name, reason in (
        (tmp_path, "Is a directory"),
        (tmp_path / "loop", "Too many levels of symbolic links"),
        (tmp_path / "dangling", "No such file or directory"),
        (tmp_path / ("x" * 300), "File name too long"),
        (Path("/dev/zero"), "it is a device, not a file"),
    ):
        for read in (whole_text, json_file, parquet_file, lambda path: list(lines(path))):
            with pytest.raises(UserError, match=f"can't be read: {reason}"):
                read(name)
    with pytest.raises(UserError, match="null character"):
        whole_text(Path("a\0b"))


def test_a_pipe_that_nobody_writes_to_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UserError, match="a pipe that nobody writes to"):
        whole_text(tmp_path / "pipe")


def test_a_pipe_that_somebody_writes_to_is_read() -> None:
    text = "Grüße\n" * 20_000
    reading, writing = os.pipe()
    with subprocess.Popen([sys.executable, "-c", "print('Grüße\\n' * 20_000, end='')"], stdout=writing):
        os.close(writing)
        assert whole_text(Path(f"/dev/fd/{reading}")) == text
    os.close(reading)


def test_text_that_is_not_utf8_names_line_and_byte_in_a_whole_file_too(tmp_path: Path) -> None:
    path = tmp_path / "latin.json"
    path.write_bytes(b'{"a":\n"Gr\xfc\xdfe"}')
    with pytest.raises(UserError, match=r"latin\.json:2: not UTF-8 \(byte 4 of the line\)"):
        json_file(path)


@pytest.mark.parametrize("suffix", [".gz", ".xz"])
def test_a_damaged_archive_is_named_by_every_reader(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.json{suffix}"
    for content in (
        b"no archive",
        (gzip.compress if suffix == ".gz" else lzma.compress)(os.urandom(500).hex().encode())[:200],
    ):
        path.write_bytes(content)
        for read in (whole_text, json_file, lambda path: list(lines(path)), lambda path: list(csv_records(path))):
            with pytest.raises(UserError, match=r"can't be read.*\n.*damaged"):
                read(path)


_BOUNDED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (1536 << 20, 1536 << 20))
from pathlib import Path
from crosswind.errors import UserError
from crosswind.reading import json_file, lines
for read in (json_file, lambda path: sum(1 for _ in lines(path))):
    try:
        read(Path(sys.argv[1]))
    except UserError as error:
        print(error.what)
"""


@pytest.mark.slow
@pytest.mark.parametrize("content", [b"a", b"a" * 1023 + b"\n"])
def test_a_small_archive_of_a_gigabyte_is_refused_within_bounded_memory(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bomb.gz"
    block = gzip.compress(content * ((8 << 20) // len(content)))
    path.write_bytes(block * 120)
    ran = subprocess.run([sys.executable, "-c", _BOUNDED, str(path)], capture_output=True, text=True, timeout=120)
    first, second = ran.stdout.splitlines()
    assert "unpacks to more than 200 times its size" in first
    assert "a line of more than 64 MiB" in second or "unpacks to more than 200 times its size" in second


def test_a_file_beyond_the_limit_of_its_sort_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("x" * 3000)
    assert len(whole_text(path, limit=3000)) == 3000
    with pytest.raises(UserError, match=r"a\.yaml: more than 2 KiB"):
        whole_text(path, limit=2048)


def test_what_is_no_parquet_table_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame({"a": [1, 2]}).write_parquet(path)
    assert parquet_file(path)["a"].to_list() == [1, 2]
    whole = path.read_bytes()
    for content in (b"", b"PAR1", whole[:-20], b"x" * 100, whole[:4] + b"\0" * (len(whole) - 12) + whole[-8:]):
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"a\.parquet: not a Parquet table"):
            parquet_file(path)


def test_a_home_folder_of_nobody_is_an_error_at_its_key() -> None:
    with pytest.raises(UserError, match=r"data\.root: no home folder of '~nouser'"):
        expanded("~nouser/data", "data.root")
    assert expanded("~") == Path.home()


def test_a_value_in_a_message_is_short_whatever_it_holds() -> None:
    deep: list[object] = []
    for _ in range(5000):
        deep = [deep]
    assert shown(deep) == "[[[[...]]]]"
    assert len(shown("x" * 10_000)) <= 80
    assert shown("kurz") == "'kurz'"


def test_a_fault_of_the_block_that_reads_is_not_blamed_on_the_file(tmp_path: Path) -> None:
    path = tmp_path / "in.txt"
    path.write_text("a line\n" * 3)

    def copy_onto_a_full_disk() -> None:
        with opened(path) as stream:
            assert stream.readline() == b"a line\n"
            raise OSError(errno.ENOSPC, "No space left on device", "out.txt")

    with pytest.raises(OSError, match="No space left") as error:
        copy_onto_a_full_disk()
    assert error.value.filename == "out.txt"
