"""Shards: the plan in order, whole, in pieces whose outputs stay small."""

import numpy as np
import pytest

from onnxspec.engine.shards import MOST_PATHS, VALUES_PER_SHARD, shards, shards_by_kind


@pytest.mark.parametrize(("points", "outputs"), [(9, 2), (33, 10), (33, 1000), (129, 1000), (129, 21841)])
@pytest.mark.parametrize("paths", [1, 31, 800])
def test_shards_cover_the_plan_in_order(paths, points, outputs):
    parts = list(shards(paths, points, outputs))
    assert [i for part in parts for i in range(part.start, part.stop)] == list(range(paths))
    size = parts[0].stop - parts[0].start
    assert size <= MOST_PATHS
    assert size == 1 or size * points * outputs <= VALUES_PER_SHARD


def test_a_kinds_shards_do_not_depend_on_the_number_of_pairs_of_the_other():
    few, many = (list(shards_by_kind(np.repeat([0, 1], pairs), 33, 10)) for pairs in (40, 80))
    assert [(s.start, s.stop) for s in few] == [(0, 32), (32, 40), (40, 72), (72, 80)]
    assert [(s.start - 80, s.stop - 80) for s in many if s.start >= 80] == [(0, 32), (32, 64), (64, 80)]
    assert list(shards_by_kind(np.empty(0, np.int8), 33, 10)) == []
