"""Train one network: cross-entropy plus the guidance term, the best epoch kept by the named rule."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from torch import Tensor, nn
from tqdm import tqdm

from fer_bench import optimisation, processes
from fer_bench.cells import seed_of
from fer_bench.classifier import Classifier, save
from fer_bench.data import Batch
from fer_bench.errors import InputError
from fer_bench.guidance.base import GuidanceBase
from fer_bench.history import History
from fer_bench.protocols import Protocol
from fer_bench.recovery import Recovery, Stand
from fer_bench.train_data import EpochOrder, finished
from fer_bench.train_losses import EpochLosses, NotFinite
from fer_bench.train_scores import selection_scores
from fer_bench.train_settings import TrainSettings
from fer_bench.train_step import Step

PRECISION = {"float32": "no", "bfloat16": "bf16", "float16": "fp16"}
SETTLE_EVERY = 50  # steps after which losses are read, which makes an accelerator wait
OnEpoch = Callable[[dict[str, float]], None]


@dataclass
class Trainer:
    """Everything one training run needs.

    train: batches of an epoch, with a sampler whose `epoch` is set before each; validation: makes its batches anew.
    weights: folder that receives the weights of the kept epoch. seed: of what is random in a step; it does not depend
    on guidance. compile: let torch compile the network, which takes minutes and pays on GPUs.

    Started in several processes (`accelerate launch`), each trains on its share of every batch and all keep the same
    network; the first one writes.
    """

    classifier: Classifier
    guidance: GuidanceBase
    settings: TrainSettings
    protocol: Protocol
    train: Iterable[Batch]
    order: EpochOrder
    validation: Callable[[], Iterable[Batch]]
    class_weights: Tensor | None
    weights: Path
    device: str = "auto"
    progress: bool = True
    name: str = "train"
    seed: int = 0
    compile: bool = False
    recovery: Recovery = field(default_factory=Recovery)

    def run(self, on_epoch: OnEpoch) -> History:
        """Train all epochs, call back with each row of the history, and return it.

        Raises:
            InputError: the loss is not finite; names epoch, step and where the last good weights are.
        """
        self._prepare()
        history = History(self.settings.selection, self.protocol)
        self.stand = self.recovery.restore(self.classifier, self.step, history)
        self._take_up(history, on_epoch)
        with self._bar() as bar:
            for row in self._rows(bar, history):
                if history.add(row):
                    self._keep()
                on_epoch(row)
                self._save(history)
        return history

    def _take_up(self, history: History, on_epoch: OnEpoch) -> None:
        """Of a training that goes on, write and tell again what was written and told before it stopped."""
        for row in history.rows:
            on_epoch(row)
        if self.recovery.best is not None and not processes.place().index:
            now = {name: value.clone() for name, value in self.classifier.state_dict().items()}
            self.classifier.load_state_dict(self.recovery.best)
            save(self.classifier, self.weights)
            self.classifier.load_state_dict(now)

    def _bar(self) -> tqdm:
        shown, steps = self.progress and not processes.place().index, len(self.order)
        done = (self.stand.epoch - 1) * steps + self.stand.step
        return tqdm(total=self.settings.epochs * steps, initial=done, desc=self.name, disable=not shown)

    def _keep(self) -> None:
        self.recovery.keep(self.classifier)
        if not processes.place().index:
            save(self.classifier, self.weights)

    def _save(self, history: History) -> None:
        self.recovery.save(self.classifier, self.step, history, self.stand)

    def _prepare(self) -> None:
        AcceleratorState._reset_state()  # it is global; a process may train several cells, each with its own precision
        self.accelerator = Accelerator(mixed_precision=PRECISION[self.settings.precision], cpu=self.device == "cpu")
        self.classifier.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # a quarter faster on a CPU
        if self.accelerator.device.type == "cuda" and processes.place().count > 1:
            self.classifier = nn.SyncBatchNorm.convert_sync_batchnorm(self.classifier)
        optimizer = optimisation.optimizer(self.classifier, self.classifier.method, self.settings)
        model, prepared = self.accelerator.prepare(self.classifier, optimizer)
        self.model: nn.Module = torch.compile(model) if self.compile else model  # type: ignore[assignment]
        weights = self.class_weights
        self.step = Step(
            model=self.model,
            method=self.classifier.method,
            guidance=self.guidance,
            optimizer=prepared,
            scheduler=optimisation.schedule(optimizer, self.settings, len(self.order)),
            accelerator=self.accelerator,
            class_weights=None if weights is None else weights.to(self.accelerator.device),
            max_gradient_norm=self.settings.max_gradient_norm,
        )

    def _rows(self, bar: tqdm, history: History) -> Iterator[dict[str, float]]:
        """Train, and stop for a validation wherever the protocol and the settings want one."""
        if not history.rows and (self.protocol.validates_untrained or not self.settings.epochs):
            yield {"epoch": 0.0, **self._validate()}
        for epoch in range(self.stand.epoch, self.settings.epochs + 1):
            yield from self._epoch(epoch, bar, history)

    def _epoch(self, epoch: int, bar: tqdm, history: History) -> Iterator[dict[str, float]]:
        """One pass over the training split; rows hold the means of every part of the loss since its start."""
        if epoch > self.stand.epoch or not self.stand.step:
            self.stand = Stand(epoch, rate=self.step.optimizer.param_groups[0]["lr"])
        stand = self.stand
        self.order.epoch, self.order.start = epoch, stand.step
        self.model.train()
        self.guidance.start_epoch(epoch)
        self.guidance.load_state(stand.guidance)
        for step, batch in enumerate(self.train, start=stand.step + 1):
            stand.losses.add(self.step(self._to_device(batch), self._generator(epoch, step)), len(batch["labels"]))
            stand.step = step
            bar.update()
            due, settles = self._is_due(step), step % SETTLE_EVERY == 0 or self.recovery.asked_to_end
            if due or settles:
                self._settle(stand.losses, epoch, history, bar)
            if due:
                means = {f"train_{name}": value for name, value in stand.losses.means().items()}
                done = epoch - 1 + step / len(self.order)
                yield {"epoch": done, "learning_rate": stand.rate, **means, **self._validate()}
                self.model.train()
            elif settles and self.recovery.is_due():
                self._save(history)

    def _is_due(self, step: int) -> bool:
        """Whether a validation follows this step of an epoch: the last one, and every so many before it."""
        steps, share = len(self.order), self.settings.validation_interval
        # Whole steps by truncation, as published: 0.0437 of 1268 steps are 55.
        return step == steps or (share is not None and step % max(int(share * steps), 1) == 0)

    def _generator(self, epoch: int, step: int) -> torch.Generator:
        """Seed everything random in a step anew: whatever draws in one arm of a pair cannot shift the other arm."""
        torch.manual_seed(seed_of(self.seed, "step", epoch, step))  # dropout and its like
        return torch.Generator().manual_seed(seed_of(self.seed, "method", epoch, step))

    def _settle(self, losses: EpochLosses, epoch: int, history: History, bar: tqdm) -> None:
        """Read the losses since the last time; weights are saved after this alone, so never those of a broken loss."""
        try:
            losses.settle()
        except NotFinite as found:
            kept = f"epoch {history.best_epoch:g} in {self.weights}" if history.best_epoch >= 0 else "none yet"
            raise InputError(
                f"{self.name}: the loss is {found.value} at epoch {epoch}, step {found.step}; last good weights: {kept}"
                "; a lower train.learning_rate, train.max_gradient_norm or train.precision: float32 usually helps"
            ) from None
        bar.set_postfix({name: f"{value:.3g}" for name, value in losses.means().items()}, refresh=False)

    def _validate(self) -> dict[str, float]:
        return selection_scores(self.classifier, self.validation(), self._to_device, self.protocol, self.name)

    def _to_device(self, batch: dict[str, Any]) -> Batch:
        """Move a batch, and augment it there if that was left to the device."""
        device = self.accelerator.device
        moved = {
            name: value.to(device, non_blocking=True) if isinstance(value, Tensor) else value
            for name, value in batch.items()
        }
        whole = finished(moved, self.classifier.expected[0])
        return whole | {"images": whole["images"].contiguous(memory_format=torch.channels_last)}
