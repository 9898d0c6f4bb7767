"""Shards: the plan in order, whole, in pieces whose outputs stay small."""

import numpy as np
import pytest

from onnxspec.engine.shards import (
    INPUTS_PER_SHARD,
    LATE,
    MOST_PATHS,
    USUAL_PATHS,
    VALUES_PER_SHARD,
    Shard,
    shards,
    shards_by_kind,
)

SMALL, LARGE = 28 * 28, 224 * 224 * 3


def sizes(parts: list[Shard]) -> list[int]:
    return [part.stop - part.start for part in parts]


@pytest.mark.parametrize(("points", "outputs"), [(9, 2), (33, 10), (33, 1000), (129, 1000), (129, 21841)])
@pytest.mark.parametrize("paths", [1, 31, 800, 5000])
@pytest.mark.parametrize("inputs", [SMALL, LARGE])
def test_shards_cover_the_plan_in_order(paths, points, outputs, inputs):
    parts = list(shards(paths, points, outputs, inputs))
    assert [i for part in parts for i in range(part.start, part.stop)] == list(range(paths))
    for size in sizes(parts):
        assert size == 1 or size * points * outputs <= VALUES_PER_SHARD
        assert size <= USUAL_PATHS or size * points * inputs <= INPUTS_PER_SHARD


def test_large_images_have_shards_of_one_size():
    assert set(sizes(list(shards(4096, 33, 10, LARGE)))) == {USUAL_PATHS}


def test_small_images_have_larger_shards_once_they_are_a_small_part_of_the_run():
    parts = list(shards(4096, 33, 10, SMALL))
    assert sizes(parts)[:1] == [USUAL_PATHS]
    assert max(sizes(parts)) == MOST_PATHS
    assert all(size <= max(USUAL_PATHS, part.start // LATE) for size, part in zip(sizes(parts), parts, strict=True))


def test_a_longer_plan_begins_with_the_shards_of_a_shorter_one():
    few, many = (list(shards(paths, 33, 10, SMALL)) for paths in (1000, 3000))
    assert many[: len(few) - 1] == few[:-1]


def test_a_kinds_shards_do_not_depend_on_the_number_of_pairs_of_the_other():
    few, many = (list(shards_by_kind(np.repeat([0, 1], pairs), 33, 10, LARGE)) for pairs in (40, 80))
    assert [(s.start, s.stop) for s in few] == [(0, 32), (32, 40), (40, 72), (72, 80)]
    assert [(s.start - 80, s.stop - 80) for s in many if s.start >= 80] == [(0, 32), (32, 64), (64, 80)]
    of_both = list(shards_by_kind(np.repeat([0, 1], 600), 33, 10, SMALL))
    assert sizes(of_both[: len(of_both) // 2]) == sizes(of_both[len(of_both) // 2 :])
    assert list(shards_by_kind(np.empty(0, np.int8), 33, 10, LARGE)) == []
