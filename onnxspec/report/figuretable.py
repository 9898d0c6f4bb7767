"""Figures as columns: with a thousand classes there are hundreds of thousands, and an object each is too much memory."""

from array import array
from collections.abc import Iterable
from typing import Any

import numpy as np

from onnxspec.report.pooling import Figure

TEXTS = ("kind", "class_a", "class_b", "selection", "signal", "metric", "estimator", "reason")
CLASSES = ("class_a", "class_b")
"""Texts of which there may be more than a byte can tell apart."""
NUMBERS = ("estimate", "low", "high", "n_eff", "p_holm")
WHOLE = ("paths",)


class FigureTable:
    """The rows of figures in order, column by column; texts that are alike are kept once."""

    def __init__(self, figures: Iterable[Figure]):
        self._texts: dict[str, dict[str, int]] = {name: {} for name in TEXTS}
        self._columns: dict[str, array[Any]] = {name: array("i" if name in CLASSES else "B") for name in TEXTS}
        self._columns |= {name: array("d") for name in NUMBERS} | {name: array("i") for name in WHOLE}
        for figure in figures:
            for name, value in figure.row().items():
                self._columns[name].append(self._code(name, value) if isinstance(value, str) else value)

    def _code(self, name: str, text: str) -> int:
        return self._texts[name].setdefault(text, len(self._texts[name]))

    def __len__(self) -> int:
        return len(self._columns[WHOLE[0]])

    def column(self, name: str) -> np.ndarray:
        """A column, (figures,): texts as objects, numbers as float64, counts as int32."""
        values = np.array(self._columns[name])
        return np.array([*self._texts[name]], object)[values] if name in TEXTS else values
