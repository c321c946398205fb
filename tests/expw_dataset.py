"""A miniature ExpW: photographs and label.lst."""

from pathlib import Path

from generated_faces import photograph

from fer_bench.datasets.expw import SOURCE
from fer_bench.expressions import EXPRESSIONS

BOX = (30, 10, 90, 70)  # left, top, right, bottom


def line(name: str, face: int, expression: str, confidence: float = 50.0) -> str:
    left, top, right, bottom = BOX
    return f"{name} {face} {top} {left} {right} {bottom} {confidence} {SOURCE.index(expression)}"


def make(folder: Path) -> Path:
    """Five photographs of each expression, and one of two faces."""
    lines = []
    for word in EXPRESSIONS:
        for k in range(5):
            photograph(folder / "image" / "origin" / f"{word}_man_{k}.jpg", word, BOX)
            lines.append(line(f"{word}_man_{k}.jpg", 0, word))
    lines.append(line("fear_man_0.jpg", 1, "surprise").replace(" 30 90 ", " 60 120 "))
    write(folder, lines)
    return folder


def write(folder: Path, lines: list[str]) -> None:
    (folder / "label").mkdir(exist_ok=True)
    (folder / "label" / "label.lst").write_text("\n".join(lines) + "\n")
