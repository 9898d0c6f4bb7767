"""The published draw: NumPy's legacy stream is frozen, so what it drew in 2022 stands here as numbers."""

import numpy as np
import pytest

from onnxspec.errors import DataError, UsageError
from onnxspec.parity.pairs import draw
from onnxspec.parity.protocols import PROTOCOLS
from onnxspec.settings import KINDS

MOOL, SBP = PROTOCOLS["mool"], PROTOCOLS["sbp"]
CIFAR = np.arange(10_000) % 10  # ten classes of 1,000, mixed: member i of class c is image 10 i + c


def ends(pairs):
    return np.column_stack([pairs.image_a, pairs.image_b])


@pytest.fixture(scope="module")
def published():
    return draw(MOOL, CIFAR, KINDS, 200)


def test_mool_draws_class_by_class_and_then_class_pairs(published):
    within, between = published["within"], published["between"]
    assert (len(within), len(between)) == (2_000, 9_000)
    assert ends(within)[:3].tolist() == [[9930, 8590], [2980, 5530], [6720, 9710]]
    assert ends(within)[-1].tolist() == [2529, 1739]
    assert ends(between)[:2].tolist() == [[1370, 9481], [3040, 6161]]
    assert ends(between)[-1].tolist() == [9528, 6309]
    assert between.class_a[::200].tolist() == [a for a in range(10) for _ in range(9 - a)]
    assert between.class_b[::200].tolist() == [b for a in range(10) for b in range(a + 1, 10)]
    for pairs in (within, between):
        assert np.array_equal(CIFAR[pairs.image_a], pairs.class_a)
        assert np.array_equal(CIFAR[pairs.image_b], pairs.class_b)
        assert all(len(np.unique(ends(pairs)[i : i + 200])) == 400 for i in range(0, len(pairs), 200))


def test_fourier_pairs_go_over_all_images_once(published):
    amplitude = ends(published["amplitude"])
    assert amplitude[:3].tolist() == [[9394, 898], [2398, 5906], [2343, 8225]]
    assert amplitude[-1].tolist() == [9845, 2732]
    assert len(np.unique(amplitude)) == 10_000
    assert np.array_equal(amplitude, ends(published["phase"]))


@pytest.mark.parametrize("protocol", [MOOL, SBP])
def test_fewer_pairs_are_the_first_of_every_class(protocol):
    whole, some = (draw(protocol, CIFAR, KINDS, pairs) for pairs in (200, 7))
    for kind, blocks in (("within", 10), ("between", 45)):
        expected = ends(whole[kind]).reshape(blocks, 200, 2)[:, :7].reshape(-1, 2)
        assert np.array_equal(ends(some[kind]), expected)
    if protocol is MOOL:
        assert np.array_equal(ends(some["phase"]), ends(whole["phase"])[:175])


def test_the_kinds_that_are_left_out_do_not_move_the_others(published):
    alone = draw(MOOL, CIFAR, ("between",), 200)
    assert list(alone) == ["between", "amplitude", "phase"]
    assert np.array_equal(ends(alone["between"]), ends(published["between"]))


def test_sbp_takes_images_as_they_come():
    plan = draw(SBP, CIFAR, KINDS, 200)
    assert list(plan) == list(KINDS)
    assert (len(plan["within"]), len(plan["between"])) == (2_000, 9_000)
    assert ends(plan["within"])[[0, 1, 200]].tolist() == [[0, 10], [20, 30], [1, 11]]
    assert ends(plan["between"])[[0, 1, 200]].tolist() == [[0, 1], [10, 11], [0, 2]]


def test_classes_of_any_size_are_drawn_as_far_as_they_go():
    labels = np.repeat([0, 1, 2], [50, 9, 1])
    for protocol in (MOOL, SBP):
        plan = draw(protocol, labels, KINDS, 200)
        assert np.bincount(plan["within"].class_a, minlength=3).tolist() == [25, 4, 0]
        for pairs in plan.values():
            assert np.array_equal(labels[pairs.image_a], pairs.class_a)
            assert np.array_equal(labels[pairs.image_b], pairs.class_b)


def test_too_little_and_too_much_are_told():
    with pytest.raises(DataError, match="No class has two images"):
        draw(MOOL, np.arange(4), KINDS, 5)
    with pytest.raises(DataError, match="of one class"):
        draw(SBP, np.full(9, 3), KINDS, 5)
    with pytest.raises(UsageError, match=r"1,000 classes make 12,512,500 paths.*--kinds within"):
        draw(MOOL, np.repeat(np.arange(1000), 50), KINDS, 200)
    assert len(draw(MOOL, np.repeat(np.arange(1000), 50), ("within",), 200)["within"]) == 25_000
    assert len(draw(MOOL, np.array([0, 0, 1]), ("within",), 200)["within"]) == 1


@pytest.mark.parametrize(("protocol", "between"), [(MOOL, 124_750), (SBP, 249_500)])
def test_one_large_class_among_small_ones_is_not_too_much(protocol, between):
    plan = draw(protocol, np.repeat(np.arange(500), [2] * 499 + [400]), KINDS, 200)
    assert (len(plan["within"]), len(plan["between"])) == (499 + 200, between)
