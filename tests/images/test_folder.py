import os
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from onnxspec.errors import DataError
from onnxspec.images.opening import open_images

from .make import pets, write_folder


def test_class_folders(tmp_path):
    images = open_images(write_folder(tmp_path, pets()))
    assert images.class_names == ("cat", "dog")
    assert images.names == ("cat/1.png", "cat/9.png", "cat/10.png", "dog/a.png", "dog/b.png", "dog/c.png")
    assert images.labels is not None and images.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert images.read(3)[0].shape == (6, 5, 3)


def test_deeper_folders_belong_to_the_class_above(tmp_path):
    images = open_images(write_folder(tmp_path, pets() | {"cat/more/7.png": pets()["cat/1.png"]}))
    assert "cat/more/7.png" in images.names and images.class_names == ("cat", "dog")


def test_an_image_that_vanishes_is_unreadable(tmp_path):
    images = open_images(write_folder(tmp_path, pets()))
    (tmp_path / "cat" / "1.png").unlink()
    with pytest.raises(DataError, match=r"1\.png cannot be read: No such file"):
        images.read(0)


@pytest.fixture
def links(tmp_path):
    if not hasattr(os, "symlink"):
        pytest.skip("no symbolic links here")
    write_folder(tmp_path / "data", pets())
    write_folder(tmp_path / "elsewhere", pets())
    return tmp_path


def test_links_out_of_the_folder_are_refused(links):
    os.symlink(links / "elsewhere" / "cat" / "1.png", links / "data" / "cat" / "link.png")
    with pytest.raises(DataError, match=r"link\.png is a symbolic link that leads out of the folder, to .*elsewhere"):
        open_images(links / "data")


def test_linked_folders_are_refused(links):
    os.symlink(links / "data", links / "data" / "cat" / "loop")
    with pytest.raises(DataError, match="symbolic link that leads out of the folder"):
        open_images(links / "data")
    os.unlink(links / "data" / "cat" / "loop")
    os.symlink(links / "data" / "dog", links / "data" / "cat" / "dogs")
    with pytest.raises(DataError, match=r"symbolic link that leads into another folder, to .*dog"):
        open_images(links / "data")


def test_junctions_are_links(links, monkeypatch):
    """Windows' links to folders that anybody may make; Python calls them folders and no links."""
    os.symlink(links / "elsewhere", links / "data" / "cat" / "store")

    class Item:
        def __init__(self, item):
            self.name, self.path, self._item = item.name, item.path, item

        def __getattr__(self, name):
            return getattr(self._item, name)

        def is_symlink(self):
            return False

        def stat(self, follow_symlinks=True):
            tag = 0xA0000003 if self._item.is_symlink() else 0
            return SimpleNamespace(st_size=self._item.stat().st_size, st_reparse_tag=tag)

    @contextmanager
    def scandir(path):
        with os.scandir(path) as found:
            yield [Item(item) for item in found]

    monkeypatch.setattr("onnxspec.images.folder.os", SimpleNamespace(**vars(os) | {"name": "nt", "scandir": scandir}))
    with pytest.raises(DataError, match="symbolic link that leads out of the folder"):
        open_images(links / "data")


def test_links_to_images_that_are_not_there_are_refused(links):
    """As git-annex leaves them that were not fetched."""
    os.symlink("gone.png", links / "data" / "cat" / "link.png")
    with pytest.raises(DataError, match=r"link\.png is a symbolic link to a file that is not there.*git annex get"):
        open_images(links / "data")


def test_links_inside_the_folder_and_to_it_serve(links):
    os.symlink("1.png", links / "data" / "cat" / "again.png")
    os.symlink(links / "data", links / "alias")
    assert len(open_images(links / "alias")) == 7


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match=r"There is no .*none\. Expected: a folder of class folders, a zip"):
        open_images(tmp_path / "none")
