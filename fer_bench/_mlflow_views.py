"""Views of MLflow's page of runs that suit a comparison with and without guidance; knows nothing of MLflow itself.

MLflow 3.17 keeps a view that somebody saved as a tag of the experiment: a name, and the state of the page as JSON. A
version that reads it differently says that the view cannot be loaded and shows its own page.
"""

import json
from collections.abc import Mapping
from typing import Any

from fer_bench._mlflow_names import headline, picture
from fer_bench._mlflow_sync import CURRENT, KIND, TRAINING

_TAG = "mlflow.sharedViewState."
_MADE = 1767225600000  # milliseconds; a fixed date, so that the same view is the same tag
_SCORES = ("accuracy", "macro_f1", "att_cos", "cam_cos")
_KINDS = ("attention", "cam")
_EPOCHS = ("val/accuracy", "val/att_cos", "train/loss")
Chart = dict[str, Any]


def pairs(test: str) -> str:
    """Id of the view with every training on its own."""
    return f"pairs-{test}"


def means(test: str) -> str:
    """Id of the view with trainings that differ in their seed alone as one line."""
    return f"means-{test}"


def views(test: str) -> dict[str, str]:
    """Tags of the experiment, name -> value: both views of the scores on a test dataset."""
    seeds = {"aggregateFunction": "average", "groupByKeys": [_by("model"), _by("guidance")]}
    return {
        f"{_TAG}{pairs(test)}": _saved(f"with and without guidance, scores on {test}", test, None),
        f"{_TAG}{means(test)}": _saved(f"means over seeds, scores on {test}", test, seeds),
    }


def addresses(tags: Mapping[str, str], experiment: str, port: int) -> dict[str, str]:
    """Name of every view among the tags of an experiment -> where `mlflow ui` shows it as charts on this machine."""
    page = f"http://127.0.0.1:{port}/#/experiments/{experiment}/runs"
    ours = (pairs(""), means(""))  # others' tags may hold a state without a name
    found = sorted(((tag, value) for tag, value in tags.items() if _id(tag, ours)), reverse=True)  # pairs first
    saved = {tag.removeprefix(_TAG): json.loads(value) for tag, value in found}
    return {view["name"]: f"{page}?viewStateShareKey={key}&compareRunsMode=CHART" for key, view in saved.items()}


def _id(tag: str, beginnings: tuple[str, ...]) -> bool:
    return tag.startswith(_TAG) and tag.removeprefix(_TAG).startswith(beginnings)


def _saved(name: str, test: str, group: dict[str, Any] | None) -> str:
    scores = [headline(test, score) for score in _SCORES]
    tags = [f"tags.`{tag}`" for tag in ("model", "guidance", "seed")]
    sections, charts = _charts(test, scores, single=group is None)
    state = {
        "searchFilter": f"tags.`{KIND}` = '{TRAINING}' and tags.`{CURRENT}` = 'true'",
        "orderByKey": f"metrics.`{scores[0]}`",
        "orderByAsc": False,
        "selectedColumns": [*tags, *(f"metrics.`{score}`" for score in scores)],
        "runsHiddenMode": "FIRST_20_RUNS",
        "groupBy": group,
        "hideEmptyCharts": True,
        "isAccordionReordered": True,
        "compareRunSections": sections,
        "compareRunCharts": charts,
    }
    return json.dumps({"name": name, "createdAt": _MADE, "updatedAt": _MADE, "state": json.dumps(state)})


def _charts(test: str, scores: list[str], single: bool) -> tuple[list[Chart], list[Chart]]:
    """Sections from above, and the charts in them; MLflow draws neither coordinates nor pictures of grouped runs."""
    sections = [_section("scores", f"scores on {test}", columns=2, height=300)]
    charts = [_chart("BAR", "scores", score, metricKey=score) for score in scores]
    if single:
        sections.insert(0, _section("parallel", f"guidance and scores on {test}", columns=1, height=330))
        axes = {"selectedParams": ["model", "guidance"], "selectedMetrics": scores, "showAllRuns": False}
        charts.append(_chart("PARALLEL", "parallel", "parallel", **axes))
        sections.append(_section("faces", f"faces of {test}", columns=1, height=460))
        keys = [picture(test, kind) for kind in _KINDS]
        charts += [_chart("IMAGE", "faces", key, imageKeys=[key], step=0, showRunParams=False) for key in keys]
    sections.append(_section("epochs", "over epochs", columns=2, height=300))
    charts += [_chart("LINE", "epochs", metric, **_line(metric)) for metric in _EPOCHS]
    return sections, charts


def _line(metric: str) -> Chart:
    return {
        "metricKey": metric,
        "selectedMetricKeys": [metric],
        "lineSmoothness": 0,
        "scaleType": "linear",
        "xAxisScaleType": "linear",
        "xAxisKey": "step",
        "selectedXAxisMetricKey": "",
        "yAxisKey": "metric",
        "yAxisExpressions": [],
        "range": {},
        "useGlobalXaxisKey": True,
        "useGlobalLineSmoothing": True,
    }


def _chart(kind: str, section: str, name: str, **more: Any) -> Chart:
    given = {"uuid": f"fer-bench-{name}", "type": kind, "metricSectionId": section, "runsCountToCompare": 20}
    return {**given, "deleted": False, "isGenerated": False, **more}


def _section(uuid: str, name: str, columns: int, height: int) -> Chart:
    shape = {"columns": columns, "cardHeight": height}
    return {"uuid": uuid, "name": name, "display": True, "isReordered": False, "isGenerated": False, **shape}


def _by(tag: str) -> dict[str, str]:
    return {"mode": "tag", "groupByData": tag}
