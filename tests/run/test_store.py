"""The store: what is published is whole, found again and never damaged unnoticed."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from contextlib import suppress
from pathlib import Path

import pytest

from crosswind.errors import UserError
from crosswind.run.checked import Checked
from crosswind.run.step import Step, canonical
from crosswind.run.store import Damaged, Missing, Store

STEP = Step("train", 1, {"seed": 1}, label="english, seed 1", cost=10)
# sha256sum of the four bytes "abcd"
ABCD = "88d4266fd4e6338d13b845fcf289579d209c897823b9217da3e161936f031589"


def publish(store: Store, step: Step = STEP, **files: str) -> Path:
    with store.write(step) as draft:
        for name, text in (files or {"model.safetensors": "weights", "config.json": "{}"}).items():
            path = draft.path / name.replace("__", "/")
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        draft.meta["score"] = 71.5
    return store.path(step.key)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def test_a_published_step_lies_below_its_key_with_a_manifest_of_its_files(store: Store) -> None:
    assert not store.has(STEP.key)
    folder = publish(store, head__weights="abcd")
    assert folder == store.root / "objects" / STEP.key[:2] / STEP.key
    assert store.has(STEP.key)
    assert store.check(STEP.key)
    manifest = store.manifest(STEP.key)
    assert manifest["files"] == {"head/weights": {"size": 4, "sha256": ABCD}}
    assert Step.from_json(manifest["step"]) == STEP
    assert manifest["meta"]["score"] == 71.5
    assert set(manifest["meta"]["seconds"]) == {"wall", "cpu"}


def test_a_step_that_raises_leaves_nothing_but_its_checkpoints(store: Store) -> None:
    (store.partial(STEP.key) / "optimizer.safetensors").write_text("half way")
    with suppress(ZeroDivisionError), store.write(STEP) as draft:
        (draft.path / "model.safetensors").write_text("half")
        raise ZeroDivisionError
    assert not store.has(STEP.key)
    assert list((store.root / "drafts").iterdir()) == []
    assert (store.partial(STEP.key) / "optimizer.safetensors").read_text() == "half way"


def test_checkpoints_are_removed_when_the_step_is_published(store: Store) -> None:
    (store.partial(STEP.key) / "optimizer.safetensors").write_text("half way")
    publish(store)
    assert list((store.root / "partial").iterdir()) == []


def test_what_is_there_is_not_produced_again(store: Store) -> None:
    with store.produce(STEP) as draft:
        assert draft is not None
        (draft.path / "a").write_text("first")
    with store.produce(STEP) as draft:
        assert draft is None
    with store.write(STEP) as late:
        (late.path / "a").write_text("second")
    assert (store.path(STEP.key) / "a").read_text() == "first"


def test_a_file_of_another_size_makes_an_artifact_missing_and_it_is_replaced(store: Store) -> None:
    (publish(store) / "model.safetensors").write_text("weig")
    assert not store.has(STEP.key)
    publish(store)
    assert (store.path(STEP.key) / "model.safetensors").read_text() == "weights"


def test_a_flipped_byte_is_detected_and_the_artifact_removed(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    (publish(store) / "model.safetensors").write_text("weighTs")
    later = Store(store.root)
    assert later.has(STEP.key)
    assert later.verify() == [STEP.key]
    with pytest.raises(Damaged, match=r"^english, seed 1 \(\w{12}\) is damaged"):
        later.path(STEP.key)
    with caplog.at_level(logging.WARNING):
        assert not later.check(STEP.key)
    assert caplog.messages == [f"english, seed 1 ({STEP.key[:12]}) is damaged in the store and is computed again"]
    assert not (store.root / "objects" / STEP.key[:2] / STEP.key).exists()


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs Linux's /proc")
def test_a_file_that_cannot_be_read_is_damage_and_not_a_crash(store: Store) -> None:
    path = publish(store, empty="") / "empty"
    path.unlink()
    path.symlink_to("/proc/self/mem")  # of size 0, and reading address 0 is an input/output error
    later = Store(store.root)
    assert later.has(STEP.key)
    with pytest.raises(Damaged):
        later.path(STEP.key)
    assert not later.check(STEP.key)
    publish(store, empty="")
    assert store.verify() == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"key": 1}', '{"key": "\\ud800"'])
def test_a_damaged_manifest_makes_an_artifact_missing(text: str, store: Store) -> None:
    (publish(store) / "manifest.json").write_text(text)
    assert not store.has(STEP.key)
    assert store.verify() == [STEP.key]
    with pytest.raises(Damaged):
        store.path(STEP.key)
    assert not store.check(STEP.key)
    publish(store)
    assert store.verify() == []


def test_a_changed_bit_in_any_byte_of_a_manifest_is_noticed(store: Store) -> None:
    path = publish(store) / "manifest.json"
    whole, value = path.read_bytes(), store.manifest(STEP.key)
    for position in range(len(whole)):
        changed = whole[position] ^ 1 << position % 8
        path.write_bytes(whole[:position] + bytes([changed]) + whole[position + 1 :])
        try:
            assert store.manifest(STEP.key) == value  # 1E-05 is 1e-05
        except Damaged as error:
            assert error.key == STEP.key  # noqa: PT017


# What a byte of a manifest can be part of.
CLASSES = ["key", "step", "files", "config.json", "size", "sha256", "meta", "seconds", "wall", "created", "dropped"]


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("bit", [0, 5, 7])
def test_a_manifest_with_a_changed_name_is_damage_and_its_step_is_computed_again(
    name: str, bit: int, store: Store
) -> None:
    path = publish(store) / "manifest.json"
    whole = path.read_bytes()
    position = whole.index(f'"{name}"'.encode()) + 1
    path.write_bytes(whole[:position] + bytes([whole[position] ^ 1 << bit]) + whole[position + 1 :])
    later = Store(store.root)
    assert not later.has(STEP.key)
    assert later.entries() == []
    assert later.verify() == [STEP.key]
    with later.produce(STEP) as draft:
        assert draft is not None
        (draft.path / "config.json").write_text("{}")
    assert Store(store.root).verify() == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("files", {"../../secret": {"size": 1, "sha256": ABCD}}),
        ("files", {"config.json": {"sha256": ABCD}}),
        ("files", {"config.json": {"size": 2}}),
        ("files", ["config.json"]),
        ("meta", {}),
        ("meta", {"created": "2024", "seconds": {"wall": 1.0}}),
        ("dropped", None),
        ("step", {"kind": "train"}),
        ("step", {"kind": "train", "version": 1, "params": {"seed": "\ud800"}}),
    ],
)
def test_a_manifest_of_other_contents_is_damage_though_its_checksum_is_right(
    name: str, value: object, store: Store
) -> None:
    path = publish(store) / "manifest.json"
    manifest = json.loads(path.read_text()) | {name: value}
    del manifest["sha256"]
    text = json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    checksum = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    path.write_text(json.dumps(manifest | {"sha256": checksum}))
    with pytest.raises(Damaged):
        store.manifest(STEP.key)
    assert not store.check(STEP.key)


def test_a_file_or_a_folder_in_the_place_of_another_is_damage(store: Store) -> None:
    folder = publish(store)
    (folder / "manifest.json").unlink()
    (folder / "manifest.json").mkdir()
    assert not store.check(STEP.key)
    folder = publish(store)
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    folder.write_text("a file")
    assert store.verify() == [STEP.key]
    assert not store.check(STEP.key)
    publish(store)
    assert store.verify() == []
    assert list((store.root / "drafts").iterdir()) == []


def test_a_flipped_bit_is_noticed_though_the_file_looks_as_old_as_before(store: Store, tmp_path: Path) -> None:
    path = publish(store) / "model.safetensors"
    store.watch(Checked(tmp_path / "checked.json"))
    assert store.check(STEP.key)
    store.checked.save()
    stat = path.stat()
    with path.open("r+b") as file:  # in place: the same inode
        file.write(b"W")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    later = Store(store.root)
    later.watch(Checked(tmp_path / "checked.json"))
    assert not later.check(STEP.key)


def test_what_another_process_hashed_is_hashed_again_before_this_one_reads_it(store: Store, tmp_path: Path) -> None:
    folder = publish(store)
    (folder / "model.safetensors").write_text("weighTs")
    checked = Checked()
    checked.note(STEP.key, folder, ["model.safetensors", "config.json", "manifest.json"])  # as if it had been sound
    later = Store(store.root)
    later.watch(checked)
    assert later.check(STEP.key)
    with pytest.raises(Damaged):
        later.path(STEP.key)
    later.forget(STEP.key)
    assert not later.check(STEP.key)


def test_after_a_drop_the_manifest_and_the_other_files_remain(store: Store) -> None:
    folder = publish(store)
    assert store.drop(STEP.key, ["*.safetensors"]) == len("weights")
    assert not store.has(STEP.key)
    assert not store.check(STEP.key)
    assert store.manifest(STEP.key)["dropped"] == ["*.safetensors"]
    assert (folder / "config.json").exists()
    assert store.verify() == []
    with pytest.raises(Missing, match="dropped"):
        store.path(STEP.key)
    publish(store)
    assert store.has(STEP.key)


def test_what_another_process_computed_after_a_drop_is_verified_again(store: Store) -> None:
    publish(store)
    store.drop(STEP.key, ["*.safetensors"])
    (publish(Store(store.root)) / "model.safetensors").write_text("weighTs")
    with pytest.raises(Damaged):
        store.path(STEP.key)


def test_dropping_what_an_artifact_lacks_changes_nothing(store: Store) -> None:
    publish(store)
    assert store.drop(STEP.key, ["*.bin"]) == 0
    assert store.has(STEP.key)


def test_opening_a_store_removes_abandoned_drafts_and_keeps_those_being_written(store: Store) -> None:
    abandoned = store.root / "drafts" / f"{'0' * 64}-1a2b3c4d"
    abandoned.mkdir()
    with store.write(STEP) as draft:
        (draft.path / "a").touch()
        Store(store.root)
        assert (draft.path / "a").exists()
    assert not abandoned.exists()
    assert store.has(STEP.key)


def test_pruning_keeps_what_it_is_told_to_and_what_is_being_computed(store: Store) -> None:
    other, unfinished = Step("train", 1, {"seed": 2}), Step("train", 1, {"seed": 3})
    publish(store)
    publish(store, other)
    store.partial(unfinished.key)
    busy = Step("train", 1, {"seed": 4})
    with store.write(busy):
        store.partial(busy.key)
        assert store.prune({STEP.key}) == sorted([other.key, unfinished.key])
        assert (store.root / "partial" / busy.key).exists()
    assert sorted(e.key for e in store.entries()) == sorted([STEP.key, busy.key])
    assert not (store.root / "partial" / unfinished.key).exists()


def test_an_entry_tells_what_an_artifact_is_and_takes(store: Store) -> None:
    folder = publish(store)
    (entry,) = store.entries()
    assert (entry.kind, entry.label, entry.dropped) == ("train", "english, seed 1", False)
    assert entry.size == len("weights") + len("{}") + (folder / "manifest.json").stat().st_size


def test_the_name_of_the_manifest_is_the_stores_own(store: Store) -> None:
    with pytest.raises(ValueError, match=r"manifest\.json"), store.write(STEP) as draft:
        (draft.path / "manifest.json").touch()
    assert not store.has(STEP.key)


def test_a_store_that_cannot_be_written_is_a_users_mistake(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot keep a store there"):
        Store(tmp_path / "file" / "store")


def test_a_key_is_the_hash_of_canonical_json() -> None:
    inputs = {"model": "k", "clean": "c"}
    step = Step("train", 2, {"b": [1, "ü"], "a": None}, data={"x/é": "1", "a": "2"}, inputs=inputs)
    text = (
        '{"data":{"a":"2","x/é":"1"},"inputs":{"clean":"c","model":"k"},"kind":"train",'
        '"params":{"a":null,"b":[1,"ü"]},"version":2}'
    )
    assert canonical(json.loads(text)) == text
    assert step.key == hashlib.sha256(text.encode()).hexdigest()
    assert Step.from_json(json.loads(json.dumps(step.to_json()))).key == step.key
