"""What HDF5 may take while it reads."""

import struct
import subprocess
import sys

import h5py
import pytest

from onnxspec.report.confinement import confined

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of Linux")

resource = pytest.importorskip("resource")
LENGTH = 12_345
READING = """
import sys
from pathlib import Path
from onnxspec.errors import ReportError
from onnxspec.report import storage
try:
    with storage.opened(Path(sys.argv[1])) as file:
        print(len(file.attrs["settings"]))
except ReportError as error:
    print(error.message)
status = open("/proc/self/status").read()
print(int(status.split("VmHWM:")[1].split()[0]) >> 10, file=sys.stderr)
"""


def test_a_text_that_says_it_is_gigabytes_long(tmp_path):
    with h5py.File(tmp_path / "r.h5", "w") as file:
        file.attrs["settings"] = LENGTH * "x"
    content = (tmp_path / "r.h5").read_bytes()
    assert content.count(struct.pack("<I", LENGTH)) == 2  # in the attribute, and where the text lies
    at = content.index(struct.pack("<I", LENGTH))
    (tmp_path / "r.h5").write_bytes(content[:at] + struct.pack("<I", 2**31 - 1) + content[at + 4 :])
    done = subprocess.run([sys.executable, "-c", READING, "r.h5"], cwd=tmp_path, capture_output=True, text=True)
    assert "r.h5 is damaged" in done.stdout, done.stderr
    assert int(done.stderr) < 1000


def test_the_limit_goes_with_the_block(tmp_path):
    (tmp_path / "f").write_bytes(b"x")
    before = resource.getrlimit(resource.RLIMIT_AS)
    with pytest.raises(MemoryError), confined(tmp_path / "f"):
        bytearray(2**31)
    assert resource.getrlimit(resource.RLIMIT_AS) == before


def test_a_limit_of_one_s_own_stays(tmp_path):
    (tmp_path / "f").write_bytes(b"x")
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (2**33, before[1]))
    try:
        with confined(tmp_path / "f"):
            assert resource.getrlimit(resource.RLIMIT_AS)[0] <= 2**33
        assert resource.getrlimit(resource.RLIMIT_AS)[0] == 2**33
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def test_threads_that_read_at_the_same_time_leave_no_limit_behind(tmp_path):
    (tmp_path / "r.h5").write_bytes(bytes(9))
    before = resource.getrlimit(resource.RLIMIT_AS)
    first, second = confined(tmp_path / "r.h5"), confined(tmp_path / "r.h5")
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)  # the first to come is the first to go
    assert resource.getrlimit(resource.RLIMIT_AS) != before
    second.__exit__(None, None, None)
    assert resource.getrlimit(resource.RLIMIT_AS) == before


def test_a_file_that_has_gone_leaves_no_limit_behind(tmp_path):
    (tmp_path / "r.h5").write_bytes(bytes(9))
    before = resource.getrlimit(resource.RLIMIT_AS)
    with pytest.raises(FileNotFoundError), confined(tmp_path / "gone.h5"):
        pass
    with confined(tmp_path / "r.h5"):
        assert resource.getrlimit(resource.RLIMIT_AS) != before
    assert resource.getrlimit(resource.RLIMIT_AS) == before
