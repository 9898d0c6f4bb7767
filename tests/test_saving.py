"""Files beside a report: whole or not at all, and never in the place of what is no file."""

import os

import pytest

from onnxspec.errors import ResourceError, UsageError
from onnxspec.saving import replacing, require_place, save_text


def test_text_is_written_as_it_is_and_replaces_what_was_there(tmp_path):
    (tmp_path / "page.html").write_text("before")
    save_text(tmp_path / "page.html", "äöü\n")
    assert (tmp_path / "page.html").read_bytes() == "äöü\n".encode()
    assert os.listdir(tmp_path) == ["page.html"]


def test_text_is_written_where_permissions_cannot_be_set(tmp_path, without_modes):
    save_text(tmp_path / "page.html", "text")
    assert (tmp_path / "page.html").read_text() == "text"


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_what_is_no_file_is_not_replaced(tmp_path, kind):
    place = tmp_path / "out.xml"
    os.mkfifo(place) if kind == "pipe" else place.symlink_to("/dev/null")
    for write in (require_place, lambda path: save_text(path, "text")):
        with pytest.raises(UsageError, match="is no regular file, so it is not replaced"):
            write(place)
    assert place.is_fifo() or place.is_symlink()
    assert not os.path.isfile("/dev/null")
    assert os.listdir(tmp_path) == ["out.xml"]


def test_a_link_stays_a_link(tmp_path):
    # As /dev/stdout is one, to a file where the output goes to one.
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "real.txt").write_text("before")
    (tmp_path / "link.txt").symlink_to(tmp_path / "there" / "real.txt")
    save_text(tmp_path / "link.txt", "after")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "there" / "real.txt").read_text() == "after"
    assert os.listdir(tmp_path / "there") == ["real.txt"]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("no/such.txt", "cannot be written"),
        (".", "cannot be written: it is a folder"),
        ("x" * 300, "cannot be written"),
    ],
)
def test_a_place_that_cannot_be_written_is_refused_before_any_work(tmp_path, monkeypatch, name, found):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=found):
        require_place(name)
    assert os.listdir() == []


def test_a_failed_write_leaves_what_was_there(tmp_path):
    (tmp_path / "a.txt").write_text("before")
    with pytest.raises(ResourceError, match="No space"), replacing(tmp_path / "a.txt") as place:
        place.write_text("half")
        raise OSError(28, "No space left on device")
    assert (tmp_path / "a.txt").read_text() == "before"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_folder_that_windows_lets_nobody_write_to_is_refused_at_once(tmp_path, refused_by_windows):
    refused_by_windows()
    with pytest.raises(UsageError, match="cannot be written to: Access is denied"):
        require_place(tmp_path / "page.html")
