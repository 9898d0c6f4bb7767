"""What the doctor finds, also on machines that are worse off than this one."""

import sys
from importlib import metadata

import pytest

from onnxspec.model import doctor, providers


@pytest.fixture
def distributions(monkeypatch):
    real = metadata.version
    found: dict[str, str] = {}

    def version(name):
        if "onnxruntime" not in name and "ort-" not in name:
            return real(name)
        if name not in found:
            raise metadata.PackageNotFoundError(name)
        return found[name]

    monkeypatch.setattr(metadata, "version", version)
    return found


def test_this_machine():
    findings = doctor.examine()
    by_subject = {finding.subject: finding for finding in findings}
    assert by_subject[providers.CPU].text == "runs a model here"
    assert {"python", "onnx", "numpy", "onnxruntime"} <= set(by_subject)
    assert not any(finding.level == "error" for finding in findings)


def test_two_distributions_clash(distributions):
    distributions |= {"onnxruntime": "1.20.0", "onnxruntime-gpu": "1.31.1"}
    (finding,) = doctor.quick()
    assert finding.level == "warning"
    assert "onnxruntime 1.20.0 and onnxruntime-gpu 1.31.1" in finding.text
    assert "pip uninstall -y onnxruntime onnxruntime-gpu" in finding.hint


def test_one_distribution_is_fine(distributions):
    distributions["onnxruntime"] = "1.31.1"
    assert doctor.quick() == []


def test_a_broken_runtime_is_a_finding(monkeypatch, distributions):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    finding = doctor.examine()[-1]
    assert (finding.level, finding.subject) == ("error", "onnxruntime")
    assert "cannot be imported" in finding.text


def test_a_gpu_without_its_build(monkeypatch):
    monkeypatch.setattr(providers, "missing_for", lambda library: None)
    (finding,) = doctor._unused_gpu([providers.CPU])
    assert finding.level == "warning"
    assert providers.INSTALL_CUDA in finding.hint
    assert doctor._unused_gpu([providers.CUDA]) == []
