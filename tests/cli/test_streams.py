"""Standard streams that are closed before the program starts."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="a shell closes them")


@pytest.mark.parametrize("supervised", ["1", "0"])
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
