"""The policy that `--init` writes: rules that a model as good keeps, and comments where there is none to be had."""

import tomllib
from dataclasses import replace

import pytest

from onnxspec import configuration
from onnxspec.auditing import starting
from onnxspec.auditing.starting import starting_policy
from onnxspec.errors import UsageError
from onnxspec.statistics import FEW_PATHS, Interval


def limits(report):
    return tomllib.loads(starting_policy(report))["audit"]["limits"]


def test_a_figure_that_few_paths_carry_is_a_comment(bundled_report):
    """Of 336 paths 2.5 effective ones carry within.hff of the bundled network, 53 between.hff."""
    written, kept = starting_policy(bundled_report), limits(bundled_report)
    assert "within.hff" not in kept and "between.hff" in kept
    (line,) = (line for line in written.splitlines() if '"within.hff" = { max' in line)
    assert line.startswith("# ") and "carried by few paths (2 effective): more --pairs would pin it down" in line


@pytest.mark.parametrize(("n_eff", "written"), [(2 * FEW_PATHS - 0.1, False), (2.0 * FEW_PATHS, True)])
def test_how_many_paths_make_a_limit(bundled_report, monkeypatch, n_eff, written):
    found = Interval(0.02, 0.01, 0.04, 100, 50.0)
    monkeypatch.setattr(starting, "value", lambda metric, report: replace(found, n_eff=n_eff))
    assert ("between.slope" in limits(bundled_report)) is written


def test_a_file_from_windows_stays_one(bundled_report, tmp_path):
    path = tmp_path / "onnxspec.toml"
    path.write_bytes("\ufeff# ours\r\npairs = 400\r\n".encode())
    starting.write_policy(path, bundled_report)
    content = path.read_bytes().decode()
    assert content.startswith("\ufeff") and "# ours\r\npairs = 400\r\n\r\n# What" in content
    assert content.count("\n") == content.count("\r\n") > 20
    assert "between.hff" in configuration.project_table(path)["audit"]["limits"]


@pytest.mark.parametrize("content", ["[tool]\nonnxspec = { pairs = 40 }\n", '[tool."onnxspec"]\npairs = 40\n'])
def test_settings_that_no_line_can_follow_are_refused_before_any_work(tmp_path, content):
    (tmp_path / "pyproject.toml").write_text(content)
    with pytest.raises(UsageError, match=r"no line \[tool.onnxspec\]. Write them below"):
        starting.policy_file(str(tmp_path / "pyproject.toml"))
    (tmp_path / "pyproject.toml").write_text("[tool.onnxspec.preprocess]\nscale = 1\n")
    assert starting.policy_file(str(tmp_path / "pyproject.toml")).name == "pyproject.toml"
