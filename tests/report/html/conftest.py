"""The bundled report as a page, made once."""

import pytest

from onnxspec.report.html.page import page


@pytest.fixture(scope="session")
def bundled_page(bundled_report) -> str:
    return page(bundled_report)
