"""The bench, in its tiniest form, so that it does not rot."""

import json
import os
import time

import pytest

from . import bench, command, machine, script, subjects, tables

TINY = bench.Effort(
    models=(subjects.BUNDLED,),
    runs=1,
    seconds=0.05,
    batches=(32,),
    memory_models=("mlp",),
    memory_paths=(8, 16),
    startup_model="mlp",
    helps=1,
)


@pytest.fixture(scope="module")
def found():
    return bench.measure(TINY)


@pytest.mark.slow
def test_ratios_are_of_the_same_number_of_images(found):
    of = found["models"][subjects.BUNDLED]
    assert of["images"] == of["rounds"][0]["images"] == bench.planned_images(of["pairs"])
    assert 0 < of["median"]["bare"] < of["median"]["whole"]
    assert of["median"]["script"] > 0


@pytest.mark.slow
def test_stages_make_up_the_command(found):
    one = found["models"][subjects.BUNDLED]["rounds"][0]
    assert command.LAUNCH in one["stages"] and command.WALKING in one["stages"]
    assert sum(one["stages"].values()) == pytest.approx(one["seconds"])
    assert 0 < one["first_batch"] < one["startup"] < one["seconds"] - one["stages"][command.WALKING]


@pytest.mark.slow
def test_memory_is_beside_that_of_the_bare_loop(found):
    of = found["models"][subjects.BUNDLED]
    assert 30e6 < of["footprint"]["peak_bytes"] < of["rounds"][0]["peak_bytes"]
    assert found["memory"]["mlp"]["paths"] == [8, 16]
    assert abs(found["memory"]["mlp"]["growth_bytes"]) < 50e6


@pytest.mark.slow
def test_loading_is_a_part_of_what_the_first_batch_waits_for(found):
    assert 0 < found["startup"]["load_median"] < found["startup"]["first_batch_median"]


def test_a_neighbour_goes_when_it_is_no_longer_wanted():
    def took() -> float:
        before = os.times().children_user
        with machine.neighbour(True):
            time.sleep(0.3)
        return os.times().children_user - before

    assert any(took() > 0.05 for _ in range(20))  # on a busy machine it may not get its turn at once


def test_the_plain_script_is_timed(tmp_path):
    subject = subjects.make("mlp", tmp_path)
    assert 0 < script.open_script(subject.model, subject.inputs, 33)(2) < 10


@pytest.mark.slow
def test_results_are_saved_and_shown(found, tmp_path):
    from rich.console import Console

    path = bench.save(found, tmp_path / "results.json")
    assert json.loads(path.read_text())["machine"]["cores"] >= 1
    console = Console(width=120, record=True, file=(tmp_path / "out").open("w"))
    console.print(tables.summary(found))
    shown = console.export_text()
    assert subjects.BUNDLED in shown and "onnxspec --help" in shown and "over script" not in shown


def test_goals_beside_a_neighbour_are_its_own():
    from rich.table import Table

    of = {"median": {"bare": 1.5, "script": 0.8}, "rounds": [], "footprint": {"peak_bytes": None}}
    rows = {}
    for neighbour in (False, True):
        table = Table("", "", "", "")
        tables._ratio_goals(table, "mlp", of, neighbour)
        rows[neighbour] = [list(column.cells) for column in table.columns]
    assert rows[False] == [["mlp over script"], ["0.800"], ["<= 0.80"], ["met"]]
    assert rows[True] == [["mlp over script"], ["0.800"], ["<= 0.75"], ["NOT MET"]]


def test_targets_are_judged():
    assert tables.verdict(1.1, 1.1) == "met"
    assert tables.verdict(0.25, 0.25, strictly=True) == "NOT MET"
    assert tables.verdict(None, 1) == "not measured"


def test_the_command_line():
    line = ["--quick", "--models", "resnet50", "--runs", "3", "--out", "x.json", "--parts", "ratios", "--neighbour"]
    effort, out = bench.effort_of(line)
    assert (effort.models, effort.runs, effort.seconds, out.name) == (("resnet50",), 3, bench.QUICK.seconds, "x.json")
    assert (effort.parts, effort.neighbour) == (("ratios",), True)
    assert bench.effort_of([])[0] == bench.FULL
    for wrong in (["--models", "alexnet"], ["--parts", "ratio"]):
        with pytest.raises(SystemExit):
            bench.effort_of(wrong)
