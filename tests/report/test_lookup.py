"""Rows are found by their texts as in a dict."""

from itertools import product

import numpy as np
import pytest

from onnxspec.report.lookup import Lookup


@pytest.mark.parametrize("dtype", [object, np.str_])
def test_rows_are_found_as_in_a_dict(dtype):
    rng = np.random.default_rng(0)
    columns = [
        np.array([f"{name}{i}" for i in rng.integers(0, count, 300)], dtype)
        for name, count in zip("abc", (2, 9, 40), strict=True)
    ]
    expected = {key: row for row, key in enumerate(zip(*(column.tolist() for column in columns), strict=True))}
    found = Lookup(columns)
    for key in product(*(np.unique(column).tolist() for column in columns)):
        assert found.get(key) == expected.get(key)
    assert found.get(("a0", "b1", "of no row")) is None


def test_more_combinations_than_numbers_are_no_fault():
    columns = [np.array([f"{name}{i}" for i in range(1000)], object) for name in "abcdefgh"]
    assert Lookup(columns).get([f"{name}7" for name in "abcdefgh"]) == 7


def test_a_table_without_rows_or_columns_has_none():
    assert Lookup([]).get(("a",)) is None
    assert Lookup([np.empty(0, object)] * 2).get(("a", "b")) is None
