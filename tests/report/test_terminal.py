"""The summary on the terminals that people have: narrow, wide, ASCII, piped, and with the names that files bring."""

import io
import json
import math
from dataclasses import asdict

import numpy as np
import pytest
from rich.console import Console

import onnxspec
from onnxspec.report.page import Page, apart, interval_text, number
from onnxspec.report.ranking import ranking
from onnxspec.report.terminal import as_text, summary
from onnxspec.results import Remark
from onnxspec.statistics import Interval
from report.altered import altered, with_classes

HOSTILE = {
    "Trouser": "[bold red]trouser[/]",
    "Sandal": "\x1b[31msandal\x1b]0;title\x07",
    "Shirt": "shirt\nwith\tlines",
    "Coat": "=cmd|' /C calc'!A0",
    "Bag": "bag\u202eesrever",
    "Dress": ":dragon:",
}


@pytest.fixture(scope="module")
def own_labels(bundled_report, tmp_path_factory):
    """The report as it would be for probe images."""
    folder = tmp_path_factory.mktemp("own")
    nan = dict.fromkeys(("accuracy", "accuracy_low", "accuracy_high"), math.nan)
    return altered(bundled_report, folder / "r.h5", attributes={"labelling": "probe", **nan})


@pytest.fixture(scope="module")
def thousand(bundled_report, tmp_path_factory):
    names = [f"Staffordshire bullterrier, Staffordshire bull terrier of kind {i:04}" for i in range(1000)]
    return with_classes(bundled_report, tmp_path_factory.mktemp("thousand") / "r.h5", names)


def test_one_screen(bundled_report):
    lines = as_text(bundled_report).splitlines()
    assert len(lines) <= 52
    assert max(map(len, lines)) <= 80
    assert all(line == line.rstrip() for line in lines)


def test_the_headline_is_the_reports(bundled_report):
    lines = as_text(bundled_report).splitlines()
    for signal, metric, label, factor in (
        ("prob", "hff", "prob hff (%) ", 100),
        ("prob", "slope", "prob slope", 1),
        ("prob", "excess_tv", "prob excess TV", 1),
        ("logit", "hff", "logit hff (%) ", 100),
        ("logit", "slope", "logit slope", 1),
    ):
        line = next(line for line in lines if line.startswith(label))
        for kind in ("within", "between"):
            assert interval_text(bundled_report.figure(kind, metric, signal), factor) in line
    ratio = interval_text(bundled_report.figure("between/within", "hff"))
    assert next(line for line in lines if line.startswith("prob hff (%)")).endswith(ratio)


def test_the_unstratified_figure_stands_apart(bundled_report):
    line = next(line for line in as_text(bundled_report).splitlines() if "all*" in line)
    for kind in ("within", "between"):
        assert interval_text(bundled_report.figure(kind, "hff", selection="all"), 100) in line


def test_what_was_measured_on_what(bundled_report):
    text = as_text(bundled_report, 120)
    accuracy = bundled_report.accuracy
    assert "pytorch, 10 outputs (logits)" in text
    assert "2,000 images, 10 classes, labelled" in text
    assert f"{interval_text(accuracy, 100)} % on the {accuracy.paths:,} images used" in text
    assert "scale 1/255, mean 0.286, std 0.353 (model metadata)" in text
    assert "no crop" in text
    within, every = (bundled_report.figure("within", selection=s).paths for s in ("right", "all"))
    assert f"{within} of {every}" in text


def test_it_prints_itself(bundled_report):
    assert str(bundled_report) == as_text(bundled_report)


@pytest.mark.parametrize("width", [60, 66, 79, 80, 120, 200])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_every_width(bundled_report, width, encoding):
    lines = as_text(bundled_report, width, encoding).splitlines()
    assert max(map(len, lines)) <= width
    assert len(lines) <= 85


@pytest.mark.parametrize("width", [1, 5, 19])
def test_a_terminal_too_narrow_for_anything_gets_what_can_be_drawn(bundled_report, width):
    assert "prob" in as_text(bundled_report, width).replace("\n", "")


def test_on_an_old_console_of_windows_the_drawing_is_ascii(bundled_report, monkeypatch):
    """Its fonts have few of the blocks. What is piped is no console, for which rich takes it."""
    console = Console(file=io.StringIO(), width=80, legacy_windows=True)
    console.print(summary(bundled_report))
    assert console.file.getvalue().isascii()
    usual = as_text(bundled_report, encoding="utf-8")
    monkeypatch.setattr("rich.console.detect_legacy_windows", lambda: True)
    assert as_text(bundled_report, encoding="utf-8") == usual


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_without_utf8_the_drawing_is_ascii(bundled_report, encoding):
    text = as_text(bundled_report, encoding=encoding)
    assert text.isascii()
    assert "####" in text


def test_a_terminal_gets_colours_unless_it_asks_for_none(bundled_report, monkeypatch):
    def printed():
        out = io.StringIO()
        Console(file=out, force_terminal=True, color_system="standard", width=80).print(summary(bundled_report))
        return out.getvalue()

    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[33m" in printed()
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[33m" not in printed()


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_names_are_only_text(bundled_report, tmp_path, encoding):
    remark = Remark("one-class", "The class \x1b[2J[blink] is special.", "Say \x07 so.")
    attributes = {"model": "[red]\x1b[5m", "data": "a\rb", "remarks": json.dumps([asdict(remark)])}
    text = as_text(altered(bundled_report, tmp_path / "r.h5", HOSTILE, attributes), 100, encoding)
    assert not set(text) & {chr(c) for c in (*range(10), *range(11, 32), 127, 0x202E)}
    for shown in ("[bold red]trouser[/]", r"\x1b[31msandal", r"shirt\nwith\tlines", ":dragon:", r"bag\u202eesrever"):
        assert shown in text
    assert r"The class \x1b[2J[blink] is special. Say \x07 so." in text
    assert r"[red]\x1b[5m, 10 outputs" in text


def test_names_that_the_terminal_cannot_write(bundled_report, tmp_path):
    report = altered(bundled_report, tmp_path / "r.h5", {"Trouser": "Hosen für dich", "Sandal": "鞋" * 40})
    assert r"Hosen f\xfcr dich" in as_text(report, encoding="ascii")
    assert "Hosen für dich" in as_text(report, encoding="latin-1")
    assert max(map(Page(80, "utf-8").text, as_text(report, encoding="utf-8").splitlines()), key=len).cell_len <= 80


def test_a_thousand_classes_do_not_flood_the_screen(thousand):
    lines = as_text(thousand).splitlines()
    assert len(lines) < 60
    assert max(map(len, lines)) <= 80
    shown = [line for line in lines if "Staffordshire bullt" in line]
    assert [line.split(" kind ")[1][:4] for line in shown] == [
        *("0999", "0998", "0997", "0996", "0995"),
        *("0000", "0001", "0002", "0003", "0004"),
    ]
    assert [line.endswith("*") for line in shown] == [True] + 9 * [False]


def test_short_names_stand_side_by_side(bundled_report):
    lines = as_text(bundled_report).splitlines()
    ranked = ranking(bundled_report, "within")
    assert [one.hff.estimate for one in ranked] == sorted((one.hff.estimate for one in ranked), reverse=True)
    line = next(line for line in lines if line.startswith(ranked[0].name))
    assert str(ranked[0]) in line
    assert line.endswith(f"{ranked[-1]}")
    assert ranked[-1].name in line


def test_classes_of_few_paths_are_counted_not_ranked(bundled_report, tmp_path):
    text = as_text(with_classes(bundled_report, tmp_path / "r.h5", ["a", "b", "c"], paths=9))
    assert "3 with fewer than 10 paths not ranked" in text
    assert "most" not in text


@pytest.mark.parametrize(("few", "said"), [(3, "few paths carry each"), (1, "few paths carry 1 of 3"), (0, None)])
def test_classes_that_few_paths_carry_are_counted(bundled_report, tmp_path, few, said):
    report = with_classes(bundled_report, tmp_path / "r.h5", ["a", "b", "c"])
    report.figures["n_eff"] = np.where(np.isin(report.figures["class_a"], list("abc")[:few]), 9.9, 10.0)
    text = " ".join(as_text(report).split())
    assert said in text if said else "few paths carry" not in text


def test_what_was_not_compared_is_not_said_to_be_alike(bundled_report, tmp_path):
    text = as_text(altered(bundled_report, tmp_path / "r.h5", figures__p_holm=math.nan))
    assert "within a class; not compared with each other" in text
    assert "no significant differences" not in text


def test_labels_of_the_model_itself(own_labels):
    text = as_text(own_labels)
    assert text.startswith("A look at the function, not an audit")
    assert "accuracy  not measured" in text
    assert "ends as labelled" in text
    assert "right" not in text
    assert "all*" not in text


def test_steepness_is_decided_where_the_interval_of_its_ratio_leaves_one_out(bundled_report, tmp_path):
    assert "times as steep" in as_text(bundled_report)
    f = bundled_report.figures
    low = np.where((f["metric"] == "slope") & (f["kind"] == "between/within"), 0.5, f["low"])
    text = as_text(altered(bundled_report, tmp_path / "r.h5", figures__low=low))
    assert "Between classes against within: steepness undecided" in text
    assert "times as steep" not in text


def test_many_paths_are_counted_in_two_lines(bundled_report, tmp_path):
    """1,000 of 1,000 (400 eff.) is wider than a column."""
    many = altered(bundled_report, tmp_path / "r.h5", figures__paths=1000, figures__n_eff=400.0)
    lines = as_text(many).splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("paths ") and " of " in line)
    assert lines[at].split() == ["paths", *["1,000", "of", "1,000"] * 2]
    assert lines[at + 1].split() == ["(400", "eff.)"] * 2


def test_undefined_figures_say_why(bundled_report, tmp_path):
    reason = np.array(["the outputs do not change"] * len(bundled_report.figures["reason"]), object)
    report = altered(bundled_report, tmp_path / "r.h5", figures__estimate=np.nan, figures__reason=reason)
    text = as_text(report)
    assert text.count("undefined (1)  the outputs do not change") == 1
    assert "nan" not in text


def test_one_kind_and_one_signal(tmp_path):
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 255, (60, 8, 8, 3)).astype(np.uint8), np.arange(60) % 3
    report = onnxspec.analyze(
        lambda batch: 200 * batch.mean((2, 3)) - 100,
        (images, labels),
        output=tmp_path / "r.h5",
        pairs=20,
        preprocess="0..1",
        kinds=("between",),
        signals=("logit",),
    )
    text = as_text(report)
    assert "within" not in text
    assert "prob" not in text
    assert "logit spectrum between" in text


def test_noise_of_nothing_is_no_number_of_times(bundled_report, tmp_path):
    text = as_text(altered(bundled_report, tmp_path / "r.h5", checks__noise_floor=0.0))
    assert "there is no noise, or no spectrum, to hold against the other" in " ".join(text.split())
    assert "inf" not in text


def test_an_error_between_points_is_shown_less_what_rounding_makes(bundled_report, tmp_path):
    high, floor = bundled_report.checks["high"], bundled_report.checks["high"] / 1000
    rough = altered(bundled_report, tmp_path / "r.h5", checks__floor=floor, checks__off_grid=0.09 * high + 10 * floor)
    assert "resolved     yes  the error between points is 0.09 of what is fast" in as_text(rough)


def test_checks_that_fail_are_visible(bundled_report, tmp_path):
    lines = as_text(bundled_report).splitlines()
    checks = ("converged", "resolved", "above noise", "repeatable")
    assert all(any(line.split("  ")[0] == name and " yes " in line for line in lines) for name in checks)
    remarks = [
        Remark("not-repeatable", "Not the same bits.", "Look."),
        *(Remark("unconverged", f"{kind} moves.", "Use --points 65.") for kind in ("This", "That")),
    ]
    double, noise = bundled_report.checks["slope_double"] * 1.2, 1.0
    text = as_text(
        altered(
            bundled_report,
            tmp_path / "r.h5",
            attributes={"remarks": json.dumps([asdict(remark) for remark in remarks])},
            checks__slope_double=double,
            checks__off_grid=bundled_report.checks["high"],
            checks__noise_floor=noise,
        )
    )
    lines = text.splitlines()
    assert all(any(line.startswith(name) and " NO " in line for line in lines) for name in checks)
    assert "slope 17." in text
    assert "! Not the same bits. Look." in text
    assert "! This moves. That moves. Use --points 65." in text


def test_noise_beyond_the_cutoff_is_told_but_no_failure(bundled_report, tmp_path):
    noise = np.zeros_like(bundled_report.checks["noise_floor"])
    noise[:, 13] = 1e9
    text = as_text(altered(bundled_report, tmp_path / "r.h5", checks__noise_floor=noise))
    assert "above noise  yes  the spectra sink into rounding noise at 7 cycles per d_ref" in text


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ((8.486, 8.163, 8.809), "8.5 [8.2, 8.8]"),
        ((0.736, 0.343, 1.582), "0.74 [0.34, 1.58]"),
        ((109.99, 105.9, 114.1), "110 [106, 114]"),
        ((0.0289, 0.0261, 0.0320), "0.029 [0.026, 0.032]"),
        ((0.114, 0.101, 0.127), "0.114 [0.101, 0.127]"),
        ((12345.6, 12000, 12700), "12,346 [12,000, 12,700]"),
        ((1.23e-10, 1e-10, 2e-10), "1.2e-10 [1e-10, 2e-10]"),
        ((0, 0, 0), "0 [0, 0]"),
        ((2.5, 0, math.inf), "2.5 [0.0, inf]"),
        ((2.51, math.nan, math.nan), "2.5"),
        ((18, -0.3, 32), "18 [0, 32]"),
        ((-1.4e-14, -12, 30), "0 [-12, 30]"),
        ((5.0056e33, 1.2, 7e40), "5.0e+33 [1, 7.0e+40]"),
    ],
)
def test_intervals_show_the_digits_that_mean_something(values, text):
    assert interval_text(Interval(*values, paths=10, n_eff=10.0)) == text


def test_numbers():
    assert [number(x) for x in (0.7364, 39.05, 1234.5, 1e-9, 5e33, math.nan)] == [
        "0.74",
        "39",
        "1,234",
        "1.0e-09",
        "5.0e+33",
        "-",
    ]


@pytest.mark.parametrize(("encoding", "short"), [("utf-8", "bull…dog"), ("ascii", "bul..dog")])
def test_long_names_lose_their_middle(encoding, short):
    assert Page(80, encoding).name("bullmastiff, a big dog", 8) == short
    assert Page(80, encoding).name("bulldog", 7) == "bulldog"


def test_long_names_lose_what_they_share_first():
    seeds = [f"resnet18_cifar10_seed{i}_lr0.1_final" for i in (1, 2)]
    assert Page(80, "utf-8").names(seeds, 14) == {seeds[0]: "…seed1…", seeds[1]: "…seed2…"}
    assert Page(80, "ascii").names(seeds, 14)[seeds[0]] == "..seed1.."
    assert Page(80, "utf-8").names(seeds, 40) == {name: name for name in seeds}
    mixed = Page(80, "utf-8").names(["net", "a-network-of-another-name"], 14)
    assert mixed == {"net": "net", "a-network-of-another-name": "a-netwo…r-name"}


@pytest.mark.parametrize(
    ("names", "short"),
    [
        (["epoch-01", "epoch-10"], ["…01", "…10"]),
        (["new/net", "old/net"], ["new…", "old…"]),
        (["net", "net-b"], ["net", "net-b"]),
        (["n-1", "n-1-n-1"], ["n-1", "n-1-n-1"]),  # which would leave nothing of one
        (["same", "same"], ["same", "same"]),
        (["alone"], ["alone"]),
    ],
)
def test_what_sets_names_apart(names, short):
    assert apart(names, "…") == short


@pytest.mark.parametrize(
    ("interval", "text"),
    [
        (Interval(0.109, 0.0, 3878.0, 9, 1.0), "0.11 [0.00, 3,878.00]"),
        (Interval(0.0065, 0.0, 55.0, 9, 1.0), "0.0065 [0.0000, 55.0000]"),
        (Interval(0.0001, -2.0, 2.0, 9, 9.0), "0 [-2, 2]"),
    ],
)
def test_an_estimate_that_is_not_zero_is_not_shown_as_zero(interval, text):
    """But for one of either sign, of which an interval so wide says that it may as well be zero."""
    assert interval_text(interval) == text
