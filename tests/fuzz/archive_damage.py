"""Damage to zip and tar files, before they are packed and after."""

import gzip
import io
import struct
import tarfile
import zipfile
from collections.abc import Mapping
from random import Random

from . import hostile

Files = Mapping[str, bytes]
_NAMES = (
    *hostile.TEXTS[3:9],
    "a/a/0.png",
    "/abs/0.png",
    "__MACOSX/0.png",
    "train/0.png",
    "a/0.png/0.png",
    "A\\b\\0.png",
)
_OFFSETS = {b"PK\x03\x04": 30, b"PK\x01\x02": 46, b"PK\x05\x06": 22}


def zipped(files: Files, stored: bool = False) -> bytes:
    """A zip file, equal for equal files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, archive.compression)
    return buffer.getvalue()


def tarred(files: Files, format: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar file, equal for equal files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=format) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def damaged_zip(files: Files, rng: Random) -> tuple[bytes, str]:
    """A zip of `files` with hostile members, changed header fields or blind damage."""
    way = rng.random()
    if way < 0.2:
        members, name = _members(files, rng)
        return zipped(members, rng.random() < 0.5), name
    content = zipped(files, rng.random() < 0.5)
    if way < 0.7:
        return _zip_field(content, rng)
    if way < 0.75:
        bomb = zipped(dict(files) | {"T-shirt/top/bomb.png": bytes(300 << 20)} if rng.random() < 0.1 else files)
        return bomb, "bomb"
    return hostile.damaged(content, rng, _headers(content))


def damaged_tar(files: Files, rng: Random, compressed: bool) -> tuple[bytes, str]:
    """A tar of `files`, or its gzip, with hostile members, changed header fields or blind damage."""
    way, format = rng.random(), rng.choice((tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT))
    if way < 0.2:
        members, name = _members({n: c for n, c in files.items() if len(n) < 90}, rng)
        content = tarred({n[:90]: c for n, c in members.items()}, format)
    elif way < 0.75:
        content, name = _tar_field(tarred(files, format), rng)
    else:
        content = tarred(files, format)
        headers = [(at, at + 512) for at in _tar_headers(content)]
        content, name = hostile.damaged(content, rng, headers)
    if not compressed:
        return content, name
    packed = gzip.compress(content, 1, mtime=0)
    if rng.random() < 0.4:
        packed, blind = hostile.damaged(packed, rng)
        name = f"{name}, gzip {blind}"
    return packed, name


def _members(files: Files, rng: Random) -> tuple[dict[str, bytes], str]:
    changed = dict(files)
    name = rng.choice(list(changed))
    content = changed.pop(name)
    new = rng.choice((*_NAMES, name.replace("/", "//"), f"./{name}", f"{name}\0.txt", name.upper(), f"x/{name}"))
    changed[new] = content
    return changed, f"member {name} is {new[:40]!r}"


def _headers(content: bytes) -> list[tuple[int, int]]:
    spans = []
    for signature, size in _OFFSETS.items():
        at = content.find(signature)
        while at >= 0:
            spans.append((at, at + size))
            at = content.find(signature, at + 1)
    return spans


def _zip_field(content: bytes, rng: Random) -> tuple[bytes, str]:
    """A field of a local header, a central directory entry or the end record becomes a hostile number."""
    data = bytearray(content)
    start, stop = rng.choice(_headers(content))
    offset = rng.randrange(4, stop - start, 2)
    width = rng.choice((2, 4))
    old = int.from_bytes(data[start + offset : start + offset + width], "little")
    new = hostile.integer(rng) if rng.random() < 0.5 else old + rng.choice((-1, 1, 8, 0x1000))
    data[start + offset : start + offset + width] = (new % 2 ** (8 * width)).to_bytes(width, "little")
    return bytes(data), f"{content[start + 2 : start + 4].hex()} field {offset} = {new}"


def _tar_headers(content: bytes) -> list[int]:
    return [at for at in range(0, len(content), 512) if content[at + 257 : at + 262] == b"ustar"]


# Name, offset and length of the fields of a tar header.
_TAR = {"name": (0, 100), "mode": (100, 8), "size": (124, 12), "mtime": (136, 12), "type": (156, 1), "link": (157, 100),
        "magic": (257, 8), "prefix": (345, 155), "checksum": (148, 8)}  # fmt: skip


def _tar_field(content: bytes, rng: Random) -> tuple[bytes, str]:
    """A field of a header changes, and mostly its checksum with it: links, devices, sparse files, sizes, long names."""
    data = bytearray(content)
    at = rng.choice(_tar_headers(content))
    name = rng.choice(list(_TAR))
    offset, length = _TAR[name]
    text = rng.choice(hostile.TEXTS).encode("utf-8", "replace")
    numbers = (
        b"77777777777\0",
        b"-0000000001\0",
        b"\x80" + b"\xff" * 11,
        b"\xff" * 12,
        b"9999999\0",
        b"00000000000\0",
        b"x",
    )
    value = {"type": rng.choice(b"01234567xgSLKDVMN\0").to_bytes(1, "big")}.get(
        name, rng.choice(numbers) if length < 20 else text
    )
    data[at + offset : at + offset + length] = value[:length].ljust(length, b"\0")
    if name != "checksum" and rng.random() < 0.85:
        header = data[at : at + 512]
        header[148:156] = b" " * 8
        data[at + 148 : at + 156] = b"%06o\0 " % sum(header)
    return bytes(data), f"tar {name} = {value[:20]!r}"


def damaged_npy(array_bytes: bytes, rng: Random) -> tuple[bytes, str]:
    """A .npy file whose header says something else, or is damaged."""
    magic, length = array_bytes[:8], struct.unpack("<H", array_bytes[8:10])[0]
    header, rest = array_bytes[10 : 10 + length], array_bytes[10 + length :]
    ways = (
        (
            b"'|u1'",
            rng.choice((b"'|O'", b"'<f8'", b"'<U4'", b"'|S1'", b"'|V1'", b"'<M8[s]'", b"'|b1'", b"[('a', '|u1')]")),
        ),
        (b"'<i8'", rng.choice((b"'|O'", b"'<f4'", b"'<u8'", b"'<c8'", b"'|S8'", b"'<M8[s]'", b"'>i8'", b"'<f8'"))),
        (b"False", rng.choice((b"True", b"None", b"()", b"1" * 50))),
        (b"(", rng.choice((b"(0, ", b"(-1, ", b"(" * 30, b"(9999999999, ", b"(1.5, ", b"(True, "))),
        (b"}", rng.choice((b"", b", 'x': 1}", b"}" * 9, b"\0"))),
        (b"'", rng.choice((b"", b'"', b"\xff"))),
    )
    old, new = rng.choice(ways)
    changed = header.replace(old, new, 1)
    return magic + struct.pack("<H", len(changed)) + changed + rest, f"npy header {old!r} -> {new[:20]!r}"
