"""What is kept comes back bit for bit, or not at all."""

import gc
import io
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnxspec.report import parts
from onnxspec.report.parts import Part
from onnxspec.results import Convergence, Pilot, Rows

KEY = "some run"
PART = Part(
    Rows(
        {
            "kind": np.array([0, 1], np.int8),
            "width": np.array([np.nan, 1 / 3]),
            "power_prob": np.random.default_rng(0).random((2, 7)).astype(np.float32),
        }
    ),
    "ab12",
)
PILOT = Pilot(
    (Convergence("within", "prob", 32, {"hff": (0.1, 1 / 3, float("nan"))}, 1e-9, 0.1, 2 / 3, 1e-17),),
    {"prob": np.array([1 / 3, 1e-300, np.pi, 0.0])},
    "input dither",
    True,
    33,
)


@pytest.fixture
def unquiet():
    """Threads that take turns as often as they can, and garbage collections that let others go on in the middle."""

    def let_others(phase, info):
        time.sleep(0)

    interval, thresholds = sys.getswitchinterval(), gc.get_threshold()
    gc.callbacks.append(let_others)
    sys.setswitchinterval(1e-6)
    gc.set_threshold(20)
    yield
    gc.set_threshold(*thresholds)
    sys.setswitchinterval(interval)
    gc.callbacks.remove(let_others)


def test_parts_are_read_by_several_threads_at_once(unquiet):
    """In Python 3.11 the headers of two arrays could not be: a resumed run on a cluster ended as a bug of onnxspec."""
    wide = Part(Rows({f"column_{i}": np.zeros((4, 3)) for i in range(40)}), "")
    packed = parts.packed(wide, KEY)
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda _: parts.part_of(packed, KEY), range(400)))
    assert all(len(part.rows) == 4 for part in found)


def test_rows_come_back_bit_for_bit_in_their_order():
    back = parts.part_of(parts.packed(PART, KEY), KEY)
    assert back is not None
    assert back.content == "ab12"
    assert list(back.rows.columns) == list(PART.rows.columns)
    for name, values in PART.rows.columns.items():
        assert back.rows[name].dtype == values.dtype
        assert back.rows[name].tobytes() == values.tobytes()


def test_a_part_takes_little_more_than_its_rows():
    rows = sum(values.nbytes for values in PART.rows.columns.values())
    assert rows < len(parts.packed(PART, KEY)) < rows + 400


def test_a_part_of_another_form_counts_as_missing():
    buffer = io.BytesIO()
    np.savez(buffer, content=np.array("ab12"), kind=np.array([0, 1], np.int8))  # as parts were once
    plain = io.BytesIO()
    np.save(plain, np.arange(3))
    for content in (buffer.getvalue(), b"ab12\n" + buffer.getvalue(), b"ab12\n" + plain.getvalue(), b"ab12\n", b""):
        assert parts.part_of(parts._sealed(content, KEY), KEY) is None


def test_a_pilot_comes_back_bit_for_bit():
    back = parts.pilot_of(parts.packed_pilot(PILOT, KEY), KEY)
    assert back is not None
    assert repr(back) == repr(PILOT)
    assert all(back.floor[k].tobytes() == v.tobytes() for k, v in PILOT.floor.items())
    assert np.isnan(back.convergence[0].figures["hff"][2])


@pytest.mark.parametrize("reader", [parts.part_of, parts.pilot_of])
@given(st.data())
def test_what_is_damaged_anywhere_counts_as_missing(reader, data):
    whole = parts.packed(PART, KEY) if reader is parts.part_of else parts.packed_pilot(PILOT, KEY)
    at = data.draw(st.integers(0, len(whole) - 1))
    change = data.draw(st.sampled_from(["cut", "flip"]))
    damaged = whole[:at] if change == "cut" else whole[:at] + bytes([whole[at] ^ 0x41]) + whole[at + 1 :]
    assert reader(damaged, KEY) is None


def test_a_pickle_with_a_right_digest_is_not_opened():
    for dtype in (object, [("kind", object)]):
        buffer = io.BytesIO()
        np.save(buffer, np.zeros(1, dtype), allow_pickle=True)
        assert parts.part_of(parts._sealed(b"ab12\n" + buffer.getvalue(), KEY), KEY) is None
