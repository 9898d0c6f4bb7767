"""Data that mean harm, through the real command line: one line, an exit code, and neither time nor memory spent."""

import gzip
import os
import re
import struct
import subprocess
import sys
import tarfile
import zipfile
import zlib

import h5py
import numpy as np
import pytest
from PIL import Image

from conftest import QUICKEST
from onnxspec.cli import main

from .make import encoded, noise, pets, write_folder, write_tar, write_zip

MODEL = str(QUICKEST)
IMAGES = noise((4, 28, 28))
CASES = []


def case(code, message):
    """A function that writes a data set into a folder and gives its path; the error it must come to."""

    def register(make):
        CASES.append(pytest.param(make, code, message, id=make.__name__))
        return make

    return register


def npy(descr="|u1", shape="(4, 28, 28)", size=4 * 784, version=b"\x01\x00", header=None):
    text = header or f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    length = struct.pack("<H" if version[0] == 1 else "<I", len(text))
    return b"\x93NUMPY" + version + length + text + bytes(size)


def npz(folder, compression=zipfile.ZIP_DEFLATED, **members):
    return write_zip(folder / "data.npz", {f"{name}.npy": content for name, content in members.items()}, compression)


def hdf5(folder, fill):
    with h5py.File(folder / "data.h5", "w") as file:
        fill(file)
    return folder / "data.h5"


def one_image(folder, content, name="cat/1.png"):
    return write_folder(folder / "data", {name: content, "dog/1.png": content})


@case(3, r"more than 89,478,485")
def pixel_bomb(folder):
    return one_image(folder, b"P5 30000 30000 255 ")


@case(3, r"more than 64 progressive scans")
def jpeg_of_a_thousand_scans(folder):
    content = encoded(Image.new("L", (64, 64)), "JPEG", progressive=True)
    scan = content[content.rindex(b"\xff\xda") : -2]
    return one_image(folder, content[:-2] + 1000 * scan + content[-2:])


@case(3, r"would be 256 x 15360000 after resizing, more than 67,108,864")
def line_of_pixels(folder):
    # The preprocessing comes from the test: the usual resize=256;crop=224.
    return one_image(folder, encoded(Image.new("L", (60000, 1))))


@case(3, "not an image, or of a format that is not supported")
def postscript(folder):
    return one_image(folder, b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(%pipe%touch x) (w) file\n")


@case(3, "cannot be read: image file is truncated")
def truncated(folder):
    return one_image(folder, encoded(noise((28, 28)))[:-200])


@case(3, r"x\.png is a symbolic link that leads out of the folder.*cp -rL")
def link_out(folder):
    path = one_image(folder, encoded(noise((28, 28))))
    os.symlink("/etc/passwd", folder / "data" / "cat" / "x.png")
    return path


@case(3, r"has no images")
def only_special_files(folder):
    (folder / "data" / "cat").mkdir(parents=True)
    os.mkfifo(folder / "data" / "cat" / "x.png")
    return folder / "data"


@case(3, "pipe.zip is neither a folder nor a file")
def archive_that_is_a_fifo(folder):
    os.mkfifo(folder / "pipe.zip")
    return folder / "pipe.zip"


@case(3, "compressed by another method than deflate")
def bzip2_member(folder):
    return write_zip(folder / "a.zip", pets(), zipfile.ZIP_BZIP2)


@case(3, r"269,484,032 bytes, more than 268,435,456")
def zip_bomb(folder):
    with (
        zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("cat/1.png", "w") as file,
    ):
        for _ in range(257):
            file.write(bytes(2**20))
    return folder / "a.zip"


@case(3, r"a size of -1024\. The file is damaged")
def tar_that_points_back_at_itself(folder):
    # Python before 3.11.14 reads such a tar for ever (CVE-2025-8194).
    with tarfile.open(folder / "a.tar", "w", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo("cat/1.png")
        member.pax_headers = {"size": "-1024"}
        archive.addfile(member)
    return folder / "a.tar"


@case(3, "a header of more than 65,536 bytes")
def tar_with_a_name_of_megabytes(folder):
    return write_tar(folder / "a.tar", {"cat/" + 3_000_000 * "x" + ".png": b""})


@case(3, "compressed tar of more than 256 MB")
def compressed_tar_bomb(folder):
    (folder / "a.tgz").write_bytes(257 * gzip.compress(bytes(2**20), 1))
    return folder / "a.tgz"


@case(3, "the header of an array is damaged")
def header_bomb(folder):
    return npz(folder, images=npy(header=b"-" * 9000 + b"1", size=0))


@case(3, "the header of an array is damaged")
def header_of_gigabytes(folder):
    content = b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**32 - 1) + bytes(2**24)
    return npz(folder, images=content)


@case(3, r"data.npz is 268,\d+,\d+ bytes in \d+,\d+, as only bombs are")
def array_bomb(folder):
    return npz(folder, images=npy(shape="(342500, 28, 28)", size=342500 * 784))


@case(3, "compressed by another method than deflate")
def array_in_bzip2(folder):
    return npz(folder, zipfile.ZIP_BZIP2, images=npy())


@case(3, "holds 10,001 arrays; at most 10,000")
def ten_thousand_arrays(folder):
    return npz(folder, zipfile.ZIP_STORED, **{f"a{i}": b"" for i in range(10_001)})


@case(3, "labels of .*float64, such as nan")
def labels_that_are_no_numbers(folder):
    np.savez(folder / "data.npz", images=IMAGES, labels=[0, 1, np.nan, np.inf])
    return folder / "data.npz"


@case(3, "labels of .*float64, such as 1e[+]300")
def labels_beyond_integers(folder):
    np.savez(folder / "data.npz", images=IMAGES, labels=[0, 1, 1e300, 2])
    return folder / "data.npz"


@case(3, "go down to -7")
def negative_labels(folder):
    np.savez(folder / "data.npz", images=IMAGES, labels=[0, 1, -7, 2])
    return folder / "data.npz"


@case(3, "labels of .* cannot be read: ")
def labels_that_are_no_characters(folder):
    labels = np.array([2**31 - 1, 65, 66, 67], "<u4").view("<U1")
    return npz(folder, images=npy(), labels=npy("<U1", "(4,)", 0) + labels.tobytes())


@case(3, "name of class 0 in .* has 5,000 characters")
def endless_class_name(folder):
    np.savez(folder / "data.npz", images=IMAGES, labels=[0, 1, 0, 1], class_names=["x" * 5000, "y"])
    return folder / "data.npz"


@case(3, r"declares the shape \(1000000000, 28, 28\), 784,000,000,000 bytes, and stores 0")
def terabytes_never_stored(folder):
    return hdf5(folder, lambda file: file.create_dataset("images", (10**9, 28, 28), "u1"))


@case(3, r"chunks of \(200, 1000, 1000\), more than 128 MB each")
def chunk_of_a_gigabyte(folder):
    return hdf5(folder, lambda file: file.create_dataset("images", (200, 1000, 1000), "u1", chunks=(200, 1000, 1000)))


@case(3, "chunk can inflate to more than 128 MB")
def chunk_bomb(folder):
    def fill(file):
        images = file.create_dataset("images", data=IMAGES, chunks=(1, 28, 28), compression="gzip")
        content = zlib.compress(bytes(150 * 2**20), 1)
        for i in range(4):
            images.id.write_direct_chunk((i, 0, 0), content)

    return hdf5(folder, fill)


@case(3, r"through the HDF5 filters \[4\].*h5repack")
def filter_that_may_be_a_plugin(folder):
    return hdf5(folder, lambda file: file.create_dataset("images", data=IMAGES, chunks=(1, 28, 28), compression="szip"))


@case(3, "no array with a usual name for images")
def deep_groups(folder):
    def fill(file):
        group = file
        for _ in range(300):
            group = group.create_group("g")
        group["images"] = IMAGES
        file["g/loop"] = file["/"]
        file["soft"] = h5py.SoftLink("/soft")

    return hdf5(folder, fill)


@case(3, "holds more than 10,000 objects")
def a_million_objects(folder):
    def fill(file):
        for i in range(10_001):
            file.id.links.create_soft(str(i).encode(), b"nowhere")

    return hdf5(folder, fill)


@case(3, "has strings of more than 1,000 characters")
def one_string_many_times(folder):
    def fill(file):
        file["images"] = IMAGES
        file.create_dataset("labels", data=["x" * 10**6] * 4, dtype=h5py.string_dtype())

    return hdf5(folder, fill)


@case(3, "holds .*, no numbers or strings")
def references_for_labels(folder):
    def fill(file):
        file["images"] = IMAGES
        file.create_dataset("labels", data=[file["images"].ref] * 4, dtype=h5py.ref_dtype)

    return hdf5(folder, fill)


@case(3, "type .*expected: uint8|Expected: uint8 0..255")
def compound_images(folder):
    def fill(file):
        file["images"] = np.zeros((4, 28, 28), [("a", "u1"), ("b", "f4")])

    return hdf5(folder, fill)


@pytest.mark.parametrize(("make", "code", "message"), CASES)
def test_hostile_data_end_in_one_line(make, code, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    if os.name == "nt" and make in (link_out, only_special_files, archive_that_is_a_fifo):
        pytest.skip("no such files here")
    words = ["--preprocess", "0..1;resize=256;crop=28"] if make is line_of_pixels else []
    data = str(make(tmp_path))
    assert main(["analyze", MODEL, "--data", data, "--pairs", "4", *words]) == code
    captured = capsys.readouterr()
    assert re.search(message, captured.err), captured.err
    assert captured.err.startswith("onnxspec: ") and captured.err.count("\n") == 1 and len(captured.err) < 5000
    assert captured.out == "" and not (tmp_path / "pytorch.h5").exists()


LIMITED = """
import resource, sys
from onnxspec.errors import DataError
from onnxspec.images.opening import open_images
import h5py, numpy, PIL.Image
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 700 * 2**20,) * 2)
for path in sys.argv[1:]:
    try:
        images = open_images(path)
        images.read(0)
    except DataError as error:
        print(error.message[-60:])
# Not ru_maxrss, which begins at the size of the parent process.
status = open("/proc/self/status").read()
peak = int(status.split("VmHWM:")[1].split()[0]) >> 10
print(peak, file=sys.stderr)
assert peak < 700, peak
"""
BOMBS = (pixel_bomb, zip_bomb, compressed_tar_bomb, header_of_gigabytes, array_bomb, terabytes_never_stored,
         chunk_of_a_gigabyte, chunk_bomb)  # fmt: skip


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits and /proc of Linux")
def test_bombs_take_no_memory(tmp_path):
    paths = []
    for make in BOMBS:
        (tmp_path / make.__name__).mkdir()
        paths.append(str(make(tmp_path / make.__name__)))
    done = subprocess.run([sys.executable, "-c", LIMITED, *paths], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == len(BOMBS), done.stdout
    assert "memory" not in done.stdout.lower()
