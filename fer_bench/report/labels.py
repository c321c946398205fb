"""Words that tables and figures print for the names used in files."""

from typing import Any

LAST_LAYER = "5"
MISSING = "—"

_METRICS = {
    "accuracy": "CL",
    "balanced_accuracy": "Balanced accuracy",
    "macro_f1": "Macro-F1",
    "expected_calibration_error": "Calibration error",
    "att_cos": "ATT-COS",
    "cam_cos": "CAM-COS",
    "att_pearson": "ATT-Pearson",
    "cam_pearson": "CAM-Pearson",
}
_EXPLAINERS = {
    "cam": "CAM",
    "gradcam": "GradCAM",
    "gradcampp": "GradCAM++",
    "gradcampp_paper": "GradCAM++ (published form)",
    "layercam": "LayerCAM",
    "tscam": "TS-CAM",
    "class_maps": "class maps",
    "acol": "ACoL",
    "token_weights": "token weights",
    "xgradcam": "XGradCAM",
    "smoothgradcampp": "Smooth GradCAM++",
    "scorecam": "Score-CAM",
    "eigencam": "EigenCAM",
    "rollout": "Rollout",
    "legrad": "LeGrad",
}
_GUIDANCE = {"none": "without AU", "au": "with AU", "au_facs": "with AU (FACS)"}
_TARGETS = {"paper": "paper map", "facs": "FACS map", "present": "AUs present"}
_PAIRINGS = {"true_true": "true / true", "pred_pred": "predicted / predicted", "pred_true": "predicted / true"}
# Suffix of a metric's name -> what the row is called; the order is the order of print.
REFERENCES = {
    "chance_constant": "chance: constant map",
    "chance_random": "chance: random smooth map",
    "chance_shuffled": "chance: map of another face",
    "chance_untrained": "chance: untrained network",
    "reference_gaussian": "reference: centred Gaussian",
    "reference_blind_mean": "reference: mean map, all classes",
    "reference_class_mean": "reference: mean map, own class",
    "target_scored": "training target scored",
    "ceiling": "ceiling of the grid size",
}


def metric(name: str) -> str:
    """Word for a metric, e.g. `att_cos` -> ATT-COS."""
    return _METRICS.get(name, spaced(name))


def explainer(name: str) -> str:
    """Word for an explainer, e.g. `gradcampp` -> GradCAM++."""
    return _EXPLAINERS.get(name, spaced(name))


def guidance(name: str, label: str = "") -> str:
    """Word for a guidance, e.g. `none` -> without AU; one that has no word of ours prints its label, else its name."""
    return _GUIDANCE.get(name) or label or spaced(name)


def target(name: str) -> str:
    """Word for a reference map, e.g. `facs` -> FACS map."""
    return _TARGETS.get(name, spaced(name))


def pairing(name: str) -> str:
    """Word for a pairing of map and reference, e.g. `pred_true` -> predicted / true."""
    return _PAIRINGS.get(name, spaced(name))


def layer(name: str) -> str:
    """Word for a layer; the fifth one is the last of every backbone."""
    return "layer 5 (last)" if name == LAST_LAYER else f"layer {name}"


def reference(suffix: str) -> str:
    """Word for a chance level, reference or ceiling; an unknown one prints its own name."""
    return REFERENCES.get(suffix, spaced(suffix).replace(" ", ": ", 1))


def of(entries: dict[str, Any], name: str) -> str:
    """The `label` of an entry of the plan, else the name itself."""
    return str(entries.get(name, {}).get("label") or name)


def spaced(name: str) -> str:
    """Print a name of a file as words."""
    return name.replace("_", " ")
