"""Protobuf bombs: pieces are counted in the bytes, and what is no protobuf is never parsed."""

import pytest

from conftest import FASHION
from model import build
from onnxspec.errors import ModelError
from onnxspec.model import wire


def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def field(number, content):
    return varint(number << 3 | 2) + varint(len(content)) + content


def model(graph):
    """A serialised model of IR version 10 with the serialised `graph`."""
    return b"\x08\x0a" + field(7, graph)


@pytest.fixture
def few_pieces(monkeypatch):
    monkeypatch.setattr(wire, "MOST_PIECES", 1000)


@pytest.mark.parametrize("name", ["pytorch", "keras", "flax", "sklearn"])
def test_real_models_are_far_from_the_limit(name, few_pieces):
    assert wire.check((FASHION / f"{name}.onnx").read_bytes())


@pytest.mark.parametrize(
    "graph",
    [b"\x0a\0" * 1001, b"\x2a\0" * 1001, b"\x6a\0" * 1001, field(1, b"\x2a\0" * 1001), field(1, b"\x0a\1a" * 1001)],
    ids=["nodes", "initializers", "values", "attributes", "names"],
)
def test_more_pieces_than_any_model_has_are_refused(graph, few_pieces):
    with pytest.raises(ModelError, match="more than 1,000 pieces"):
        wire.check(model(graph))


def test_numbers_and_short_blocks_are_no_pieces(few_pieces):
    forest = field(7, b"x" * 20) + b"\x3dabcd" * 5000 + b"\x40\x81\x01" * 5000 + b"\x4a\4LEAF" * 5000
    assert wire.check(model(field(1, field(5, forest))))


@pytest.mark.parametrize("kept", range(1, 40, 3))
def test_what_is_cut_off_is_no_protobuf(kept):
    content = build.mlp().SerializeToString()
    assert wire.check(content)
    assert not wire.check(content[:-kept])


@pytest.mark.parametrize("tail", [b"\x0b", b"\x02\0", b"\x0f", b"\x0a\x05abc", b"\xff" * 12, b"\x08" + b"\xff" * 11])
def test_what_follows_a_good_graph_must_be_protobuf_too(tail):
    """A parser would have made objects of the graph before it met the end."""
    assert not wire.check(model(b"") + tail)


def test_names_must_be_text():
    with pytest.raises(ModelError, match=r"NodeProto\.input is b'\\xff\\xfe'"):
        wire.check(model(field(1, field(1, b"\xff\xfe"))))
