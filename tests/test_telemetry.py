"""No library reports on its users unless they ask for it, and the one server we start is for this machine alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fer_bench import cli
from fer_bench.commands import runs
from fer_bench.telemetry import OFF

ROOT = Path(__file__).parent.parent


def asked(code: str, **variables: str) -> str:
    """What a fresh process prints that imports fer_bench first, with none of the variables set but those given."""
    known = {name: value for name, value in os.environ.items() if name not in OFF and name != "CI"}
    done = subprocess.run(
        [sys.executable, "-c", f"import fer_bench\n{code}"],
        cwd=ROOT, env=known | variables | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


def test_every_variable_is_set_by_the_import() -> None:
    code = "import os, fer_bench.telemetry as t\nprint(all(os.environ[n] == v for n, v in t.OFF.items()))"
    assert asked(code) == "True"


def test_whoever_wants_it_keeps_it() -> None:
    assert asked("import os\nprint(os.environ['RAY_USAGE_STATS_ENABLED'])", RAY_USAGE_STATS_ENABLED="1") == "1"


def test_the_libraries_understand_it() -> None:
    assert asked("from huggingface_hub import constants\nprint(constants.HF_HUB_DISABLE_TELEMETRY)") == "True"
    assert asked("from dvc.analytics import is_enabled\nprint(is_enabled())") == "False"


def test_mlflow_understands_it() -> None:
    code = (
        "from mlflow.telemetry import utils\n"
        "utils._IS_IN_CI_ENV_OR_TESTING = utils._IS_MLFLOW_DEV_VERSION = False\n"  # these would switch it off as well
        "print(utils.is_telemetry_disabled())"
    )
    assert asked(code) == "True"


def test_ray_understands_it() -> None:
    pytest.importorskip("ray")
    assert asked("from ray._common.usage import usage_lib\nprint(usage_lib.usage_stats_enabled())") == "False"


def test_dvc_itself_is_told_by_the_repository() -> None:
    assert "analytics = false" in (ROOT / ".dvc" / "config").read_text()


def test_the_page_of_runs_is_for_this_machine_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    started = []
    monkeypatch.setattr(runs.os, "execv", lambda _program, command: started.append(command))
    assert CliRunner().invoke(cli.app, ["ui", "--port", "5017"]).exit_code == 0
    (command,) = started
    assert command[1:4] == ["-m", "mlflow", "ui"]
    assert command[command.index("--host") + 1] == "127.0.0.1"
    assert command[command.index("--allowed-hosts") + 1] == "localhost:5017,127.0.0.1:5017"


def test_no_documented_server_listens_to_others() -> None:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    for page in pages:
        text = page.read_text(encoding="utf-8")
        for wide in ("--host 0.0.0.0", "--host=0.0.0.0", "--disable-security-middleware", "--allowed-hosts '*'"):
            assert wide not in text, f"{page.name}: {wide}"
