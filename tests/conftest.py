"""Fixtures that several test folders share: the bundled model and images, and the data beside the repository."""

import errno
import os
import signal
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

import onnxspec

ROOT = Path(__file__).parents[1]
FASHION = ROOT / "models" / "fashion-mnist"
QUICKEST = FASHION / "sklearn.onnx"
"""For tests to which the network does not matter: one without convolutions."""
SHARED = ROOT.parent / "shared" / "data"

# A script's shell has what it starts in the background ignore Ctrl-C, and children inherit that: tests interrupt them.
signal.signal(signal.SIGINT, signal.default_int_handler)

# As many processes as there are cores run the tests: a linear algebra whose threads wait for each other in each of them
# takes time from all. Before NumPy is loaded; tests of what threads change set their number themselves.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# A terminal of known width, without colours, wherever the tests run.
os.environ.update({"COLUMNS": "80", "NO_COLOR": "1"})


@pytest.fixture(scope="session")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A cache that all workers share, for tests to which it does not matter where the rows come from."""
    own = tmp_path_factory.getbasetemp()
    return str((own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "evaluated")


@pytest.fixture(scope="session")
def bundled_report(tmp_path_factory: pytest.TempPathFactory, evaluated: str) -> onnxspec.Report:
    """The bundled network on the bundled images, as in the demo."""
    output = tmp_path_factory.mktemp("bundled") / "report.h5"
    return onnxspec.analyze(FASHION / "pytorch.onnx", FASHION / "test.npz", points=65, output=output, cache=evaluated)


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages without figures, for what stands beside them: drawing is nearly all that a page takes."""
    for where in ("parts", "strips"):
        monkeypatch.setattr(f"onnxspec.report.html.{where}.inline_svg", lambda *_, **__: "<svg></svg>")


@pytest.fixture
def without_modes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files as on shares and on Windows' drives below WSL, whose permissions nobody can set."""

    def refused(*_, **__):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr("os.chmod", refused)


@pytest.fixture
def without_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files as on a network share that has no locks, which HDF5 wants even of files that it only reads."""
    import h5py

    opened = h5py.File

    def refused(name, mode="r", *args, locking=None, **options):
        if mode == "r" and locking is not False:
            raise OSError(
                errno.ENOTSUP, f"Unable to synchronously open file (unable to lock file, errno = {errno.ENOTSUP})"
            )
        return opened(name, mode, *args, locking=locking, **options)

    monkeypatch.setattr(h5py, "File", refused)


@pytest.fixture
def refused_by_windows(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """What makes every folder from now on one that Windows lets nobody write to.

    Python's tempfile takes the refusal for a name that is taken there, and tries two thousand million others.
    """
    tries = []

    def refused(path: object, *_: object, **__: object) -> None:
        tries.append(path)
        assert len(tries) < 10, "tried again and again"
        raise PermissionError(errno.EACCES, "Access is denied")

    def begin() -> None:
        monkeypatch.setattr("tempfile._os", SimpleNamespace(**vars(os) | {"name": "nt", "open": refused}))
        monkeypatch.setattr("tempfile._O_TMPFILE_WORKS", False)  # as there
        monkeypatch.setattr("os.open", refused)

    return begin


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets beside the repository."""
    if not SHARED.is_dir():
        pytest.skip(f"no data sets in {SHARED}")
    return SHARED
