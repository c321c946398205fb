"""`fer-bench check`: can the active grid run here, and if not, what comes next?"""

import json
from typing import TYPE_CHECKING

import typer
from rich.text import Text

from fer_bench.commands._command import RUN, Json, command, console

if TYPE_CHECKING:
    from fer_bench.readiness import Finding

STYLES = {"ok": "green", "optional": "yellow", "missing": "bold red"}


@command(
    RUN,
    "fer-bench check",
    "fer-bench check --json",
    statuses={0: "the active grid can run", 1: "it cannot, or an error"},
)
def check(as_json: Json = False) -> None:
    """Look at packages, devices, params.yaml, datasets, landmark detectors and weights of the active grid."""
    from fer_bench import readiness  # noqa: PLC0415  torch and timm take seconds

    found = readiness.check()
    if as_json:
        print(json.dumps(found.data(), indent=1, ensure_ascii=False))
    else:
        for area in dict.fromkeys(one.area for one in found.findings):
            console().print(Text(area, style="bold"))
            for one in found.findings:
                if one.area == area:
                    console().print(_line(one), soft_wrap=True)
        console().print(_verdict(found.grid, found.findings), soft_wrap=True)
    if not found.ready:
        raise typer.Exit(1)


def _line(one: "Finding") -> Text:
    shown = Text.assemble("  ", (f"{one.state:<9}", STYLES[one.state]), f"{one.name}: {one.detail}")
    if one.next and one.state != "ok":
        shown.append(f"\n           next: {one.next}", "dim" if one.state == "optional" else "bold")
    return shown


def _verdict(grid: str, findings: "list[Finding]") -> Text:
    missing = [one.name for one in findings if one.state == "missing"]
    if not missing:
        return Text(f"grid {grid} can run: fer-bench repro", "green")
    return Text(f"grid {grid} cannot run yet; missing: {', '.join(missing)}".replace("  ", " "), "bold red")
