"""The folder beside a report: one run at a time, nothing of another, nothing left that is worth nothing."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from conftest import ROOT
from onnxspec import interruption
from onnxspec.errors import DataError, ModelError, ReportError, ResourceError, UsageError
from onnxspec.report.parts import Part
from onnxspec.report.spool import FORMAT, Spool
from onnxspec.results import SAME_BITS, Pilot, Rows

ME = {"model": "m1", "images": "d1", "settings": "s1"}
SPAN = slice(0, 2)


def part(value: float) -> Part:
    return Part(Rows({"distance": np.array([value, value])}), "c")


def interrupted(place, identity=ME, spans=(SPAN,), **options) -> str:
    """Keeps some parts and is interrupted; what was said."""
    with pytest.raises(interruption.Interrupted) as caught, Spool(place, **options) as spool:
        spool.begin(identity, 6)
        for span in spans:
            spool.keep(span, part(span.start))
        raise KeyboardInterrupt
    return str(caught.value)


def test_parts_survive_an_interrupt_and_are_offered(tmp_path):
    said = interrupted(tmp_path / "r.h5", spans=(SPAN, slice(2, 4)))
    assert said == f"4 of 6 paths are kept in {tmp_path / 'r.h5.parts'}: the same command with --resume goes on."
    with Spool(tmp_path / "r.h5") as spool:
        assert spool.begin(ME, 6) == 4 and not spool.dropped
        assert spool.kept(slice(2, 4)).rows["distance"].tolist() == [2.0, 2.0]
        assert spool.kept(slice(4, 6)) is None
    assert list(tmp_path.iterdir()) == []


def test_parts_that_changed_places_count_as_missing(tmp_path):
    place, spans = tmp_path / "r.h5", (SPAN, slice(2, 4))
    interrupted(place, spans=spans)
    first, second = sorted((tmp_path / "r.h5.parts").glob("0*.part"))
    contents = first.read_bytes(), second.read_bytes()
    first.write_bytes(contents[1])
    second.write_bytes(contents[0])
    with Spool(place, True) as spool:
        spool.begin(ME, 6)
        assert [spool.kept(span) for span in spans] == [None, None]


def test_what_another_run_has_kept_counts_as_missing(tmp_path):
    pilot = Pilot((), {}, "", SAME_BITS, 9)
    for name, identity in (("r.h5", ME), ("other.h5", {**ME, "seed": "1"})):
        with pytest.raises(interruption.Interrupted), Spool(tmp_path / name) as spool:
            spool.begin(identity, 6)
            spool.keep_pilot(pilot)
            spool.keep(SPAN, part(0))
            raise KeyboardInterrupt
    with Spool(tmp_path / "r.h5", True) as spool:
        spool.begin(ME, 6)
        assert spool.pilot() == pilot and spool.kept(SPAN) is not None
        for kept in (tmp_path / "other.h5.parts").glob("*.part"):
            (tmp_path / "r.h5.parts" / kept.name).write_bytes(kept.read_bytes())
        assert spool.pilot() is None and spool.kept(SPAN) is None


def test_an_interrupt_before_anything_was_finished_leaves_nothing(tmp_path):
    assert interrupted(tmp_path / "r.h5", spans=()) == "nothing was written."
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [ValueError("Can't close the ZIP file"), ModelError("Session run failed.")])
def test_an_interrupt_that_a_library_turns_into_an_error_of_its_own_still_is_one(tmp_path, monkeypatch, error):
    with pytest.raises(interruption.Interrupted, match=r"^2 of 6 paths are kept"), Spool(tmp_path / "r.h5") as spool:
        spool.begin(ME, 6)
        spool.keep(SPAN, part(0))
        monkeypatch.setattr(interruption, "requested", lambda: True)
        raise error
    assert len(list((tmp_path / "r.h5.parts").glob("0*.part"))) == 1


def test_an_interrupt_after_the_report_has_its_name_offers_nothing(tmp_path):
    place = tmp_path / "r.h5"
    with pytest.raises(interruption.Interrupted, match=r"^the report is written\.$"), Spool(place) as spool:
        spool.begin(ME, 2)
        spool.keep(SPAN, part(0))
        with interruption.shield():
            place.touch()
            spool.finish()
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == [place]


def test_parts_of_another_run_are_refused_or_dropped_and_never_mixed(tmp_path):
    place = tmp_path / "r.h5"
    interrupted(place)
    other = {**ME, "model": "m2", "settings": "s2"}
    with pytest.raises(ReportError, match="differs in model and settings"), Spool(place, True) as spool:
        spool.begin(other, 6)
    with Spool(place, True) as spool:  # the refusal has dropped nothing
        assert spool.begin(ME, 6) == 2
        interrupted_again = spool.kept(SPAN)
    assert interrupted_again is not None
    interrupted(place)
    assert "2 of 6" in interrupted(place, other, (slice(2, 4),))
    with Spool(place) as spool:
        assert spool.begin(other, 6) == 2
        assert spool.kept(SPAN) is None


def test_what_is_dropped_unasked_is_said(tmp_path):
    interrupted(tmp_path / "r.h5", spans=(SPAN, slice(2, 4)))
    with Spool(tmp_path / "r.h5") as spool:
        spool.begin(ME | {"settings": "s2"}, 6)
        assert spool.dropped == "4 of another run, which differs in settings"
    interrupted(tmp_path / "r.h5")
    with Spool(tmp_path / "r.h5", resume=False) as spool:
        spool.begin(ME | {"settings": "s2"}, 6)
        assert spool.dropped == ""


def test_no_resume_starts_anew(tmp_path):
    with pytest.raises(interruption.Interrupted), Spool(tmp_path / "r.h5") as spool:
        spool.begin(ME, 6)
        spool.keep_pilot(Pilot((), {}, "", SAME_BITS, 9))
        spool.keep(SPAN, part(0))
        raise KeyboardInterrupt
    with Spool(tmp_path / "r.h5", False) as spool:
        assert spool.begin(ME, 6) == 0
        assert spool.kept(SPAN) is None and spool.pilot() is None


@pytest.mark.parametrize("resume", [True, None])
def test_with_nothing_kept_a_run_starts_anew(tmp_path, resume):
    for identity in (None, {**ME, "model": "m2"}):  # the other's process was killed before it had finished a part
        if identity:
            (tmp_path / "r.h5.parts").mkdir()
            content = json.dumps({"format": FORMAT, "identity": identity})
            (tmp_path / "r.h5.parts" / "run.json").write_text(content)
        with Spool(tmp_path / "r.h5", resume) as spool:
            assert spool.begin(ME, 6) == 0 and not spool.dropped


@pytest.mark.parametrize("options", [{"keeps": False}, {}])
def test_what_nobody_can_go_on_with_is_not_kept(tmp_path, options):
    identity = ME if options else {**ME, "model": ""}
    assert interrupted(tmp_path / "r.h5", identity, **options) == "nothing was written."
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_part_counts_as_missing(tmp_path):
    interrupted(tmp_path / "r.h5")
    kept = tmp_path / "r.h5.parts" / "000000-000002.part"
    kept.write_bytes(kept.read_bytes()[:-1])
    with Spool(tmp_path / "r.h5") as spool:
        spool.begin(ME, 6)
        assert spool.kept(SPAN) is None


OF_ANOTHER_FORMAT = json.dumps({"format": "onnxspec parts 0", "identity": ME})


@pytest.mark.parametrize(
    "content", ["", "[]", "{", '{"format": 3}', json.dumps({"format": FORMAT}), "[" * 10_000, OF_ANOTHER_FORMAT]
)
def test_a_damaged_identity_is_that_of_no_run(tmp_path, content):
    interrupted(tmp_path / "r.h5")
    (tmp_path / "r.h5.parts" / "run.json").write_text(content)
    with pytest.raises(ReportError, match="says what run its parts are of"), Spool(tmp_path / "r.h5", True) as spool:
        spool.begin(ME, 6)
    assert list((tmp_path / "r.h5.parts").glob("0*.part")), "whoever insists loses none"
    with Spool(tmp_path / "r.h5") as spool:
        assert spool.begin(ME, 6) == 0
        assert spool.dropped == "2 of which nothing says what run they are of"


def test_what_a_run_cannot_help_is_told_with_what_is_kept(tmp_path):
    for error in (ResourceError("Full.", "Make room."), DataError("Gone.")):
        with pytest.raises(type(error), match="2 of 6 paths are kept"), Spool(tmp_path / "r.h5") as spool:
            spool.begin(ME, 6)
            spool.keep(SPAN, part(0))
            raise error
    with pytest.raises(ModelError) as caught, Spool(tmp_path / "r.h5") as spool:
        spool.begin(ME, 6)
        raise ModelError("NaN.")
    assert str(caught.value) == "NaN."
    assert list(tmp_path.iterdir()) == []


def test_a_bug_keeps_its_name_and_the_parts(tmp_path):
    with pytest.raises(ZeroDivisionError), Spool(tmp_path / "r.h5") as spool:
        spool.begin(ME, 6)
        spool.keep(SPAN, part(0))
        spool.report.write_bytes(b"half a report")
        (spool.folder / "000002-000004.part.new").write_bytes(b"half a part")
        1 / 0  # noqa: B018
    assert sorted(os.listdir(tmp_path / "r.h5.parts")) == ["000000-000002.part", "lock", "run.json"]


def test_two_runs_on_one_output_are_refused(tmp_path):
    with Spool(tmp_path / "r.h5") as spool:
        spool.begin(ME, 6)
        spool.keep(SPAN, part(0))
        with pytest.raises(UsageError, match=r"Another run is at work on .*r\.h5\. Wait for it"):
            Spool(tmp_path / "r.h5")
        assert spool.kept(SPAN) is not None
        with Spool(tmp_path / "other.h5"):
            pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="links are made as POSIX has them")
def test_a_drive_that_numbers_a_file_anew_whenever_it_is_opened_is_a_place(tmp_path, monkeypatch):
    """As Windows' WebDAV does (SharePoint, Nextcloud): a lock never looks as if it were still under its name."""
    looks = []

    def different(*_):
        looks.append(1)
        assert len(looks) < 1000, "looked again and again"
        return False

    monkeypatch.setattr("os.path.samestat", different)
    with Spool(tmp_path / "r.h5") as spool:
        spool.begin(ME, 6)
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_leads_nowhere_is_no_place(tmp_path):
    (tmp_path / "r.h5.parts").mkdir()
    (tmp_path / "r.h5.parts" / "lock").symlink_to(tmp_path / "gone" / "lock")
    with pytest.raises(UsageError, match="cannot be made: No such file"):
        Spool(tmp_path / "r.h5")


def test_a_lock_ends_with_its_process_however_that_ends(tmp_path):
    code = (
        "import os, sys; sys.path.insert(0, sys.argv[1]); from onnxspec.report.spool import Spool; "
        "spool = Spool(sys.argv[2]); spool.begin({'model': 'm'}, 6); os._exit(9)"
    )
    ended = subprocess.run([sys.executable, "-c", code, ROOT, tmp_path / "r.h5"])
    assert ended.returncode == 9
    assert sorted(os.listdir(tmp_path / "r.h5.parts")) == ["lock", "run.json"]
    with Spool(tmp_path / "r.h5") as spool:
        assert spool.begin(ME, 6) == 0
    assert list(tmp_path.iterdir()) == []


def test_files_of_somebody_else_are_left_alone(tmp_path):
    (tmp_path / "r.h5.parts").mkdir()
    (tmp_path / "r.h5.parts" / "thesis.tex").write_text("mine")
    with Spool(tmp_path / "r.h5") as spool:
        spool.begin(ME, 6)
    assert (tmp_path / "r.h5.parts" / "thesis.tex").read_text() == "mine"


def test_a_full_disk_is_said(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    with pytest.raises(ResourceError, match=r"cannot be written: No space left"), Spool(tmp_path / "r.h5") as spool:
        spool.begin(ME, 6)
        monkeypatch.setattr(os, "fsync", full)
        spool.keep(SPAN, part(0))
    assert list(tmp_path.iterdir()) == []
