"""`compare` as a whole: models, reports, both, with labels and without."""

import errno
import json
import os
import re
import shutil

import h5py
import numpy as np
import pytest

import onnxspec
from conftest import FASHION
from onnxspec.comparison.candidates import Candidate
from onnxspec.comparison.comparing import compare
from onnxspec.comparison.measuring import Shelf
from onnxspec.comparison.page import page
from onnxspec.comparison.storing import to_csv, to_json, write
from onnxspec.errors import DataError, ReportError, UsageError
from onnxspec.interruption import Interrupted
from onnxspec.listening import Silence
from onnxspec.settings import Settings

PYTORCH, SKLEARN = FASHION / "pytorch.onnx", FASHION / "sklearn.onnx"


def test_models_share_their_pairs_and_reports_of_them_say_the_same(four, reports):
    """Measured in one go or one by one: the plan depends on the data alone."""
    found = compare([report.path for report in reports.values()])
    for kind in found.kinds:
        for metric in ("hff", "slope", "excess_tv"):
            together, apart = (one.contrast("sklearn", kind, metric) for one in (four, found))
            assert together.common == apart.common
            assert together.own == apart.own
    assert not any(model.left_out for model in four.models)
    assert found.models[0].accuracy == four.models[0].accuracy


def test_reports_that_something_else_has_open_as_they_go_take_no_comparison_with_them(
    digits, evaluated, tmp_path, monkeypatch
):
    """As a virus scanner has new files on Windows, where nobody deletes a file that is open."""
    unlink, scanned = os.unlink, []

    def refused(path, **options):
        if os.path.basename(path) in ("pytorch.h5", "sklearn.h5"):
            scanned.append(path)
            raise PermissionError(errno.EACCES, "it is being used by another process")
        unlink(path, **options)

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("os.unlink", refused)
    found = compare([PYTORCH, SKLEARN], digits, pairs=60, points=33, cache=evaluated)
    assert scanned and len(found.models) == 2


def test_a_model_beside_a_report_is_measured_as_that_was(reports, digits, four, evaluated):
    mixed = compare([reports["pytorch"].path, SKLEARN], digits)
    assert mixed.contrast("sklearn", "between").common == four.contrast("sklearn", "between").common
    assert [model.from_report for model in mixed.models] == [1, 0]
    turned = compare([PYTORCH, reports["sklearn"].path], digits, cache=evaluated)
    assert turned.reference == "pytorch"
    assert turned.contrast("sklearn", "between").common == four.contrast("sklearn", "between").common


def test_what_a_report_settled_cannot_be_asked_for_otherwise(reports, digits):
    with pytest.raises(UsageError, match="pytorch has pairs 60, and 50 was asked for"):
        compare([reports["pytorch"].path, SKLEARN], digits, pairs=50)
    with pytest.raises(UsageError, match="on no images"):
        compare([reports["pytorch"].path, SKLEARN])
    with pytest.raises(UsageError, match="its preprocess was settled"):
        compare([Candidate("a", reports["pytorch"].path, {"preprocess": "0..1"}), SKLEARN], digits)


def test_reports_are_not_measured_again(reports, digits):
    with pytest.raises(UsageError, match="which data, pairs cannot change"):
        compare(reports, digits, pairs=7, precision=None)


def test_the_softmax_of_a_report_is_that_of_models_beside_it(digits):
    some = digits[1] < 4
    few = digits[0][some], digits[1][some]
    asked = {"pairs": 20, "points": 33, "batch": 32}
    over_few = onnxspec.analyze(SKLEARN, few, restrict_outputs=True, **asked)
    same = compare({"report": over_few, "same": SKLEARN}, few)
    assert same.contrast("same", "between").common.estimate == pytest.approx(1, abs=1e-4)
    assert not any(remark.code == "softmax" for remark in same.remarks)
    own = compare({"report": over_few, "all": SKLEARN}, few, own={"all": {"restrict_outputs": False}})
    (remark,) = (remark for remark in own.remarks if remark.code == "softmax")
    assert "all are over 10 outputs, those of report over 4" in remark.text
    over_all = onnxspec.analyze(SKLEARN, few, **asked)
    with pytest.raises(UsageError, match=r"restrict_outputs False.*Leave out --restrict-outputs"):
        compare([over_all, PYTORCH], few, restrict_outputs=True)


@pytest.fixture(scope="module")
def logits(digits):
    """A report of one signal; `reports` has another model's with two."""
    return onnxspec.analyze(SKLEARN, digits, pairs=60, points=33, batch=32, signals="logit")


@pytest.mark.parametrize(("reference", "other"), [("pytorch", "sklearn"), ("sklearn", "pytorch")])
def test_a_signal_that_one_has_not_measured_is_left_out(reports, logits, reference, other):
    found, whole = (compare(one, reference=reference) for one in (reports | {"sklearn": logits}, reports))
    for metric in ("hff", "slope"):
        mine, known = (one.contrast(other, "between", metric, "logit") for one in (found, whole))
        assert (mine.common, mine.own, mine.verdict) == (known.common, known.own, known.verdict)
    assert found.attributes["signals"] == "logit"
    assert {one.quantity.signal for one in found.ranking if one.quantity.metric == "hff"} == {"logit"}
    (remark,) = (remark for remark in found.remarks if remark.code == "signals")
    assert remark.text == "sklearn has not measured prob: left out."
    for shown in (str(found), page(found)):
        assert "logit hff" in shown and "prob hff" not in shown and "prob excess TV" in shown


def test_without_a_common_signal_there_is_nothing_to_compare(reports, digits):
    other = onnxspec.analyze(SKLEARN, digits, pairs=60, points=33, batch=32, signals="distance")
    with pytest.raises(ReportError, match=r"pytorch has prob, logit; other has distance\. Measure all with the same"):
        compare({"pytorch": reports["pytorch"], "other": other})


def test_what_is_not_there_is_said_with_what_is(four):
    for ask, words in (
        (lambda: four.figure("keras", "within"), "no figure of keras, prob hff, within. Models: pytorch, twin"),
        (
            lambda: four.contrast("pytorch", "within", class_a="3"),
            "no contrast of pytorch, prob hff, within 3. Models:",
        ),
        (lambda: four.figure("twin", "within", "wiggle", class_a="3"), "of classes hff, slope, excess_tv."),
    ):
        with pytest.raises(UsageError, match=re.escape(words)):
            ask()


def test_other_images_than_the_report_s_are_refused(reports, digits):
    images, labels = digits
    with pytest.raises(ReportError, match="are not those of pytorch"):
        compare([reports["pytorch"].path, SKLEARN], (images[:-1], labels[:-1]))


def test_every_model_has_its_own_preprocessing(digits):
    found = compare(
        {"right": SKLEARN, "wrong": SKLEARN},
        digits,
        pairs=20,
        points=33,
        batch=32,
        own={"wrong": {"preprocess": "0..1"}},
    )
    right, wrong = found.models
    assert wrong.accuracy < right.accuracy
    contrast = found.contrast("wrong", "between")
    assert contrast.pairs <= contrast.own_pairs < contrast.reference_pairs


def test_classes_may_stand_in_another_order(digits, tmp_path):
    names = [str(c) for c in range(10)]
    (tmp_path / "turned.txt").write_text("\n".join(reversed(names)))
    weights = np.random.default_rng(0).normal(size=(784, 10)).astype(np.float32)

    def plain(batch):
        return batch.reshape(len(batch), -1) @ weights

    found = compare(
        {"plain": plain, "turned": lambda batch: plain(batch)[:, ::-1]},
        digits,
        preprocess="0..1",
        pairs=20,
        batch=32,
        with_agreement=True,
        own={"turned": {"classes": str(tmp_path / "turned.txt")}},
    )
    assert found.models[0].accuracy == found.models[1].accuracy
    assert found.agreement[0].verdict == "identical to float32 rounding"


def test_classes_that_do_not_match_are_named(digits, tmp_path):
    (tmp_path / "socks.txt").write_text("\n".join(["sock", *map(str, range(1, 10))]))
    with pytest.raises(DataError, match=r"^sklearn: 1 of 10 classes of the data are not in socks\.txt, or twice: 0"):
        compare(
            [PYTORCH, SKLEARN],
            digits,
            pairs=20,
            points=33,
            batch=32,
            own={"sklearn": {"classes": str(tmp_path / "socks.txt")}},
        )


@pytest.mark.parametrize("beside", ["model", "report"])
def test_every_model_is_opened_before_the_first_is_measured(digits, reports, tmp_path, beside):
    """A comparison may take hours, and its last model may be a name with a typing error."""
    (tmp_path / "pointer.onnx").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    first = PYTORCH if beside == "model" else reports["pytorch"].path
    asked = {"pairs": 20, "points": 33} if beside == "model" else {}
    for last, message in ((tmp_path / "none.onnx", "^none: There is no file"), (tmp_path / "pointer.onnx", "git-lfs")):
        with pytest.raises(onnxspec.OnnxspecError, match=message):
            compare([first, SKLEARN, last], digits, reports=tmp_path / "kept", batch=32, **asked)
        assert not list((tmp_path / "kept").iterdir())


def test_reports_that_do_not_fit_are_refused_before_a_model_is_measured(digits, reports, tmp_path):
    other = onnxspec.analyze(SKLEARN, digits, pairs=20, points=17, batch=32)
    asked = {"first": reports["pytorch"], "model": SKLEARN, "other": other}
    with pytest.raises(ReportError, match="other and first have different points on a path: 17 and 33"):
        compare(asked, digits, reports=tmp_path, listener=Stopping())


class Stopping(Silence):
    """Interrupts at the second model's first path."""

    def stage(self, name):
        if name in ("second: walking the paths", "model: walking the paths"):
            raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("kept", "words"),
    [
        ("reports", r"^second: nothing was written\. .*first\.h5: measured, and can be given in place of its model"),
        ("cache", r"^second: .* is in .*: the same command takes it over"),
        (None, r"^second: .* is lost; --reports FOLDER keeps reports, --cache DIR"),
    ],
)
def test_an_interrupt_says_what_becomes_of_the_models_before(digits, quick_twin, tmp_path, kept, words):
    asked = {"pairs": 20, "points": 33, "batch": 32} | ({kept: str(tmp_path / "kept")} if kept else {})
    with pytest.raises(Interrupted, match=words):
        compare({"first": SKLEARN, "second": quick_twin}, digits, listener=Stopping(), **asked)


def test_without_labels_the_reference_names_the_classes(digits, quick_twin):
    images, _ = digits
    models = {"sklearn": SKLEARN, "epoch": FASHION / "epoch-01.onnx", "twin": quick_twin}
    found = compare(models, images, pairs=20, points=33, batch=32, labels="predicted")
    assert all(np.isnan(model.accuracy) for model in found.models)
    reference, other, twin = (found.figure(name, "within").paths for name in models)
    assert reference == twin == 20
    assert other <= 20


def test_probe_images_serve_all_models(monkeypatch, quick_twin):
    monkeypatch.setattr("onnxspec.analysis.subject.PROBES", 100)
    found = compare({"sklearn": SKLEARN, "twin": quick_twin}, pairs=10, batch=32)
    assert found.attributes["labelling"] == "probe"
    assert found.contrast("twin", "within", "slope").verdict == "the same"


def test_another_resolution_is_measured_on_the_reference_s_distances(digits):
    found = compare(
        {"fine": nearest_mean(digits, 1), "coarse": nearest_mean(digits, 2)},
        digits,
        preprocess="0..1",
        pairs=20,
        batch=32,
        own={"coarse": {"preprocess": "0..1;resize=14"}},
    )
    assert any(remark.code == "distances" for remark in found.remarks)
    slope = found.contrast("coarse", "between", "slope", "logit").common
    # A fourth of the coordinates make a fourth of the logits' change, and a little less without the finest detail.
    assert 0.22 < slope.estimate < 0.25


def nearest_mean(digits, step):
    """A linear classifier of images made smaller by `step`, as their blocks' means."""
    images, labels = digits
    side = 28 // step
    small = images.reshape(-1, side, step, side, step).mean((2, 4)).reshape(len(images), -1) / 255
    means = np.stack([small[labels == c].mean(0) for c in range(10)])
    return lambda batch: 10 * (batch.reshape(len(batch), -1) @ means.T - np.square(means).sum(1) / 2)


def test_a_series_is_in_order(digits, tmp_path):
    models = [FASHION / f"epoch-{n}.onnx" for n in ("30", "01")]
    found = compare(models, digits, pairs=20, points=33, batch=32, in_series=True, reports=tmp_path / "kept")
    assert [(model.name, model.position) for model in found.models] == [("epoch-01", 1), ("epoch-30", 30)]
    assert found.reference == "epoch-01"
    assert found.models[0].accuracy < found.models[1].accuracy
    kept = onnxspec.Report(tmp_path / "kept" / "epoch-30.h5")
    assert kept.attributes["cutoff"] == found.attributes["cutoff"]


def test_the_file_is_plain_tables_that_xarray_reads(four, tmp_path):
    xarray = pytest.importorskip("xarray")
    write(four, tmp_path / "c.h5")
    contrasts = xarray.load_dataset(tmp_path / "c.h5", engine="h5netcdf", group="contrasts")
    assert len(contrasts.row) == len(four.contrasts)
    assert contrasts["estimate"].attrs["long_name"]
    assert set(contrasts["verdict"].values.tolist()) == {one.verdict for one in four.contrasts}
    with h5py.File(tmp_path / "c.h5") as file:
        assert set(file) == {"models", "figures", "contrasts", "ranking", "spectra", "agreement"}
        assert file.attrs["reference"] == "pytorch"
    write(four, tmp_path / "d.h5")
    assert (tmp_path / "c.h5").read_bytes() == (tmp_path / "d.h5").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c.h5", "d.h5"]


def test_every_figure_says_its_unit(four):
    units = {(row["signal"], row["metric"]): row["unit"] for row in four.tables()["figures"]}
    assert units["prob", "hff"] == units["logit", "hff"] == "1"
    assert units["logit", "slope"] == "nat per unit RMS pixel difference"


def test_json_and_csv_hold_the_same_tables(four):
    whole = json.loads(to_json(four))
    for table, rows in four.tables().items():
        assert table == "spectra" or len(whole[table]) == len(rows)
        lines = to_csv(four, table).splitlines()
        assert len(lines) == len(rows) + 1
        assert lines[0].split(",") == list(rows[0])
    assert "spectra" not in whole
    with pytest.raises(UsageError, match="Known: models"):
        to_csv(four, "pairs")


def test_one_path_is_no_list_of_models():
    with pytest.raises(UsageError, match=r"One model, a\.onnx, to compare"):
        compare("a.onnx")


def test_a_report_that_is_compared_is_not_replaced(digits, reports, tmp_path):
    kept = tmp_path / "pytorch.h5"
    shutil.copy(reports["pytorch"].path, kept)
    before = kept.read_bytes()
    with pytest.raises(UsageError, match=r"The report of pytorch would replace .*pytorch\.h5, which is compared"):
        compare({"old": kept, "pytorch": SKLEARN}, digits, reports=tmp_path, listener=Stopping())
    assert kept.read_bytes() == before


def test_two_reports_need_two_names_where_case_does_not_count(tmp_path):
    found = [Candidate("Net", "a.onnx"), Candidate("net", "b.onnx"), Candidate("NET", "c.h5")]
    shelf = Shelf(tmp_path / "Reports", lasting=True)
    shelf.require_free(found)
    (tmp_path / "rEPORTS").mkdir()  # what is also there on such a file system
    with pytest.raises(UsageError, match=r"Net and net would have the same report.*--model NAME=PATH"):
        shelf.require_free(found)
    (tmp_path / "2026").mkdir()
    Shelf(tmp_path / "2026", lasting=True).require_free(found)  # a name without letters says nothing


@pytest.mark.parametrize("settings", [{"seed": 0}, {"pairs": 7, "seed": 5}])
def test_what_reports_cannot_follow_is_refused_however_it_is_said(reports, settings):
    with pytest.raises(UsageError, match=r"All that is compared are reports, which .*seed"):
        compare(dict(reports), settings=settings)


def test_the_usual_value_that_was_said_is_not_ignored_beside_a_report(digits):
    first = onnxspec.analyze(SKLEARN, digits, pairs=10, points=17, batch=32, seed=5)
    for said in ({"settings": {"seed": 0}}, {"seed": 0}):
        with pytest.raises(UsageError, match="has seed 5, and 0 was asked for"):
            compare({"first": first, "model": PYTORCH}, digits, listener=Stopping(), **said)


def test_the_settings_of_a_project_do_not_keep_reports_from_being_compared(reports):
    """As a configuration file gives them, which says how models of the project are measured."""
    found = compare(dict(reports), settings=Settings.of(pairs=7, data="images"))
    assert [one.name for one in found.models] == list(reports)
