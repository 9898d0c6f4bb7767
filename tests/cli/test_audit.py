"""`onnxspec audit` through the real command line: every exit code, and the files it leaves."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from conftest import FASHION, QUICKEST, ROOT
from onnxspec.cli import main
from onnxspec.configuration import project_table

MODEL, DATA = str(QUICKEST), str(FASHION / "test.npz")
WORSE = str(FASHION / "epoch-01.onnx")
FEW = ("--data", DATA, "--pairs", "40", "--points", "33")


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    return tmp_path


@pytest.fixture
def run(capsys):
    """Runs `onnxspec audit` and gives exit code, standard output, standard error."""

    def call(*arguments):
        code = main(["audit", *map(str, arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture
def policy(empty_folder):
    """Writes rules into the project file."""

    def write(*rules, table="limits"):
        (empty_folder / "onnxspec.toml").write_text("\n".join([f"[audit.{table}]", *rules]) + "\n")

    return write


@pytest.fixture
def report(bundled_report):
    return str(bundled_report.path)


def test_in_a_process_of_its_own(empty_folder, report):
    """The exit codes that CI sees, from the program itself."""
    for bound, code in (("min = 0.5", 0), ("min = 0.99", 1), ("min = 0.905", 5)):
        (empty_folder / "onnxspec.toml").write_text(f"[audit.limits]\naccuracy = {{ {bound} }}\n")
        command = [sys.executable, "-m", "onnxspec", "audit", report]
        assert subprocess.run(command, capture_output=True, cwd=empty_folder).returncode == code


def test_the_help_has_every_exit_code_of_the_docs_and_offers_nothing_that_is_refused(run):
    code, out, _ = run("--help")
    words, table = " ".join(out.split()), (ROOT / "docs" / "ci.md").read_text().split("| Exit code |")[1]
    told = re.findall(r"\b(\d) [a-z]", words.split("Exit codes: ")[1].split(". ")[0])
    assert code == 0 and told == re.findall(r"^\| (\d) \|", table, re.MULTILINE)
    assert "--pairs INTEGER" in out and not {word for word in ("--precision", "probe images") if word in words}


def test_a_precision_is_refused_with_the_reason(run, policy):
    policy("accuracy = { min = 0.8 }")
    code, _, err = run(MODEL, *FEW, "--precision", "0.1")
    assert code == 2 and "An audit walks the same pairs every time" in err


def test_kept_rules_exit_0(run, policy, report):
    policy("accuracy = { min = 0.8 }", '"within.hff" = { max = 0.5 }')
    code, out, _ = run(report)
    assert code == 0
    assert out.splitlines()[-1] == "Audit passed: 2 passed."


def test_a_broken_rule_exits_1_even_beside_others(run, policy, report):
    policy("accuracy = { min = 0.905 }", '"between.hff" = { max = 0.001 }')
    code, out, _ = run(report)
    assert code == 1
    assert "fail          between.hff <= 0.001" in out
    assert "inconclusive  accuracy >= 0.905" in out


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("acuracy = { min = 0.9 }", "Did you mean accuracy"),
        ('"class.Boot.hff" = { max = 0.9 }', "or Ankle boot?"),
        ('"within.hff" = { maximum = 0.9 }', "Did you mean max"),
        ('"within.hff" = { max = "low" }', "a number was expected"),
        ('"within.label.hff" = { max = 0.9 }', "Add label to --signals"),
    ],
)
def test_a_rule_that_cannot_be_understood_exits_2(run, policy, report, rule, said):
    policy(rule)
    code, out, err = run(report)
    assert (code, out) == (2, "")
    assert said in err


def test_without_rules_exit_2_points_at_init(run, report):
    code, _, err = run(report)
    assert code == 2
    assert "--init" in err


def test_probe_images_are_no_audit(run, policy):
    policy("accuracy = { min = 0.8 }")
    code, _, err = run(MODEL)
    assert code == 2
    assert "--data" in err


def test_regressions_without_a_baseline_exit_2(run, policy, report):
    policy('"between.hff" = { factor = 1.1 }', table="regressions")
    code, _, err = run(report)
    assert code == 2
    assert "--baseline" in err


@pytest.mark.parametrize("arguments", [["absent.onnx", "--data", DATA], [MODEL, "--data", "nowhere"]])
def test_what_is_not_there_exits_3(run, policy, arguments):
    policy("accuracy = { min = 0.8 }")
    code, out, err = run(*arguments)
    assert (code, out) == (3, "")
    assert len(err.splitlines()) <= 2


def test_regressions_that_wait_for_a_baseline_are_told_of(run, policy, report):
    policy('"between.hff" = { factor = 1.1 }', table="regressions")
    code, _, err = run(report, "--write-baseline", "b.json")
    assert code == 0
    assert "were not checked" in err
    assert run(report, "--baseline", "b.json")[0] == 0


def test_a_device_that_is_not_there_exits_4(run, policy):
    if Path("/proc/driver/nvidia").exists():
        pytest.skip("there is a CUDA device here")
    policy("accuracy = { min = 0.8 }")
    assert run(MODEL, *FEW, "--device", "cuda")[0] == 4


def test_too_few_pairs_exit_5_unless_allowed(run, policy, report):
    policy("accuracy = { min = 0.905 }")
    code, out, _ = run(report)
    assert code == 5
    assert "--allow-inconclusive" in out
    assert run(report, "--allow-inconclusive")[0] == 0
    policy("accuracy = { min = 0.905, strict = true }")
    assert run(report)[0] in (0, 1)


def test_a_warning_breaks_no_build(run, policy, report):
    policy('accuracy = { min = 0.99, severity = "warn" }')
    code, out, _ = run(report)
    assert code == 0
    assert out.startswith("warn")


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ('"class.Bagg.hff" = { max = 0.1 }', "no class 'Bagg'. Did you mean Bag"),
        ('"within.label.hff" = { max = 0.1 }', "Add label to --signals"),
    ],
)
def test_a_rule_that_fits_no_class_and_no_signal_is_refused_before_the_run(run, policy, monkeypatch, rule, said):
    monkeypatch.setattr("onnxspec.analysis.analyzing.analyze", None)
    policy(rule)
    code, _, err = run(MODEL, *FEW)
    assert code == 2 and said in err


def test_a_rule_of_a_class_is_judged_by_the_name_in_the_model_or_in_the_data(run, policy, empty_folder):
    data = np.load(DATA)
    np.savez(empty_folder / "digits.npz", images=data["images"], labels=data["labels"])
    (empty_folder / "names.txt").write_text("".join(f"{i}\tkind {i}\n" for i in range(10)))
    policy('"class.8.accuracy" = { min = 0.1 }', '"class.kind 7.accuracy" = { min = 0.1 }')
    code, out, err = run(MODEL, *FEW, "--data", "digits.npz", "--classes", "names.txt")
    assert code == 0 and out.count("pass  ") == 2, err


def test_a_rule_is_one_line_of_a_log_and_wraps_on_a_terminal(run, policy, report, monkeypatch):
    policy("accuracy = { min = 0.905 }")
    _, out, _ = run(report)
    (line,) = (line for line in out.splitlines() if "accuracy" in line)
    assert line.startswith("inconclusive  accuracy >= 0.905: ") and line.endswith("use more --pairs")
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    _, out, _ = run(report)
    assert max(map(len, out.splitlines()[:-1])) <= 60


def test_init_writes_a_policy_that_today_passes(run, empty_folder):
    assert run(MODEL, *FEW, "--init")[0] == 0
    written = (empty_folder / "onnxspec.toml").read_text()
    assert "# today" in written
    code, out, _ = run(MODEL, *FEW)
    assert code == 0, out
    code, _, err = run(MODEL, *FEW, "--init")
    assert code == 2
    assert "already" in err
    assert (empty_folder / "onnxspec.toml").read_text() == written


@pytest.mark.parametrize("seed", [1, 2])
def test_a_policy_that_init_wrote_passes_on_other_pairs(run, seed):
    how = ("--data", DATA, "--pairs", "120", "--points", "17", "--batch", "32")
    assert run(MODEL, *how, "--init")[0] == 0
    code, out, _ = run(MODEL, *how, "--seed", str(seed))
    assert code == 0, out


def test_init_says_what_the_run_warns_of(run, report):
    code, out, err = run(report, "--init")
    assert (code, out) == (0, "")
    assert "! hff within is carried by few paths" in err


def test_init_keeps_what_it_was_measured_with(run, empty_folder):
    for file in ("onnxspec.toml", "pyproject.toml"):
        (empty_folder / file).write_text("" if file == "onnxspec.toml" else '[project]\nname = "x"\n')
        assert run(MODEL, *FEW, "--seed", "3", "--init", "--config", file)[0] == 0
        table = project_table(file)
        assert {name: table[name] for name in ("pairs", "points", "seed")} == {"pairs": 40, "points": 33, "seed": 3}
        code, out, _ = run(MODEL, "--data", DATA, "--config", file)
        assert code == 0, out


def test_init_leaves_settings_that_are_there(run, empty_folder, report):
    (empty_folder / "pyproject.toml").write_text("[tool.onnxspec]  # ours\npairs = 60\n\n[tool.other]\nseed = 1\n")
    assert run(MODEL, *FEW, "--init")[0] == 0
    written = (empty_folder / "pyproject.toml").read_text()
    assert project_table("pyproject.toml")["pairs"] == 60 and project_table("pyproject.toml")["points"] == 33
    assert "# Measured with pairs = 40, not as above" in written
    assert written.startswith("[tool.onnxspec]  # ours\npoints = 33\npairs = 60\n\n[tool.other]\nseed = 1\n")


def test_init_goes_where_the_settings_are(run, empty_folder, report):
    (empty_folder / "pyproject.toml").write_text("[tool.onnxspec]\npairs = 60")
    assert run(report, "--init")[0] == 0
    assert "[tool.onnxspec.audit.limits]" in (empty_folder / "pyproject.toml").read_text()
    assert run(report)[0] == 0


def test_the_same_run_as_the_baseline_passes(run):
    assert run(MODEL, *FEW, "--write-baseline", "b.json")[0] == 0
    # Only the data are said: the baseline knows the rest.
    code, out, _ = run(MODEL, "--data", DATA, "--baseline", "b.json")
    assert code == 0
    assert out.count("the same as the baseline") == 3


def test_a_worse_model_than_the_baseline_fails(run, report, evaluated):
    run(report, "--write-baseline", "b.json")
    code, out, _ = run(WORSE, "--data", DATA, "--baseline", "b.json", "--cache", evaluated)
    assert code == 1
    assert "fail          accuracy" in out


def test_a_folder_of_baselines_is_of_trainings_and_grows_by_what_passes(run, empty_folder, report):
    (empty_folder / "trainings").mkdir()
    for name in ("flax", "keras"):
        assert run(FASHION / f"{name}.onnx", *FEW, "--write-baseline", f"trainings/{name}.json")[0] == 0
    code, out, err = run(
        MODEL, "--data", DATA, "--baseline", "trainings", "--sarif", "s.sarif", "--write-baseline", "trainings/new.json"
    )
    assert code == 5 and out.count("the mean of 2 trainings") == 3
    assert "add baselines of more trainings" in out and "trainings/new.json was not written" in err
    assert len(list((empty_folder / "trainings").iterdir())) == 2
    assert '"uri": "trainings/flax.json"' in Path("s.sarif").read_text()
    found = run(
        MODEL,
        "--data",
        DATA,
        "--baseline",
        "trainings",
        "--write-baseline",
        "trainings/new.json",
        "--allow-inconclusive",
    )
    assert found[0] == 0 and (empty_folder / "trainings" / "new.json").is_file()


def test_a_network_joins_a_folder_once(run, empty_folder, report):
    """Two baselines of it would be refused from then on, and a job may be tried again."""
    (empty_folder / "trainings").mkdir()
    join = ("--baseline", "trainings", "--write-baseline")
    assert run(report, "--write-baseline", "trainings/first.json")[0] == 0
    assert run(report, *join, "trainings/first.json")[0] == 0
    code, _, err = run(report, *join, "trainings/again.json")
    assert code == 0 and "trainings/again.json was not written: trainings/first.json is of the same network." in err
    assert os.listdir("trainings") == ["first.json"]


def test_several_baselines_are_named_one_by_one_as_well(run, empty_folder, report):
    for name in ("flax", "keras"):
        assert run(FASHION / f"{name}.onnx", *FEW, "--write-baseline", f"{name}.json")[0] == 0
    code, out, _ = run(MODEL, "--data", DATA, "--baseline", "flax.json", "--baseline", "keras.json", "--json")
    found = json.loads(out)["verdicts"]
    assert code == 5 and all("the mean of 2 trainings" in verdict["text"] for verdict in found)
    assert all(0 < verdict["p"] <= 1 for verdict in found)
    code, _, err = run(MODEL, "--data", DATA, "--write-baseline", "new/")
    assert code == 2 and "it is a folder" in err


def test_a_model_that_fails_does_not_become_the_baseline(run, empty_folder, report, evaluated):
    run(report, "--write-baseline", "b.json")
    before = (empty_folder / "b.json").read_bytes()
    how = ("--data", DATA, "--cache", evaluated)
    code, _, err = run(WORSE, *how, "--baseline", "b.json", "--write-baseline", "b.json")
    assert code == 1 and "b.json was not written" in err
    assert (empty_folder / "b.json").read_bytes() == before
    assert run(report, "--baseline", "b.json", "--write-baseline", "b.json")[0] == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--junit", "m.onnx"], "is no text, so it is not replaced"),
        (["--write-baseline", "r.h5"], "is no text, so it is not replaced"),
        (["--sarif", "rules.toml", "--config", "rules.toml"], "is read by this run, too"),
        (["--junit", "b.json", "--baseline", "b.json"], "is read by this run, too"),
        (["--junit", "trainings/b.json", "--baseline", "trainings"], "is read by this run, too"),
        (["--junit", "out.xml", "--sarif", "out.xml"], "is written by this run, too"),
    ],
)
def test_outputs_take_the_place_of_nothing_else(run, empty_folder, report, options, said):
    (empty_folder / "m.onnx").write_bytes(Path(MODEL).read_bytes())
    (empty_folder / "r.h5").write_bytes(Path(report).read_bytes())
    (empty_folder / "trainings").mkdir()
    for name in ("rules.toml", "b.json", "trainings/b.json"):
        (empty_folder / name).write_text("")
    before = {path: path.read_bytes() for path in empty_folder.rglob("*.*")}
    code, _, err = run(report, *options)
    assert code == 2 and said in err
    assert before == {path: path.read_bytes() for path in empty_folder.rglob("*.*")}


def test_a_baseline_of_other_settings_is_refused_unless_allowed(run, report):
    run(report, "--write-baseline", "b.json")
    model = str(FASHION / "pytorch.onnx")
    code, _, err = run(model, *FEW, "--points", "65", "--baseline", "b.json")
    assert code == 3
    assert "pairs 40 (baseline 400)" in err
    code, out, _ = run(model, *FEW, "--points", "65", "--baseline", "b.json", "--allow-mismatch")
    assert code == 0
    assert out.count("the same as the baseline") == 3


def test_a_changed_baseline_is_refused(run, empty_folder, report):
    run(report, "--write-baseline", "b.json")
    text = (empty_folder / "b.json").read_text()
    (empty_folder / "b.json").write_text(text.replace('"seed": 0', '"seed": 1'))
    code, _, err = run(report, "--baseline", "b.json")
    assert code == 3
    assert "changed" in err


def test_flags_that_a_report_cannot_follow_are_refused(run, policy, report):
    policy("accuracy = { min = 0.8 }")
    code, _, err = run(report, "--pairs", "10")
    assert code == 2
    assert "--pairs" in err


def test_preprocessing_found_by_auto_is_a_warning_everywhere(run, policy):
    policy("accuracy = { min = 0.2 }")
    files = ("--junit", "j.xml", "--sarif", "s.sarif", "--summary", "s.md")
    code, out, _ = run(MODEL, *FEW, "--preprocess", "auto", *files)
    assert code == 0
    said = "Nothing says how this model was preprocessed"
    assert f"! {said}" in out
    assert all(said in Path(name).read_text() for name in files[1::2])


def test_files_for_machines(run, policy, report, empty_folder, monkeypatch):
    policy("accuracy = { min = 0.99 }")
    (empty_folder / "step.md").write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "step.md")
    code, out, _ = run(report, "--json", "--junit", "j.xml", "--sarif", "s.sarif", "--summary", "s.md")
    assert code == 1
    answer = json.loads(out)
    assert answer["exit_code"] == 1
    assert answer["verdicts"][0]["state"] == "fail"
    assert ElementTree.parse("j.xml").find(".//failure") is not None
    assert json.loads(Path("s.sarif").read_text())["runs"][0]["results"][0]["level"] == "error"
    assert Path("step.md").read_text() == "before\n" + Path("s.md").read_text()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
def test_a_step_summary_that_nobody_reads_is_not_waited_for(run, policy, report, empty_folder, monkeypatch):
    policy("accuracy = { min = 0.1 }")
    os.mkfifo(empty_folder / "step.md")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "step.md")
    code, out, err = run(report)
    assert code == 6
    assert "Audit passed: 1 passed." in out  # what was found is told all the same
    assert "The step summary step.md cannot be written" in err and err.count("\n") == 1


def test_a_place_that_cannot_be_written_is_refused_before_the_run(run, policy):
    policy("accuracy = { min = 0.8 }")
    code, _, err = run(MODEL, *FEW, "--junit", "no/such/j.xml")
    assert code == 2
    assert "forward passes" not in err
