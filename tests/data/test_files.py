from __future__ import annotations

import gzip
import lzma
import os
from pathlib import Path

import pytest

from crosswind.data.files import Files
from crosswind.errors import UserError
from crosswind.reading import csv_records, json_file, json_lines, lines


def test_a_file_is_found_plain_or_compressed_and_read_alike(tmp_path: Path) -> None:
    (tmp_path / "plain.tsv").write_text("Grüße\tß\nzwei\n", encoding="utf-8")
    (tmp_path / "zipped.tsv.gz").write_bytes(gzip.compress("Grüße\tß\nzwei\n".encode()))
    (tmp_path / "packed.tsv.xz").write_bytes(lzma.compress("Grüße\tß\nzwei\n".encode()))
    files = Files(tmp_path)
    for name, suffix in (("plain", ""), ("zipped", ".gz"), ("packed", ".xz")):
        path = files.find("absent.tsv", f"{name}.tsv", what="x")
        assert path.name == f"{name}.tsv{suffix}"
        assert list(lines(path)) == [(1, "Grüße\tß"), (2, "zwei")]


def test_an_absent_file_says_what_was_tried_and_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        Files(tmp_path).find("xnli/dev-de.tsv", "XNLI-1.0/xnli.dev.tsv", what="xnli dev, de")
    text = str(caught.value)
    assert "no file of xnli dev, de" in text
    assert "xnli/dev-de.tsv, XNLI-1.0/xnli.dev.tsv (plain, .gz or .xz)" in text
    assert "data.root" in text
    assert "CROSSWIND_DATA" in text
    assert caught.value.where == str(tmp_path)


def test_an_absent_root_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no folder of official files") as caught:
        Files(tmp_path / "nowhere").find("a", what="xnli")
    assert caught.value.where == str(tmp_path / "nowhere")


def test_only_line_feeds_end_a_line_and_a_byte_order_mark_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("\ufeffone\u2028still one\x85\r\n\n last ".encode())
    assert list(lines(path)) == [(1, "one\u2028still one\x85"), (2, ""), (3, " last ")]


def test_text_that_is_not_utf8_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "latin.tsv"
    path.write_bytes(b"fine\nGr\xfc\xdfe\n")
    with pytest.raises(UserError, match=r"latin\.tsv:2: not UTF-8 \(byte 3 of the line\)\n.*convert"):
        list(lines(path))


@pytest.mark.parametrize("suffix", [".gz", ".xz"])
def test_a_cut_off_archive_is_reported_as_damaged(tmp_path: Path, suffix: str) -> None:
    whole = (gzip.compress if suffix == ".gz" else lzma.compress)(os.urandom(4000).hex().encode())
    path = tmp_path / f"a.txt{suffix}"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match=r"can't be read.*\n.*damaged"):
        list(lines(path))


def test_broken_json_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"data": [\n1,\n}')
    with pytest.raises(UserError, match=r"a\.json:3: not JSON"):
        json_file(path)
    path.write_text('{"a": 1}\n\n{"a": \n')
    with pytest.raises(UserError, match=r"a\.json:3: not JSON"):
        list(json_lines(path))
    path.write_text("[1]\n")
    with pytest.raises(UserError, match=r"a\.json:1: not a JSON object"):
        list(json_lines(path))


def test_a_csv_record_may_span_lines_and_is_named_by_its_first(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('id,text\n1,"two\nlines, ""quoted"""\n2,plain\n')
    assert list(csv_records(path)) == [
        (2, {"id": "1", "text": 'two\nlines, "quoted"'}),
        (4, {"id": "2", "text": "plain"}),
    ]
    path.write_text('id,text\n1,"two\nlines"\n2,plain,more\n')
    with pytest.raises(UserError, match=r"a\.csv:4: 3 columns, expected 2"):
        list(csv_records(path))
    path.write_text('id,text\n1,"never closed\n')
    with pytest.raises(UserError, match=r"a\.csv:2: not CSV.*\n.*quotes"):
        list(csv_records(path))


def test_a_fingerprint_follows_the_bytes_not_the_place_or_the_time(tmp_path: Path) -> None:
    files = Files(tmp_path)
    first, second = tmp_path / "a.txt", tmp_path / "b.txt"
    first.write_text("one")
    second.write_text("one")
    before = files.fingerprint([first])
    assert files.fingerprint([second]) == before
    assert files.fingerprint([first], version=2) != before
    os.utime(first, ns=(1, 1))
    assert files.fingerprint([first]) == before
    first.write_text("two")
    os.utime(first, ns=(2, 2))
    assert files.fingerprint([first]) != before


def test_what_is_no_file_is_not_called_damaged(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"can't be read: Is a directory\n  is it a file"):
        list(lines(tmp_path))
