"""An exported classifier as MLflow loads and serves it: MLflow keeps this file as it is and runs it, and no pickle."""

from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel, PythonModelContext

from fer_bench.explanation.answer import KEYS, answer
from fer_bench.trained import of_folder


class Classifier(PythonModel):
    """Photographs in, a row each out."""

    def load_context(self, context: PythonModelContext) -> None:
        """Read the export that was logged with the model."""
        self.network = of_folder(Path(context.artifacts["export"]))

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """Answer the column `image`, files as bytes; see `fer_bench.explanation.answer` for the columns returned."""
        given = params or {}
        explainer, whole = str(given.get("explainer", "")), bool(given.get("whole", False))
        rows = [answer(bytes(photo), self.network, explainer, whole) for photo in model_input["image"]]
        return pd.DataFrame(rows, columns=list(KEYS), dtype=object)


set_model(Classifier())
