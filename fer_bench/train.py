"""Train one cell: cross-entropy plus the guidance term, the best epoch kept by the named rule."""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from sklearn.metrics import f1_score
from torch import Tensor
from tqdm import tqdm

from fer_bench import optimisation
from fer_bench.cells import seed_of
from fer_bench.classifier import Classifier, save
from fer_bench.data import Batch, EpochOrder
from fer_bench.errors import InputError
from fer_bench.guidance import alignment_loss
from fer_bench.guidance.base import GuidanceBase
from fer_bench.history import History
from fer_bench.protocols import Protocol
from fer_bench.train_settings import TrainSettings

PRECISION = {"float32": "no", "bfloat16": "bf16", "float16": "fp16"}
OnEpoch = Callable[[dict[str, float]], None]


@dataclass
class Trainer:
    """Everything one training run needs.

    train: batches of an epoch, with a sampler whose `epoch` is set before each; validation: makes its batches anew.
    weights: folder that receives the weights of the kept epoch. seed: of what is random in a step; it does not depend
    on guidance.
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

    def run(self, on_epoch: OnEpoch) -> History:
        """Train all epochs, call back with each row of the history, and return it.

        Raises:
            InputError: the loss is not finite; names epoch, step and where the last good weights are.
        """
        AcceleratorState._reset_state()  # it is global; a process may train several cells, each with its own precision
        self.accelerator = Accelerator(mixed_precision=PRECISION[self.settings.precision], cpu=self.device == "cpu")
        self.classifier.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # a quarter faster on a CPU
        optimizer = optimisation.optimizer(self.classifier, self.classifier.method, self.settings)
        self.model, self.optimizer = self.accelerator.prepare(self.classifier, optimizer)
        self.scheduler = optimisation.schedule(optimizer, self.settings, len(self.order))
        history = History(self.settings.selection, self.protocol)
        with tqdm(total=self.settings.epochs * len(self.order), desc=self.name, disable=not self.progress) as bar:
            for row in self._rows(bar, history):
                if history.add(row):
                    save(self.accelerator.unwrap_model(self.model), self.weights)
                on_epoch(row)
        return history

    def _rows(self, bar: tqdm, history: History) -> Iterator[dict[str, float]]:
        """Train, and stop for a validation wherever the protocol and the settings want one."""
        if self.protocol.validates_untrained or not self.settings.epochs:
            yield {"epoch": 0.0, **self._validate()}
        for epoch in range(1, self.settings.epochs + 1):
            yield from self._epoch(epoch, bar, history)

    def _epoch(self, epoch: int, bar: tqdm, history: History) -> Iterator[dict[str, float]]:
        """One pass over the training split; rows hold the means of every part of the loss since its start."""
        self.order.epoch = epoch
        self.model.train()
        self.guidance.start_epoch(epoch)
        sums: dict[str, float] = {}
        seen = 0
        rate = self.optimizer.param_groups[0]["lr"]
        for step, batch in enumerate(self.train, start=1):
            parts = self._step(self._to_device(batch), self._generator(epoch, step))
            self._require_finite(parts["loss"], epoch, step, history)
            count = len(batch["labels"])
            seen += count
            for name, value in parts.items():
                sums[name] = sums.get(name, 0.0) + value * count
            bar.set_postfix({name: f"{total / seen:.3g}" for name, total in sums.items()}, refresh=False)
            bar.update()
            if self._is_due(step):
                means = {f"train_{name}": total / seen for name, total in sums.items()}
                done = epoch - 1 + step / len(self.order)
                yield {"epoch": done, "learning_rate": rate, **means, **self._validate()}
                self.model.train()

    def _is_due(self, step: int) -> bool:
        """Whether a validation follows this step of an epoch: the last one, and every so many before it."""
        steps, share = len(self.order), self.settings.validation_interval
        # Whole steps by truncation, as published: 0.0437 of 1268 steps are 55.
        return step == steps or (share is not None and step % max(int(share * steps), 1) == 0)

    def _generator(self, epoch: int, step: int) -> torch.Generator:
        """Seed everything random in a step anew: whatever draws in one arm of a pair cannot shift the other arm."""
        torch.manual_seed(seed_of(self.seed, "step", epoch, step))  # dropout and its like
        return torch.Generator().manual_seed(seed_of(self.seed, "method", epoch, step))

    def _step(self, batch: Batch, generator: torch.Generator) -> dict[str, float]:
        method = self.accelerator.unwrap_model(self.model).method
        batch = method.prepare_batch(batch, generator)
        with self.accelerator.autocast():
            output = self.model(batch["images"])
            parts = method.loss(output, batch, self.class_weights)
        logits = parts.pop("logits")
        loss = parts.pop("loss")
        if self.guidance.needs_maps:
            parts["guidance"] = self.guidance.loss(output, batch["maps"], batch["valid"])
            loss = loss + parts["guidance"]
        self.optimizer.zero_grad(set_to_none=True)
        self.accelerator.backward(loss)
        if self.settings.max_gradient_norm is not None:
            self.accelerator.clip_grad_norm_(self.model.parameters(), self.settings.max_gradient_norm)
        self.optimizer.step()
        self.scheduler.step()
        scalars = {"loss": loss, **parts, "accuracy": method.hits(logits, batch).mean() * 100}
        return {name: float(value.detach()) for name, value in scalars.items()}

    def _require_finite(self, loss: float, epoch: int, step: int, history: History) -> None:
        if math.isfinite(loss):
            return
        kept = f"epoch {history.best_epoch:g} in {self.weights}" if history.best_epoch >= 0 else "none yet"
        raise InputError(
            f"{self.name}: the loss is {loss} at epoch {epoch}, step {step}; last good weights: {kept}; "
            "a lower train.learning_rate, train.max_gradient_norm or train.precision: float32 usually helps"
        )

    @torch.no_grad()
    def _validate(self) -> dict[str, float]:
        """Loss, accuracy and macro-F1 (percent) and the attention cosine of the last layer on the selection split."""
        self.model.eval()
        labels, predicted, losses, cosines = [], [], [], []
        for batch in map(self._to_device, self.validation()):
            output = self.model(batch["images"])
            losses.append(torch.nn.functional.cross_entropy(output.logits.float(), batch["labels"], reduction="none"))
            labels.append(batch["labels"])
            predicted.append(output.logits.argmax(dim=1))
            cosines.append(self._cosine(output.features, batch))
        truth, guess = torch.cat(labels).cpu().numpy(), torch.cat(predicted).cpu().numpy()
        aligned = [(value, count) for value, count in cosines if count]
        total = sum(count for _, count in aligned)
        return {
            "val_loss": float(torch.cat(losses).mean()),
            "val_accuracy": float((truth == guess).mean() * 100),
            "val_macro_f1": float(f1_score(truth, guess, average="macro") * 100),
            "val_att_cos": sum(value * count for value, count in aligned) / total if total else math.nan,
        }

    def _cosine(self, features: dict[int, Tensor], batch: Batch) -> tuple[float, int]:
        """Mean attention cosine of a batch at the resolution of the last layer, and over how many images."""
        resize, shift = self.protocol.resize, self.protocol.shift_in_score
        term = alignment_loss(features, batch["maps"], batch["valid"], ["last"], resize=resize, shift=shift)
        return 1.0 - float(term), int(batch["valid"].sum())

    def _to_device(self, batch: Batch) -> Batch:
        moved = {name: value.to(self.accelerator.device, non_blocking=True) for name, value in batch.items()}
        return moved | {"images": moved["images"].contiguous(memory_format=torch.channels_last)}
