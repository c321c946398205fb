"""What the paper prints: Belharbi, Pedersoli, Koerich, Bacon and Granger, "Guided Interpretable Facial Expression
Recognition via Spatial Action Unit Cues", IEEE FG 2024, arXiv 2402.00281 (v5), Tables 1 to 3 and Figure 5.

Numbers alone, as facts: single runs without seeds, printed with two decimals that are cut off, not rounded.
"""

from fer_bench.report.published._claims import CITATION, IMAGES, Claim, claims
from fer_bench.report.published._networks import Architecture, architecture
from fer_bench.report.published._printed import Printed

__all__ = ["CITATION", "IMAGES", "Architecture", "Claim", "Printed", "architecture", "claims"]
