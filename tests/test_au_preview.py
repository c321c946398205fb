import numpy as np

from fer_bench.au import au_maps
from fer_bench.au.preview import TEMPLATE, codebook_figure, preview_sheet


def test_the_codebook_sheet_is_reproducible(tmp_path):
    first = [path.read_bytes() for path in codebook_figure(tmp_path / "one")]
    second = [path.read_bytes() for path in codebook_figure(tmp_path / "two")]
    assert first == second
    assert first[0].startswith(b"%PDF")
    assert b"CreationDate" not in first[0]
    assert first[1].startswith(b"\x89PNG")


def test_a_preview_with_faces_that_have_no_map_or_landmarks(tmp_path):
    labels = ["neutral", "fear", "anger"]
    images = [np.full((112, 112, 3), 128, np.uint8)] * 3
    points = np.stack([TEMPLATE / 2] * 3)
    points[2] = np.nan
    maps = {variant: au_maps(points, labels, (56, 56), variant, (112, 112))[0].numpy() for variant in ("paper", "facs")}
    pages = []
    for name in ("one", "two"):
        preview_sheet(images, points, maps, labels, tmp_path / name / "preview.png")
        pages.append((tmp_path / name / "preview.png").read_bytes())
    assert pages[0] == pages[1]
    assert b"Software" not in pages[0]
