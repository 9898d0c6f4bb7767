"""A run with every family: what stands in its report, the same bits however it was run, and lines as they were."""

import csv
import io
import json

import h5py
import numpy as np
import pytest

from analysis.families.conftest import measured
from conftest import FASHION
from onnxspec import statistics
from onnxspec.cli import main
from onnxspec.errors import ReportError, UsageError
from onnxspec.listening import Silence
from onnxspec.report.export import to_csv, to_json
from onnxspec.report.families import COLUMNS
from onnxspec.report.html.page import page
from onnxspec.report.terminal import as_text
from onnxspec.settings import FAMILIES, Settings
from onnxspec.statistics import Design
from onnxspec.statistics.drawn import Drawn

OTHERS = {*FAMILIES, "detour"} - {"linear"}
BANDS = {"0", "1-2", "2-4", "4-8", "8-16", "16-32"}


def test_lines_are_always_walked():
    assert Settings.of(paths="ellipse").measurement.paths == ("linear", "ellipse")
    assert Settings().measurement.paths == ("linear",)
    with pytest.raises(UsageError, match="--paths has no 'spiral'"):
        Settings.of(paths="spiral")


def test_every_family_stands_in_the_table(every):
    found = every.families
    assert set(found) == {"figure", *COLUMNS, "unit"}
    units = {
        (kind, metric): unit for kind, metric, unit in zip(found["kind"], found["metric"], found["unit"], strict=True)
    }
    assert (units["within", "length"], units["within", "hff"]) == ("RMS pixel difference", "1")
    assert set(found["family"]) == OTHERS
    assert set(found["band"][found["family"] == "fourier"]) == BANDS
    spread = {name: values[found["metric"] == "spread"] for name, values in found.items()}
    assert (
        len(spread["estimate"]) and (spread["estimate"] > 0).all() and np.isnan([spread["low"], spread["high"]]).all()
    )
    for family in OTHERS:
        kinds = set(found["kind"][found["family"] == family])
        both = family in ("amplitude", "phase", "random", "detour")
        assert kinds == ({"within", "between"} if both else {"within"})
    assert {"closed", "sine"} <= set(found["estimator"])


@pytest.mark.usefixtures("undrawn")
def test_lines_are_the_same_with_and_without_others(every, pictures):
    plain = measured(pictures, paths="linear", own_paths=None)
    assert plain.families == {}
    assert plain.attributes["digest"] != every.attributes["digest"]
    for name, values in plain.paths.items():
        np.testing.assert_array_equal(every.paths[name], values)
    np.testing.assert_array_equal(every.figures["estimate"], plain.figures["estimate"])
    assert "families" not in json.loads(to_json(plain))
    assert to_csv(plain, "families") == f"figure,{','.join(COLUMNS)},unit\n"
    assert "Other paths" not in as_text(plain) + page(plain)
    with pytest.raises(ReportError, match="--paths ellipse,random"):
        plain.family("ellipse", "within")


def test_batch_size_and_threads_do_not_change_a_bit(every, pictures):
    assert measured(pictures, batch=7, threads=1).attributes["digest"] == every.attributes["digest"]


@pytest.mark.parametrize("family", sorted(OTHERS))
def test_figures_are_pooled_from_the_rows(family, every):
    rows = every.paths_of(family)
    at = (rows["kind"] == 0) & (rows["within_reach"] > 0)
    band = ""
    if family == "fourier":
        at, band = at & (rows["band"] == 2), "2-4"
    share = rows["hf_prob"][at].sum() / rows["total_prob"][at].sum()
    assert every.family(family, "within", "hff", "prob", band, "all").estimate == pytest.approx(share)
    assert np.isfinite(rows["slope_logit"]).all() and (rows["length"] > 0).all()
    assert rows["power_prob"].shape == (len(rows["path"]), len(rows["bin"]))


def test_every_band_of_image_frequency_is_a_draw_of_its_own(every):
    """What the other bands drew is no path that does not count; every one of a band's counts here."""
    rows = every.paths_of("fourier")
    at = rows["band"] == 2
    image, strata = rows["image_a"][at], (rows["class_a"][at], rows["class_b"][at])
    drawn = Drawn.whole(rows["kind"][at], *strata)
    expected = statistics.mean(
        rows["slope_prob"][at], Design(image, -1 - np.arange(len(image)), drawn), bottom=0.0
    ).interval()
    found = every.family("fourier", "within", "slope", "prob", "2-4", "all")
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    loose = statistics.mean(rows["slope_prob"][at], Design(image, -1 - np.arange(len(image))), bottom=0.0).interval()
    assert found.high - found.low < 0.99 * (loose.high - loose.low)


def test_paths_of_pairs_are_those_of_the_lines_pair_by_pair(every):
    for family in ("amplitude", "phase", "random", "detour"):
        for name in ("image_a", "image_b", "class_a", "class_b", "kind"):
            np.testing.assert_array_equal(every.paths_of(family)[name], every.paths[name])
    np.testing.assert_array_equal(every.paths_of("random")["length"], every.paths["distance"])
    within = every.paths["kind"] == 0
    for family in ("augment", "fourier"):
        assert set(every.paths_of(family)["image_a"]) == set(every.paths["image_a"][within])


def test_a_detour_there_and_back_is_twice_as_long_as_the_line(every):
    length = every.paths_of("detour")["length"]
    np.testing.assert_allclose(length, 2 * every.paths["distance"], rtol=1e-5)


def test_what_is_right_are_the_images_themselves(every):
    right = every.paths["ends_right"]
    np.testing.assert_array_equal(every.paths_of("detour")["ends_right"], right)
    output_of, predicted = every.classes["output"], every.paths["predicted_a"]
    first = (output_of[every.paths["class_a"]] == predicted).astype(int)
    np.testing.assert_array_equal(every.paths_of("random")["ends_right"], first)


def test_every_image_that_was_used_is_named(every):
    used = [every.paths_of(family)[f"image_{end}"] for family in OTHERS for end in "abc"]
    assert set(np.concatenate(used)) - {-1} <= set(every.images["image"])


@pytest.mark.usefixtures("undrawn")
def test_views_show_every_family(every):
    text, web = as_text(every), page(every)
    assert max(map(len, text.splitlines())) <= 80
    for name in (*OTHERS, "fourier 8-16"):
        assert name in text and name in web
    rows = list(csv.DictReader(io.StringIO(to_csv(every, "families"))))
    assert len(rows) == len(json.loads(to_json(every))["families"]) == len(every.families["figure"])
    assert every.family("linear", "between", "slope") == every.figure("between", "slope")
    with pytest.raises(ReportError, match="no hff of prob, ellipse between"):
        every.family("ellipse", "between")


def test_xarray_reads_every_group(every):
    tree = every.to_xarray()
    for family in OTHERS:
        rows = tree[f"paths_{family}"]
        assert rows["power_prob"].dims == ("path", "bin")
        assert rows["length"].attrs["units"] == "RMS pixel difference"
    assert tree["families"]["estimate"].dims == ("figure",)
    with h5py.File(every.path) as file:
        for group in (name for name in file if name.startswith("paths_")):
            assert all({"units", "long_name"} <= set(column.attrs) for column in file[group].values())


def test_the_cost_counts_every_forward_pass(pictures):
    class Counting(Silence):
        planned, seen = 0, 0

        def plan(self, ahead):
            self.planned = ahead.images

        def images(self, count):
            self.seen += count

    counting = {}
    for paths in ("linear", "ellipse,fourier"):
        listener = counting[paths] = Counting()
        measured(pictures, paths=paths, own_paths=None, listener=listener, threads=1)
    plain, both = counting.values()
    assert both.planned - plain.planned == both.seen - plain.seen > 0


@pytest.mark.parametrize("name", ["ellipse", "linear", "My paths", "a-b", ""])
def test_names_that_one_s_own_family_may_not_have(name, pictures):
    with pytest.raises(UsageError, match="cannot be the name"):
        measured(pictures, paths="linear", own_paths={name: lambda a, b, t: a})


@pytest.mark.parametrize(
    ("own", "told"),
    [
        ([lambda a, b, t: a], "own_paths is of type list; a dict"),
        ({1: lambda a, b, t: a}, "1 cannot be the name"),
        ({"x": 3}, "The family x is 3; a function"),
        ({"a" * 33: lambda a, b, t: a}, "up to 32 small letters"),
    ],
)
def test_what_is_no_family_of_one_s_own(own, told, pictures):
    with pytest.raises(UsageError, match=told):
        measured(pictures, paths="linear", own_paths=own)


def test_the_command_line(tmp_path, monkeypatch, capsys, pictures):
    monkeypatch.chdir(tmp_path)
    np.savez("images.npz", images=pictures[0], labels=pictures[1])
    line = ["analyze", str(FASHION / "pytorch.onnx"), "--data", "images.npz", "--pairs", "8", "--points", "17"]
    assert main([*line, "--paths", "random"]) == 0
    out = capsys.readouterr().out
    assert "Other paths" in out and " random " in out
    assert main(["show", "pytorch.h5", "--csv", "families"]) == 0
    assert ",random," in capsys.readouterr().out
