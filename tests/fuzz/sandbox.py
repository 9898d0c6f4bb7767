"""A folder for one case, with canaries around it, and an ear on everything that a command does to the world outside.

root/around/   canaries: secret.bin, other.h5; nothing may change here, nor anywhere but in out
root/in/       the case's files; the command runs here
root/out/      the only place where it may write
root/tmp/      TMPDIR: empty again when the command has ended
"""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SECRET = b"the secret of another folder " * 4096

# ONNX Runtime leaves this in the folder for temporary files, once a process, whatever it is given.
_OF_OTHERS = (".ses",)
# What Python code tells its audit hooks before it does it; the second column is the argument that holds a path.
_CHANGES = {"os.remove": 0, "os.rename": 1, "os.mkdir": 0, "os.rmdir": 0, "os.symlink": 1, "os.link": 1, "os.chmod": 0}
_NEVER = ("pickle.find_class", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "socket.connect")
_WRITE = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


class Sandbox:
    """The folders; `lay` fills them for a case, `left_behind` says what the case did to them."""

    def __init__(self, root: Path):
        self.root = root
        self.inside, self.out, self.tmp = root / "in", root / "out", root / "tmp"
        around = root / "around"
        around.mkdir(parents=True)
        (around / "secret.bin").write_bytes(SECRET)
        _write_other(around / "other.h5")
        self.tmp.mkdir()
        self._before: dict[str, tuple[int, int]] = {}

    def lay(self, files: Mapping[str, bytes]) -> None:
        """Empties the folders and puts the files in."""
        for folder in (self.inside, self.out):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        for name, content in files.items():
            path = self.inside / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        self._before = self._seen()

    def left_behind(self) -> list[str]:
        """Paths outside `out` that are new, gone or changed."""
        after = self._seen()
        return sorted(name for name in self._before.keys() | after.keys() if self._before.get(name) != after.get(name))

    def _seen(self) -> dict[str, tuple[int, int]]:
        found = {}
        for folder, _, names in os.walk(self.root):
            if not folder.startswith(str(self.out)):
                for name in (name for name in names if name not in _OF_OTHERS):
                    status = os.lstat(os.path.join(folder, name))
                    found[os.path.join(folder, name)] = (status.st_size, status.st_mtime_ns)
        return found


class Ear:
    """Hears of writes outside a sandbox, of processes, connections, pickles and libraries, while it is `on`."""

    def __init__(self, sandbox: Sandbox):
        self.on = False
        self.heard: list[str] = []
        self._allowed = (str(sandbox.out), str(sandbox.tmp), os.devnull, "/dev/null")
        self._inside = sandbox.inside
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.on:
            return
        if event == "open":
            if isinstance(arguments[2], int) and arguments[2] & _WRITE:
                self._check(event, arguments[0])
        elif event in _CHANGES:
            self._check(event, arguments[_CHANGES[event]])
        elif event == "ctypes.dlopen" and str(arguments[0]).startswith(str(self._inside.parent)):
            self.heard.append(f"{event} {arguments[0]}")
        elif event in _NEVER:
            self.heard.append(f"{event} {arguments[:1]!r}"[:200])

    def _check(self, event: str, path: Any) -> None:
        if not isinstance(path, str | bytes | os.PathLike):
            return
        where = os.path.abspath(os.path.join(self._inside, os.fsdecode(path)))
        if not where.startswith(self._allowed) and "__pycache__" not in where:
            self.heard.append(f"{event} {where}")


def _write_other(path: Path) -> None:
    import h5py
    import numpy as np

    with h5py.File(path, "w") as file:
        file["images"] = np.zeros((8, 28, 28), np.uint8)
