"""What decides the rows stands in the keys, and what does not is left out."""

from dataclasses import replace

import numpy as np
import pytest

from conftest import FASHION
from onnxspec import Settings, grounds
from onnxspec.listening import Silence
from onnxspec.planning import freeze
from onnxspec.subject import open_subject


@pytest.fixture(scope="module")
def frozen():
    data = np.load(FASHION / "test.npz")
    some = data["images"][:200], data["labels"][:200]
    settings = Settings.of(pairs=12, points=9)
    return freeze(open_subject(FASHION / "pytorch.onnx", some, settings), settings, Silence())


def with_options(frozen, **options):
    model = frozen.subject.model
    choice = replace(model.choices[0], provider_options=options)
    engine = replace(frozen.subject.engine, model=replace(model, choices=(choice,)))
    return replace(frozen, subject=replace(frozen.subject, model=engine.model, engine=engine))


@pytest.mark.parametrize("known", [grounds.identity, grounds.grounds])
def test_a_provider_that_computes_otherwise_is_another(frozen, known):
    plain, half = with_options(frozen), with_options(frozen, trt_fp16_enable="1")
    assert known(plain) != known(half)


@pytest.mark.parametrize("known", [grounds.identity, grounds.grounds])
def test_another_device_like_it_is_the_same(frozen, known):
    first, second = (with_options(frozen, device_id=number, gpu_mem_limit=number) for number in "01")
    assert known(first) == known(second)


@pytest.mark.parametrize("known", [grounds.identity, grounds.grounds])
def test_what_decodes_pixels_is_in_the_key(frozen, known, monkeypatch):
    before = known(frozen)
    monkeypatch.setattr(grounds, "VERSIONS", grounds.VERSIONS | {"Pillow": "another"})
    assert known(frozen) != before
