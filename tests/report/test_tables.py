"""Columns of text: read as they were written, in chunks, and alike texts once."""

import h5py
import numpy as np
import pytest

from onnxspec.report import tables


@pytest.mark.parametrize("shape", [(0,), (7,), (4, 3)])
@pytest.mark.parametrize("chunk", [1, 1 << 18])
def test_texts_come_back_as_they_were_and_alike_ones_are_one_object(tmp_path, monkeypatch, shape, chunk):
    texts = np.array([f"é{i % 3}" for i in range(int(np.prod(shape)))], object).reshape(shape)
    monkeypatch.setattr(tables, "CHUNK_BYTES", chunk)
    with h5py.File(tmp_path / "t.h5", "w") as file:
        back = tables.read_column(tables.column(file, "name", texts, "1", "a name"))
    assert back.shape == shape and back.tolist() == texts.tolist()
    assert len({id(text) for text in back.flat}) == min(3, back.size)


def test_a_digest_does_not_depend_on_how_much_is_read_at_once(tmp_path, monkeypatch):
    with h5py.File(tmp_path / "t.h5", "w") as file:
        tables.column(file, "name", [f"class {i}" for i in range(9)], "1", "a name")
        tables.column(file, "value", np.arange(9.0), "1", "a value")
        whole = tables.digest(file)
        monkeypatch.setattr(tables, "CHUNK_BYTES", 1)
        assert tables.digest(file) == whole
