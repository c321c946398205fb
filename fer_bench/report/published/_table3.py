"""Published choice of guided layers, RAF-DB, ResNet-50 with CAM: Belharbi et al., arXiv 2402.00281, Table 3."""

# Guided layers (none: without guidance), accuracy (%) as printed, correct test images (derived), CAM-COS as printed.
ROWS: tuple[tuple[tuple[int, ...], str, int, str], ...] = (
    ((), "88.20", 2706, "0.55"),
    ((1,), "88.52", 2716, "0.58"),
    ((2,), "88.26", 2708, "0.57"),
    ((3,), "88.39", 2712, "0.56"),
    ((4,), "88.62", 2719, "0.61"),
    ((5,), "88.95", 2729, "0.70"),
    ((5, 4), "88.78", 2724, "0.67"),
    ((5, 4, 3), "88.78", 2724, "0.67"),
    ((5, 4, 3, 2), "88.55", 2717, "0.67"),
    ((5, 4, 3, 2, 1), "88.46", 2714, "0.67"),
)
