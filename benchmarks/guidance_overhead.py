"""What guidance costs in a training step: ResNet50 at 224 px with and without the alignment term, interleaved.

    python benchmarks/guidance_overhead.py [--pairs 13] [--batch 8] [--large-maps] [--device cuda]

A step is forward, loss, backward and SGD update of one network on one thread; the guided step also composes its maps
from stored regions, as a loader does. Arms alternate, the first of each pair changing, and the result is the median of
the ratios within pairs. On a CPU the clock counts processor time, so that other programs on the machine do not enter.
Promise: at most 3 % more time.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch

from fer_bench import classifier
from fer_bench.au import REGIONS, compose
from fer_bench.guidance.au import Guidance, Settings

PROMISE = 1.03
SIDE = 224
Step = Callable[[], None]


def main() -> None:
    """Measure and print."""
    options = _options()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    plain, guided = _arms(options)
    clock = time.process_time if options.device == "cpu" else time.perf_counter
    for step in (plain, guided):  # allocations and kernel choices of the first run
        step()
    pairs = [_pair(plain, guided, clock, swapped=bool(number % 2)) for number in range(options.pairs)]
    ratios = sorted(with_maps / without for without, with_maps in pairs)
    median = statistics.median(ratios)
    print(f"ResNet50, {SIDE} px, batch {options.batch}, large_maps {options.large_maps}, {options.device}, one thread")
    print(f"step without guidance: {1000 * statistics.median(first for first, _ in pairs):.1f} ms (median)")
    print(f"ratio with / without: {median:.4f} (median of {len(ratios)} pairs, {ratios[0]:.4f} to {ratios[-1]:.4f})")
    print(f"promise of at most {PROMISE}: {'kept' if median <= PROMISE else 'BROKEN'}")


def _arms(options: argparse.Namespace) -> tuple[Step, Step]:
    """Return the step without and the step with guidance, of one network on one batch."""
    section = {"backbone": "resnet50", "kwargs": {"large_maps": options.large_maps}, "input_size": SIDE}
    network = classifier.build(section).to(options.device).train()
    optimiser = torch.optim.SGD(network.parameters(), lr=1e-4, momentum=0.9, nesterov=True)
    images = torch.rand(options.batch, 3, SIDE, SIDE, device=options.device)
    batch = {"images": images, "labels": torch.randint(0, 7, (options.batch,), device=options.device)}
    regions = torch.randint(0, 256, (options.batch, len(REGIONS["paper"]), 28, 28), dtype=torch.uint8)
    wanted = torch.arange(regions.shape[1]).expand(options.batch, -1) < 5  # an expression has about five units
    guidance = Guidance(Settings(weight=4.0, resize="paper"))

    def step(guided: bool) -> None:
        output = network(batch["images"])
        loss = network.method.loss(output, batch)["loss"]
        if guided:
            maps, valid = compose(regions, wanted, (SIDE, SIDE), "paper")
            loss = loss + guidance.loss(output, maps.to(options.device), valid.to(options.device))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        if options.device != "cpu":
            torch.cuda.synchronize()

    return lambda: step(False), lambda: step(True)


def _pair(plain: Step, guided: Step, clock: Callable[[], float], swapped: bool) -> tuple[float, float]:
    """Seconds of one step without and one with guidance, right after one another; `swapped` runs the latter first."""
    if swapped:
        with_maps = _seconds(guided, clock)
        return _seconds(plain, clock), with_maps
    return _seconds(plain, clock), _seconds(guided, clock)


def _seconds(step: Step, clock: Callable[[], float]) -> float:
    started = clock()
    step()
    return clock() - started


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=13, help="pairs of steps")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--large-maps", action="store_true", help="28x28 maps, as in the paper's AffectNet commands")
    parser.add_argument("--device", default="cpu")
    return parser.parse_args()


if __name__ == "__main__":
    main()
