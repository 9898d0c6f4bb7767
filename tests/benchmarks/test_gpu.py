"""The benchmark of the GPU, tried on the CPU, so that it does not rot; its figures mean nothing there."""

import pytest

from onnxspec.model import providers

from . import gpu

TINY = gpu.Effort(models=("cifar-resnet20",), runs=1, seconds=0.2, batches=(4,), device="cpu")


@pytest.fixture(scope="module")
def found():
    return gpu.measure(TINY)


@pytest.mark.slow
def test_bytes_over_the_bus_are_those_of_whole_images(found):
    middle = found["models"]["cifar-resnet20"]["median"]
    image = 32 * 32 * 3
    assert middle["bytes_per_path_of_points"] == 33 * image * 4
    # Two 8-bit images a path, more where a path is cut in two batches, and indices and weights.
    assert 2 * image < middle["bytes_per_path"] < 33 * image


@pytest.mark.slow
def test_figures_stand_beside_their_goals(found):
    middle = found["models"]["cifar-resnet20"]["median"]
    assert middle["efficiency"] == pytest.approx(middle["bare"] / middle["seconds_per_image"])
    shown = "\n".join(gpu.lines(found))
    assert "CPUExecutionProvider" in shown and "efficiency" in shown and "goal 3.0" in shown


def test_without_a_gpu_it_refuses_in_one_line(capsys, tmp_path):
    if providers.obstacle(providers.cuda_choice()) is None:
        pytest.skip("CUDA works here")
    assert gpu.main(["--out", str(tmp_path / "x.json")]) == 4
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1 and "--device cuda cannot run here" in said[0]
    assert not list(tmp_path.iterdir())
