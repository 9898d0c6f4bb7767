"""Execution providers that come in packages of their own: found, registered once, and refused with what to do."""

import importlib
import pkgutil
import sys
from types import SimpleNamespace

import onnxruntime
import pytest

from onnxspec.errors import DeviceError, UsageError
from onnxspec.model import devices, doctor, plugins, providers

FAKE = "FakeExecutionProvider"


@pytest.fixture
def package(monkeypatch, tmp_path):
    """Writes a plugin's module, under whose name it is then importable."""

    def write(body: str, name: str = "onnxruntime_ep_fake") -> str:
        (tmp_path / f"{name}.py").write_text(body)
        importlib.invalidate_caches()
        return name

    monkeypatch.syspath_prepend(str(tmp_path))
    yield write
    for name in [name for name in sys.modules if name.startswith(("onnxruntime_ep_fake", "onnxruntime_ep_mlx"))]:
        del sys.modules[name]


WHOLE = f"def get_ep_name(): return {FAKE!r}\ndef get_library_path(): return 'libfake.so'\n"


def fake_device(provider=FAKE, kind="GPU", vendor="Fakes"):
    hardware = SimpleNamespace(type=SimpleNamespace(name=kind), vendor=vendor)
    about = {"library_path": "libfake.so", "version": "0.4.0"}
    return SimpleNamespace(ep_name=provider, device=hardware, ep_metadata=about)


@pytest.fixture
def runtime_of(monkeypatch):
    """ONNX Runtime that, once a library is registered, lists some devices, and its providers as available."""

    def make(*found):
        registered: list[tuple[str, str]] = []
        own = list(onnxruntime.get_available_providers())
        monkeypatch.setattr(onnxruntime, "get_ep_devices", lambda: list(found) if registered else [], raising=False)
        monkeypatch.setattr(
            onnxruntime, "get_available_providers", lambda: [*(one.ep_name for one in found if registered), *own]
        )
        monkeypatch.setattr(
            onnxruntime, "register_execution_provider_library", lambda *what: registered.append(what), raising=False
        )
        return registered

    return make


def test_packages_are_found_by_their_modules_names(package):
    package(WHOLE)
    package("def get_ep_names(): return ['One', 'Two']", "onnxruntime_ep_fake_two")
    package("def ep_name(): return 'Three'", "onnxruntime_ep_fake_three")
    package("raise SystemExit('imported')", "onnxruntime_fake")  # ONNX Runtime has many relatives
    found = plugins.installed()
    assert (found[FAKE], found["One"], found["Two"]) == ("onnxruntime_ep_fake", *["onnxruntime_ep_fake_two"] * 2)
    assert found["Three"] == "onnxruntime_ep_fake_three"


def test_a_library_is_registered_once(package, runtime_of):
    package(WHOLE)
    registered = runtime_of(fake_device(kind="CPU"), fake_device(kind="GPU"))
    assert [one.device.type.name for one in plugins.hardware(FAKE)] == ["CPU", "GPU"]
    assert plugins.device(FAKE, 1).device.type.name == "GPU"
    assert registered == [(FAKE, "libfake.so")]


def test_a_device_is_named_by_its_number(package, runtime_of, monkeypatch):
    package(WHOLE)
    runtime_of(fake_device(kind="CPU"), fake_device(kind="GPU"))
    monkeypatch.setattr(providers, "_trial", lambda *what: None)
    (choice,) = devices.choose("fake:1,speed=2")
    assert (choice.provider, choice.device, choice.reason) == (FAKE, "fake:1", "asked for: GPU (Fakes)")
    ((device, options),) = choice.session_providers
    assert (device.device.type.name, options) == ("GPU", {"speed": "2"})
    first = devices.choose("fake")[0]
    assert first.reason == "asked for: CPU (Fakes)"
    assert (first.plugin, choice.plugin) == ("0.4.0 on CPU (Fakes)", "0.4.0 on GPU (Fakes)")
    with pytest.raises(
        DeviceError, match=r"fake:2 cannot run here: there is no device 2; .*has 0: CPU \(Fakes\), 1: G"
    ):
        devices.choose("fake:2")
    for option in ("device_id=1", "device_type=GPU"):
        with pytest.raises(UsageError, match=rf"takes no {option.split('=')[0]}\. Write its number, as in fake:1"):
            devices.choose(f"fake:{option}")
    for one in ("fake:gpu", "fake:0,1", "fake:all"):
        with pytest.raises(UsageError, match=rf"no '{one}'\. Known: .*fake"):
            devices.choose(one)


def test_a_package_that_finds_no_device(package, runtime_of):
    package(WHOLE)
    runtime_of()
    said = r"--device fake cannot run here: onnxruntime-ep-fake finds no device that .* of another maker, .* a driver"
    with pytest.raises(DeviceError, match=said):
        devices.choose("fake")


@pytest.mark.skipif(not hasattr(onnxruntime, "get_ep_devices"), reason="ONNX Runtime before 1.23 takes no plugins")
def test_a_library_that_onnx_runtime_refuses(package):
    package(WHOLE)
    with pytest.raises(
        DeviceError, match=r"refuses onnxruntime-ep-fake: .*libfake\.so.*reinstall --no-deps onnxruntime-ep"
    ):
        plugins.hardware(FAKE)


def test_an_onnx_runtime_that_takes_no_plugins(package, monkeypatch):
    package(WHOLE)
    monkeypatch.delattr(onnxruntime, "register_execution_provider_library", raising=False)
    monkeypatch.delattr(onnxruntime, "get_ep_devices", raising=False)
    with pytest.raises(DeviceError, match=r"onnxruntime-ep-fake needs ONNX Runtime 1\.23; this is"):
        plugins.hardware(FAKE)


@pytest.mark.parametrize("body", ["import surely_not_here", "raise OSError('no such library')", "x = 1"])
def test_a_broken_package_is_named_and_stands_in_nobodys_way(package, runtime_of, monkeypatch, body):
    package(body, "onnxruntime_ep_mlx")
    package(WHOLE)
    with pytest.raises(DeviceError, match=r"--device mlx .*: onnxruntime-ep-mlx is broken: .*force-reinstall"):
        devices.choose("mlx")
    assert any(one.level == "warning" and "is broken" in one.text for one in doctor.examine())
    runtime_of(fake_device())
    monkeypatch.setattr(providers, "_trial", lambda *what: None)
    assert devices.choose("fake")[0].provider == FAKE


@pytest.mark.parametrize(("device", "name"), [("mlx", "onnxruntime-ep-mlx"), ("openvino", "onnxruntime-ep-openvino")])
def test_what_is_not_installed_is_told_by_its_package(monkeypatch, device, name):
    monkeypatch.setattr(pkgutil, "iter_modules", lambda: iter(()))
    with pytest.raises(DeviceError, match=rf"this onnxruntime has no \w+; it has .*pip install {name}\."):
        devices.choose(device)


def test_the_doctor_lists_a_plugin_s_devices(package, runtime_of, monkeypatch):
    package(WHOLE)
    runtime_of(fake_device(kind="CPU"), fake_device(kind="GPU"))
    monkeypatch.setattr(providers, "_trial", lambda *what: None)
    for _ in range(2):  # once its library is registered ONNX Runtime calls it available
        (finding,) = [one for one in doctor.examine() if one.subject == FAKE]
        assert finding.level == "ok"
        assert finding.text == "runs a model here (onnxruntime-ep-fake; devices 0: CPU (Fakes), 1: GPU (Fakes))"
