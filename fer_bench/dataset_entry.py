"""A dataset plug-in, built from its entry in a plan file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fer_bench import registry
from fer_bench.validation import validate
from fer_bench.yaml_file import read_yaml


def dataset_plugin(entry: Mapping[str, Any]) -> Any:
    """Build the dataset plug-in from its entry in a plan file.

    The folder outside the repository is not in the plan (a path changes no result); it is read from params.yaml here.
    """
    name, plugin = entry["name"], entry["plugin"]
    root = read_yaml(Path("params.yaml"))["datasets"][name].get("root")
    given = {**entry["settings"], **({"root": root} if root else {})}
    settings = validate(registry.settings("datasets", plugin), given, f"params.yaml: datasets.{name}")
    return registry.plugin("datasets", plugin)(name, settings)
