"""What a model takes of the memory, estimated before it is given any, and what there is to give."""

from dataclasses import dataclass

import onnx

from onnxspec.errors import ResourceError
from onnxspec.model import stored
from onnxspec.model.contents import all_tensors, sparse_tensors
from onnxspec.model.cost import Values
from onnxspec.model.machine import Limit, size_text
from onnxspec.model.ports import Port, elements

SMALLEST_BATCH = 2
"""Images in the smallest batch that is run where none is asked for: kernels for a single row may give other bits."""
# ONNX Runtime reads the weights and packs them anew for its kernels.
_COPIES = 2


@dataclass(frozen=True)
class Footprint:
    """The least memory of a model, in bytes: `weights` as stored, and the tensors that live while it runs.

    fixed, per_image : at the graph's widest point, those that do not depend on the images, and those that do, for one
        image; for the whole batch where the model fixes one (`batch`)
    """

    weights: int
    fixed: int
    per_image: int
    batch: int | None

    def total(self, images: int) -> int:
        """Bytes for one batch of `images` images at a time, two copies of the weights included."""
        return _COPIES * self.weights + self.activations(images)

    def activations(self, images: int) -> int:
        """Bytes of the tensors that live together while one batch runs."""
        return self.fixed + self.per_image * (1 if self.batch else images)

    def affordable(self, limit: Limit, images: int, workers: int) -> int:
        """The largest halving of a batch of `images` of which as many as there are workers fit into half of `limit`.

        The other half is for what the estimate leaves out: the program, workspaces of kernels, arenas that keep more.
        One image is the last resort, after two: kernels for a single row may sum in another order, and give other bits.
        """
        while images > 1 and _COPIES * self.weights + workers * self.activations(images) > limit.size // 2:
            images = max(images // 2, 2) if images > 2 else 1
        return images

    def fits_beside_itself(self, limit: Limit) -> bool:
        """Whether there is room for a second session of the same weights."""
        return self.total(self.batch or SMALLEST_BATCH) + _COPIES * self.weights <= limit.size

    def require(self, limit: Limit) -> None:
        """Raises ResourceError where the smallest batch that is run takes more than `limit`."""
        count = self.batch or SMALLEST_BATCH
        if self.total(count) <= limit.size:
            return
        raise ResourceError(
            f"The model takes about {size_text(self.total(count))} of memory at the least: its weights, "
            f"{size_text(self.weights)}, {_COPIES} times, and {size_text(self.activations(count))} for a batch of "
            f"{count}; {limit.name} allows {size_text(limit.size)}.",
            "Allow more with --max-memory, where the machine has it.",
        )


def footprint(proto: onnx.ModelProto, values: Values, image: Port | None) -> Footprint:
    """The peak of the tensors that live together, when the nodes run in the file's order.

    A lower bound: values without a known shape, inner graphs, workspaces of kernels and the runtime itself are left
    out, and each node's outputs are taken to be written beside its inputs.
    """
    fixed, per_image = _peak(proto.graph, values, "" if image is None else image.name)
    weights = sum(map(stored.bytes_of, all_tensors(proto)))
    weights += sum((elements(sparse.dims) or 0) * 4 for sparse in sparse_tensors(proto))  # they are run dense
    return Footprint(weights, fixed, per_image, None if image is None else image.batch)


def _peak(graph: onnx.GraphProto, values: Values, image: str) -> tuple[int, int]:
    kept = len(graph.node)
    last = {name: index for index, node in enumerate(graph.node) for name in node.input}
    last |= {value.name: kept for value in graph.output}
    moving = {image}  # what depends on the images
    alive = {image: _bytes(image, values)}
    live = [0, alive[image]]
    peak = (0, live[1])
    for index, node in enumerate(graph.node):
        if not moving.isdisjoint(node.input):
            moving.update(node.output)
        for name in node.output:
            if name and name not in alive:
                alive[name] = _bytes(name, values)
                live[name in moving] += alive[name]
        peak = max(peak, (live[0], live[1]), key=sum)
        for name in {*node.input, *node.output}:
            if name in alive and last.get(name, index) <= index:
                live[name in moving] -= alive.pop(name)
    return peak


def _bytes(name: str, values: Values) -> int:
    return -(-(elements(values.shapes.get(name)) or 0) * values.bits.get(name, 32) // 8)
