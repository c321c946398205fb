"""Published weights λ of the guidance, RAF-DB, ResNet-50 with CAM, layer 5: Belharbi et al., arXiv 2402.00281, Fig. 5.

Read off the plot. Accuracies lie within 0.01 points of a whole number of correct images, so these are certain; cosines
are good to 0.002.
"""

READING_ERROR = 0.002

# λ, correct test images, ATT-COS of layer 5, CAM-COS
ROWS: tuple[tuple[float, int, float, float], ...] = (
    (0.01, 2703, 0.661, 0.577),
    (0.1, 2710, 0.753, 0.624),
    (1, 2713, 0.832, 0.668),
    (2, 2724, 0.849, 0.685),
    (3, 2726, 0.856, 0.694),
    (4, 2729, 0.858, 0.708),
    (5, 2724, 0.867, 0.727),
    (6, 2719, 0.866, 0.714),
    (7, 2710, 0.874, 0.711),
    (8, 2715, 0.869, 0.712),
    (9, 2717, 0.877, 0.719),
    (10, 2718, 0.876, 0.726),
    (11, 2713, 0.876, 0.727),
    (12, 2714, 0.876, 0.731),
    (13, 2705, 0.874, 0.731),
    (14, 2712, 0.874, 0.726),
    (15, 2711, 0.875, 0.720),
    (16, 2698, 0.809, 0.687),
    (17, 2712, 0.808, 0.687),
    (18, 2711, 0.878, 0.729),
    (19, 2706, 0.880, 0.733),
    (20, 2705, 0.878, 0.730),
)

# The dashed lines: accuracy as correct images, ATT-COS and CAM-COS without guidance.
WITHOUT = (2706, 0.57, 0.55)
