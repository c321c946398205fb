"""A trained cell as an MLflow model: its export as artifact, a signature, an example, linked to the cell's run."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.requirements import Requirement
from PIL import Image

from fer_bench._mlflow_store import Store
from fer_bench.synthface import SynthSettings
from fer_bench.synthface.face import draw_face, picture_of
from fer_bench.synthface.plan import plan_faces

if TYPE_CHECKING:
    from mlflow.models import ModelSignature

KEY = "fer_bench.export"  # tag: hash of the export, so that the same network is logged once
_TRACKING = "MLFLOW_TRACKING_URI"
PACKAGE = Path(__file__).parent
SERVED = PACKAGE / "_mlflow_served.py"
EXTRAS = ("landmarks-offline",)  # extras that a classifier may need to find a face
EXAMPLE = SynthSettings(train=0, val=0, test=7, size=160)


@dataclass(frozen=True)
class Logged:
    """A model in MLflow; made: whether it was logged just now."""

    uri: str
    made: bool


def log(store: Store, run: str, name: str, folder: Path) -> Logged:
    """Log the folder of an export as a model of a run, unless the run has it already; name: of the model."""
    key = _hash(folder)
    query = f"tags.`{KEY}` = '{key}' AND source_run_id = '{run}'"
    found = store.client.search_logged_models([store.experiment], query)
    if found:
        return Logged(str(found[0].model_uri), made=False)
    made = store.client.create_logged_model(store.experiment, name, run)
    _fill(store, run, made.model_id, folder)
    store.client.set_logged_model_tags(made.model_id, {KEY: key})  # last: a model that was left half made is not found
    return Logged(str(made.model_uri), made=True)


def _fill(store: Store, run: str, model: str, folder: Path) -> None:
    import mlflow  # noqa: PLC0415  takes seconds

    with _tracking(store.uri):
        # Unlike `mlflow.pyfunc.log_model` this leaves status and times of the run as they are.
        mlflow.models.Model.log(
            artifact_path=None,
            flavor=mlflow.pyfunc,
            run_id=run,
            model_id=model,
            python_model=str(SERVED),
            artifacts={"export": str(folder)},
            code_paths=[str(PACKAGE)],
            signature=signature(),
            input_example=(example(), {"whole": False}),
            pip_requirements=requirements(),
        )


@contextmanager
def _tracking(uri: str) -> Iterator[None]:
    """Point MLflow's own functions to a store; its `set_tracking_uri` would change the environment for good."""
    before = os.environ.get(_TRACKING)
    os.environ[_TRACKING] = uri
    try:
        yield
    finally:
        if before is None:
            del os.environ[_TRACKING]
        else:
            os.environ[_TRACKING] = before


def signature() -> "ModelSignature":
    """What goes in and what comes out: see `fer_bench.explanation.answer`."""
    from mlflow.models import ModelSignature  # noqa: PLC0415  as above
    from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema  # noqa: PLC0415  as above
    from mlflow.types.schema import Array, Map  # noqa: PLC0415  as above

    rows = Array(Array(DataType.double))
    kinds: dict[str, Any] = {
        "label": DataType.string,
        "probabilities": Map(DataType.double),
        "map": rows,
        "explainer": DataType.string,
        "attention": rows,
        "crop": rows,
        "problem": DataType.string,
    }
    return ModelSignature(
        inputs=Schema([ColSpec(DataType.binary, "image")]),
        outputs=Schema([ColSpec(kind, name, required=name == "problem") for name, kind in kinds.items()]),
        params=ParamSchema(
            [ParamSpec("explainer", DataType.string, ""), ParamSpec("whole", DataType.boolean, default=False)]
        ),
    )


def example() -> Any:
    """A generated face, never a photograph: a table with one file in its column `image`."""
    import pandas as pd  # noqa: PLC0415  as above

    pixels, _ = picture_of(draw_face(plan_faces(EXAMPLE)[0], EXAMPLE))
    file = BytesIO()
    Image.fromarray(pixels).save(file, format="PNG")
    return pd.DataFrame({"image": [file.getvalue()]})


def requirements() -> list[str]:
    """Packages of fer_bench in the versions that are installed here; fer_bench itself goes with the model."""
    found = []
    for text in metadata.requires("fer_bench") or []:
        needed = Requirement(text)
        wanted = needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in ("", *EXTRAS))
        if wanted and _installed(needed.name):
            found.append(f"{needed.name}=={metadata.version(needed.name)}")
    return sorted(found)


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _hash(folder: Path) -> str:
    content = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}
    content[SERVED.name] = hashlib.sha256(SERVED.read_bytes()).hexdigest()
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
