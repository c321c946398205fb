"""Keeps the libraries that fer-bench stands on from reporting on who uses them; whoever wants that sets a variable."""

import os

# Library -> the variable that switches its reports off; a value that is set already is left alone.
OFF = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DVC_NO_ANALYTICS": "true",
    "HF_HUB_DISABLE_TELEMETRY": "1",  # the client by which timm fetches weights
    "RAY_USAGE_STATS_ENABLED": "0",
    "DO_NOT_TRACK": "true",  # asked for by MLflow, the Hugging Face client and others
}


def switch_off() -> None:
    """Set the variables for this process and those that it starts; before the libraries are imported."""
    for name, value in OFF.items():
        os.environ.setdefault(name, value)
