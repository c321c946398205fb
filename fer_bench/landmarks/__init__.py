"""Landmarks: 68 points per face, with the step that found them and what could not be found."""

from fer_bench.landmarks._error import error_against
from fer_bench.landmarks._run import run
from fer_bench.landmarks._table import read
from fer_bench.landmarks.base import Detection

__all__ = ["Detection", "error_against", "read", "run"]
