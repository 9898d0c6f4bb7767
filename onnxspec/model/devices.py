"""`--device` in words: a provider by its short name, which of its devices, and options of its own.

auto · cpu · cuda · cuda:1 · cuda:0,1 · cuda:all · tensorrt · webgpu · openvino:1 · cuda:0,gpu_mem_limit=8000000000
"""

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import onnxruntime

from onnxspec.errors import DeviceError, UsageError
from onnxspec.model import plugins, providers
from onnxspec.model.alone import alone
from onnxspec.model.providers import CPU, CUDA, DEVICE_ID, GRAPH_OPTION, Choice

_SUFFIX = "ExecutionProvider"
_NUMBERED = ("cuda", "tensorrt")
_MOST_DEVICES = 64
_ALL = "all"
# Options that flags and numbers stand for: a report would name one GPU and another would have computed. A plugin gets its
# device, and ignores what else is said of it.
_NUMBER = "its number, as in {name}:1"
_SAID_OTHERWISE = {DEVICE_ID: _NUMBER, "device_type": _NUMBER, "use_tf32": "--tf32"}
_GRAPH_OPTIONS = (GRAPH_OPTION, "trt_cuda_graph_enable")
_SWITCH = ("0", "1", "false", "true", "False", "True")
"""What ONNX Runtime takes for a switch."""


@dataclass(frozen=True)
class Request:
    """What `--device` asks for: a provider in small letters, its devices by number ("all"), and its options.

    text : all of it, as it was written but for the provider's letters
    """

    text: str
    name: str
    numbers: tuple[str, ...]
    options: dict[str, str]

    @classmethod
    def of(cls, device: str) -> "Request":
        """`NAME[:ITEM,...]` in its parts; an ITEM is a device's number, or KEY=VALUE."""
        name, colon, rest = device.strip().partition(":")
        items = rest.split(",") if colon else []
        name = name.strip().lower().removesuffix(_SUFFIX.lower())
        options = dict(item.strip().split("=", 1) for item in items if "=" in item)
        return cls(
            f"{name}{colon}{rest}", name, tuple(item.strip().lower() for item in items if "=" not in item), options
        )


def choose(device: str = "auto", tf32: bool = False) -> tuple[Choice, ...]:
    """The providers for `--device`, one for each device; what was asked for is strict, `auto` takes what works.

    Raises
    ------
    UsageError
        There is no such provider, or it takes no such devices.
    DeviceError
        It does not work here; the message has what was asked for and what there is.
    """
    asked = Request.of(device)
    if asked.text == "auto":
        return (providers.best(tf32),)
    choices = _choices(asked, device, tf32)
    for choice in choices:
        if choice.provider == CPU:
            continue
        # It makes a session, and loads a plugin's library.
        if (problem := alone(choice, partial(providers.obstacle, choice))) is not None:
            which = f"{choice.device}: " if len(choices) > 1 else ""
            raise DeviceError(
                f"--device {asked.text} cannot run here: {which}{problem.message}",
                problem.hint or "See `onnxspec doctor`, or use --device cpu.",
            )
    return tuple(map(_with_hardware, choices))


def known() -> tuple[str, ...]:
    """Short names of the providers that this ONNX Runtime has, and of plugins that are installed, the usual ones first."""
    have = map(_short, (*onnxruntime.get_available_providers(), *plugins.installed()))
    return tuple(dict.fromkeys(("auto", "cpu", "cuda", "cuda:N", "cuda:all", *have)))


def gpu_count() -> int:
    """How many GPUs CUDA's driver counts; 0 without one."""
    count = ctypes.c_int(0)
    try:
        driver = ctypes.CDLL(providers.DRIVER)
        works = driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0
    except (OSError, AttributeError):
        return 0
    return count.value if works else 0


def _choices(asked: Request, device: str, tf32: bool) -> tuple[Choice, ...]:
    provider = next((p for p in _every_provider() if _short(p) == asked.name), None)
    several = asked.name in _NUMBERED
    most = _MOST_DEVICES if several else int(provider is not None and plugins.plugged(provider))
    if provider is None or not _are_numbers(asked.numbers, most, ":" in device and not asked.options):
        raise UsageError(
            f"--device has no {device!r}.",
            f"Known: {', '.join(known())}; cuda:0,1 for several GPUs, NAME:KEY=VALUE,... for a provider's options.",
        )
    allowed = (GRAPH_OPTION,) if provider == CUDA else ()
    for option in set(_GRAPH_OPTIONS) & set(asked.options) - set(allowed):
        message = f"--device {asked.name} takes no {option}: a captured graph may give the answers of its first batch."
        raise UsageError(message, f"Write cuda:{GRAPH_OPTION}=1.")
    for option, instead in _SAID_OTHERWISE.items():
        if option in asked.options and (most or instead != _NUMBER):
            raise UsageError(f"--device {asked.name} takes no {option}.", f"Write {instead.format(name=asked.name)}.")
    # Only the sessions that capture are given this one: the trial of the device would not notice.
    if asked.options.get(GRAPH_OPTION, "0") not in _SWITCH:
        message = f"--device {asked.name} takes no {GRAPH_OPTION}={asked.options[GRAPH_OPTION]}: it is 0 or 1."
        raise UsageError(message, f"Write cuda:{GRAPH_OPTION}=1.")
    if provider == CPU and asked.options:
        raise UsageError(f"--device has no {device!r}: the CPU provider takes no options.", "Write --device cpu.")
    choices = tuple(_choice(provider, number, asked.options, tf32) for number in _numbers(asked))
    if len(choices) > 1 and choices[0].captures:
        message = (
            f"--device {asked.name} takes no {GRAPH_OPTION} on several GPUs: while one captures, all others must rest."
        )
        raise UsageError(message, "Name one of them, or leave it out.")
    return choices


def _choice(provider: str, number: str, options: dict[str, str], tf32: bool) -> Choice:
    if provider == CPU:
        return Choice(CPU, "cpu", "asked for")
    if provider == CUDA:
        return providers.cuda_choice(int(number or 0), tf32, "asked for", options)
    providers.override_tf32(tf32)  # TensorRT computes in it as well
    own = {DEVICE_ID: number} if number else {}
    return Choice(provider, f"{_short(provider)}{number and ':'}{number}", "asked for", own | options)


def _with_hardware(choice: Choice) -> Choice:
    if not plugins.plugged(choice.provider):
        return choice
    (device, _), *_ = choice.session_providers
    kind = plugins.text_of(device)
    return replace(choice, reason=f"{choice.reason}: {kind}", plugin=f"{plugins.version_of(device)} on {kind}")


def _numbers(asked: Request) -> tuple[str, ...]:
    if asked.numbers != (_ALL,):
        return asked.numbers or ("",)
    count = gpu_count()
    if not count:
        raise DeviceError(f"--device {asked.name}:all cannot run here: there is no GPU.", "See `onnxspec doctor`.")
    return tuple(map(str, range(count)))


def _are_numbers(given: tuple[str, ...], most: int, wanted: bool) -> bool:
    """Whether devices are given as they can be, up to `most`; `wanted` where something must be given."""
    if not given:
        return not wanted
    whole = all(one.isascii() and one.isdigit() and int(one) < _MOST_DEVICES for one in given)
    return (given == (_ALL,) and most > 1) or (whole and len(set(given)) == len(given) <= most)


def _every_provider() -> Iterator[str]:
    """Those that ONNX Runtime knows by name, and those of plugins."""
    yield from onnxruntime.get_all_providers()
    yield from plugins.PACKAGES
    yield from plugins.installed()


def _short(provider: str) -> str:
    return provider.removesuffix(_SUFFIX).lower()
