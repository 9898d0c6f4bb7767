"""How alike the models are as functions, as a table of a comparison's page."""

from onnxspec.comparison.comparison import Agreement, Comparison
from onnxspec.report.html.markup import Child, Markup
from onnxspec.report.html.parts import section, table
from onnxspec.report.page import number


def agreement_section(comparison: Comparison) -> Markup | None:
    """A row a model, where it was asked for."""
    if not comparison.agreement:
        return None
    headings = [
        "model",
        "verdict",
        "distance",
        "95 % of paths",
        "logits, nats",
        "same points",
        "same flips",
        "difference",
    ]
    lead = (
        f"Point by point along the same paths, beside {comparison.reference}. Distance is the total variation of the "
    )
    lead += "probabilities; the difference is split by speed."
    rows = (_agreeing(one) for one in comparison.agreement)
    return section("agreement", "As functions", lead, table(headings, rows))


def _agreeing(one: Agreement) -> list[Child]:
    logits = f"{number(one.logit_difference)} (rounding {one.noise:.1e})"
    apart = (number(one.distance), number(one.distance_95))
    return [one.model, one.verdict, *apart, logits, f"{one.same_points:.2%}", f"{one.same_flips:.1%}", one.split]
