"""What is planned of paths, as columns of one length: all of them are cut and reordered together."""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np


@dataclass(frozen=True)
class Columns:
    """Base of dataclasses whose fields are arrays (paths, ...)."""

    def __len__(self) -> int:
        return len(self.arrays[0])

    def __getitem__(self, index: slice | np.ndarray) -> Self:
        return type(self)(*(array[index] for array in self.arrays))

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """The columns, in their order."""
        return tuple(getattr(self, field.name) for field in fields(self))
