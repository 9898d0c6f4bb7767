"""Where a report may go: names and places that are refused before any work is done."""

import re

import h5py
import pytest

from onnxspec.errors import UsageError
from onnxspec.report.destination import require_writable


@pytest.mark.parametrize("mark", ["schema_version", "comparison_schema_version", "heatmap_schema_version"])
def test_what_this_program_wrote_may_be_replaced(tmp_path, mark):
    with h5py.File(tmp_path / "earlier.h5", "w") as file:
        file.attrs[mark] = 1
    require_writable(tmp_path / "earlier.h5")


@pytest.mark.parametrize(("name", "hint"), [("r.html", "--html"), ("r.SVG", "onnxspec plot"), ("r.json", "--json")])
def test_a_page_or_a_picture_is_no_report(tmp_path, name, hint):
    better = re.escape(str(tmp_path / "r.h5"))
    with pytest.raises(UsageError, match=rf"would be an HDF5 file with the ending .*Name it {better}\. .*{hint}"):
        require_writable(tmp_path / name)


def test_a_name_without_an_ending_is_no_report_s(tmp_path):
    """Nor is that of a model's output, which stands in the settings."""
    better = re.escape(str(tmp_path / "probabilities.h5"))
    with pytest.raises(UsageError, match=rf"probabilities would be an HDF5 file without an ending\. Name it {better}"):
        require_writable(tmp_path / "probabilities")
