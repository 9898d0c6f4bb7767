"""Image files in every promised format, and damage that knows their chunks."""

import io
import struct
import zlib
from random import Random

import numpy as np
from PIL import Image

from . import hostile

FORMATS = {"png": "PNG", "jpg": "JPEG", "gif": "GIF", "tif": "TIFF", "webp": "WEBP", "bmp": "BMP", "pgm": "PPM"}


def encoded(pixels: np.ndarray, extension: str, **options: object) -> bytes:
    """The bytes of an image file of (H, W) or (H, W, 3) uint8 pixels."""
    buffer = io.BytesIO()
    exact = {"lossless": True} if extension == "webp" else {}
    Image.fromarray(pixels).save(buffer, FORMATS[extension], **{**exact, **options})  # type: ignore[arg-type]
    return buffer.getvalue()


def bomb(side: int) -> bytes:
    """A PNG that declares (side, side) pixels and holds none."""
    header = b"IHDR" + struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    data, end = b"IDAT" + zlib.compress(b""), b"IEND"
    chunks = (struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in (header, data, end))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def damaged(content: bytes, extension: str, rng: Random) -> tuple[bytes, str]:
    """The image with a chunk, a tag or a header field changed, or with blind damage."""
    if extension == "png" and rng.random() < 0.7:
        return _damaged_png(content, rng)
    if extension == "tif" and rng.random() < 0.6:
        return _damaged_tiff(content, rng)
    return hostile.damaged(content, rng, [(0, 64), (0, 400)])


def _damaged_png(content: bytes, rng: Random) -> tuple[bytes, str]:
    """Chunks with other lengths, types or contents, mostly with a checksum that is right."""
    chunks, at = [], 8
    while at + 8 <= len(content):
        length = struct.unpack(">I", content[at : at + 4])[0]
        chunks.append((content[at + 4 : at + 8], content[at + 8 : at + 8 + length]))
        at += length + 12
    i = rng.randrange(len(chunks))
    kind, body = chunks[i]
    way = rng.choice(("header", "body", "kind", "double", "drop", "bomb", "insert"))
    if way == "header":
        fields = list(struct.unpack(">IIBBBBB", chunks[0][1]))
        at = rng.randrange(len(fields))
        fields[at] = rng.choice((hostile.integer(rng), 1, 2, 4, 16, 3, 6)) % (2**32 if at < 2 else 256)
        chunks[0] = (chunks[0][0], struct.pack(">IIBBBBB", *fields))
    elif way == "body":
        chunks[i] = (kind, hostile.damaged(body, rng)[0])
    elif way == "kind":
        chunks[i] = (
            rng.choice((b"IDAT", b"PLTE", b"tRNS", b"iCCP", b"zTXt", b"acTL", b"fdAT", b"\0\0\0\0", b"eXIf")),
            body,
        )
    elif way == "double":
        chunks.insert(rng.randrange(len(chunks) + 1), (kind, body))
    elif way == "drop":
        del chunks[i]
    elif way == "bomb":
        width, height = rng.choice(((9000, 9000), (60000, 60000), (2**31 - 1, 1), (1, 2**31 - 1)))
        chunks[0] = (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    else:
        text = rng.choice((b"x\0\0" + zlib.compress(bytes(1 << 20)), b"\0" * 9, b"Raw profile type exif\0\0\0"))
        chunks.insert(1, (rng.choice((b"zTXt", b"iTXt", b"iCCP", b"eXIf", b"tEXt", b"acTL", b"fcTL")), text))
    whole = content[:8]
    for kind, body in chunks:
        checksum = zlib.crc32(kind + body) if rng.random() < 0.95 else rng.getrandbits(32)
        whole += struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)
    return whole, f"png {way}"


def _damaged_tiff(content: bytes, rng: Random) -> tuple[bytes, str]:
    """An entry of the first directory gets another tag, type, count or value."""
    data = bytearray(content)
    order = "<" if content[:2] == b"II" else ">"
    start = struct.unpack(order + "I", content[4:8])[0]
    count = struct.unpack(order + "H", content[start : start + 2])[0]
    at = start + 2 + 12 * rng.randrange(count)
    field, offset, width = rng.choice(
        (("tag", 0, 2), ("type", 2, 2), ("count", 4, 4), ("value", 8, 4), ("value", 8, 2))
    )
    tags = (256, 257, 258, 259, 262, 273, 277, 278, 279, 284, 317, 320, 322, 324, 330, 338, 339, 34665)
    new = rng.choice(tags) if field == "tag" else hostile.integer(rng) if rng.random() < 0.6 else rng.randrange(20)
    data[at + offset : at + offset + width] = struct.pack(order + {2: "H", 4: "I"}[width], new % 2 ** (8 * width))
    return bytes(data), f"tiff {field} = {new}"
