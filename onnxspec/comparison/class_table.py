"""The classes of a comparison, in a table of its page that sorts and searches."""

import math
from collections.abc import Iterator

from onnxspec.comparison.comparison import Comparison
from onnxspec.comparison.contrasts import Quantity
from onnxspec.report.headline import METRICS
from onnxspec.report.html.markup import Markup, tag
from onnxspec.report.html.parts import factor_of, section, value
from onnxspec.report.html.searching import class_table, search
from onnxspec.report.pooling import Stratum
from onnxspec.statistics import SIGNIFICANT, Interval


def label_of(quantity: Quantity) -> str:
    """A quantity as a heading."""
    return f"{quantity.signal} {METRICS[quantity.metric]}"


def classes_section(comparison: Comparison) -> Markup | None:
    """The main figure by class, in a table that sorts and searches."""
    main = comparison.main_quantities[0]
    names = list(dict.fromkeys(s.class_a for s in (f.stratum for f in comparison.figures) if s.class_a))
    if not names:
        return None
    figures = {(f.model, f.stratum): f.interval for f in comparison.figures if f.quantity == main}
    contrasts = {(c.model, c.stratum): c for c in comparison.contrasts if c.quantity == main}
    columns = [(model.name, kind) for kind in comparison.kinds for model in comparison.models]
    factors = [(model, kind) for model, kind in columns if model != comparison.reference]
    headings = ["class", *(f"{m} {k}" for m, k in columns), *(f"{m} {k}, factor" for m, k in factors)]

    def row(name: str) -> Iterator[Markup]:
        yield tag("th", name, scope="row")
        for model, kind in columns:
            yield _cell(figures.get((model, Stratum(kind, name))), main.metric)
        for model, kind in factors:
            one = contrasts.get((model, Stratum(kind, name)))
            yield _cell(one.common if one else None, "", one is not None and one.p_holm < SIGNIFICANT)

    lead = f"{label_of(main)}, own pairs; factors are over common pairs, and a star marks what differs (5 % over all classes)."
    return section("classes", "Class by class", lead, search(len(names)), class_table(headings, map(row, names)))


def _cell(interval: Interval | None, metric: str, star: bool = False) -> Markup:
    """A cell that sorts by its estimate; what is undefined sorts last."""
    if interval is None:
        return tag("td", "–", data_v="")
    defined = math.isfinite(interval.estimate)
    mark = tag("span", " *", class_="star", title="differs (5 % over all classes)") if star else None
    by = f"{interval.estimate * factor_of(metric):.6g}" if defined else ""
    return tag("td", value(interval, metric), mark, data_v=by)
