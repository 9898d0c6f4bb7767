"""Many paths in one process: memory stays flat and no descriptor leaks."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import FASHION, QUICKEST, ROOT

CHILD = """
import json, os, sys
from pathlib import Path
import onnxspec

class Watch:
    def __init__(self):
        self.done = self.total = 0
        self.seen = []
    def stage(self, name): ...
    def plan(self, ahead):
        self.total = ahead.images
    def images(self, count):
        before, self.done = self.done, self.done + count
        if before * 20 // self.total != self.done * 20 // self.total:
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            self.seen.append((pages * os.sysconf("SC_PAGE_SIZE"), len(os.listdir("/proc/self/fd"))))

model, data, pairs, points = sys.argv[1:]
watch = Watch()
report = onnxspec.analyze(model, data, pairs=int(pairs), points=int(points), output="soak.h5", listener=watch)
print(json.dumps({"seen": watch.seen, "paths": len(report.paths["kind"]), "bytes": report.path.stat().st_size}))
"""


def soaked(folder: Path, pairs: int, points: int) -> dict:
    command = [sys.executable, "-c", CHILD, QUICKEST, FASHION / "test.npz", str(pairs), str(points)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert sorted(path.name for path in folder.iterdir()) == ["soak.h5"]
    return json.loads(ended.stdout)


def check_flat(found: dict, paths: int, megabytes: float) -> None:
    assert found["paths"] == paths
    memory, descriptors = zip(*found["seen"], strict=True)
    middle = len(memory) // 4
    print(f"{paths:,} paths: {memory[middle] / 1e6:.0f} MB after a quarter, at most {max(memory) / 1e6:.0f} MB")
    assert max(memory[middle:]) - memory[middle] < megabytes * 1e6
    assert max(descriptors) - min(descriptors[middle:]) <= 2  # the file of the part that is being written


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_four_thousand_paths_leave_memory_flat(tmp_path):
    check_flat(soaked(tmp_path, 2000, 9), 4000, 30)


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_two_hundred_thousand_paths_leave_memory_flat(tmp_path):
    found = soaked(tmp_path, 100_000, 9)
    print(f"report: {found['bytes'] / 1e6:.0f} MB")
    # At the end the scalars of all rows are read for pooling, about 350 bytes a path; walking itself stays flat.
    check_flat(found, 200_000, 100)
