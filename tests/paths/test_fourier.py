"""Paths along one spatial frequency: where they run, how long they are, and by what frequency is counted."""

import numpy as np

from onnxspec import CallableModel, Settings, signals, spectra
from onnxspec.analysis.subject import open_subject
from onnxspec.images.inputspec import InputSpec
from onnxspec.images.planes import planes
from onnxspec.paths import fourier
from onnxspec.paths.waves import Waves, octaves

SIZE = (8, 8)
WAVES = Waves.half_plane(*SIZE)
CHANGE = np.array([2.0, 0.5])
IMAGES = np.random.default_rng(0).random((6, 2, *SIZE)).astype(np.float32)


def walk(points=17, amplitude=0.8, count=6):
    crossings = fourier.draw(np.arange(count), WAVES, "ab12", 0)
    made = fourier.walk(crossings, WAVES, points, amplitude, IMAGES.__getitem__, lambda x: x, CHANGE)
    return crossings, made


def filled(walk, path, span=slice(None)):
    count = len(range(walk.points)[span])
    out = np.empty((count, *walk.shape), np.float32)
    walk.fill(path, span, out)
    return out


def test_every_image_crosses_every_band_once():
    crossings, made = walk()
    bands = np.unique(octaves(WAVES.radius))
    assert len(made) == len(crossings) == 6 * len(bands)
    assert np.array_equal(octaves(WAVES.radius)[crossings.wave], crossings.band)
    for image in range(6):
        assert np.array_equal(crossings.band[crossings.image == image], bands)


def test_more_images_only_add_paths():
    few, many = (fourier.draw(np.arange(n), WAVES, "ab12", 0) for n in (3, 6))
    assert np.array_equal(many.wave[: len(few)], few.wave)
    other = fourier.draw(np.arange(6), WAVES, "ab12", 1)
    assert not np.array_equal(other.wave, many.wave)


def test_a_path_is_the_image_plus_t_times_the_wave():
    crossings, made = walk()
    for path in range(len(made)):
        wave = WAVES.images(crossings.wave[[path]])[0]
        t = np.linspace(-1, 1, 17)
        step = 0.8 * CHANGE[:, None, None] * wave
        expected = IMAGES[crossings.image[path]] + t[:, None, None, None] * step
        assert np.allclose(filled(made, path), expected, atol=1e-6)
        assert np.array_equal(filled(made, path, slice(3, 9)), filled(made, path)[3:9])
    assert np.array_equal(filled(made, 0)[8], IMAGES[0])


def test_its_length_is_the_rms_distance_of_its_ends():
    _, made = walk()
    ends = filled(made, 5)[[0, -1]].astype(float) / CHANGE[:, None, None]
    assert np.isclose(fourier.length(0.8, *SIZE), np.sqrt(np.square(ends[1] - ends[0]).mean()), atol=1e-6)


def test_errors_name_the_image_and_the_frequency():
    crossings, made = walk()
    i, j = WAVES.frequency[crossings.wave[0]]
    assert made.where(0) == f"for image 0 along the frequency ({i}, {j})"


def test_spread_is_the_standard_deviation_along_the_wave():
    found = fourier.spread(WAVES.coordinates(IMAGES))
    direction = np.stack([WAVES.images()] * 2, axis=1) / np.sqrt(2)
    along = np.einsum("ncuv,kcuv->nk", IMAGES.astype(float), direction)
    assert np.allclose(found, along.std(0, ddof=1), atol=1e-6)


def test_a_function_of_one_wave_has_its_frequency_on_every_path_along_it():
    """sin of 2 pi f <x, V>: f per unit along V, and 2 A sqrt(C) f per path."""
    amplitude, wave, cycles = 0.8, 7, 3
    unit = np.stack([WAVES.images(slice(wave, wave + 1))[0]] * 2).astype(float) / np.sqrt(2)
    frequency = cycles / (2 * amplitude * np.sqrt(2))
    crossings = fourier.Crossings(np.array([2]), np.array([1]), np.array([wave]))
    made = fourier.walk(crossings, WAVES, 65, amplitude, IMAGES.__getitem__, lambda x: x, np.ones(2))
    along = np.einsum("ncuv,cuv->n", filled(made, 0).astype(float), unit)
    power = spectra.sine(np.sin(2 * np.pi * frequency * (along - along[0]))[None, :, None]).power[0]
    assert int(np.argmax(power)) + 1 == 2 * cycles


def outputs_along(function, wave, amplitude):
    """A function of the input of std .5, evaluated along a wave through four images: (4, 65, 2)."""
    model = CallableModel(function, InputSpec("NCHW", 3, *SIZE))
    data = np.random.default_rng(1).integers(0, 256, (4, *SIZE, 3), np.uint8), [0, 1, 0, 1]
    engine = open_subject(model, data, Settings.of(preprocess="mean=.5;std=.5")).engine
    crossings = fourier.Crossings(np.full(4, 2), np.arange(4), np.full(4, wave))
    along = fourier.walk(
        crossings,
        WAVES,
        65,
        amplitude,
        lambda image: engine.anchors([image])[0],
        lambda inputs: planes(inputs, engine.spec, engine.preprocess),
        engine.space.change,
    )
    return signals.logit(engine.walk(along), probabilities=False)


def test_through_an_engine_a_linear_model_has_no_spectrum_and_a_wave_has_its_own():
    wave, amplitude, cycles = 9, 0.6, 4
    unit = WAVES.images(slice(wave, wave + 1))[0].astype(float) / np.sqrt(3)
    both = np.array([1.0, -1.0])
    weights = np.random.default_rng(2).normal(size=(3, *SIZE))
    straight = spectra.sine(
        outputs_along(lambda x: 5 * np.einsum("nchw,chw->n", x, weights)[:, None] * both, wave, amplitude)
    )
    assert (straight.power.sum(-1) < 1e-10 * straight.total).all()

    frequency = cycles / (2 * amplitude * np.sqrt(3))
    pixels = np.random.default_rng(1).integers(0, 256, (4, *SIZE, 3), np.uint8)[0] / 255
    at_image = np.einsum("hwc,hw->", pixels, unit)

    def wavy(x):
        coordinate = np.einsum("nchw,hw->n", x.astype(float) * 0.5 + 0.5, unit) - at_image
        return 3 * np.sin(2 * np.pi * frequency * coordinate)[:, None] * both

    power = spectra.sine(outputs_along(wavy, wave, amplitude)).power[0]
    assert np.argmax(power) + 1 == 2 * cycles
    assert power.max() > 0.9999 * power.sum()
