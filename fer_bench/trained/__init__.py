"""A trained classifier together with all that is needed to use it on new photographs, from a cell or from an export."""

from fer_bench.trained.about import About, Preparation, Reading, Score, Source
from fer_bench.trained.cell import of_cell
from fer_bench.trained.folder import of_folder, write_folder
from fer_bench.trained.network import Trained

__all__ = [
    "About",
    "Preparation",
    "Reading",
    "Score",
    "Source",
    "Trained",
    "of_cell",
    "of_folder",
    "write_folder",
]
