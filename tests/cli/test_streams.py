"""Standard streams that are closed before the program starts."""

import errno
import io
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from conftest import FASHION, QUICKEST
from onnxspec import cli
from onnxspec.cli import streams

MODEL, DATA = QUICKEST, FASHION / "test.npz"
pytestmark = pytest.mark.skipif(os.name != "posix", reason="a shell closes them")


@pytest.mark.parametrize("supervised", ["1", pytest.param("0", marks=pytest.mark.slow)])
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(("report", "code"), [("there", 0), ("nowhere", 3)])
def test_closed_streams_change_no_exit_code(bundled_report, supervised, closed, report, code):
    path = bundled_report.path if report == "there" else "nowhere.h5"
    command = f'"{sys.executable}" -m onnxspec show "{path}" {closed}'
    done = subprocess.run(
        command, shell=True, capture_output=True, text=True, env=os.environ | {"ONNXSPEC_SUPERVISE": supervised}
    )
    assert done.returncode == code
    assert "Traceback" not in done.stderr and "bug" not in done.stderr


@pytest.mark.parametrize(("bound", "code"), [("max = 0.00001", 1), ("max = 0.9", 0)])
def test_a_reader_that_goes_changes_no_verdict(bundled_report, tmp_path, bound, code):
    (tmp_path / "onnxspec.toml").write_text(f'[audit.limits]\n"between.hff" = {{ {bound} }}\n')
    audit = f'"{sys.executable}" -m onnxspec audit "{bundled_report.path}"'
    done = subprocess.run(["bash", "-c", f"{audit} | true; exit ${{PIPESTATUS[0]}}"], cwd=tmp_path, capture_output=True)
    assert done.returncode == code


class Gone(io.FileIO):
    """What Windows makes of a pipe that nobody reads, until another file has its number."""

    def write(self, data):
        if os.fstat(self.fileno()).st_rdev:
            return super().write(data)
        raise OSError(errno.EINVAL, "Invalid argument")


@pytest.mark.parametrize(("command", "code"), [("show", 0), ("audit", 1)])
def test_a_reader_that_goes_on_windows_changes_nothing_either(bundled_report, tmp_path, monkeypatch, command, code):
    (tmp_path / "onnxspec.toml").write_text('[audit.limits]\n"between.hff" = { max = 0.00001 }\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(streams, "os", SimpleNamespace(**vars(os) | {"name": "nt"}))
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BufferedWriter(Gone(tmp_path / "pipe", "w"))))
    assert cli.main([command, str(bundled_report.path)]) == code


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a system without /dev/full")
@pytest.mark.parametrize("supervised", ["1", "0"])
def test_a_log_that_is_full_breaks_no_gate(bundled_report, tmp_path, supervised):
    """1 means that a gate failed, and nothing else."""
    environment = os.environ | {"ONNXSPEC_SUPERVISE": supervised}
    for arguments, code in (
        (["show", "nowhere.h5"], 3),
        (["audit", str(bundled_report.path), "--write-baseline", "b.json"], 0),
    ):
        with open("/dev/full", "w") as full:
            command = [sys.executable, "-m", "onnxspec", *arguments]
            done = subprocess.run(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=full, env=environment)
        assert done.returncode == code


@pytest.mark.parametrize("supervised", ["1", "0"])
def test_a_reader_of_the_log_that_goes_changes_no_verdict(tmp_path, supervised):
    """Of a model that is measured, whose progress nobody reads."""
    (tmp_path / "onnxspec.toml").write_text('[audit.limits]\n"between.hff" = { max = 0.00001 }\n')
    fashion = "--pairs 20 --points 17 --batch 32 --device cpu"
    audit = f'"{sys.executable}" -m onnxspec audit "{MODEL}" --data "{DATA}" {fashion} -o r.h5'
    hear, log = os.pipe()
    os.close(hear)
    done = subprocess.run(
        audit, shell=True, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=log,
        env=os.environ | {"ONNXSPEC_SUPERVISE": supervised},
    )  # fmt: skip
    os.close(log)
    assert done.returncode == 1 and (tmp_path / "r.h5").exists()
