"""What decides the rows stands in the keys, and what does not is left out."""

from dataclasses import replace

import numpy as np
import pytest

from conftest import FASHION
from onnxspec import Settings
from onnxspec.analysis import grounds
from onnxspec.analysis.planning import freeze
from onnxspec.analysis.subject import open_subject
from onnxspec.listening import Silence


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


def of_subject(frozen, **changes):
    return replace(frozen, subject=replace(frozen.subject, **changes))


def of_engine(frozen, **changes):
    return of_subject(frozen, engine=replace(frozen.subject.engine, **changes))


def of_model(frozen, **changes):
    return of_subject(frozen, model=replace(frozen.subject.model, **changes))


def of_reading(frozen, **changes):
    return replace(frozen, reading=replace(frozen.reading, **changes))


def of_settings(frozen, **changes):
    return replace(frozen, settings=frozen.settings.updated(**changes))


BOTH = {
    "model": lambda f: of_model(f, fingerprint=replace(f.subject.model.fingerprint, hashes=("00",))),
    "provider": lambda f: of_model(f, choices=(replace(f.subject.model.choices[0], provider="Other"),)),
    "plugin": lambda f: of_model(f, choices=(replace(f.subject.model.choices[0], plugin="1.8.1 on GPU (Intel)"),)),
    "preprocess": lambda f: of_engine(f, preprocess=replace(f.subject.engine.preprocess, order="BGR")),
    "path form": lambda f: of_engine(f, graph=object()),
    "classes": lambda f: of_reading(f, output_of=f.reading.output_of[::-1]),
    "columns": lambda f: of_reading(f, columns=f.reading.output_of[::-1]),
    "images": lambda f: of_subject(f, images=replace(f.subject.images, digest="00")),
    "cutoff": lambda f: of_reading(f, cutoff=2 * f.reading.cutoff),
    "tf32": lambda f: of_settings(f, tf32=True),
    "input": lambda f: of_settings(f, input="other"),
    "output": lambda f: of_settings(f, output="other"),
}
OF_THE_RUN = {
    "labelling": lambda f: of_subject(f, labelling="predicted"),
    "pairs": lambda f: replace(f, pairs=f.pairs[:-1]),
    "points": lambda f: replace(f, points_from="doubled"),
    "seed": lambda f: of_settings(f, seed=7),
}
OF_A_SHARD = {
    "probabilities": lambda f: of_reading(f, probabilities=not f.reading.probabilities),
    "floor": lambda f: of_reading(f, floor={"prob": np.ones(7)}),
    "signals": lambda f: of_reading(f, measurement=replace(f.reading.measurement, signals=("logit",))),
}


@pytest.mark.parametrize("change", BOTH | OF_THE_RUN)
def test_what_decides_the_rows_of_a_run_is_in_its_identity(frozen, change):
    assert grounds.identity((BOTH | OF_THE_RUN)[change](frozen)) != grounds.identity(frozen)


@pytest.mark.parametrize("change", BOTH | OF_A_SHARD)
def test_what_decides_the_rows_of_a_shard_is_in_its_key(frozen, change):
    assert grounds.grounds((BOTH | OF_A_SHARD)[change](frozen)) != grounds.grounds(frozen)


def test_a_plan_as_a_whole_decides_no_shard_and_a_precision_no_row(frozen):
    more = of_reading(frozen, measurement=replace(frozen.reading.measurement, paths=("linear", "ellipse")))
    for other in (more, *(change(frozen) for change in OF_THE_RUN.values())):
        assert grounds.grounds(other) == grounds.grounds(frozen)
    assert grounds.identity(of_settings(frozen, precision=0.1)) == grounds.identity(frozen)


@pytest.mark.parametrize("known", [grounds.identity, grounds.grounds])
def test_another_device_like_it_is_the_same(frozen, known):
    first, second = (with_options(frozen, device_id=number, gpu_mem_limit=number) for number in "01")
    assert known(first) == known(second)


@pytest.mark.parametrize("known", [grounds.identity, grounds.grounds])
def test_what_decodes_pixels_is_in_the_key(frozen, known, monkeypatch):
    before = known(frozen)
    monkeypatch.setattr(grounds, "VERSIONS", grounds.VERSIONS | {"Pillow": "another"})
    assert known(frozen) != before
