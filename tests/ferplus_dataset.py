"""A miniature FER-2013 with the votes of FER+: two files that go line by line."""

from pathlib import Path

import numpy as np
import pandas as pd
from generated_faces import face

from fer_bench.datasets._votes import CANDIDATES
from fer_bench.expressions import EXPRESSIONS_8

FIRST_LABELS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
USAGES = ("Training", "PublicTest", "PrivateTest")


def votes(**given: int) -> list[int]:
    return [given.get(name, 0) for name in CANDIDATES]


def pixels(expression: str, number: int) -> str:
    return " ".join(map(str, np.asarray(face(expression, number).convert("L").resize((48, 48))).ravel()))


def make(folder: Path) -> Path:
    """In each split a face of each of the eight expressions, one that is no face, and one without majority."""
    folder.mkdir()
    faces, voted = [], []
    for k, usage in enumerate(USAGES):
        for word in EXPRESSIONS_8:
            first = FIRST_LABELS.index(word if word != "contempt" else "neutral")
            faces.append({"emotion": first, "pixels": pixels(word, k), "Usage": usage})
            voted.append([usage, f"fer{len(faces):07d}.png", *votes(**{word: 8, "unknown": 2})])
        faces.append({"emotion": 0, "pixels": "0 " * 2303 + "0", "Usage": usage})
        voted.append([usage, "", *votes(NF=10)])
        faces.append({"emotion": 2, "pixels": pixels("fear", k), "Usage": usage})
        voted.append([usage, f"fer{len(faces):07d}.png", *votes(fear=5, surprise=5)])
    pd.DataFrame(faces).to_csv(folder / "fer2013.csv", index=False)
    pd.DataFrame(voted, columns=["Usage", "Image name", *CANDIDATES]).to_csv(folder / "fer2013new.csv", index=False)
    return folder
