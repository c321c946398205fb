"""One step of training: forward, loss with its guidance term, backward, update."""

from dataclasses import dataclass

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from fer_bench import processes
from fer_bench.data import Batch
from fer_bench.guidance.base import GuidanceBase
from fer_bench.methods.base import MethodBase


@dataclass
class Step:
    """What a step needs; `model`, `optimizer` and `accelerator` belong together, `method` is the model's head."""

    model: nn.Module
    method: MethodBase
    guidance: GuidanceBase
    optimizer: Optimizer
    scheduler: LRScheduler
    accelerator: Accelerator
    class_weights: Tensor | None
    max_gradient_norm: float | None

    def __call__(self, batch: Batch, generator: torch.Generator) -> dict[str, Tensor]:
        """Train on a batch; return `loss`, its parts and the `accuracy` in percent, scalars on the device."""
        batch = self._own(self.method.prepare_batch(batch, generator))
        with self.accelerator.autocast():
            output = self.model(batch["images"])
            parts = self.method.loss(output, batch, self.class_weights)
        logits = parts.pop("logits")
        loss = parts.pop("loss")
        if self.guidance.needs_maps:
            parts["guidance"] = self.guidance.loss(output, batch["maps"], batch["valid"])
            loss = loss + parts["guidance"]
        self._update(loss)
        return {"loss": loss, **parts, "accuracy": self._accuracy(logits, batch)}

    def _own(self, batch: Batch) -> Batch:
        """Leave this process its share of a batch that a method needed as a whole."""
        if not self.method.mixes_images:
            return batch
        share = processes.place().share(len(batch["labels"]))
        return {name: value[share] if value.ndim else value for name, value in batch.items()}

    def _update(self, loss: Tensor) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        self.accelerator.backward(loss)
        if self.max_gradient_norm is not None:
            self.accelerator.clip_grad_norm_(self.model.parameters(), self.max_gradient_norm)
        self.optimizer.step()
        self.scheduler.step()

    def _accuracy(self, logits: Tensor, batch: Batch) -> Tensor:
        hits = self.method.hits(logits, batch)
        return hits.sum() * 100 / processes.mean(torch.full_like(hits[:1], len(hits))).squeeze()
