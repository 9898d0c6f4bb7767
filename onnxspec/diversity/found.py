"""What class diversity found: plain rows of named values, a table of classes and one of relations."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from onnxspec.diversity.correlation import Correlation, reach
from onnxspec.errors import UsageError
from onnxspec.report import export, flat
from onnxspec.results import Remark
from onnxspec.statistics import SIGNIFICANT, Interval

TOO_WIDE = 0.5
LEAST_BEYOND = 100
"""Classes without which p beyond controls is too often small, as simulated: docs/paper.md."""
TABLES = ("relations", "classes")
PLAIN = "spearman of halves"
BEYOND = "normal score residuals of halves"
POSITIVE, NEGATIVE, UNDECIDED = "positive", "negative", "undecided"

Row = dict[str, Any]


@dataclass(frozen=True)
class Quantity:
    """What was measured within classes."""

    signal: str
    metric: str

    def __str__(self) -> str:
        return f"{self.signal} {self.metric}"


@dataclass(frozen=True)
class ClassOf:
    """A class: its figures over pairs that are right, and the measures it is set against.

    measures : distance (mean RMS pixel distance of its paths), embedding (mean distance in the encoder's space), accuracy
    """

    name: str
    figures: Mapping[Quantity, Interval]
    measures: Mapping[str, float]

    @property
    def paths(self) -> int:
        """How many paths carry its figures."""
        return max(one.paths for one in self.figures.values())


@dataclass(frozen=True)
class Relation:
    """A correlation over classes, beyond the controls; p_holm is adjusted over all relations of the table.

    The figures are of one half of every class's images and the measures of the other, both ways averaged.
    """

    quantity: Quantity
    measure: str
    controls: tuple[str, ...]
    correlation: Correlation
    p_holm: float

    @property
    def withheld(self) -> bool:
        """Whether classes are too few for a verdict, whatever p is.

        Fewer than 100 beyond controls; else so few that the interval of no correlation goes beyond +-.5.
        """
        classes = self.correlation.classes
        return classes < LEAST_BEYOND if self.controls else reach(classes) > TOO_WIDE

    @property
    def verdict(self) -> str:
        """positive or negative where it holds after Holm's correction and is not withheld, else undecided."""
        if self.withheld or not self.p_holm < SIGNIFICANT:
            return UNDECIDED
        return POSITIVE if self.correlation.rho > 0 else NEGATIVE


@dataclass(frozen=True)
class Diversity:
    """Classes against their diversity; attributes : of which report, with which encoder, over how many paths."""

    attributes: Mapping[str, Any]
    classes: tuple[ClassOf, ...]
    relations: tuple[Relation, ...]
    remarks: tuple[Remark, ...] = ()

    @property
    def measures(self) -> tuple[str, ...]:
        """What the classes were set against."""
        return tuple(self.classes[0].measures)

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What was measured within them."""
        return tuple(self.classes[0].figures)

    def relation(
        self, measure: str, metric: str = "hff", signal: str = "prob", controls: tuple[str, ...] = ()
    ) -> Relation:
        """One relation.

        Raises
        ------
        UsageError
            There is none; the message lists the measures.
        """
        for one in self.relations:
            if (one.measure, one.quantity, one.controls) == (measure, Quantity(signal, metric), controls):
                return one
        raise UsageError(
            f"There is no relation of {signal} {metric} to {measure}.", f"Known: {', '.join(self.measures)}."
        )

    def tables(self) -> dict[str, list[Row]]:
        """All tables by name, each a list of flat rows."""
        return {
            "relations": [_relation_row(one) for one in self.relations],
            "classes": [_class_row(one) for one in self.classes],
        }

    def to_json(self) -> str:
        """Everything as one JSON object; undefined numbers are null, and all text is ASCII."""
        remarks = [asdict(remark) for remark in self.remarks]
        return flat.to_json({**self.attributes, **self.tables(), "remarks": remarks})

    def to_csv(self, table: str) -> str:
        """One table as CSV with a line of headings; raises as `require_table` does."""
        require_table(table)
        return flat.to_csv(self.tables()[table])


def require_table(table: str) -> None:
    """Refuses a table that there is not, before any work is done (UsageError)."""
    export.require_table(table, TABLES)


def _relation_row(one: Relation) -> Row:
    return {
        **asdict(one.quantity),
        "measure": one.measure,
        "controls": " ".join(one.controls),
        "method": BEYOND if one.controls else PLAIN,
        **asdict(one.correlation),
        "p_holm": one.p_holm,
        "verdict": one.verdict,
    }


def _class_row(one: ClassOf) -> Row:
    figures = {
        f"{quantity.metric}_{quantity.signal}{end}": getattr(interval, part)
        for quantity, interval in one.figures.items()
        for end, part in (("", "estimate"), ("_low", "low"), ("_high", "high"))
    }
    return {"name": one.name, "paths": one.paths, **one.measures, **figures}
