"""A training as it was started: in one process, or in several by `accelerate launch`."""

from collections.abc import Iterator
from contextlib import contextmanager

from accelerate import PartialState

from fer_bench import processes
from fer_bench.processes import Place


@contextmanager
def joined(device: str) -> Iterator[Place]:
    """Join the processes that were started beside this one, if any, and leave them at the end.

    device: `runtime.device` of params.yaml.
    """
    state = PartialState(cpu=device == "cpu")
    try:
        yield processes.place()
    finally:
        state.destroy_process_group()
