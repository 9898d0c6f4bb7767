"""Where the rows of shards come from: an interrupted run has kept them, the pilot has walked them just now, the cache
has them, or they are evaluated.

The same for straight lines and families. What is looked up is looked up here, what is evaluated may be evaluated on
another machine (`LocalEngine.map`), and rows come in the order of the plan wherever they come from.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from onnxspec.analysis.grounds import content_digest, entry_key, grounds, unchanged
from onnxspec.analysis.planning import Prepared
from onnxspec.engine.shards import Shard
from onnxspec.errors import DataError
from onnxspec.report.parts import Part
from onnxspec.report.spool import Spool
from onnxspec.results import Rows

Item = tuple[str, Shard]
LINES = ""
KEPT, CACHED, FRESH = "kept", "cached", "fresh"


@dataclass(frozen=True)
class Source:
    """Paths that are evaluated shard by shard.

    rows : evaluates the paths of a span; like `used`, a function of nothing but the span and the engine
    used : the distinct images of a span, (images,) int
    mark : what tells the paths of a span from all others, as a text
    images : forward passes of one path
    early : the rows of a span whose paths the pilot has walked, None for others; asked once
    """

    rows: Callable[[slice], Rows]
    used: Callable[[slice], np.ndarray]
    mark: Callable[[slice], str]
    images: int
    early: Callable[[slice], Rows | None] = lambda span: None


def parts(
    prepared: Prepared, sources: Mapping[str, Source], todo: Sequence[Item], spool: Spool | None
) -> Iterator[tuple[Item, Part]]:
    """The parts of shards of named sources, in their order; what is evaluated is kept in the spool and the cache.

    Raises
    ------
    DataError
        The images are not those of the interrupted run, or not the same on all machines.
    """
    engine, cache = prepared.subject.engine, prepared.cache
    pixels, ground = engine.pixels, grounds(prepared)

    def content(item: Item) -> str:
        return content_digest(pixels, sources[item[0]].used(item[1].span))

    def key(item: Item) -> str:
        return entry_key(ground, item[0], sources[item[0]].mark(item[1].span), content(item))

    def known(item: Item) -> tuple[Part, str] | None:
        name, shard = item
        if spool is not None and (part := spool.kept(shard.span, name)) is not None:
            return unchanged(part, content(item)), KEPT
        if (rows := sources[name].early(shard.span)) is not None:
            return Part(rows, content(item)), FRESH
        part = cache.part(key(item), shard.stop - shard.start) if cache.folder else None
        return None if part is None else (part, CACHED)

    def needs(item: Item) -> np.ndarray:
        return sources[item[0]].used(item[1].span)

    # Closed, or after an error here workers would go on, until the process ends under them.
    with closing(engine.map(_work(sources, prepared), todo, needs, known)) as found:
        for item, (part, origin) in zip(todo, found, strict=True):
            name, shard = item
            if origin == FRESH:
                _require_same(part, content(item))
                if spool is not None:
                    spool.keep(shard.span, part, name)
                if cache.folder:
                    cache.keep(key(item), part)
            elif origin == CACHED:
                cache.paths += len(part.rows) if spool is not None else 0  # not those that are walked again to be shown
                cache.on_images(len(part.rows) * sources[name].images)
            yield item, part


def _work(sources: Mapping[str, Source], prepared: Prepared) -> Callable[[Item], tuple[Part, str]]:
    """Evaluates a shard: a function that knows neither spool nor cache, so that it can be sent."""
    rows = {name: source.rows for name, source in sources.items()}
    used = {name: source.used for name, source in sources.items()}
    pixels = prepared.subject.engine.pixels

    def work(item: Item) -> tuple[Part, str]:
        name, span = item[0], item[1].span
        made = rows[name](span)
        return Part(made, content_digest(pixels, used[name](span))), FRESH

    return work


def _require_same(part: Part, content: str) -> None:
    if part.content != content:
        raise DataError(
            "The images that a worker of the cluster has read are not those read here.",
            "Let all machines read the same files.",
        )
