"""Published accuracies and CAM-COS of eleven methods: Belharbi et al., FG 2024, arXiv 2402.00281, Table 1.

Accuracies are printed with two decimals, cut off. Each of them is the cut-off share of a whole number of correct test
images, which the second number of an arm gives (derived: a step is three times as wide as the printed decimal). One of
them, TS-CAM on AffectNet, is 2065 of 3500 = 59.0 %, printed 58.99: cut off after a float32 division.
"""

Arm = tuple[str, int, str | None]  # accuracy (%) as printed, correct test images, CAM-COS as printed

# (method, dataset) -> without and with guidance by action units
ROWS: dict[tuple[str, str], tuple[Arm, Arm]] = {
    ("CAM", "rafdb"): (("88.20", 2706, "0.55"), ("88.95", 2729, "0.70")),
    ("CAM", "affectnet"): (("60.88", 2131, "0.56"), ("62.37", 2183, "0.69")),
    ("WILDCAT", "rafdb"): (("88.26", 2708, "0.52"), ("88.85", 2726, "0.69")),
    ("WILDCAT", "affectnet"): (("59.88", 2096, "0.62"), ("61.62", 2157, "0.80")),
    ("GradCAM", "rafdb"): (("88.39", 2712, "0.55"), ("88.85", 2726, "0.74")),
    ("GradCAM", "affectnet"): (("60.77", 2127, "0.53"), ("62.08", 2173, "0.75")),
    ("GradCAM++", "rafdb"): (("87.84", 2695, "0.60"), ("89.14", 2735, "0.82")),
    ("GradCAM++", "affectnet"): (("60.22", 2108, "0.66"), ("62.45", 2186, "0.83")),
    ("ACoL", "rafdb"): (("87.94", 2698, "0.54"), ("88.68", 2721, "0.67")),
    ("ACoL", "affectnet"): (("58.28", 2040, "0.55"), ("61.48", 2152, "0.65")),
    ("PRM", "rafdb"): (("88.13", 2704, "0.48"), ("88.88", 2727, "0.59")),
    ("PRM", "affectnet"): (("57.77", 2022, "0.52"), ("60.97", 2134, "0.75")),
    ("ADL", "rafdb"): (("87.45", 2683, "0.50"), ("88.65", 2720, "0.63")),
    ("ADL", "affectnet"): (("57.88", 2026, "0.54"), ("61.25", 2144, "0.66")),
    ("CutMix", "rafdb"): (("88.39", 2712, "0.55"), ("88.59", 2718, "0.57")),
    ("CutMix", "affectnet"): (("58.74", 2056, "0.56"), ("59.88", 2096, "0.58")),
    ("LayerCAM", "rafdb"): (("87.90", 2697, "0.60"), ("88.88", 2727, "0.84")),
    ("LayerCAM", "affectnet"): (("60.77", 2127, "0.66"), ("62.45", 2186, "0.83")),
    ("TS-CAM", "rafdb"): (("86.70", 2660, "0.58"), ("88.00", 2700, "0.71")),
    ("TS-CAM", "affectnet"): (("58.99", 2065, "0.57"), ("59.54", 2084, "0.58")),
    ("APViT", "rafdb"): (("91.00", 2792, None), ("91.03", 2793, None)),
    ("APViT", "affectnet"): (("60.62", 2122, None), ("62.28", 2180, None)),
}
