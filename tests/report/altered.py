"""Copies of a report with other names, numbers or attributes: what the views meet, without running a network."""

import contextlib
import shutil

import h5py
import numpy as np
import pytest
from hypothesis import strategies as st

import onnxspec
from onnxspec.errors import OnnxspecError, ReportError
from onnxspec.report import contents, tables
from onnxspec.report.figuretable import FigureTable
from onnxspec.report.pooling import Figure, Stratum
from onnxspec.statistics import Interval

STRANGE_NUMBERS = st.one_of(
    st.sampled_from([0, -1, 1, 2**31 - 1, np.nan, np.inf, -np.inf, 1e300, -1e-300]), st.floats(), st.integers(-5, 10**6)
)
STRANGE_TEXTS = st.sampled_from(["", "\x1b[31mred", "<b>", "between", "true", "{}", "[1]", '{"within": 3}', "a" * 300])
NAMED = ("class_a", "class_b", "name", "folder")


def altered(report, path, names=None, attributes=None, run=None, **columns):
    """A copy at `path`: class names mapped through `names`, attributes replaced, `group__column` set to a value."""
    shutil.copy(report.path, path)
    with h5py.File(path, "r+") as file:
        file.attrs.update(attributes or {})
        file["run"].attrs.update(run or {})
        for group in ("figures", "spectra", "classes"):
            for name in NAMED:
                if names and name in file[group]:
                    values = file[group][name].asstr()[()]
                    file[group][name][...] = np.array([names.get(value, value) for value in values], object)
        for name, value in columns.items():
            file[name.replace("__", "/")][...] = value
        sealed(file)
    return onnxspec.Report(path)


def sealed(file):
    """Gives a file that was changed digests that are right again, as whoever wants to mislead would."""
    tables.seal(file)


class _Writer:
    """What `contents` needs of a writer, over a file that is open."""

    def __init__(self, file):
        self.file = file

    def group(self, name):
        del self.file[name]
        return self.file.create_group(name)


def with_classes(report, path, names, paths=12):
    """A copy whose classes are `names`; class number i has an hff of (i + 1) per million over `paths` paths within."""
    shutil.copy(report.path, path)
    whole = [
        Figure(Stratum(kind), selection, signal, metric, estimator, report.figure(kind, metric, signal, **which))
        for kind, selection, signal, metric, estimator in sorted(_kinds_of(report))
        for which in [{"selection": selection, "estimator": estimator}]
    ]
    nan = float("nan")
    of_class = [
        Figure(
            Stratum("within", name),
            "right",
            "prob",
            "hff",
            "sine",
            Interval((i + 1) / 1e6, i / 1e6, (i + 2) / 1e6, paths, 12.0),
            0.01 if i == len(names) - 1 else nan,
        )
        for i, name in enumerate(names)
    ]
    count = len(names)
    columns = {name: np.zeros(count, np.int32) for name in ("output", "images", "used", "right")}
    with h5py.File(path, "r+") as file:
        contents.write_figures(_Writer(file), FigureTable(whole + of_class))
        contents.write_classes(_Writer(file), {"name": names, "folder": names} | columns)
        for end in ("class_a", "class_b"):
            file["paths"][end][...] %= count
        sealed(file)
    return onnxspec.Report(path)


def _kinds_of(report):
    f = report.figures
    for i in np.flatnonzero(f["class_a"] == ""):
        yield tuple(str(f[name][i]) for name in ("kind", "selection", "signal", "metric", "estimator"))


def refused(original, place, change, read, said):
    """A copy that was changed, and sealed again, is told in a line."""
    shutil.copy(original, place)
    with h5py.File(place, "r+") as file:
        change(file)
        sealed(file)
    with pytest.raises(ReportError, match=said) as caught:
        read(place)
    assert "\n" not in str(caught.value)


def shown_or_refused(original, place, data, views):
    """A copy with a number or a text somewhere that nobody expects is shown, or told as a damaged file is."""
    shutil.copy(original, place)
    with h5py.File(place, "r+") as file:
        _put_anywhere(file, data)
        sealed(file)
    try:
        assert all(views(place))
    except OnnxspecError as error:
        assert isinstance(error, ReportError)


def _put_anywhere(file, data):
    if data.draw(st.booleans(), "an attribute"):
        names = sorted(name for name in file.attrs if "digest" not in name and "schema" not in name)
        file.attrs[data.draw(st.sampled_from(names))] = data.draw(st.one_of(STRANGE_NUMBERS, STRANGE_TEXTS))
        return
    values = file[data.draw(st.sampled_from([f"{group}/{name}" for group in file for name in file[group]]))]
    new = data.draw(STRANGE_TEXTS if values.dtype.kind == "O" else STRANGE_NUMBERS)
    at = data.draw(st.integers(0, len(values) - 1))
    with np.errstate(all="ignore"), contextlib.suppress(OverflowError, ValueError):
        values[at] = new if values.dtype.kind == "O" else np.asarray(new).astype(values.dtype)
