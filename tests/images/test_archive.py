import ntpath
import os
import tarfile
import threading
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from onnxspec.errors import DataError
from onnxspec.images import archive, opening
from onnxspec.images.opening import open_images

from .make import pets, write_tar, write_zip


def test_threads_read_the_right_images(tmp_path):
    for path in (write_zip(tmp_path / "a.zip", pets()), write_tar(tmp_path / "a.tar", pets())):
        images = open_images(path)
        expected = [images.read(i)[1] for i in range(len(images))]
        wrong = []

        def work(images=images, expected=expected, wrong=wrong):
            for _ in range(20):
                wrong.extend(i for i in range(len(images)) if images.read(i)[1] != expected[i])

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong


def test_nothing_is_unpacked(tmp_path):
    files = {f"../../{name}": content for name, content in pets().items()}
    images = open_images(write_zip(tmp_path / "slip.zip", files))
    images.read(0)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["slip.zip"]


def test_a_folder_inside(tmp_path):
    files = {f"v2/test/{name}": content for name, content in pets().items()}
    path = write_zip(tmp_path / "a.zip", files)
    assert open_images(f"{path}/v2/test/").names == open_images(path).names
    with pytest.raises(DataError, match=r"a\.zip/v3 has no images"):
        open_images(f"{path}/v3")


@pytest.mark.parametrize("inside", ["\\v2\\test", "/v2\\test\\"])
def test_slashes_before_a_folder_inside_lean_either_way_on_windows(tmp_path, monkeypatch, inside):
    path = write_zip(tmp_path / "a.zip", {f"v2/test/{name}": content for name, content in pets().items()})
    monkeypatch.setattr(opening, "os", SimpleNamespace(**vars(os) | {"path": ntpath, "sep": "\\"}))
    assert open_images(f"{path}{inside}").names == open_images(path).names


def test_encrypted_members_are_unreadable(tmp_path):
    path = tmp_path / "a.zip"
    write_zip(path, {"cat/1.png": pets()["cat/1.png"]}, zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    content[6] |= 1
    content[content.index(b"PK\1\2") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"image cat/1\.png cannot be read: it is encrypted"):
        open_images(path).read(0)


def test_a_member_whose_bytes_are_damaged(tmp_path):
    path = tmp_path / "a.zip"
    write_zip(path, pets(), zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    content[content.index(b"IDAT") + 8] ^= 255
    path.write_bytes(content)
    images = open_images(path)
    with pytest.raises(DataError, match=r"image cat/9\.png cannot be read: Bad CRC"):
        images.read(images.names.index("cat/9.png"))


@pytest.mark.parametrize("content", [b"", b"not an archive" * 100, b"\x1f\x8b broken", b"BZh9", b"\xfd7zXZ\0"])
def test_files_that_are_no_archives(tmp_path, content):
    path = tmp_path / "a.tar"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"a\.tar (is not a zip or tar file|has no images).* Expected: "):
        open_images(path)


def test_truncated_archives(tmp_path):
    for path, found in (
        (write_zip(tmp_path / "a.zip", pets()), "is a zip file whose end is missing.* download it again"),
        (write_tar(tmp_path / "a.tar.gz", pets(), "w:gz"), "is not a zip or tar file that can be read"),
    ):
        with open(path, "r+b") as file:
            file.truncate(200)
        with pytest.raises(DataError, match=found):
            open_images(path)


def test_compressed_tars_have_a_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MAX_COMPRESSED_TAR_BYTES", 300)
    path = write_tar(tmp_path / "a.tgz", pets(), "w:gz")
    with pytest.raises(DataError, match=r"no random access\. Decompress it to a plain \.tar .* or pack .* \.zip"):
        open_images(path)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_links_in_a_tar_are_not_left_out_in_silence(tmp_path, kind):
    path = tmp_path / "a.tar"
    write_tar(path, pets())
    with tarfile.open(path, "a") as file:
        member = tarfile.TarInfo("cat/link.png")
        member.type, member.linkname = kind, "cat/1.png"
        file.addfile(member)
    with pytest.raises(DataError, match=r"cat/link\.png in the tar is a link to cat/1\.png.*--hard-dereference"):
        open_images(path)


def test_a_tar_does_not_end_at_a_header_that_cannot_be_read(tmp_path):
    whole = Path(write_tar(tmp_path / "a.tar", pets())).read_bytes()
    header = whole.index(b"dog/")
    damaged = whole[: header + 20] + b"x" + whole[header + 21 :]
    for content in (whole[: header + 300], damaged):
        (tmp_path / "b.tar").write_bytes(content)
        with pytest.raises(DataError, match=r"header \d+ cannot be read\. The file is damaged"):
            open_images(tmp_path / "b.tar")
    (tmp_path / "b.tar").write_bytes(whole[:header])
    assert open_images(tmp_path / "b.tar").class_names == ("cat",)
