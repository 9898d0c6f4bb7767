"""How figures look: one palette, one set of matplotlib settings, and axes with ticks that need no mathematics.

Text in figures may come from files, so that nothing in it is read as TeX, and letters that matplotlib's own font lacks
are taken from fonts of the system.
"""

import functools
import re
import warnings
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from matplotlib import font_manager, rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from onnxspec.errors import inert

# Colours by role, as they are on paper; a page replaces each by its own of the same role.
COLOURS = {
    "ink": "#1f2a37",
    "muted": "#5b6878",
    "grid": "#dfe3e8",
    "paper": "#ffffff",
    "within": "#0f7490",
    "between": "#c4541a",
    "first": "#4880d5",
    "second": "#e7556f",
    "third": "#107648",
    "fourth": "#7d3e99",
    "fifth": "#ad7a0a",
}
INKS = ("first", "second", "third", "fourth", "fifth")
DECADES = 12
LONGEST = 18
_NARROW, _NARROWEST = 100, 8
_MISSING = re.compile(r"Glyph (\d+) .*missing from (current )?font")
# Of Chinese, Japanese, Korean and Thai, as Linux, Windows and macOS have them.
_FURTHER_FONTS = (
    *("Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans CJK KR", "Noto Sans SC", "Noto Sans JP", "Noto Sans KR"),
    *("Source Han Sans SC", "WenQuanYi Zen Hei", "WenQuanYi Micro Hei", "Droid Sans Fallback", "Noto Sans Thai"),
    *("Microsoft YaHei", "SimHei", "Yu Gothic", "MS Gothic", "Malgun Gothic", "Leelawadee UI"),
    *("PingFang SC", "Hiragino Sans GB", "Hiragino Sans", "Apple SD Gothic Neo", "Thonburi", "Arial Unicode MS"),
)

_SETTINGS: Any = {
    "text.parse_math": False,
    "font.size": 10.0,
    "text.color": COLOURS["ink"],
    "axes.labelcolor": COLOURS["muted"],
    "axes.edgecolor": COLOURS["muted"],
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": COLOURS["grid"],
    "grid.linewidth": 0.7,
    "xtick.color": COLOURS["muted"],
    "ytick.color": COLOURS["muted"],
    "xtick.labelsize": 9.5,
    "ytick.labelsize": 9.5,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "legend.frameon": False,
    "legend.fontsize": 10.0,
    "figure.dpi": 72.0,
    "savefig.dpi": 200.0,
    "savefig.transparent": False,
    "pdf.fonttype": 42,
}
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

Given = ParamSpec("Given")
Result = TypeVar("Result")


def styled(draw: Callable[Given, Result]) -> Callable[Given, Result]:
    """Lets a function draw and save in this style; missing letters and missing data are no reason to warn."""

    @functools.wraps(draw)
    def drawn(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        with rc_context(_SETTINGS | {"font.family": _families()}), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=_MISSING.pattern)
            warnings.filterwarnings("ignore", message="Data has no positive values")
            return draw(*args, **kwargs)

    return drawn


def _families() -> list[str]:
    """The user's sans-serif, and for letters that it lacks what is installed; matplotlib complains of what is not."""
    installed = set(font_manager.get_font_names())
    return ["sans-serif", *(name for name in _FURTHER_FONTS if name in installed)]


def panel(width: float = 400, height: float = 280) -> tuple[Figure, Axes]:
    """A figure of one panel; sizes in points."""
    figure = Figure((width / 72, height / 72), layout="constrained")
    return figure, figure.add_subplot()


def frequency_axis(axes: Axes, low: float, high: float) -> None:
    """A logarithmic axis of frequency in octaves, cycles per d_ref."""
    octaves_axis(axes)
    axes.set_xlim(low, high)
    axes.set_xlabel("frequency, cycles per d_ref")


def octaves_axis(axes: Axes) -> None:
    """A logarithmic axis of x with powers of two."""
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_locator(NullLocator())


def decades_axis(axes: Axes, which: str = "y") -> None:
    """A logarithmic axis with powers of ten, on a narrow one with twice and five times them, or as many as fit evenly."""
    axes.set_xscale("log") if which == "x" else axes.set_yscale("log")
    axis = axes.xaxis if which == "x" else axes.yaxis
    low, high = axis.get_view_interval()
    powers = LogLocator(subs=(1, 2, 5) if high < _NARROW * low else (1,), numticks=7)
    axis.set_major_locator(MaxNLocator(5) if high < _NARROWEST * low else powers)
    axis.set_major_formatter(FuncFormatter(lambda value, _: plain_power(value)))
    axis.set_minor_locator(NullLocator())


def label(name: str, longest: int = LONGEST) -> str:
    """A name from a file as a label: nothing in it acts, and one of more characters loses its middle."""
    name = inert(str(name))
    return name if len(name) <= longest else f"{name[: longest - 7]}…{name[-6:]}"


def plain_power(value: float) -> str:
    """A number near one as it is, others as a power of ten."""
    if 0.009 <= value < 10_000:
        return f"{value:,g}"
    mantissa, exponent = f"{value:.0e}".split("e")
    power = "10" + str(int(exponent)).translate(_SUPERSCRIPT)
    return power if mantissa == "1" else f"{mantissa}·{power}"


@styled
def save(figure: Figure, path: str, form: str) -> str:
    """Writes a figure as svg, pdf or png; the same figure gives the same bytes.

    Returns
    -------
    The letters in it that no font has, sorted; "" as a rule
    """
    dates = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}
    with rc_context({"svg.hashsalt": "onnxspec"}), warnings.catch_warnings(record=True) as said:
        warnings.filterwarnings("always", message=_MISSING.pattern)
        figure.savefig(path, format=form, metadata=dates[form])
    found = (_MISSING.match(str(one.message)) for one in said)
    return "".join(sorted({chr(int(match[1])) for match in found if match}))
