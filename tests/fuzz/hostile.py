"""Values that parsers stumble over, and damage to bytes that knows nothing of their meaning."""

from collections.abc import Callable, Sequence
from random import Random

INTEGERS = (0, 1, -1, 2, 3, 7, 127, 128, 255, 256, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**62, 2**63 - 1)
FLOATS = (0.0, -0.0, 1.0, -1.0, 1e-45, 1e-300, 3e38, 1e300, float("inf"), float("-inf"), float("nan"), 0.5, 255.0)
TEXTS = (
    *(
        "",
        " ",
        ".",
        "..",
        "/",
        "../around/secret.bin",
        "../../escaped.png",
        "a/../../b",
        "C:\\escaped",
        "NUL",
        "images",
    ),
    *("\x1b[31mred\x1b[0m", "[bold]x[/bold]", "<script>alert(1)</script>", "=1+1", "a\nb", "a\r\nb", "tab\there"),
    *("\u202egnp.exe", "ÿé", "x" * 300, "y" * 70000, "%s%n", "{0}", "0", "-1", "1e999", "nan", "None", "\ufeffx"),
)
# Varints and lengths of every protobuf and archive: too long, or longer than what follows.
VARINTS = (b"\xff" * 9 + b"\x01", b"\xff" * 12, b"\xff\xff\xff\xff\x0f", b"\x80\x80\x80\x80\x10", b"\xff\xff\x7f")

Spans = Sequence[tuple[int, int]]


def integer(rng: Random) -> int:
    """A whole number at the edge of some type, or near it."""
    return rng.choice(INTEGERS) + rng.choice((0, 0, 0, 1, -1))


def damaged(content: bytes, rng: Random, spans: Spans = ()) -> tuple[bytes, str]:
    """`content` with one to four blind changes, mostly inside `spans` (start, stop) where given; and their names."""
    names = []
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        change = rng.choice(BLIND)
        content = bytes(change(bytearray(content), rng, place(len(content), rng, spans)))
        names.append(change.__name__.strip("_"))
    return content, "+".join(names)


def place(size: int, rng: Random, spans: Spans = ()) -> int:
    """An offset into `size` bytes."""
    inside = [(start, min(stop, size)) for start, stop in spans if start < size]
    if inside and rng.random() < 0.85:
        start, stop = rng.choice(inside)
        return rng.randrange(start, max(stop, start + 1))
    # Files have their structure at the ends.
    return min(rng.choice((rng.randrange(size + 1), rng.randrange(64), size - 1 - rng.randrange(64))), size) % (
        size + 1
    )


def _flip(data: bytearray, rng: Random, at: int) -> bytearray:
    for i in range(at, min(at + rng.choice((1, 1, 2, 8)), len(data))):
        data[i] ^= 1 << rng.randrange(8)
    return data


def _set(data: bytearray, rng: Random, at: int) -> bytearray:
    data[at : at + 1] = bytes([rng.choice((0, 1, 0x7F, 0x80, 0xFE, 0xFF, rng.randrange(256)))])
    return data


def _number(data: bytearray, rng: Random, at: int) -> bytearray:
    width = rng.choice((2, 4, 8))
    order = rng.choice(("little", "big"))
    data[at : at + width] = (integer(rng) % 2 ** (8 * width)).to_bytes(width, order)  # type: ignore[arg-type]
    return data


def _truncate(data: bytearray, rng: Random, at: int) -> bytearray:
    return data[:at]


def _delete(data: bytearray, rng: Random, at: int) -> bytearray:
    del data[at : at + rng.choice((1, 2, 4, 16, 512))]
    return data


def _insert(data: bytearray, rng: Random, at: int) -> bytearray:
    data[at:at] = rng.choice((*VARINTS, rng.randbytes(rng.choice((1, 4, 64)))))
    return data


def _splice(data: bytearray, rng: Random, at: int) -> bytearray:
    length, source = rng.choice((1, 4, 16, 128)), rng.randrange(len(data) + 1)
    data[at : at + length] = data[source : source + length]
    return data


def _duplicate(data: bytearray, rng: Random, at: int) -> bytearray:
    data[at:at] = data[at : at + rng.choice((4, 16, 128, 1024))]
    return data


def _fill(data: bytearray, rng: Random, at: int) -> bytearray:
    length = min(rng.choice((4, 16, 512)), len(data) - at)
    data[at : at + length] = bytes([rng.choice((0, 0xFF))]) * length
    return data


BLIND: tuple[Callable[[bytearray, Random, int], bytearray], ...] = (
    *(_flip, _flip, _set, _set, _number, _number),
    *(_truncate, _delete, _insert, _splice, _duplicate, _fill),
)
