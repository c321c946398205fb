"""Every command of README.md and the pages: run, run among the slow tests, or not run for a reason; all parse."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
import typer
from conftest import ROOT
from documented import SCRIPT, blocks, calls, commands, inline
from repository_copy import RepositoryCopy
from typer.testing import CliRunner

from fer_bench import cli

CELL = "synthetic-resnet10t-au-s0"
# Run in every `make test`, one after the other, in a copy of the repository with its committed results; of a pipe the
# part of fer-bench.
QUICK = [
    "fer-bench list grids",
    "fer-bench list cells > cells.txt",
    "fer-bench use smoke",
    "fer-bench use trust/shortcut",
    "fer-bench use default",
    "fer-bench check",
    "fer-bench status",
    "fer-bench show",
    "fer-bench compare synthetic-resnet10t-none-s0 synthetic-resnet10t-au-s0",
    """fer-bench status --json | jq -r '.cells[] | select(.state == "failed") | "\\(.cell): \\(.reason)"'""",
]
# Run by `make test-all`, one after the other, in a copy whose active grid is `smoke`; its cell stands for theirs.
SLOW = [
    "make repro",
    "fer-bench repro",
    "dvc repro",
    "dvc status",
    "fer-bench repro -j 2",
    "fer-bench repro -j 4",
    "fer-bench repro -j 4 evaluate",
    "fer-bench repro --cell CELL",
    "fer-bench repro heatmaps",
    f"fer-bench explain photo.jpg --cell {CELL}",
    f"fer-bench export {CELL} --to exported",
    "fer-bench explain photo.jpg --model exported",
    "dvc metrics show",
    "dvc metrics diff",
    "dvc metrics show results/metrics/synthetic/synthetic-resnet10t-*",
    "dvc metrics diff --no-path --targets paper_tables/default/plots/summary.json",
    "dvc params diff",
    "dvc plots show",
    "dvc plots diff HEAD",
    "dvc plots show --html-template .dvc/plots_offline.html",
    "dvc push",
    "dvc pull",
    "dvc push --run-cache",
    "dvc pull --run-cache",
    "fer-bench verify",
    "fer-bench verify --tolerance 0.5",
    f"fer-bench verify --rerun --cell {CELL}",
    "fer-bench verify --rerun",
    "dvc exp run -S train.epochs=3",
    "dvc exp show --no-pager --drop '.*' --keep 'Experiment|accuracy.resnet10t|train.epochs'",
    "dvc exp diff",
    "make pages",
    "make docs",
    "fer-bench new metric my_metric",
    "fer-bench new method my_method",
    "python -m pytest -n 0 tests/test_methods.py -k my_method",
    "make format",
]
WORKED_EXAMPLE = ["python -m pytest -q -n 0 tests/test_methods.py -k max_pooling"]
# Run by the named test, with data made in the form of the collection.
BY_ANOTHER_TEST = {
    "dvc repro faces@rafdb": "test_pipeline_datasets::test_rafdb_through_dvc_by_both_protocols",
    "fer-bench import-authors data/authors": "test_authors_release::test_the_command_says_what_it_found_and_wrote",
    "fer-bench import-authors data/authors --dry": (
        "test_authors_release::test_the_command_says_what_it_found_and_wrote"
    ),
    "fer-bench pack affectnet_paper": "test_packed::test_the_command_packs_what_the_plan_trains_on",
    "fer-bench ui": "test_telemetry::test_the_page_of_runs_is_for_this_machine_alone",
    f"fer-bench mlflow-log-model {CELL}": "test_mlflow_model::test_a_second_call_logs_nothing",
    "mlflow models serve --model-uri models:/m-... --env-manager local --port 5001": (
        "test_mlflow_model::test_mlflow_serves_it"
    ),
    """printf '{"dataframe_records": [{"image": "%s"}]}' "$(base64 -w0 photo.jpg)" | """
    """curl -s -d @- -H 'Content-Type: application/json' http://127.0.0.1:5001/invocations""": (
        "test_mlflow_model::test_mlflow_serves_it"
    ),
    "rm dvc.lock": "test_mishaps_ended::test_bare_dvc_is_cured_by_one_line",
    "fer-bench repro --engine ray --address auto": (
        "test_ray_smoke::test_the_grid_on_two_nodes_of_which_one_dies_is_the_serial_one"
    ),
}
INSTALLS = "needs an index of packages"
DATA = "needs data under a licence"
CLUSTER = "needs a cluster"
SERVER = "needs a database and a store that others see"
SHELL = "is for the shell of whoever types it; tests/test_cli.py looks at completion"
ITSELF = "is what runs this test"
NOT_RUN = {
    "make environment": INSTALLS,
    "fer-bench --install-completion": SHELL,
    'eval "$(_FER_BENCH_COMPLETE=source_bash fer-bench)"': SHELL,
    "make test": ITSELF,
    "make test-all": ITSELF,
    "uv pip install -e '.[cluster]'": INSTALLS,
    "uv pip install 'dvc[s3]'": INSTALLS,
    "uv pip install psycopg2-binary boto3": INSTALLS,
    "uv pip install --python python vl-convert-python": INSTALLS,
    """mkdir -p dvc_plots && python -c "import vl_convert; """
    """open('dvc_plots/vega.js', 'w').write(vl_convert.javascript_bundle())\"""": INSTALLS,
    "$EDITOR fer_bench/methods/my_method.py": "opens an editor",
    "$EDITOR params.yaml": "opens an editor",
    "mkdir -p data/authors": DATA,
    "tar -xzf shared-trained-models.tar.gz -C data/authors": DATA,
    "fer-bench use authors_rafdb": DATA,
    "export FER_BENCH_ROOT_AFFECTNET=~/data/affectnet": DATA,
    "export FER_BENCH_ROOT_EXPW=~/data/expw": DATA,
    "export FER_BENCH_ROOT_FERPLUS=~/data/fer": DATA,
    "mkdir -p images/SN001 && ffmpeg -i Videos_LeftCamera/LeftVideoSN001_comp.avi -q:v 2 images/SN001/%04d.jpg": DATA,
    "fer-bench pack affectnet_paper --shard 2/4": DATA,
    "accelerate launch --multi_gpu --num_processes 4 stages/train.py rafdb-resnet50_cam-au-s0": "needs GPUs and data",
    'FER_BENCH_LAUNCH="accelerate.commands.launch --multi_gpu --num_processes 4" dvc repro': "needs GPUs",
    'FER_BENCH_LAUNCH="torch.distributed.run --standalone --nproc_per_node 2" dvc repro': "a grid takes minutes; "
    "tests/test_processes.py trains in two processes",
    "fer-bench use trust/controls && make repro": "takes two hours; `use` and `make repro` are run by themselves",
    "fer-bench repro --engine ray --address HOST:6379": CLUSTER,
    "fer-bench repro --engine slurm -j 200": CLUSTER,
    "ray start --head --port=6379 --disable-usage-stats": CLUSTER,
    "ray start --address=FIRST:6379 --disable-usage-stats": CLUSTER,
    "ray stop": "would stop clusters of others on this machine",
    "sbatch --array=1-$(wc -l < cells.txt)%50 cell.sh": CLUSTER,
    "dvc remote add --default storage s3://BUCKET/fer-bench": "needs a bucket; a folder stands for it in `dvc push`",
    "createdb -h DATABASE -U USER mlflow": SERVER,
    "mlflow server --host HOST --port 5000 --allowed-hosts 'HOST:5000' --backend-store-uri "
    "postgresql+psycopg2://USER:PASSWORD@DATABASE/mlflow --artifacts-destination s3://BUCKET/mlflow": SERVER,
    "export MLFLOW_TRACKING_URI=http://HOST:5000": SERVER,
}
SCRIPTS = {"--cpus-per-task=1 --gpus-per-node=1": CLUSTER, "--nodes=4 --ntasks-per-node=1": CLUSTER}
CLASSES = [QUICK, SLOW, WORKED_EXAMPLE, BY_ANOTHER_TEST, NOT_RUN]


def scripts() -> list[str]:
    return [text for text in commands() if text.startswith(SCRIPT)]


def test_every_command_is_in_one_class():
    known = [text for one in CLASSES for text in one]
    documented = {text: page for text, page in commands().items() if not text.startswith(SCRIPT)}
    new = {text: page for text, page in documented.items() if text not in known}
    assert not new, "say in tests/test_docs_commands.py how these are run, or why not"
    gone = sorted(set(known) - set(documented))
    assert not gone, "no page has these any more"
    assert len(known) == len(set(known))


def test_every_script_has_its_reason_and_parses():
    assert len(scripts()) == len(SCRIPTS)
    for text in scripts():
        assert any(words in text for words in SCRIPTS)
        subprocess.run(["bash", "-n"], input=text, text=True, check=True)


def test_commands_that_another_test_runs_have_that_test():
    for test in BY_ANOTHER_TEST.values():
        file, name = test.split("::")
        assert f"\ndef {name}(" in (ROOT / "tests" / f"{file}.py").read_text(encoding="utf-8"), test


@pytest.mark.parametrize("text", [*commands(), *inline()])
def test_commands_of_fer_bench_parse(text):
    for arguments in calls(text, "fer-bench"):
        parse(typer.main.get_command(cli.app), arguments, whole=text in commands())


@pytest.mark.parametrize("text", [text for text in commands() if "dvc " in text])
def test_commands_of_dvc_parse(text):
    from dvc.cli.parser import get_main_parser

    for arguments in calls(text, "dvc"):
        get_main_parser().parse_args(arguments)


def test_commands_of_mlflow_parse():
    from mlflow.cli import cli as mlflow

    texts = [text for text in (*commands(), *inline()) if "mlflow " in text]
    assert texts
    for text in texts:
        for arguments in calls(text, "mlflow"):
            parse(mlflow, arguments)


def parse(command: click.Command, arguments: list[str], whole: bool = True) -> None:
    """Parse without running anything; of words in a sentence, options and what they are given may be left out."""
    context = command.make_context(
        "", list(arguments), resilient_parsing=True
    )  # so no option of the program itself acts
    while hasattr(command, "resolve_command"):  # a group of click's, or of the click that comes with typer
        own = [option for one in command.get_params(context) for option in one.opts]
        while arguments and arguments[0].startswith("-"):
            assert arguments.pop(0) in own
        if not arguments:
            return
        name, found, arguments = command.resolve_command(context, arguments)
        assert found is not None, f"no command {name}"
        for option in arguments if not whole else ():
            assert not option.startswith("-") or any(option in one.opts for one in found.params), option
        context = found.make_context(name, list(arguments), parent=context, resilient_parsing=not whole)
        command = found


def test_targets_of_make_exist():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {arguments[0] for text in (*commands(), *inline()) for arguments in calls(text, "make") if arguments}
    assert {"repro", "test", "docs"} <= named
    assert named <= targets, named - targets


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    made = RepositoryCopy(tmp_path_factory.mktemp("documented"))
    (made.folder / ".venv").symlink_to(sys.prefix)
    return made


@pytest.mark.parametrize("text", QUICK)
def test_quick_commands_run(text, copy, monkeypatch):
    monkeypatch.chdir(copy.folder)
    ((arguments),) = calls(text, "fer-bench")
    done = CliRunner().invoke(cli.app, arguments)
    assert done.exit_code == 0, done.output
    if "--json" in text:
        assert {cell["cell"] for cell in json.loads(done.stdout)["cells"]} >= {CELL}
    if "list cells" in text:
        assert CELL in done.output.splitlines()


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    """A copy with a photograph, a remote, the grid `smoke`, and a commit of what it has."""
    made = RepositoryCopy(tmp_path_factory.mktemp("journey"))
    (made.folder / ".venv").symlink_to(sys.prefix)
    made.run("fer_bench.cli", "use", "smoke")
    made.run("dvc", "remote", "add", "--default", "storage", str(made.folder.parent / "remote"))
    made.commit()
    return made


def typed(text: str, smoke: RepositoryCopy) -> str:
    """Run a command in a shell as a reader would, the environment's programs on the path."""
    cell = CELL.replace("synthetic-", "synthetic_smoke-")
    text = re.sub(r"\bCELL\b", cell, text.replace(CELL, cell))
    text = re.sub(r"^make ", "make -o .venv/.requirements.lock ", text)  # the environment is there
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = smoke.environment | {"PATH": path, "GIT_AUTHOR_NAME": "test", "GIT_COMMITTER_NAME": "test"}
    environment |= {"GIT_AUTHOR_EMAIL": "test@example.org", "GIT_COMMITTER_EMAIL": "test@example.org"}
    shell = ["bash", "-c", text]
    done = subprocess.run(shell, cwd=smoke.folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{text}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("text", SLOW)
def test_slow_commands_run(text, smoke):
    printed = typed(text, smoke)
    if text == "make repro":
        assert "paper_tables/smoke" in printed
        faces = sorted((smoke.folder / "data/faces/synthetic_smoke/images").glob("*.png"))
        shutil.copy(faces[0], smoke.folder / "photo.jpg")
        smoke.commit()
    if text in ("dvc repro", "fer-bench repro", "fer-bench repro -j 2"):
        assert "Running stage" not in printed, "there was nothing to do"
    if text == "fer-bench explain photo.jpg --model exported":
        assert (smoke.folder / "explanations/photo.html").is_file()
    if "--rerun" in text:
        assert "REPRODUCED" in printed
    if text == "make docs":
        assert (smoke.folder / "site/index.html").is_file()


@pytest.mark.slow
def test_the_sheet_of_guiding_maps(smoke):
    """The program of docs/guidance.md, on the faces of the grid `smoke`."""
    (block,) = (one for one in blocks("python") if one.page == "docs/guidance.md")
    (smoke.folder / "sheet.py").write_text(block.text.replace('"synthetic"', '"synthetic_smoke"'), encoding="utf-8")
    typed("python sheet.py", smoke)
    assert (smoke.folder / "guidance_controls.png").is_file()


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("text", WORKED_EXAMPLE)
def test_the_worked_example_of_a_method(text, smoke):
    """docs/extending.md from the file to a row of its own in the tables."""
    source, settings = (one.text for one in blocks("python", "yaml") if one.page == "docs/extending.md")
    smoke.git(smoke.folder, "checkout", "--", "params.yaml")  # without what the experiment changed
    (smoke.folder / "fer_bench/methods/max_pooling.py").write_text(source, encoding="utf-8")
    smoke.edit("params.yaml", "\nmodels:\n", f"\n{settings}")
    smoke.edit("params.yaml", "  models: [resnet10t]\n", "  models: [resnet10t, resnet10t_max]\n")
    typed(text, smoke)  # a status of 5 would mean that no test was found
    typed("fer-bench check", smoke)
    printed = typed("fer-bench repro", smoke)
    assert "stages/run.sh train synthetic_smoke-resnet10t_max-au-s0" in printed
    assert "train@synthetic_smoke-resnet10t-au-s0'" not in re.sub(r".*didn't change.*", "", printed)
    table = (smoke.folder / "paper_tables/smoke/table1.md").read_text(encoding="utf-8")
    assert "max pooling" in table
