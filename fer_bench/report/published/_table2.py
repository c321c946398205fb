"""Published ATT-COS of the last layer: Belharbi et al., FG 2024, arXiv 2402.00281, Table 2; cut off, not rounded."""

# (method, dataset) -> without and with guidance by action units
ROWS: dict[tuple[str, str], tuple[str, str]] = {
    ("CAM", "rafdb"): ("0.57", "0.85"),
    ("CAM", "affectnet"): ("0.64", "0.82"),
    ("WILDCAT", "rafdb"): ("0.47", "0.85"),
    ("WILDCAT", "affectnet"): ("0.61", "0.81"),
    ("GradCAM", "rafdb"): ("0.63", "0.85"),
    ("GradCAM", "affectnet"): ("0.65", "0.82"),
    ("GradCAM++", "rafdb"): ("0.52", "0.87"),
    ("GradCAM++", "affectnet"): ("0.65", "0.82"),
    ("ACoL", "rafdb"): ("0.46", "0.84"),
    ("ACoL", "affectnet"): ("0.60", "0.81"),
    ("PRM", "rafdb"): ("0.43", "0.85"),
    ("PRM", "affectnet"): ("0.55", "0.82"),
    ("ADL", "rafdb"): ("0.51", "0.85"),
    ("ADL", "affectnet"): ("0.65", "0.83"),
    ("CutMix", "rafdb"): ("0.51", "0.80"),
    ("CutMix", "affectnet"): ("0.57", "0.82"),
    ("LayerCAM", "rafdb"): ("0.52", "0.86"),
    ("LayerCAM", "affectnet"): ("0.65", "0.82"),
    ("TS-CAM", "rafdb"): ("0.55", "0.88"),
    ("TS-CAM", "affectnet"): ("0.48", "0.79"),
    ("APViT", "rafdb"): ("0.38", "0.85"),
    ("APViT", "affectnet"): ("0.45", "0.84"),
}
