"""`fer-bench new`: a plug-in of your own."""

from typing import Annotated

import typer

from fer_bench import starter
from fer_bench.commands import _complete
from fer_bench.commands._command import EXTEND, command

Kind = Annotated[str, typer.Argument(help="dataset, method, explainer or metric", autocompletion=_complete.new_kinds)]
Name = Annotated[str, typer.Argument(help="of the file, and so in params.yaml, e.g. my_metric")]


@command(EXTEND, "fer-bench new metric my_metric")
def new(kind: Kind, name: Name) -> None:
    """Start a plug-in of your own: one file that works as it is."""
    print(f"written:     {starter.new(kind, name)}")
    print("\n".join(starter.next_steps(kind, name)))
