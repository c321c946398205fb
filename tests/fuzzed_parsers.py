"""Every parser of files from outside, each with files that it reads without complaint."""

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from affectnet_dataset import HEADER as AFFECTNET_HEADER
from fuzzing import Parser
from PIL import Image
from released_networks import CONFIG

from fer_bench import attributes, params, weight_files
from fer_bench.authors import config
from fer_bench.datasets import (
    _affectnet_csv,
    _affectnet_npy,
    _folds,
    _images,
    _index,
    _labels_file,
    _units_bp4d,
    _units_ck_plus,
    _units_csv,
    _units_disfa,
    _units_raf_au,
    expw,
)
from fer_bench.datasets import _fer2013 as fer2013
from fer_bench.datasets import _rafdb_attributes as rafdb_attributes
from fer_bench.datasets import _rafdb_files as rafdb
from fer_bench.datasets._expressions_file import read_expressions
from fer_bench.datasets._votes import CANDIDATES, decide
from fer_bench.expressions import EXPRESSIONS
from fer_bench.grid_settings import Grid
from fer_bench.landmarks._given_files import read_given
from fer_bench.report import _build, collect
from fer_bench.validation import validate
from fer_bench.yaml_file import read_yaml

SOURCE = "params.yaml: datasets.fuzzed"
ID = "train_00001"
IMAGE = "images/a.png"


def npy(value: object) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.array(value))
    return buffer.getvalue()


def image(format_: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8)).save(buffer, format=format_)
    return buffer.getvalue()


def weights() -> bytes:
    buffer = io.BytesIO()
    torch.save({"layer.weight": torch.ones(2, 3), "layer.bias": torch.zeros(2)}, buffer)
    return buffer.getvalue()


def landmarks_frame() -> pd.DataFrame:
    points = {f"{axis}{number}": [float(number), 0.5] for axis in "xy" for number in range(68)}
    return pd.DataFrame({"id": ["a", "b"], **points, "status": ["ok", "fallback"]})


def parquet() -> bytes:
    buffer = io.BytesIO()
    landmarks_frame().to_parquet(buffer, index=False)
    return buffer.getvalue()


def fill(text: str, **values: object) -> bytes:
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", str(value))
    return text.encode()


CONFIGURATION = fill(
    CONFIG, guided=True, weight=4.0, layers="5", crop=224, dataset="RAF-DB", method="CAM", encoder="resnet50",
    large_maps=True, pooling="WGAP", resize=256,
)  # fmt: skip
PARAMS = b"""\
grid: {name: smoke, protocol: clean, datasets: [synthetic], models: [small], guidance: [none, au], seeds: [0, 1],
  test_datasets: [synthetic]}
datasets:
  synthetic: {preset: smoke, landmarks: given, train: {epochs: 2}}
  mine: {plugin: folder, root: /data/mine, landmarks: given, label_map: {joy: happiness, other: null}}
landmarks: {given: {}}
heatmaps: {variants: [paper, facs], paper_side: 224}
models:
  small: {label: small, backbone: resnet10t, kwargs: {channels: [16, 32, 64, 96]}, weights: random, method: cam,
    input_size: 64, train: {learning_rate: 0.001}}
  trial: {trial_of: small, train: {weight_decay: 0.5}}
guidance:
  none: {}
  au: {variant: paper, weight: 4.0, layers: [last]}
train: {epochs: 9, batch_size: 32, optimizer: adamw, learning_rate: 0.003, augmentation: {crop_area: [0.9, 1.0]}}
evaluate: {explainers: [cam], batch_size: 64, ceiling_maps: 60, minimum_class_images: 20}
hygiene: {leaks: {clean: fail, paper: warn}, near: warn, landmark_failures: 0.2}
tables: {target: paper}
runtime: {device: auto, threads: 1}
"""
GRID = b"""\
protocol: clean
datasets: [synthetic_smoke]
models: [resnet10t]
guidance: [none, au]
seeds: [0]
test_datasets: [synthetic_smoke]
train:
  epochs: 2
evaluate:
  minimum_class_images: 1
"""
INDEX = "id,path,label,split,subject,width,height,sha256\n" + "".join(
    f"{word}{k},images/{word}{k}.png,{word},{split},{word}{k},64,48,{'0' * 64}\n"
    for word in EXPRESSIONS
    for k, split in enumerate(("train", "val", "test"))
)
LABELS = "image,label,split,subject\n" + "".join(
    f"{word}_{k}.png,{word},train,p{k}\n" for word in EXPRESSIONS for k in (0, 1)
)
POINTS_TEXT = ",".join(["1.5"] * 68 + ["2.5"] * 68)
LANDMARKS = f"train/a.jpg,{POINTS_TEXT}\ntest/b.jpg,{','.join(['inf'] * 136)}\n"
AFFECTNET = f"{AFFECTNET_HEADER}\n" + "".join(
    f"{k}/a.jpg,10,12,90,95,{';'.join(map(str, range(136)))},{k},-0.5,0.25\n" for k in range(3)
)
PIXELS = " ".join(["0", "255", "17"] * 768)
FACES = "emotion,pixels,Usage\n" + "".join(
    f"{k},{PIXELS},{usage}\n" for k, usage in enumerate(("Training", "PublicTest", "PrivateTest"))
)
VOTES = f"Usage,Image name,{','.join(CANDIDATES)}\n" + "".join(
    f"{usage},fer{k}.png,8,2,0,0,0,0,0,0,0,0\n" for k, usage in enumerate(("Training", "PublicTest", "PrivateTest"))
)
SCORES = {
    "cell": [{"cell": "a-b-none-s0"}], "skipped": [], "files": [{"path": "results/x", "sha256": "0"}],
    "columns": ["metric", "value", "n"], "rows": [["accuracy", 37.5, 560], ["att_cos", None, 3]],
}  # fmt: skip


PICTURES = {"a.jpg": "JPEG", "b.png": "PNG", "c.bmp": "BMP", "d.gif": "GIF", "e.tif": "TIFF", "f.webp": "WEBP"}
FOLDS = {
    "folds/class_id.yaml": b"happiness: 0\nneutral: 1\n",
    **{
        f"folds/{split}/{name}": text
        for split in ("train", "test")
        for name, text in (
            ("image_ids.txt", f"{split}/a.jpg\n{split}/b.jpg\n".encode()),
            ("class_labels.txt", f"{split}/a.jpg,0\n{split}/b.jpg,1\n".encode()),
        )
    },
}
DISFA = {f"labels/SN001/SN001_au{unit}.txt": b"1,0\n2,3\n3,5\n" for unit in _units_disfa.UNITS}


def read_fer2013(folder: Path) -> None:
    faces = fer2013.read_faces(folder / "fer2013.csv", SOURCE)
    _, votes = fer2013.read_votes(folder / "fer2013new.csv", faces, SOURCE)
    tasks = [(line, text, f"out/{line}.png") for line, text in enumerate(faces["pixels"])]
    fer2013.store_faces(tasks, folder, folder / "fer2013.csv", SOURCE, 1, False)
    decide(votes, "majority", 1)


def read_expw(folder: Path) -> object:
    return expw.Dataset("fuzzed", expw.Settings(root=str(folder))).listing(folder, 1, False)


def read_index(folder: Path) -> None:
    _index.check_index(_index.read_index(folder / "index.csv"), EXPRESSIONS, SOURCE)


def read_labels(folder: Path) -> object:
    columns = {"image": "image", "label": "label", "split": "split", "subject": "subject"}
    rows = _labels_file.read_labels(folder / "labels.csv", columns, SOURCE)
    _labels_file.header(folder / "labels.csv")
    return _labels_file.image_ids(rows["image"])


def read_pictures(folder: Path) -> None:
    for name in PICTURES:
        _images.size_of((folder / name).read_bytes())
        _images.read_image(folder / name)


def read_rafdb_boxes(folder: Path) -> None:
    for order in ("correct", "swapped"):
        rafdb.read_boxes(folder, [ID], order, SOURCE)


def read_rafdb_points(folder: Path) -> None:
    rafdb.read_points(folder, [ID])
    rafdb_attributes.read_rafdb_attributes(folder, [ID])


PARSERS = (
    Parser(
        "RAF-DB list",
        {rafdb.LABELS: b"train_00001.jpg 5\ntrain_00002.jpg 4\ntest_0001.jpg 7\n"},
        lambda folder: rafdb.read_rows(folder, SOURCE),
    ),
    Parser("RAF-DB boxes", {rafdb.BOXES.format(ID): b"10.5 20.25 110.0 140.75 \n"}, read_rafdb_boxes),
    Parser(
        "RAF-DB points and attributes",
        {rafdb.POINTS.format(ID): b"10.5\t20.1\n30\t20\n20\t30\n12\t40\n28\t40\n0\n1\n2\n"},
        read_rafdb_points,
    ),
    Parser("fold files", FOLDS, lambda folder: _folds.read_folds(folder / "folds", EXPRESSIONS, SOURCE)),
    Parser(
        "AffectNet npy",
        {"a_exp.npy": npy("3"), "b_exp.npy": npy(7)},
        lambda folder: [_affectnet_npy.read_number((folder / f"{name}_exp.npy").read_bytes()) for name in "ab"],
    ),
    Parser(
        "AffectNet csv",
        {"training.csv": AFFECTNET.encode()},
        lambda folder: _affectnet_csv.read_split(folder / "training.csv", 8, SOURCE),
    ),
    Parser("ExpW list", {"label/label.lst": b"a b_1.jpg 0 10 12 90 95 60.5 3\nc.jpg 1 10 12 90 95 50 6\n"}, read_expw),
    Parser("FER-2013 and FER+ csv", {"fer2013.csv": FACES.encode(), "fer2013new.csv": VOTES.encode()}, read_fer2013),
    Parser("labels.csv", {"labels.csv": LABELS.encode()}, read_labels),
    Parser("index.csv", {"index.csv": INDEX.encode()}, read_index),
    Parser(
        "attributes.csv",
        {"attributes.csv": b"id,sex,age\na,female,4-19\nb,,20-39\n"},
        attributes.read_attributes,
    ),
    Parser(
        "expressions csv",
        {"labels.csv": b"image,label,subject,split\na.png,fear,p1,train\nb.png,anger,p2,test\n"},
        lambda folder: read_expressions(folder / "labels.csv", SOURCE),
    ),
    Parser(
        "RAF-ML votes",
        {"distribution.txt": b"0007.jpg 0 0.1 0.1 0.1 0.1 0.6\n0012.jpg 0 0 2 0 1 0\n"},
        lambda folder: read_expressions(folder / "distribution.txt", SOURCE),
    ),
    Parser(
        "RAF-AU",
        {"RAFAU_label.txt": b"0007.jpg 4+7+17 \n\n0012.jpg null\n0031.jpg L12+R12+25\n"},
        lambda folder: _units_raf_au.read(folder, "RAFAU_label.txt", "aligned", SOURCE),
    ),
    Parser(
        "units.csv",
        {"units.csv": b"image,au,intensity,side,subject\na.png,12,B,left,p1\nb.png,AU4,0.5,,p2\nc.png,,,,p3\n"},
        lambda folder: _units_csv.read(folder, "units.csv", "images", SOURCE),
    ),
    Parser(
        "CK+",
        {
            "FACS/S005/001/S005_001_00000011_facs.txt": b"   9.0000000e+00   5.0000000e+00\n   2.5e+01   0.0e+00\n",
            "Emotion/S005/001/S005_001_00000011_emotion.txt": b"   3.0000000e+00\n",
        },
        lambda folder: _units_ck_plus.read(folder, "FACS", "Emotion", "images", SOURCE),
    ),
    Parser(
        "DISFA",
        {**DISFA, "images/SN001/0001.jpg": b"", "images/SN001/0002.jpg": b""},
        lambda folder: _units_disfa.read(folder, "labels", "images", 1, SOURCE),
    ),
    Parser(
        "BP4D",
        {"AU/F001_T1.csv": b"0,1,2,4,12\n2440,1,9,0,1\n2441,0,9,9,1\n", "images/F001/T1/2440.jpg": b""},
        lambda folder: _units_bp4d.read(folder, "AU", "images", 1, {"T1": "happiness"}, SOURCE),
    ),
    Parser("landmarks.txt", {"landmarks.txt": LANDMARKS.encode()}, lambda folder: read_given(folder / "landmarks.txt")),
    Parser(
        "landmarks csv",
        {"given.csv": landmarks_frame().to_csv(index=False).encode()},
        lambda folder: read_given(folder / "given.csv"),
    ),
    Parser("landmarks parquet", {"given.parquet": parquet()}, lambda folder: read_given(folder / "given.parquet")),
    Parser(
        "config_model.yaml",
        {"config_model.yaml": CONFIGURATION},
        lambda folder: config.read(folder / "config_model.yaml"),
    ),
    Parser("params.yaml", {"params.yaml": PARAMS}, lambda folder: params.load(folder / "params.yaml")),
    Parser(
        "grid file",
        {"grid.yaml": GRID},
        lambda folder: validate(Grid, {"name": "grid", **read_yaml(folder / "grid.yaml")}, "grids/grid.yaml"),
    ),
    Parser("images", {name: image(kind) for name, kind in PICTURES.items()}, read_pictures),
    Parser(
        "weights", {"net.pth": weights()}, lambda folder: weight_files.read(folder / "net.pth", "models.net.weights")
    ),
    Parser(
        "scores json",
        {"scores.json": json.dumps(SCORES).encode(), "grid.json": b'{"name": "smoke", "cells": []}'},
        lambda folder: (
            _build.read_plan(folder / "grid.json"),
            collect._read(folder / "scores.json", Path("results/metrics/scores.json")),
        ),
    ),
)
