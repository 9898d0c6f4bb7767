"""Folders for a while go with the process that made them, and with no other; texts are read as editors save them."""

import multiprocessing
import os
import subprocess
import sys

import pytest

from onnxspec import files

FORKED = """
import os, sys
from onnxspec.files import temporary_folder
folder = temporary_folder()
if os.fork() == 0:
    sys.exit(0)
os.wait()
print(folder.is_dir(), folder)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_child_takes_no_folder_of_its_parent_with_it():
    there, folder = subprocess.run([sys.executable, "-c", FORKED], capture_output=True, text=True).stdout.split()
    assert there == "True" and not os.path.exists(folder)


@pytest.mark.parametrize("way", multiprocessing.get_all_start_methods())
def test_a_process_of_a_pool_leaves_nothing(way):
    with multiprocessing.get_context(way).Pool(1) as pool:
        folder = pool.apply(files.temporary_folder)
        assert folder.is_dir()
        pool.close()
        pool.join()
    assert not folder.exists()


@pytest.mark.parametrize(
    ("read", "text", "found"),
    [
        (files.read_text, "pairs = 400", "pairs = 400"),
        (files.read_lines, "a.png,cat\r\n", ["a.png,cat", ""]),
        (files.read_json_object, '{"crop": 224}', {"crop": 224}),
    ],
)
def test_a_byte_order_mark_of_an_editor_means_nothing(tmp_path, read, text, found):
    (tmp_path / "text").write_bytes(text.encode("utf-8-sig"))
    assert read(tmp_path / "text", "file") == found
