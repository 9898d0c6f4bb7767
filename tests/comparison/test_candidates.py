"""What a person may call what is compared."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from onnxspec import configuration
from onnxspec.comparison.candidates import (
    Candidate,
    candidates,
    chosen,
    from_flag,
    from_tables,
    require_measuring,
    with_tables,
)
from onnxspec.errors import UsageError


def names(*sources):
    return [one.name for one in candidates(list(sources))]


def test_files_give_their_names_and_folders_where_these_are_alike():
    assert names("runs/a.onnx", "b.h5") == ["a", "b"]
    assert names("one/model.onnx", "two/model.onnx", "c.onnx") == ["one-model", "two-model", "c"]


def test_what_is_no_file_is_called_as_python_calls_it():
    class Network:
        def __call__(self, batch):
            return batch

    assert names(test_the_current_folder_has_a_name_too, Network(), None, lambda batch: batch) == [
        "test_the_current_folder_has_a_name_too",
        "Network",
        "NoneType",
        "lambda",  # without its brackets, which no file on Windows may have in its name
    ]


def test_the_current_folder_has_a_name_too(tmp_path, monkeypatch):
    (tmp_path / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a")
    assert names("model.onnx", "b/model.onnx") == ["a-model", "b-model"]
    monkeypatch.chdir(tmp_path / "a" / "b")
    assert names("./model.onnx", "../model.onnx") == ["b-model", "a-model"]
    assert names("/model.onnx", "b/model.onnx") == ["model", "b-model"]


def test_a_flag_gives_name_path_and_own_settings():
    one = from_flag("small=a.onnx,preprocess=mean=.1,.2,.3;std=1,1,1,classes=names.txt,restrict-outputs=yes")
    assert (one.name, one.source, one.origin) == ("small", "a.onnx", "flag")
    assert one.settings == {
        "preprocess": "mean=.1,.2,.3;std=1,1,1",
        "classes": "names.txt",
        "restrict_outputs": "yes",
    }


@pytest.mark.parametrize("text", ["a.onnx", "=a.onnx", "a="])
def test_a_flag_without_name_or_path_is_refused(text):
    with pytest.raises(UsageError, match="NAME=PATH"):
        from_flag(text)


def test_a_key_that_is_not_known_is_no_part_of_the_path(tmp_path):
    with pytest.raises(UsageError, match="The model y has no setting 'foo'"):
        from_flag("y=model.onnx,foo=1,classes=names.txt")
    (tmp_path / "a,b=1.onnx").touch()
    assert from_flag(f"y={tmp_path}/a,b=1.onnx").source == f"{tmp_path}/a,b=1.onnx"


def test_tables_are_models_or_settings_of_models():
    tables = {"a": {"path": "x.onnx", "preprocess": "imagenet"}, "b": {"classes": "b.txt"}}
    (listed,) = from_tables(tables)
    assert (listed.name, listed.source, listed.settings) == ("a", "x.onnx", {"preprocess": "imagenet"})
    a, b = with_tables([Candidate("a", "x.onnx", {"preprocess": "0..1"}, "flag"), Candidate("b", "b.onnx")], tables)
    assert a.settings == {"preprocess": "0..1"}
    assert a.origin == "flag"
    assert b.settings == {"classes": "b.txt"}
    (called,) = with_tables([Candidate("a", "x.onnx", origin="flag")], tables)
    assert (called.settings, called.origin) == ({"preprocess": "imagenet"}, "configuration")


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        ([], "^No models to compare"),
        (["a.onnx"], "^1 model to compare"),
        ([Candidate("a", "a.onnx"), Candidate("a", "b.onnx")], "Two of the models are called a"),
        (["a.onnx", "a.onnx"], "Two of the models are called"),
        ({1: "a.onnx", 2: "b.onnx"}, "A model is called 1; names of models are texts"),
        (None, "of type NoneType. Give a list"),
    ],
)
def test_what_cannot_be_told_apart_is_refused(sources, message):
    with pytest.raises(UsageError, match=message):
        candidates(sources)


def test_strange_settings_are_refused():
    with pytest.raises(UsageError, match="no setting 'speed'"):
        Candidate("a", "a.onnx", {"speed": 1})
    with pytest.raises(UsageError, match="settings for c, and no such model"):
        candidates(["a.onnx", "b.onnx"], {"c": {"classes": "x"}})
    with pytest.raises(UsageError, match="a/b holds a slash"):
        Candidate("a/b", "a.onnx")


@pytest.mark.parametrize("name", ["epoch:10", "C:a", "old|new", "best?", "<f>"])
def test_a_name_that_is_no_file_s_on_windows_is_refused_there(monkeypatch, name):
    """`epoch:10.h5` would be a stream inside a file `epoch`, `C:a.h5` a file of another folder."""
    assert Candidate(name, "a.onnx").name == name
    monkeypatch.setattr("onnxspec.comparison.candidates.os", SimpleNamespace(**vars(os) | {"name": "nt"}))
    with pytest.raises(UsageError, match="which no name of a file has here"):
        Candidate(name, "a.onnx")


def test_a_candidate_s_own_settings_go_before_those_of_its_name():
    found = [Candidate("a", "a.onnx", {"classes": "mine.txt"}), Candidate("b", "b.onnx")]
    a, b = candidates(found, {"a": {"classes": "x", "input": "image"}})
    assert (a.settings, b.settings) == ({"classes": "mine.txt", "input": "image"}, {})


def test_what_was_measured_already_is_told_by_the_ending_of_its_file():
    measured = {"a.h5": True, "A.H5": True, Path("a.h5"): True, "a.onnx": False, "h5": False, len: False}
    assert {source: Candidate("a", source).is_report for source in measured} == measured


def test_how_to_measure_is_refused_where_nothing_is_measured():
    report, model = Candidate("a", "a.h5"), Candidate("b", "b.onnx")
    with pytest.raises(UsageError, match="which points, cutoff cannot change"):
        require_measuring([report, report], ["points", "cutoff"])
    for found, asked in (([report, model], ["points"]), ([report], []), ([], ["points"])):
        require_measuring(found, asked)


def test_the_reference_is_the_first_or_the_named():
    found = candidates(["a.onnx", "runs/b.onnx"])
    assert chosen(found, None).name == "a"
    assert chosen(found, "b").name == chosen(found, "runs/b.onnx").name == "b"
    with pytest.raises(UsageError, match="c is not compared"):
        chosen(found, "c")


def test_paths_of_a_table_lie_beside_the_configuration(tmp_path):
    (tmp_path / "models.toml").write_text('[models.a]\npath = "a.onnx"\nclasses = "a.txt"\n')
    (one,) = from_tables(configuration.project_table(tmp_path / "models.toml")["models"])
    assert one.source == str(tmp_path / "a.onnx")
    assert one.settings == {"classes": str(tmp_path / "a.txt")}


def test_models_must_be_tables(tmp_path):
    (tmp_path / "models.toml").write_text('models = "a.onnx"\n')
    with pytest.raises(UsageError, match=r"\[models\.NAME\]"):
        configuration.project_table(tmp_path / "models.toml")
