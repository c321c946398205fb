"""Stage evaluate: a cell's weights and a test dataset -> per-image scores and results/metrics/TEST/CELL.json."""

from fer_bench import stage
from fer_bench.evaluate import evaluate_cell

if __name__ == "__main__":
    stage.main("evaluate", evaluate_cell)
