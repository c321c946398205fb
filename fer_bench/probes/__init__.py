"""Probes: tests of a trained network that go beyond scoring its test images once, each for the datasets it fits."""

from fer_bench.probes._run import probe_rows

__all__ = ["probe_rows"]
