"""Other families in a report are held to the contract like everything else in it."""

import h5py
import numpy as np
import pytest

from onnxspec.errors import ReportError
from onnxspec.report.report import Report
from report.altered import sealed
from report.damages import damaged, linked, replaced, value


def without(name):
    def damage(file):
        del file[name]

    return damage


def renamed(file):
    file.move("paths_random", "paths_Random")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (without("families"), "no /families"),
        (without("paths_random/length"), "no column /paths_random/length"),
        (without("paths_random"), "'random' at /families/family"),
        (renamed, "/paths_Random that no report has"),
        (replaced("paths_augment/extra", np.zeros(2)), "at /paths_augment/extra that no report has"),
        (value("paths_ellipse/class_a", 99), "99 at /paths_ellipse/class_a"),
        (value("paths_fourier/bin", 0.7), "other frequencies"),
        (value("families/metric", "goodness"), "'goodness' at /families/metric"),
        (value("paths_phase/image_b", -2), "-2 at /paths_phase/image_b"),
        (linked(h5py.ExternalLink("/etc/passwd", "/x"), "families/estimate"), "a link at /families"),
    ],
)
def test_a_flaw_is_told(damage, said, every, tmp_path):
    def both(file):
        if said.endswith("extra that no report has"):
            file.create_dataset("paths_augment/extra", data=np.zeros(1))
        damage(file)
        if "link" not in said:
            sealed(file)

    path = damaged(every, tmp_path / "r.h5", both)
    with pytest.raises(ReportError) as caught:
        Report(path)
    assert said in str(caught.value)


def test_a_changed_figure_is_noticed(every, tmp_path):
    path = damaged(every, tmp_path / "r.h5", value("families/estimate", 0.5))
    with pytest.raises(ReportError, match="its digest is another"):
        Report(path)
