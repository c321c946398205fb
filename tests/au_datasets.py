"""Miniature collections with annotated action units: RAF-AU, DISFA, BP4D, CK+ and a table of one's own."""

from pathlib import Path

import pandas as pd
from generated_faces import save_face

from fer_bench.datasets._units_disfa import UNITS as DISFA_UNITS
from fer_bench.expressions import EXPRESSIONS


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def make_raf_au(root: Path) -> Path:
    write(root / "RAFAU_label.txt", "0007.jpg 4+7+17 \n\n0012.jpg null\n0031.jpg L12+R12+25\n0044.jpg R14+32\n")
    for name, word in (("0007", "anger"), ("0012", "disgust"), ("0031", "happiness"), ("0044", "sadness")):
        save_face(root / "aligned" / f"{name}_aligned.jpg", word)
    votes = {"0007": "0 0.1 0.1 0.1 0.1 0.6", "0012": "0 0 2 0 1 0", "0031": "0 0 0 1 0 0", "0044": "0.5 0 0 0 0.5 0"}
    write(root / "distribution.txt", "".join(f"{name}.jpg {shares}\n" for name, shares in votes.items()))
    return root


def make_disfa(root: Path) -> Path:
    """Two people, four frames each; AU12 of frame f of the first has intensity f, everything else 0."""
    for person in ("SN001", "SN002"):
        for unit in DISFA_UNITS:
            levels = [frame if (person, unit) == ("SN001", 12) else 0 for frame in range(1, 5)]
            lines = "".join(f"{frame},{level}\n" for frame, level in zip(range(1, 5), levels, strict=True))
            write(root / "ActionUnit_Labels" / person / f"{person}_au{unit}.txt", lines)
        for frame in range(1, 5):
            save_face(root / "images" / person / f"{frame:04d}.jpg", "happiness", frame)
    lines = [f"{person}/{frame:04d}.jpg,happiness" for person in ("SN001", "SN002") for frame in range(1, 5)]
    write(root / "labels.csv", "\n".join(["image,label", *lines]))
    return root


def make_bp4d(root: Path) -> Path:
    text = "0,1,2,4,12\n2440,1,9,0,1\n2441,0,9,9,1\n2442,0,9,1,0\n"
    for video, word in (("F001_T1", "happiness"), ("M002_T2", "sadness"), ("M002_T6", "fear")):
        write(root / "AUCoding" / "AU_OCC" / f"{video}.csv", text)
        for frame in (2439, 2440, 2441, 2442):
            save_face(root / "2D+3D" / video.replace("_", "/") / f"{frame}.jpg", word, frame)
    return root


def sequence(root: Path, name: str, units: str, emotion: str | None, word: str) -> None:
    person, take, _ = name.split("_")
    write(root / "FACS" / person / take / f"{name}_facs.txt", units)
    if emotion is not None:
        write(root / "Emotion" / person / take / f"{name}_emotion.txt", emotion)
    save_face(root / "cohn-kanade-images" / person / take / f"{name}.png", word)


def make_ck_plus(root: Path) -> Path:
    numbers = ["happiness", "anger", "disgust", "fear", "sadness", "surprise"]
    ids = {"anger": 1, "contempt": 2, "disgust": 3, "fear": 4, "happiness": 5, "sadness": 6, "surprise": 7}
    for person, word in enumerate(numbers):
        line = f"   {1 + person}.0000000e+00   {person}.0000000e+00\n   2.5000000e+01   0.0000000e+00\n"
        sequence(root, f"S{person:03d}_001_00000011", line, f"   {ids[word]}.0000000e+00\n", word)
    sequence(root, "S010_002_00000020", "   1.4e+01   3.0e+00\n", "   2.0000000e+00\n", "contempt")
    sequence(root, "S011_003_00000009", "", None, "neutral")
    return root


def make_csv(root: Path, people: int) -> Path:
    """Everybody shows every expression; each face has brows up, AU1, and half of the others smile besides, AU12."""
    lines, labels = ["image,au,subject"], []
    for person in range(people):
        for word in EXPRESSIONS:
            name = f"{person}_{word}.png"
            save_face(root / "images" / name, word, person)
            lines += [f"{name},{unit},p{person}" for unit in ((1, 12) if person % 2 else (1,))]
            labels.append({"image": name, "label": word})
    (root / "units.csv").write_text("\n".join(lines))
    pd.DataFrame(labels).to_csv(root / "labels.csv", index=False)
    return root
