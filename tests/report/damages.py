"""Reports as somebody who means harm would make them: each damage is a function of an open file, and what is said of it.

The contract is checked before the digests, so that these are told whether or not the digests were set right again.
"""

import shutil

import h5py
import numpy as np


def damaged(report, path, damage):
    """A copy of a report with a damage done to it."""
    shutil.copy(report.path, path)
    with h5py.File(path, "r+") as file:
        damage(file)
    return path


def replaced(name, values=None, **options):
    """Puts another dataset in the place of one."""

    def damage(file):
        shape = file[name].shape
        del file[name]
        file.create_dataset(name, **({"data": values} if values is not None else {"shape": shape}), **options)

    return damage


def linked(link, name="figures/estimate"):
    def damage(file):
        del file[name]
        file[name] = link

    return damage


def value(name, new, at=0):
    def damage(file):
        file[name][at] = new

    return damage


def attribute(name, new, of="/"):
    def damage(file):
        if new is None:
            del file[of].attrs[name]
        else:
            file[of].attrs[name] = new

    return damage


def shared_text(path):
    """A text of a hundred thousand letters that every cell of a column refers to: the file is small, what it says is not."""
    with h5py.File(path, "r+") as file:
        file["figures/reason"][0] = "x" * 100_000
        start, count = file["figures/reason"].id.get_offset(), file["figures/reason"].size
    with open(path, "r+b") as raw:
        raw.seek(start)
        cell = raw.read(16)
        raw.seek(start)
        raw.write(cell * count)


def virtual(file):
    del file["paths/width"]
    layout = h5py.VirtualLayout(file["paths/distance"].shape, np.float64)
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", layout.shape)
    file.create_virtual_dataset("paths/width", layout)


def external(file):
    shape = file["paths/width"].shape
    del file["paths/width"]
    file.create_dataset("paths/width", shape, np.float64, external=[("/etc/passwd", 0, h5py.h5f.UNLIMITED)])


def loop(file):
    file["figures/loop"] = file["/"]


def empty(name):
    def damage(file):
        del file[name]
        file[name] = h5py.Empty("f8")

    return damage


def gone(name):
    def damage(file):
        del file[name]

    return damage


def twice(file):
    for column in ("image_a", "image_b", "kind"):
        file["paths"][column][1] = file["paths"][column][0]


def _tera(file, chunk):
    del file["paths/width"]
    file.create_dataset("paths/width", (2**40,), "f8", chunks=None if chunk is None else (chunk,))


def _sparse(file):
    del file["paths/width"]
    file.create_dataset("paths/width", (800,), "f8", chunks=(400,))[:400] = 1.0


def _bomb(file):
    """Half a gigabyte of zeros in half a megabyte."""
    del file["strips/thumbnail"]
    dataset = file.create_dataset(
        "strips/thumbnail", (32, 2, 4096, 2048, 1), "u1", chunks=(1, 2, 4096, 2048, 1), compression="gzip"
    )
    dataset[0:1] = 0
    packed = dataset.id.read_direct_chunk((0, 0, 0, 0, 0))[1]
    for strip in range(1, 32):
        dataset.id.write_direct_chunk((strip, 0, 0, 0, 0), packed)


COMPOUND = np.zeros(447, [("a", "f8"), ("b", "i4")])
REFERENCES = {"dtype": h5py.ref_dtype}
RAGGED = {"dtype": h5py.vlen_dtype(np.float64)}

# name of the damage: (what is done, what is said)
DAMAGES = {
    "a link to another file": (linked(h5py.ExternalLink("/etc/passwd", "/x")), "a link at /figures/estimate"),
    "a soft link": (linked(h5py.SoftLink("/figures/low")), "a link at /figures/estimate"),
    "a soft link to nothing": (linked(h5py.SoftLink("/nowhere")), "a link at /figures/estimate"),
    "a linked group": (linked(h5py.ExternalLink("other.h5", "/"), "strips"), "a link at /strips"),
    "a group in itself": (loop, "something at /figures/loop"),
    "values in other files": (external, "values of /paths/width in other files"),
    "a virtual dataset": (virtual, "values of /paths/width in other files"),
    "terabytes that are not there": (lambda f: _tera(f, None), "declares (1099511627776,) values at /paths/width"),
    "terabytes in chunks": (lambda f: _tera(f, 4096), "declares (1099511627776,) values at /paths/width"),
    "a chunk that is not there": (_sparse, "declares (800,) values at /paths/width"),
    "zeros upon zeros": (_bomb, "would unpack to far more"),
    "records": (replaced("figures/estimate", COMPOUND), "values of the type [('a'"),
    "references": (replaced("figures/estimate", **REFERENCES), "values of the type object at /figures/estimate"),
    "ragged rows": (replaced("figures/estimate", **RAGGED), "values of the type object at /figures/estimate"),
    "complex numbers": (replaced("figures/estimate", np.zeros(447, complex)), "values of the type complex128"),
    "opaque bytes": (replaced("figures/estimate", np.zeros(447, "V8")), "values of the type |V8"),
    "texts for numbers": (replaced("figures/estimate", ["x"] * 447), "where a number was expected"),
    "numbers for texts": (replaced("figures/kind", np.zeros(447)), "where a text was expected"),
    "whole numbers for real ones": (replaced("figures/estimate", np.zeros(447, int)), "where a number was expected"),
    "texts of fixed length": (replaced("figures/kind", np.array([b"within"] * 447)), "values of the type |S6"),
    "packed texts": (replaced("figures/kind", ["within"] * 447, compression="gzip"), "not stored as reports"),
    "another packing": (replaced("figures/estimate", np.zeros(447), compression="lzf"), "packs /figures/estimate"),
    "nothing": (empty("figures/estimate"), "no values at /figures/estimate"),
    "one value": (replaced("figures/estimate", np.float64(1)), "the shape () at /figures/estimate"),
    "a short column": (replaced("figures/estimate", np.zeros(446)), "(447,) was expected"),
    "too many dimensions": (replaced("figures/estimate", np.zeros((447, 1))), "the shape (447, 1)"),
    "bins of other points": (replaced("paths/power_prob", np.zeros((800, 62), np.float32)), "(800, 63) was expected"),
    "no group": (gone("checks"), "no table /checks"),
    "no column": (gone("paths/flips"), "no column /paths/flips"),
    "no classes": (gone("classes/name"), "no column /classes/name"),
    "a column more": (lambda f: f.__setitem__("paths/more", np.zeros(800)), "something at /paths/more"),
    "a group more": (lambda f: f.create_group("more"), "something at /more"),
    "values of the run": (lambda f: f.__setitem__("run/more", 1), "something at /run"),
    "a class out of range": (value("paths/class_a", 10), "has 10 at /paths/class_a; a number from 0 to 9"),
    "a class below zero": (value("paths/class_b", -1), "has -1 at /paths/class_b"),
    "an image below zero": (value("paths/image_a", -7), "has -7 at /paths/image_a"),
    "an output out of range": (value("paths/predicted_a", 10), "has 10 at /paths/predicted_a"),
    "an output of a class": (value("classes/output", 99), "has 99 at /classes/output"),
    "a path out of range": (value("strips/path", 800), "has 800 at /strips/path; a number from 0 to 799"),
    "a kind that is none": (value("paths/kind", 2), "has 2 at /paths/kind"),
    "a kind of a figure": (value("figures/kind", "sideways"), "says 'sideways' at /figures/kind"),
    "a signal of a check": (value("checks/signal_name", "smell"), "says 'smell' at /checks/signal_name"),
    "more right than used": (value("classes/right", 9999), "more images predicted right than used"),
    "a distance that is none": (value("paths/distance", np.nan), "has nan at /paths/distance"),
    "noise that is none": (value("checks/noise_floor", np.inf, (0, 0)), "has inf at /checks/noise_floor"),
    "power without end": (value("paths/hf_prob", np.inf), "has inf at /paths/hf_prob; a finite number was expected"),
    "power beyond all": (value("paths/power_prob", np.inf, (3, 3)), "has inf at /paths/power_prob"),
    "a probability of two": (value("figures/p_holm", 2.0), "has 2.0 at /figures/p_holm"),
    "a stretched axis": (value("spectra/frequency_per_reference", 1e9, 5), "other frequencies at /spectra/frequency_per"),
    "other bins": (value("paths/bin", 7.0), "other frequencies at /paths/bin"),
    "one pair twice": (twice, "one pair of images twice"),
    "no digest": (attribute("digest", None), "no attribute digest"),
    "no model": (attribute("model", None), "no attribute model"),
    "no device": (attribute("device", None, "run"), "no attribute device at /run"),
    "a model of bytes": (attribute("model", np.void(b"x")), "an attribute model at / that is neither"),
    "a model of many": (attribute("model", ["a", "b"]), "an attribute model at / that is neither"),
    "a number for a text": (attribute("model", 3), "has '3' as its attribute model"),
    "a text for a number": (attribute("cutoff", "fast"), "has 'fast' as its attribute cutoff"),
    "a cut-off that is none": (attribute("cutoff", np.nan), "has 'nan' as its attribute cutoff"),
    "a distance of zero": (attribute("d_ref", 0.0), "has '0.0' as its attribute d_ref"),
    "points that are none": (attribute("points", 34), "has '34' as its attribute points"),
    "points without end": (attribute("points", 2**40 + 1), "as its attribute points"),
    "points from nowhere": (attribute("points_from", "guessed"), "has 'guessed' as its attribute points_from"),
    "a precision of two": (attribute("precision", 2.0), "has '2.0' as its attribute precision"),
    "an end that is none": (attribute("ended", '{"within": "bored"}'), "no table of why each kind ended"),
    "an end of no kind": (attribute("ended", '{"sideways": "pairs"}'), "no table of why each kind ended"),
    "an accuracy above one": (attribute("accuracy", 1.5), "has '1.5' as its attribute accuracy"),
    "labels of nobody": (attribute("labelling", "maybe"), "has 'maybe' as its attribute labelling"),
    "kinds that are none": (attribute("kinds", "within sideways"), "as its attribute kinds"),
    "kinds that are not there": (attribute("kinds", "within"), "which /paths/kind does not hold"),
    "signals twice": (attribute("signals", "prob prob"), "as its attribute signals"),
    "an estimator of its own": (attribute("estimator", "magic"), "has 'magic' as its attribute estimator"),
    "an attribute more": (attribute("more", 1), "an attribute more that no report has"),
    "an attribute of a column": (attribute("more", 1, "paths/width"), "an attribute more at /paths/width"),
    "an attribute of a group": (attribute("more", 1, "paths"), "an attribute more at /paths"),
    "an attribute of the run": (attribute("more", 1, "run"), "something at /run"),
    "seconds of text": (attribute("seconds", "long", "run"), "as the attribute seconds of /run"),
    "settings that are no JSON": (attribute("settings", "{"), "settings that is not JSON"),
    "settings of depth": (attribute("settings", "[" * 50_000), "settings that is not JSON"),
    "settings that are none": (attribute("settings", "[1]"), "settings that is no table"),
    "settings that cannot be": (attribute("settings", '{"pairs": "many"}'), "settings that cannot be: The setting pairs"),
    "settings of one kind": (attribute("settings", '{"kinds": 3}'), "settings that cannot be"),
    "infinite settings": (attribute("settings", '{"cutoff": Infinity}'), "settings that is not JSON"),
    "preprocessing of another shape": (attribute("preprocess", '{"mean": [1]}'), "preprocess that is no table"),
    "preprocessing of text": (attribute("preprocess", '"x"'), "preprocess that is no table"),
    "preprocessing in depth": (attribute("preprocess", '{"a": {"from": "", "value": {}}}'), "neither text nor numbers"),
    "a scale of zero": (attribute("preprocess", '{"scale": {"from": "", "value": 0}}'), "the scale '0'"),
    "remarks that are none": (attribute("remarks", '{"code": "x"}'), "remarks that is no list"),
    "remarks of numbers": (attribute("remarks", '[{"code": 1, "text": "", "hint": ""}]'), "a remark that is no text"),
    "remarks with more": (attribute("remarks", '[{"code": "", "text": "", "hint": "", "x": 1}]'), "no list"),
    "a newer schema": (attribute("schema_version", 4), "schema 4; this onnxspec reads schema 3"),
    "an older schema": (attribute("schema_version", 2), "schema 2; this onnxspec reads schema 3"),
    "a schema of text": (attribute("schema_version", "one"), "schema of an unknown kind"),
    "no schema": (attribute("schema_version", None), "not an onnxspec report"),
}  # fmt: skip
