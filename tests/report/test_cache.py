"""The cache: what decides an entry finds it, and what is damaged, foreign or half written counts as missing."""

import errno
import os

import numpy as np
import pytest

from onnxspec.errors import ResourceError, UsageError
from onnxspec.report.cache import Cache
from onnxspec.report.parts import Part
from onnxspec.results import Pilot, Rows

KEY, OTHER = "ab" * 32, "cd" * 32
PART = Part(Rows({"distance": np.array([1.0, 2.0]), "power_prob": np.ones((2, 3), np.float32)}), "digest")


def entries(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_an_entry_comes_back_bit_for_bit_to_another_run(tmp_path):
    Cache(tmp_path / "of" / "all").keep(KEY, PART)
    found = Cache(tmp_path / "of" / "all").part(KEY, 2)
    assert found.content == "digest"
    assert {name: (v.dtype, v.tobytes()) for name, v in found.rows.columns.items()} == {
        name: (v.dtype, v.tobytes()) for name, v in PART.rows.columns.items()
    }
    assert Cache(tmp_path / "of" / "all").part(OTHER, 2) is None


def test_a_pilot_is_no_part_and_comes_back(tmp_path):
    pilot = Pilot((), {"prob": np.array([0.1, 1e-17])}, "dither", True, 33)
    cache = Cache(tmp_path)
    cache.keep_pilot(KEY, pilot)
    assert cache.part(KEY, 2) is None
    assert cache.pilot(KEY).floor["prob"].tolist() == [0.1, 1e-17]


@pytest.mark.parametrize("damage", ["flipped", "cut", "empty", "foreign"])
def test_what_is_not_the_entry_counts_as_missing_and_is_replaced(tmp_path, damage):
    cache = Cache(tmp_path)
    cache.keep(KEY, PART)
    (place,) = entries(tmp_path)
    content = place.read_bytes()
    if damage == "foreign":  # whole, but another's
        place.unlink()
        cache.keep(OTHER, PART)
        entries(tmp_path)[0].rename(place)
    else:
        place.write_bytes({"flipped": content[:-1] + b"!", "cut": content[:-9], "empty": b""}[damage])
    assert cache.part(KEY, 2) is None
    cache.keep(KEY, PART)
    assert cache.part(KEY, 2) is not None


def test_rows_of_another_number_are_not_the_entry(tmp_path):
    Cache(tmp_path).keep(KEY, PART)
    assert Cache(tmp_path).part(KEY, 3) is None


def test_use_renews_an_entry_so_that_old_ones_can_be_deleted(tmp_path):
    cache = Cache(tmp_path)
    cache.keep(KEY, PART)
    (place,) = entries(tmp_path)
    os.utime(place, (1, 1))
    cache.part(KEY, 2)
    assert place.stat().st_mtime > 1


def test_a_run_that_dies_while_it_writes_leaves_no_entry(tmp_path, monkeypatch):
    cache = Cache(tmp_path)

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("pathlib.Path.replace", killed)
    with pytest.raises(KeyboardInterrupt):
        cache.keep(KEY, PART)
    assert cache.part(KEY, 2) is None
    assert not entries(tmp_path)


def test_a_full_disk_is_said(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    cache = Cache(tmp_path)
    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(ResourceError, match="cannot be written to: No space left"):
        cache.keep(KEY, PART)
    monkeypatch.setattr("pathlib.Path.touch", full)
    with pytest.raises(UsageError, match="cannot be written to: No space left"):
        Cache(tmp_path)  # where nothing can be written is not where nothing may be


def test_a_folder_that_may_not_be_made_is_no_cache_that_may_be_read(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("pathlib.Path.mkdir", refuse)
    with pytest.raises(UsageError, match="cannot be written to: Permission denied"):
        Cache(tmp_path / "new")


def test_an_entry_that_another_run_has_open_is_left_to_it(tmp_path, monkeypatch):
    """Where Windows replaces nothing; what may not be written for another reason is said."""
    cache = Cache(tmp_path)
    cache.keep(KEY, PART)

    def refused(*_):
        raise PermissionError(errno.EACCES, "Access is denied")

    monkeypatch.setattr("pathlib.Path.replace", refused)
    cache.keep(KEY, PART)
    assert cache.part(KEY, 2) is not None and len(entries(tmp_path)) == 1
    with pytest.raises(ResourceError, match="Access is denied"):
        cache.keep(OTHER, PART)


def test_without_a_folder_nothing_is_kept():
    cache = Cache(None)
    cache.keep(KEY, PART)
    assert cache.part(KEY, 2) is None


def test_a_place_that_cannot_be_a_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", "\0"):
        with pytest.raises(UsageError, match=r"The cache .* cannot be written to"):
            Cache(place)


def test_a_place_that_may_only_be_read_is_read_and_keeps_nothing(tmp_path, monkeypatch):
    Cache(tmp_path).keep(KEY, PART)

    def refuse(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("pathlib.Path.touch", refuse)
    cache = Cache(tmp_path)
    assert not cache.writable
    assert cache.part(KEY, 2) is not None
    cache.keep(OTHER, PART)
    assert len(entries(tmp_path)) == 1


def test_a_cache_that_windows_lets_nobody_write_to_is_read_at_once(tmp_path, refused_by_windows):
    Cache(tmp_path).keep(KEY, PART)
    refused_by_windows()
    cache = Cache(tmp_path)
    assert not cache.writable
    assert cache.part(KEY, 2) is not None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a system without named pipes")
def test_a_pipe_in_the_cache_is_not_waited_for(tmp_path):
    cache = Cache(tmp_path)
    cache.keep("ab", Part(Rows({"distance": np.zeros(2)}), ""))
    assert cache.part("ab", 2) is not None
    (place,) = tmp_path.rglob("*.part")
    place.unlink()
    os.mkfifo(place)
    assert cache.part("ab", 2) is None
