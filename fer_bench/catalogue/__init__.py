"""What there is to choose from: plug-ins, models, grids; read from files, so that nothing large is imported."""

from fer_bench.catalogue.entries import KINDS, listed
from fer_bench.catalogue.entry import Entry

__all__ = ["KINDS", "Entry", "listed"]
