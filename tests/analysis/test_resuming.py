"""Nothing lost: runs that are killed, interrupted or short of something go on where they were, to the same report."""

import contextlib
import io
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from conftest import FASHION, QUICKEST, ROOT
from model import build
from onnxspec import Report, cli
from onnxspec.report import tables

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and limits are as POSIX has them")

MODEL, QUICK, DATA = str(FASHION / "pytorch.onnx"), str(QUICKEST), str(FASHION / "test.npz")
COMMAND = [sys.executable, "-m", "onnxspec"]
LOGGED = """
from onnxspec import cli
from onnxspec.report.spool import Spool

plain = Spool.keep

def keep(self, span, part, family=""):
    with open("finished", "a") as file:
        file.write(f"{family}{span.start}\\n")
    plain(self, span, part, family)

Spool.keep = keep
cli.run()
"""
HELD = """
import time
from onnxspec import cli
from onnxspec.report.spool import Spool

plain, finished = Spool.keep, []

def keep(self, span, part, family=""):
    plain(self, span, part, family)
    finished.append(span)
    if len(finished) == 2:
        time.sleep(120)

Spool.keep = keep
cli.run()
"""
"""A run that goes no further than its second part, however quick the network is."""


def start(folder: Path, *arguments: str, command=COMMAND, **options) -> subprocess.Popen:
    return subprocess.Popen(
        [*command, "analyze", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "ONNXSPEC_SUPERVISE": "0"},  # what is killed is the run itself
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    """Exit code and standard error, in this process: another takes a second to start."""
    err = io.StringIO()
    with contextlib.chdir(folder), redirect_stdout(io.StringIO()), redirect_stderr(err):
        code = cli.main(["analyze", *arguments])
    return code, err.getvalue()


def until(condition, process: subprocess.Popen, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert condition(), process.communicate()


def kept(folder: Path) -> int:
    parts = folder / "r.h5.parts"
    return len(list(parts.glob("*.part"))) - (parts / "pilot.part").exists()


def paths_kept(folder: Path) -> int:
    spans = (path.stem.split("-") for path in (folder / "r.h5.parts").glob("[0-9]*.part"))
    return sum(int(stop) - int(start) for start, stop in spans)


def content(path: Path) -> dict[str, bytes]:
    """Every byte of a report outside /run, by where it stands."""
    found: dict[str, bytes] = {}

    def visit(name, item):
        if name.split("/")[0] == "run":
            return
        for key, value in item.attrs.items():
            if key not in ("DIMENSION_LIST", "REFERENCE_LIST"):
                found[f"{name}@{key}"] = np.asarray(value).tobytes() if not isinstance(value, str) else value.encode()
        if isinstance(item, h5py.Dataset):
            values = tables.read_column(item)
            text = values.dtype == object
            found[name] = "\0".join(values.ravel().tolist()).encode() if text else values.tobytes()

    with h5py.File(path) as file:
        visit("", file)
        file.visititems(visit)
    return found


def killed_again_and_again(folder: Path, kills: int, pairs: int, longest: float) -> None:
    """Kills a run at random moments, lets it finish, and compares with one that was left alone."""
    whole, broken = folder / "whole", folder / "broken"
    for one in (whole, broken):
        one.mkdir()
    assert run(whole, MODEL, "--data", DATA, "--pairs", str(pairs), "-o", "r.h5")[0] == 0
    assert run(broken, MODEL, "--data", DATA, "--pairs", "4", "-o", "r.h5")[0] == 0
    earlier = (broken / "r.h5").read_bytes()
    arguments = (MODEL, "--data", DATA, "--pairs", str(pairs), "-o", "r.h5", "--resume")
    rng = random.Random(pairs)
    for _ in range(kills):
        process = start(broken, *arguments, command=[sys.executable, "-c", LOGGED])
        time.sleep(rng.uniform(0.0, longest))
        process.kill()
        _, err = process.communicate()
        assert "Traceback" not in err, err
        if (broken / "r.h5").read_bytes() != earlier:  # it was faster, if only by the moment in which it tidies up
            assert content(broken / "r.h5") == content(whole / "r.h5")
            (broken / "r.h5").write_bytes(earlier)
            (broken / "finished").unlink(missing_ok=True)
            continue
        log = broken / "finished"
        finished = len(set(log.read_text().split())) if log.exists() else 0
        assert kept(broken) >= finished - 1, "at most the part that was being written is lost"
    code, err = run(broken, *arguments)
    assert code == 0, err
    assert content(broken / "r.h5") == content(whole / "r.h5")
    assert sorted(path.name for path in broken.iterdir() if path.name != "finished") == ["r.h5"]


@pytest.mark.parametrize(("kills", "pairs"), [(2, 80), pytest.param(6, 250, marks=pytest.mark.slow)])
def test_a_run_that_is_killed_goes_on_to_the_same_report(tmp_path, kills, pairs):
    killed_again_and_again(tmp_path, kills=kills, pairs=pairs, longest=2.5)


@pytest.mark.long
def test_a_hundred_kills_lose_nothing(tmp_path):
    killed_again_and_again(tmp_path, kills=100, pairs=4000, longest=6.0)


def test_a_run_that_is_told_to_end_says_how_to_go_on_and_does(tmp_path):
    arguments = (QUICK, "--data", DATA, "--pairs", "100", "--points", "33", "-o", "r.h5")
    process = start(tmp_path, *arguments, command=[sys.executable, "-c", HELD])
    until(lambda: kept(tmp_path) >= 2, process)
    process.send_signal(signal.SIGTERM)
    sent = time.monotonic()
    _, err = process.communicate()
    assert process.returncode == 130, err
    assert time.monotonic() - sent < 10
    left, paths = kept(tmp_path), paths_kept(tmp_path)
    assert f"{paths} of 200 paths are kept in r.h5.parts: the same command with --resume goes on." in err
    code, err = run(tmp_path, QUICK, "--data", DATA, "--pairs", "70", "--points", "33", "-o", "r.h5", "--resume")
    assert (code, kept(tmp_path)) == (3, left), err
    assert "r.h5.parts is of another run, which differs in settings and pairs. Start anew with --no-resume" in err
    other = (str(build.reweighted(QUICKEST, 2, tmp_path / "other.onnx")), *arguments[1:], "--resume")
    code, err = run(tmp_path, *other)
    assert (code, kept(tmp_path)) == (3, left), err
    assert "which differs in model." in err
    code, err = run(tmp_path, *arguments, "--resume", "--batch", "7", "--threads", "1")
    assert code == 0, err
    assert f"({paths} kept from an interrupted run)" in err
    assert run(tmp_path, *arguments[:-1], "whole.h5")[0] == 0
    assert content(tmp_path / "r.h5") == content(tmp_path / "whole.h5")
    assert not (tmp_path / "r.h5.parts").exists()


def test_two_runs_on_one_output_are_one_too_many(tmp_path):
    arguments = (QUICK, "--data", DATA, "--pairs", "90", "-o", "r.h5")
    process = start(tmp_path, *arguments, command=[sys.executable, "-c", HELD])
    until(lambda: kept(tmp_path) >= 1, process)
    code, err = run(tmp_path, *arguments)
    assert (code, err) == (
        2,
        "onnxspec: Another run is at work on r.h5. Wait for it, or write elsewhere with -o.\n",
    )
    process.terminate()
    assert process.wait() == 130


@pytest.fixture
def photos(tmp_path) -> Path:
    """Three classes of forty small pictures each, as files."""
    rng = np.random.default_rng(0)
    with np.load(DATA) as data:
        images, labels, names = data["images"], data["labels"], data["class_names"]
    for c in (1, 2, 3):
        (tmp_path / "photos" / str(names[c])).mkdir(parents=True)
        for i in rng.permutation(np.flatnonzero(labels == c))[:40]:
            Image.fromarray(images[i]).save(tmp_path / "photos" / str(names[c]) / f"{i}.bmp")
    return tmp_path / "photos"


def test_images_that_changed_in_between_are_noticed(tmp_path, photos):
    arguments = (QUICK, "--data", str(photos), "--pairs", "60", "--points", "33", "-o", "r.h5")
    process = start(tmp_path, *arguments, command=[sys.executable, "-c", HELD])
    until(lambda: kept(tmp_path) >= 1, process)
    process.terminate()
    process.communicate()
    for path in photos.rglob("*.bmp"):  # other pixels, the same names and sizes
        when = path.stat().st_mtime_ns
        Image.fromarray(255 - np.asarray(Image.open(path))).save(path)
        os.utime(path, ns=(when, when))
    code, err = run(tmp_path, *arguments, "--resume")
    assert code == 3, err
    assert "The images have changed since the interrupted run" in err
    assert "--no-resume" in err
    assert run(tmp_path, *arguments, "--no-resume", "--points", "9")[0] == 0


@pytest.mark.parametrize("megabytes", [150, 300, 1000])
def test_where_memory_is_limited_the_batch_is_halved_or_the_run_ends_with_a_word(tmp_path, megabytes):
    import resource

    def limited():
        resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))

    # With a parent: OpenBLAS may find no room for its buffers, and ends the process itself.
    command = [*COMMAND, "analyze", MODEL, "--data", DATA, "--pairs", "2", "--kinds", "between", "--points", "2049"]
    ended = subprocess.run([*command, "--batch", "16384", "-o", "r.h5"], cwd=tmp_path, capture_output=True, text=True,
                           env={**os.environ, "PYTHONPATH": str(ROOT)}, preexec_fn=limited, timeout=120)  # fmt: skip
    if ended.returncode == 0:
        assert Report(tmp_path / "r.h5").attributes["run_batch"] < 8192
    else:
        assert ended.returncode == 6, ended.stderr
        assert re.search("emory|address space", ended.stderr.splitlines()[-1])
        assert not (tmp_path / "r.h5").exists()


def test_a_folder_that_may_not_be_written_to_is_said(tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    (tmp_path / "closed").mkdir(mode=0o500)
    code, err = run(tmp_path, MODEL, "--data", DATA, "-o", "closed/r.h5")
    assert (code, "cannot be written to" in err) == (2, True)


def test_a_full_disk_is_said_and_the_run_goes_on_when_there_is_room(tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    if shutil.which("mount") is None or os.geteuid() != 0:
        pytest.skip("a full disk needs a small file system: root and mount")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", small], capture_output=True).returncode:
        pytest.skip("a file system cannot be mounted here")
    arguments = (QUICK, "--data", DATA, "--pairs", "300", "--points", "33", "--no-images", "-o")
    try:
        process = start(small, *arguments, "r.h5")
        _, err = process.communicate(timeout=120)
        left = kept(small)
        assert process.returncode == 6, err
        assert "No space left on device" in err
        assert f"{paths_kept(small)} of 600 paths are kept in r.h5.parts" in err
        assert left > 3
        said = [line for line in err.splitlines() if not line.endswith(" left")]  # of a slow run, progress
        assert len(said) == 2, "the plan, and what happened: no native library has the last word"
        assert not (small / "r.h5").exists()
        subprocess.run(["mount", "-o", "remount,size=20m", small], check=True)
        code, err = run(small, *arguments, "r.h5", "--resume")
        assert code == 0, err
        assert run(tmp_path, *arguments, "whole.h5")[0] == 0
        assert content(small / "r.h5") == content(tmp_path / "whole.h5")
        assert os.listdir(small) == ["r.h5"]
    finally:
        subprocess.run(["umount", small], check=True)
