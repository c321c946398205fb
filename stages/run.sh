#!/bin/sh
# The one launcher of every DVC stage: `sh stages/run.sh STAGE [ARGUMENTS]` finds the Python that has fer_bench
# and runs stages/STAGE.py with it, in an activated environment or not.
#   1. $FER_BENCH_PYTHON
#   2. .venv/bin/python of this repository, or of a folder above it (`dvc exp run --temp` works in a copy below .dvc/tmp)
#   3. the `python` on PATH, if it can import fer_bench
root=$(pwd)

find_python() {
    if [ -n "$FER_BENCH_PYTHON" ]; then echo "$FER_BENCH_PYTHON"; return; fi
    folder=$root
    while [ "$folder" != "/" ]; do
        if [ -x "$folder/.venv/bin/python" ]; then echo "$folder/.venv/bin/python"; return; fi
        folder=$(dirname "$folder")
    done
    if python -c 'import pydantic, torch, timm' 2>/dev/null; then echo python; fi
}

# Who runs the pipeline: the first process above this one that is no shell, asked now, for by the time that Python has
# imported everything it may have been killed (fer_bench/orphan.py).
pipeline=$PPID
while read -r name 2>/dev/null < "/proc/$pipeline/comm"; do
    case $name in
        sh | dash | bash | zsh | busybox | ash) read -r _ _ _ pipeline _ < "/proc/$pipeline/stat" ;;
        *) break ;;
    esac
done
export FER_BENCH_PIPELINE="$pipeline"

python=$(find_python)
if [ -z "$python" ]; then
    echo "stages/run.sh: no Python with fer_bench found; run 'make environment', or set FER_BENCH_PYTHON to one" >&2
    exit 1
fi
stage=$1
shift
# One thread per process: the stages that can use more cores start processes of their own, and numerical libraries that
# each start a thread per core slow one another down. torch follows `runtime.threads` of params.yaml.
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}" OPENBLAS_NUM_THREADS="${OPENBLAS_NUM_THREADS:-1}"
export MKL_NUM_THREADS="${MKL_NUM_THREADS:-1}"
# The code of this working tree, whatever copy of the package is installed.
export PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}"
# Trainings in several processes, one per GPU: FER_BENCH_LAUNCH holds a module and its options (docs/performance.md).
if [ "$stage" = train ] && [ -n "$FER_BENCH_LAUNCH" ]; then
    exec "$python" -m $FER_BENCH_LAUNCH "stages/$stage.py" "$@"
fi
exec "$python" "stages/$stage.py" "$@"
