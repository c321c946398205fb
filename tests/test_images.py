"""The safe reader: every ordinary format becomes 8-bit RGB, every bad file one clear error."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer_bench.datasets import read_image
from fer_bench.datasets._images import save_png, to_grey, to_square
from fer_bench.errors import InputError

RED, WHITE = (255, 0, 0), (255, 255, 255)


def saved(image: Image.Image, path: Path, **options: object) -> Path:
    image.save(path, **options)
    return path


def noise(height: int = 40, width: int = 60) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_rgb_is_read_as_it_is(tmp_path: Path) -> None:
    image = read_image(saved(Image.fromarray(noise()), tmp_path / "a.png"))
    assert image.dtype == np.uint8
    assert image.flags.writeable
    np.testing.assert_array_equal(image, noise())


def test_grey_fills_three_channels(tmp_path: Path) -> None:
    image = read_image(saved(Image.new("L", (5, 4), 77), tmp_path / "a.png"))
    np.testing.assert_array_equal(image, np.full((4, 5, 3), 77))


def test_one_bit_becomes_black_and_white(tmp_path: Path) -> None:
    image = read_image(saved(Image.new("1", (5, 4), 1), tmp_path / "a.png"))
    np.testing.assert_array_equal(image, np.full((4, 5, 3), 255))


def test_palette(tmp_path: Path) -> None:
    image = read_image(saved(Image.new("RGB", (5, 4), RED).convert("P"), tmp_path / "a.png"))
    np.testing.assert_array_equal(image, np.broadcast_to(RED, (4, 5, 3)))


@pytest.mark.parametrize("format_", ["JPEG", "TIFF"])
def test_cmyk_is_not_inverted(tmp_path: Path, format_: str) -> None:
    path = saved(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), tmp_path / "a", format=format_)
    assert np.abs(read_image(path).astype(int) - RED).max() <= 2


def test_transparency_lies_over_mid_grey(tmp_path: Path) -> None:
    source = Image.new("RGBA", (3, 1), (255, 255, 255, 255))
    source.putpixel((1, 0), (255, 255, 255, 0))
    source.putpixel((2, 0), (255, 0, 0, 128))
    image = read_image(saved(source, tmp_path / "a.png"))
    # (255 * 128 + 128 * 127) / 255 = 191.7 for red, 128 * 127 / 255 = 63.7 for the others
    np.testing.assert_allclose(image[0], [[255, 255, 255], [128, 128, 128], [192, 64, 64]], atol=1)


@pytest.mark.parametrize("mode", ["LA", "P", "L"])
def test_transparency_of_other_modes(tmp_path: Path, mode: str) -> None:
    source = Image.new("LA", (4, 4), (200, 0)) if mode == "LA" else Image.new(mode, (4, 4), 1)
    if mode == "P":
        source.putpalette([9, 9, 9, 200, 0, 0])
    options = {} if mode == "LA" else {"transparency": 1}
    image = read_image(saved(source, tmp_path / "a.png", **options))
    np.testing.assert_array_equal(image, np.full((4, 4, 3), 128))


def test_sixteen_bits_are_scaled_not_cut(tmp_path: Path) -> None:
    values = np.array([[0, 128, 129, 257 * 100, 65535]], dtype=np.uint16)
    image = read_image(saved(Image.fromarray(values), tmp_path / "a.png"))
    assert image[0, :, 0].tolist() == [0, 0, 1, 100, 255]
    assert image.shape == (1, 5, 3)


def test_sixteen_bits_of_tiff_big_endian(tmp_path: Path) -> None:
    path = saved(Image.fromarray(np.full((4, 4), 257 * 100, np.uint16)), tmp_path / "a.tif")
    assert set(read_image(path).ravel()) == {100}


def test_exif_orientation_is_applied(tmp_path: Path) -> None:
    source = Image.new("RGB", (20, 10))
    source.paste(WHITE, (0, 0, 5, 10))
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate by 90 degrees clockwise to see it upright
    image = read_image(saved(source, tmp_path / "a.png", exif=exif))
    assert image.shape == (20, 10, 3)
    assert image[:5].min() == 255
    assert image[5:].max() == 0


def test_first_frame_of_an_animation(tmp_path: Path) -> None:
    frames = [Image.new("L", (4, 4), 10), Image.new("L", (4, 4), 200)]
    path = saved(frames[0], tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert set(read_image(path).ravel()) == {10}


def test_one_pixel_is_an_image(tmp_path: Path) -> None:
    assert read_image(saved(Image.new("RGB", (1, 1), RED), tmp_path / "a.png")).tolist() == [[list(RED)]]


def encoded(format_: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(noise()).save(buffer, format=format_)
    return buffer.getvalue()


def announced(width: int, height: int) -> bytes:
    """A PNG whose header announces a size that its data do not hold."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


BAD = {
    "empty": (b"", r"empty file \(0 bytes\)"),
    "text": (b"not an image at all", "not an image"),
    "header_only": (encoded("JPEG")[:20], "not an image|truncated"),
    "truncated_jpeg": (encoded("JPEG")[:-600], "truncated"),
    "truncated_png": (encoded("PNG")[:-600], "truncated"),
    "flipped_bytes": (encoded("PNG")[:60] + b"\0" * 40 + encoded("PNG")[100:], "damaged|truncated"),
    "large": (announced(20_000, 20_000), "too large"),
    "absurd": (announced(2**31 - 1, 2**31 - 1), "too large"),
    "little_too_large": (announced(8_000, 8_000), "8000x8000 pixels, more than max_pixels 50000000"),
    "postscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "not an image"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_named(tmp_path: Path, name: str) -> None:
    content, message = BAD[name]
    path = tmp_path / f"{name}.jpg"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        read_image(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_file_and_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.png: cannot be opened"):
        read_image(tmp_path / "none.png")
    with pytest.raises(InputError, match="cannot be opened"):
        read_image(tmp_path)


def test_floating_point_and_wide_integers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="floating-point"):
        read_image(saved(Image.fromarray(np.ones((4, 4), np.float32)), tmp_path / "a.tif"))
    with pytest.raises(InputError, match="32-bit"):
        read_image(saved(Image.fromarray(np.full((4, 4), 70_000, np.int32)), tmp_path / "b.tif"))


def test_max_pixels_is_a_bound_that_includes_itself(tmp_path: Path) -> None:
    path = saved(Image.new("RGB", (10, 10)), tmp_path / "a.png")
    assert read_image(path, max_pixels=100).shape == (10, 10, 3)
    with pytest.raises(InputError, match="max_pixels 99"):
        read_image(path, max_pixels=99)


def test_pad_keeps_proportions_and_repeats_edges() -> None:
    image = np.zeros((20, 10, 3), np.uint8)
    image[:, 0], image[:, -1] = 50, 200
    square = to_square(image, 20, "pad")
    assert square.shape == (20, 20, 3)
    np.testing.assert_array_equal(square[:, 5:15], image)
    assert set(square[:, :5].ravel()) == {50}
    assert set(square[:, 15:].ravel()) == {200}


def test_reducing_averages_areas_and_enlarging_does_not_overshoot() -> None:
    checkers = (np.indices((64, 64)).sum(axis=0) % 2 * 200).astype(np.uint8)
    np.testing.assert_array_equal(to_square(checkers, 16, "stretch"), np.full((16, 16), 100))
    thin = np.zeros((64, 64), np.uint8)
    thin[::4] = 200  # one row in four: point samples between the others would miss it
    np.testing.assert_array_equal(to_square(thin, 16, "stretch"), np.full((16, 16), 50))
    edge = np.repeat(np.array([[40, 40, 220, 220]], np.uint8), 4, axis=0)
    large = to_square(edge, 64, "stretch")
    assert (large.min(), large.max()) == (40, 220)
    mixed = to_square(np.tile(checkers, (1, 1))[:8], 16, "stretch")  # 8 rows up, 64 columns down
    assert mixed.shape == (16, 16)
    assert set(mixed.ravel()) == {100}


def test_very_long_images_keep_a_pixel() -> None:
    assert to_square(np.zeros((1000, 1, 3), np.uint8), 16, "pad").shape == (16, 16, 3)


def test_grey_weights() -> None:
    colours = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    assert to_grey(colours)[0].tolist() == [76, 150, 29]  # 0.299, 0.587, 0.114 of 255


@pytest.mark.parametrize("grey", [True, False])
def test_png_is_lossless_and_the_same_twice(tmp_path: Path, grey: bool) -> None:
    image = to_grey(noise()) if grey else noise()
    save_png(image, tmp_path / "sub" / "a.png")
    save_png(image, tmp_path / "b.png")
    read = read_image(tmp_path / "sub" / "a.png")
    np.testing.assert_array_equal(read[..., 0] if grey else read, image)
    assert (tmp_path / "sub" / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
