"""The results on a screen, each beside its goal."""

from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from .subjects import BUNDLED

MEGA = 1e6
MOST_OVER_BARE = {BUNDLED: 1.15, "cifar-resnet20": 1.06} | dict.fromkeys(
    ("cifar-resnet18", "mobilenetv2", "vit-tiny", "resnet50"), 1.03
)
MOST_OVER_SCRIPT = {
    "cifar-resnet18": 1.03,
    "cifar-resnet20": 1.0,
    "resnet50": 1.0,
    "mobilenetv2": 0.85,
    "vit-tiny": 0.8,
    "mlp": 0.8,
}
MOST_BESIDE_A_NEIGHBOUR = 0.75
MOST_OVER_BARE_BYTES = 150e6
MOST_GROWTH_BYTES = 50e6
MOST_HELP_SECONDS = 0.2
MOST_FIRST_BATCH_SECONDS = 2.0


def summary(found: dict[str, Any]) -> Group:
    """Everything that a person wants to see."""
    machine = found["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    lines = [
        Text(f"{machine['cpu']}, {machine['cores']} cores, load {machine['load']} to {found['load_at_end']}"),
        Text(f"Python {machine['python']}, {versions}; {found['date']}"),
    ]
    if "models" in found:
        beside = ", while a neighbour keeps one core busy" if found["effort"]["neighbour"] else ""
        lines += [Text(), _ratios(found["models"], beside), Text(), _stages(found["models"])]
    return Group(*lines, Text(), _goals(found))


def verdict(figure: float | None, most: float, strictly: bool = False) -> str:
    """Whether a goal is met, in words."""
    if figure is None:
        return "not measured"
    return "met" if figure < most or (figure == most and not strictly) else "NOT MET"


def _ratios(models: dict[str, Any], beside: str) -> Table:
    columns = ("bare", "script", "whole", "cpu")
    table = Table(title=f"onnxspec analyze over the loops on as many images, medians [lowest, highest]{beside}")
    for name in ("model", "images", "onnxspec", *columns):
        table.add_column(name, justify="left" if name == "model" else "right", no_wrap=True)
    for name, of in models.items():
        ratios = (f"{of['median'][key]:.3f}{_spread(of, key)}" for key in columns)
        table.add_row(name, f"{of['images']:,}", f"{of['median']['seconds']:.1f} s", *ratios)
    bare = (f"{name}: {of['bare']['form']}, batch {of['bare']['batch']}" for name, of in models.items())
    rounds = max(len(of["rounds"]) for of in models.values())
    table.caption = "\n".join([f"{rounds} rounds; start-up apart but in whole and cpu; the bare loop:", *bare])
    return table


def _spread(of: dict[str, Any], key: str) -> str:
    values = [r[key] for r in of["rounds"]]
    return f" [{min(values):.2f}, {max(values):.2f}]" if len(values) > 1 else ""


def _stages(models: dict[str, Any]) -> Table:
    table = Table(title="Where the command's seconds go (medians; the pilot evaluates images too)")
    table.add_column("stage")
    for name in models:
        table.add_column(name, justify="right")
    for stage in next(iter(models.values()))["stages"]:
        table.add_row(stage, *(f"{of['stages'].get(stage, 0):.2f}" for of in models.values()))
    table.add_section()
    table.add_row("start-up: to the first path", *(f"{of['median']['startup']:.2f}" for of in models.values()))
    return table


def _goals(found: dict[str, Any]) -> Table:
    table = Table("what", "figure", "goal", "")
    for name, of in found.get("models", {}).items():
        _ratio_goals(table, name, of, found["effort"]["neighbour"])
    for name, of in found.get("memory", {}).items():
        _memory_goals(table, name, of)
    if "startup" in found:
        _startup_goals(table, found["startup"])
    return table


def _ratio_goals(table: Table, name: str, of: dict[str, Any], neighbour: bool) -> None:
    over = {"bare": {} if neighbour else MOST_OVER_BARE, "script": MOST_OVER_SCRIPT}
    if neighbour:
        over["script"] = dict.fromkeys(MOST_OVER_SCRIPT, MOST_BESIDE_A_NEIGHBOUR)
    for key, goals in over.items():
        if name in goals:
            ratio = of["median"][key]
            table.add_row(f"{name} over {key}", f"{ratio:.3f}", f"<= {goals[name]:.2f}", verdict(ratio, goals[name]))
    peaks, bare = [r["peak_bytes"] for r in of["rounds"]], of["footprint"]["peak_bytes"]
    if None not in (*peaks, bare):
        more = max(peaks) - bare - of["cache_bytes"]
        what = f"{name}: peak memory {max(peaks) / MEGA:.0f} MB, bare {bare / MEGA:.0f}, images {of['cache_bytes'] / MEGA:.0f}"
        _bytes_row(table, what, more, MOST_OVER_BARE_BYTES)


def _memory_goals(table: Table, name: str, of: dict[str, Any]) -> None:
    if of["growth_bytes"] is None:
        return
    peaks = ", ".join(f"{peak / MEGA:.0f} MB" for peak in of["peak_bytes"])
    paths = " and ".join(f"{count:,}" for count in of["paths"])
    images = (of["cache_bytes"][-1] - of["cache_bytes"][0]) / MEGA
    what = f"{name}: {peaks} at {paths} paths, {images:.0f} MB of it images"
    _bytes_row(table, what, of["growth_bytes"], MOST_GROWTH_BYTES)


def _startup_goals(table: Table, of: dict[str, Any]) -> None:
    for what, seconds, most in (
        ("onnxspec --help", of["help_median"], MOST_HELP_SECONDS),
        (
            f"{of['model']}: {of['first_batch_median']:.2f} s to the first batch, of which loading takes "
            f"{of['load_median']:.2f}",
            of["first_batch_median"] - of["load_median"],
            MOST_FIRST_BATCH_SECONDS,
        ),
    ):
        table.add_row(what, f"{seconds:.3f} s", f"< {most:.1f} s", verdict(seconds, most, strictly=True))


def _bytes_row(table: Table, what: str, figure: float, most: float) -> None:
    table.add_row(what, f"{figure / MEGA:.0f} MB", f"<= {most / MEGA:.0f} MB", verdict(figure, most))
