"""The command line: `fer-bench COMMAND`, run in the root of the repository; `fer-bench COMMAND --help` has examples."""

import typer

from fer_bench.commands import (
    check,
    compare,
    explain,
    export,
    grid,
    keeping,
    listing,
    mlflow_log_model,
    new,
    report,
    repro,
    runs,
    status,
    verify,
)
from fer_bench.commands._command import register

COMMANDS = (
    repro.repro,
    grid.use,
    grid.estimate,
    check.check,
    status.status,
    verify.verify,
    listing.list_,
    report.show,
    report.report,
    compare.compare,
    explain.explain,
    runs.ui,
    new.new,
    export.export,
    mlflow_log_model.mlflow_log_model,
    keeping.import_authors,
    keeping.pack,
    keeping.prune,
    runs.mlflow_sync,
)

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode="rich", help=__doc__)
for function in COMMANDS:
    register(app, function)


if __name__ == "__main__":
    app(prog_name="fer-bench")
