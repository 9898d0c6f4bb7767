import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from onnxspec.images.decode import EXTENSIONS, UnreadableImageError, decode

from .make import encoded, noise, property_test

RGB = noise((12, 10, 3))


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_every_promised_format(extension):
    image = Image.fromarray(RGB).convert("L" if extension == ".pgm" else "RGB")
    format = Image.registered_extensions()[extension]
    content = encoded(image, format)
    expected = np.asarray(Image.open(io.BytesIO(content)).convert(image.mode))
    np.testing.assert_array_equal(decode(content, f"x{extension}"), expected)


def test_other_formats_are_refused():
    with pytest.raises(UnreadableImageError, match=r"image x\.png cannot be read: not an image.*--skip-bad"):
        decode(encoded(RGB, "ICO"), "x.png")


def test_grey_stays_grey_and_colour_colour():
    assert decode(encoded(RGB[..., 0]), "x").shape == (12, 10)
    assert decode(encoded(RGB), "x").shape == (12, 10, 3)
    assert decode(encoded(noise((12, 10, 4))), "x").shape == (12, 10, 4)
    assert decode(encoded(Image.fromarray(RGB).convert("LA")), "x").shape == (12, 10, 4)


def test_one_bit():
    image = Image.fromarray(RGB[..., 0]).convert("1")
    np.testing.assert_array_equal(decode(encoded(image), "x"), np.where(np.asarray(image), 255, 0))


def test_palettes_are_looked_up():
    image = Image.fromarray(RGB).quantize(200)
    np.testing.assert_array_equal(decode(encoded(image), "x"), np.asarray(image.convert("RGB")))
    transparent = decode(encoded(image, transparency=3), "x")
    assert transparent.shape == (12, 10, 4) and (transparent[..., 3] == 0).any()


@pytest.mark.parametrize("format", ["PNG", "TIFF", "PPM"])
def test_16_bits_are_scaled_not_clipped(format):
    values = np.array([[0, 128, 129, 257], [32768, 65407, 65408, 65535]], np.uint16)
    expected = np.rint(values / 257).astype(np.uint8)
    # Pillow 10 reads such a PPM and writes none.
    file = (
        b"P5 4 2 65535 " + values.astype(">u2").tobytes()
        if format == "PPM"
        else encoded(Image.fromarray(values), format)
    )
    np.testing.assert_array_equal(decode(file, "x"), expected)


def test_32_bits_and_floats_are_refused():
    with pytest.raises(UnreadableImageError, match="neither 8 nor 16 bits"):
        decode(encoded(Image.fromarray(np.array([[0, 70000]], np.int32)), "TIFF"), "x.tif")
    with pytest.raises(UnreadableImageError, match=r"floating-point pixels; pass them in 0\.\.1 as an array"):
        decode(encoded(Image.fromarray(np.array([[0, 0.5]], np.float32)), "TIFF"), "x.tif")


def test_cmyk():
    image = Image.fromarray(RGB).convert("CMYK")
    made = decode(encoded(image, "TIFF"), "x.tif")
    np.testing.assert_array_equal(made, RGB)
    photo = decode(encoded(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG"), "x.jpg")
    assert photo[0, 0, 0] > 200 and photo[0, 0, 1:].max() < 60


def test_exif_rotation_is_applied():
    exif = Image.Exif()
    exif[0x0112] = 6
    made = decode(encoded(RGB, "PNG", exif=exif), "x.png")
    np.testing.assert_array_equal(made, np.rot90(RGB, -1))


def test_first_frame_of_an_animation():
    frames = [Image.fromarray(RGB[..., k]) for k in range(3)]
    content = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert decode(content, "x.gif").shape[:2] == (12, 10)
    np.testing.assert_array_equal(decode(content, "x.gif")[..., 0], RGB[..., 0])


def test_decompression_bombs():
    # A header that declares 30,000 x 30,000 is enough: nothing may be decoded.
    bomb = b"P5 30000 30000 255 "
    with pytest.raises(UnreadableImageError, match=r"more than 89,478,485"):
        decode(bomb, "bomb.pgm")


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_bombs_that_pillow_only_warns_of():
    with pytest.raises(UnreadableImageError, match=r"10000 x 10000 pixels, more than"):
        decode(b"P5 10000 10000 255 ", "bomb.pgm")


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"no image", encoded(RGB)[:-40]])
def test_damaged_files_name_the_file(content):
    with pytest.raises(UnreadableImageError, match=r"^The image cat/3\.png cannot be read: "):
        decode(content, "cat/3.png")


@property_test
@given(st.sampled_from(["PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM"]), st.data())
def test_any_damage_is_an_unreadable_image_or_an_image(format, data):
    content = bytearray(encoded(RGB, format))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        image = decode(bytes(content), "x")
    except UnreadableImageError:
        return
    assert image.dtype == np.uint8 and (image.ndim == 2 or image.shape[2] in (3, 4))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK"])
def test_images_of_several_strips_are_whole(mode):
    image = Image.fromarray(noise((1100, 7, 3))).convert(mode)
    made = decode(encoded(image, "TIFF"), "x")
    np.testing.assert_array_equal(made, np.asarray(image.convert({1: "L", 3: "RGB", 4: "RGBA"}[made[0, :1].size])))
