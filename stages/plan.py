"""Stage plan: params.yaml -> data/plan, one small file per stage and thing it works on."""

import sys

from fer_bench import params, plan
from fer_bench.errors import InputError


def main() -> None:
    """Validate params.yaml as a whole and expand the grid."""
    try:
        grid = plan.write(params.load())
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    skipped = [cell for cell in grid["cells"] if cell["skip"]]
    print(f"grid {grid['name']}: {len(grid['cells'])} cells, {len(skipped)} skipped")
    for cell in skipped:
        print(f"  {cell['cell']}: {cell['skip']}")


if __name__ == "__main__":
    main()
