"""Made-up samples with known changes: what two runs of retrained networks leave, without a network."""

import numpy as np

from onnxspec.auditing.samples import Sample

ACCURACY = 0.92
CLASSES = ("cat", "dog")
# Log-standard deviations of hf, so that a kind's figure is carried by as many paths as method.md section 6 measured.
SPREAD = {0: 1.7, 1: 0.7}
SHARED = 0.75  # correlation of log hf of a path under two networks: the paired variance is .3 to .5 of the unpaired


class World:
    """Images and pairs that several networks of one kind look at; every `run` is another network.

    pairs : paths a kind, no image twice
    """

    def __init__(self, rng, pairs=400):
        self.rng, self.pairs = rng, pairs
        self.kind = np.repeat(np.array([0, 1], np.int8), pairs)
        self.hard = rng.random(4 * pairs) < 2 * (1 - ACCURACY)
        self.spread = np.array([SPREAD[k] for k in self.kind.tolist()])
        self.path, self.size = rng.standard_normal((2, 2 * pairs))

    def run(self, accuracy=0.5, **changes):
        """A network's sample; `between_hf=1.3` multiplies, `accuracy` is of the hard images."""
        ends = np.arange(4 * self.pairs).reshape(2, -1)
        right = ~self.hard | (self.rng.random(4 * self.pairs) < accuracy)
        own_path, own_size = self.rng.standard_normal((2, 2 * self.pairs))
        total = np.exp(0.5 * _mixed(self.size, own_size))
        hf = 0.03 * np.exp(self.spread * _mixed(0.4 * self.size + np.sqrt(0.84) * self.path, own_path))
        slope = 20 * np.exp(0.5 * _mixed(self.path, own_path))
        for kind, name in enumerate(("within", "between")):
            hf[self.kind == kind] *= changes.get(f"{name}_hf", 1.0)
            slope[self.kind == kind] *= changes.get(f"{name}_slope", 1.0)
        return Sample(
            {
                "kind": self.kind,
                "class_a": np.zeros(len(total), np.int32),
                "class_b": self.kind.astype(np.int32),
                "image_a": ends[0].astype(np.int32),
                "image_b": ends[1].astype(np.int32),
                "status": (right[ends[0]] + 2 * right[ends[1]] + 4).astype(np.uint8),
                **{
                    f"{name}_prob": x.astype(np.float32) for name, x in (("hf", hf), ("total", total), ("slope", slope))
                },
            },
            CLASSES,
            {"prob": 0.0},
        )


def _mixed(shared, own):
    return np.sqrt(SHARED) * shared + np.sqrt(1 - SHARED) * own
