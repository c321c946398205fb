"""A figure is the same to the byte whenever it is saved; a whole report: see test_report.py."""

from pathlib import Path

import matplotlib
import numpy as np

from fer_bench.report import style


def drawn():
    """A figure with everything that ours are made of: text, lines, a band, an image, a legend, a rotated label."""
    with style.look():
        made = style.figure(4, 2)
        left, right = made.subplots(1, 2)
        x = np.linspace(0, 1, 50)
        left.plot(x, np.sin(9 * x), label="λ = 4")
        left.fill_between(x, x, x + 0.1, alpha=0.3)
        left.set_ylabel("cosine")
        left.legend()
        right.imshow(np.outer(x, x), cmap=style.MAPS)
        style.bare(right)
    return made


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.*") if path.is_file()}


def test_a_figure_saved_twice_is_the_same_file(tmp_path):
    style.save(drawn(), tmp_path / "one", "name")
    with matplotlib.rc_context({"font.size": 20, "savefig.dpi": 30, "pdf.fonttype": 3}):  # a user's own settings
        style.save(drawn(), tmp_path / "two", "name")
    one = content(tmp_path / "one")
    assert set(one) == {"name.pdf", "name.png"}
    assert one == content(tmp_path / "two")


def test_another_figure_is_another_file(tmp_path):
    style.save(drawn(), tmp_path, "one")
    changed = drawn()
    changed.axes[0].set_title("changed")
    style.save(changed, tmp_path, "two")
    assert (tmp_path / "one.pdf").read_bytes() != (tmp_path / "two.pdf").read_bytes()
    assert (tmp_path / "one.png").read_bytes() != (tmp_path / "two.png").read_bytes()
