"""The evaluation of one network on one test split: opened once, scored, explained."""

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fer_bench import classifier as classifiers
from fer_bench import soundness
from fer_bench.compared_scores import Comparison, compared_metrics, reference_averages
from fer_bench.data import evaluation_batches, no_maps
from fer_bench.dataset_files import DatasetFiles
from fer_bench.evaluate_details import Details
from fer_bench.evaluate_files import write_images, write_mean_maps
from fer_bench.evaluate_settings import EvaluateSettings
from fer_bench.examples import choose, write_examples
from fer_bench.explainers import explain_all, supported
from fer_bench.guidance_entry import guidance_of
from fer_bench.guidance_rows import guidance_rows
from fer_bench.initial import initialised
from fer_bench.landmark_rows import landmark_rows
from fer_bench.normalised_rows import normalised_rows
from fer_bench.probes import probe_rows
from fer_bench.probes.base import Subject
from fer_bench.protocols import PROTOCOLS
from fer_bench.reference_rows import ReferenceInput, reference_rows, train_means
from fer_bench.score_rows import Averaging, Row, classification_rows, map_rows
from fer_bench.scoring import TRUE_TRUE, Scorer, Scores, plugins
from fer_bench.targets import Targets
from fer_bench.validation import validate


class Evaluation:
    """One evaluation: the network, the test split and the targets, opened once."""

    def __init__(self, entry: dict[str, Any], root: Path) -> None:
        self.entry, self.root = entry, root
        self.settings = validate(EvaluateSettings, entry["evaluate"], "params.yaml: evaluate")
        self.protocol = PROTOCOLS[entry["protocol"]]
        self.guidance = guidance_of(entry)
        self.classifier = classifiers.load(entry["cell"], root)
        self.files = DatasetFiles(entry["test_dataset"], root, self.protocol.resampling)
        self.faces = self.files.faces("test")
        self.size = int(entry["model"]["input_size"])
        self.side = self.settings.map_size or self.size
        self.targets = Targets(self.files, self.faces, entry["variants"], self.side)
        reasons = supported(self.classifier, self.settings.explainers)
        self.explainers = [name for name, reason in reasons.items() if not reason]
        self.flags: list[soundness.Flag] = []  # of `run`

    def run(self, folder: Path) -> list[Row]:
        """Score, write the files of the folder, return all rows."""
        scores = self._score(self.classifier, self.explainers)
        predicted = scores.probabilities.argmax(axis=1)
        expressions = self.files.plugin.expressions
        averaging = Averaging(self.faces.labels, predicted, expressions, self.settings.minimum_class_images)
        compared, references = self._comparison(scores).scores()
        columns = scores.columns | compared | scores.decision
        write_images(folder, self.faces, expressions, predicted, scores.probabilities, columns)
        write_mean_maps(folder / "mean_maps.npz", scores, self.targets, len(expressions))
        Details(self.files, self.faces, self.targets, self.protocol, self.root).write(folder, scores.maps)
        names, minimum = self.settings.metrics, self.settings.minimum_class_images
        of_maps = [
            *map_rows(scores.columns, averaging, self._optimised(scores.columns)),
            *map_rows(compared, averaging, self._optimised(compared), ("all",)),
            *map_rows(scores.decision, averaging, set(), ("all",)),
            *reference_rows(self._reference_input(scores, averaging)),
            *reference_averages(references, averaging),
        ]
        rows = [
            *classification_rows(names, self.faces.labels, scores.probabilities, expressions, minimum),
            *of_maps,
            *normalised_rows(of_maps),
            *(guidance_rows(self.guidance, self.files, self.targets, averaging) if self._is_trained_on else []),
            *landmark_rows(self.files, self.root),
            *probe_rows(self.settings.probes, self._subject(), folder),
        ]
        soundness.require_in_range(rows, plugins(names), str(self.entry["cell"]))
        self.flags = self._flags(scores, predicted)
        return rows

    def _flags(self, scores: Scores, predicted: np.ndarray) -> list[soundness.Flag]:
        """What a reader of these scores must know; see `soundness`."""
        expressions, trained_on = self.files.plugin.expressions, self._trained_on.index
        return [
            *soundness.one_class(predicted, self.faces.labels, expressions),
            *soundness.constant_maps(scores.maps),
            *soundness.unseen_in_selection(trained_on, self.protocol.selection_split, expressions),
            *soundness.seen_in_training(self.faces.frame, trained_on),
        ]

    def write_examples(self, folder: Path, private: Path) -> list[Path]:
        """Write single faces into the folder, or into the private one where they may not be published."""
        if not self.settings.examples_per_expression:
            return []
        path = (folder if self.files.plugin.publishable_images else private) / "examples.npz"
        path.parent.mkdir(parents=True, exist_ok=True)
        chosen = choose(self.faces.labels, self.settings.examples_per_expression)
        write_examples(path, chosen, self.faces, self.size, self.classifier, self.explainers, self.targets)
        return [path]

    def _comparison(self, scores: Scores) -> Comparison:
        classes = len(self.files.plugin.expressions)
        return Comparison(
            metrics=compared_metrics(self.settings.metrics),
            maps=scores.maps,
            targets=self.targets,
            priors={name: train_means(self._train, name, classes).blind_mean for name in self.targets.names},
            ids=[str(name) for name in self.faces.frame["id"]],
            num_classes=classes,
            protocol=self.protocol,
            seed=int(self.entry["reference_seed"]),
        )

    @cached_property
    def _train(self) -> Targets:
        """Targets of the training split."""
        faces = self._trained_on.faces("train")
        return Targets(self._trained_on, faces, self.entry["variants"], self.side)

    @cached_property
    def _trained_on(self) -> DatasetFiles:
        return DatasetFiles(self.entry["dataset"], self.root)

    def _subject(self) -> Subject:
        return Subject(
            classifier=self.classifier,
            explainers=self.explainers,
            files=self.files,
            size=self.size,
            batch_size=self.settings.batch_size,
            resize=self.protocol.resize,
            seed=int(self.entry["reference_seed"]),
        )

    def _score(self, classifier: Any, explainers: list[str]) -> Scores:
        classes = len(self.files.plugin.expressions)
        scorer = Scorer(classifier, explainers, self.settings.metrics, self.targets, self.protocol, classes)
        for rows, batch in evaluation_batches(self.faces, no_maps, self.size, self.settings.batch_size):
            scorer.add(rows, batch)
        return scorer.scores

    def _optimised(self, columns: Iterable[str]) -> set[str]:
        """Those columns that score a guided layer against the very map that it was trained on."""
        target = self.guidance.optimises
        if not target or not self._is_trained_on:
            return set()
        layers = [self._last if layer == "last" else str(layer) for layer in self.guidance.settings.layers]
        endings = tuple(f".{layer}.{target}.{TRUE_TRUE}" for layer in layers)
        return {column for column in columns if column.startswith("att_") and column.endswith(endings)}

    @property
    def _is_trained_on(self) -> bool:
        """Whether the test dataset is the one that the network was trained on."""
        return bool(self.entry["test_dataset"]["name"] == self.entry["dataset"]["name"])

    @property
    def _last(self) -> str:
        return str(max(int(layer) for layer in self.classifier.layers))

    def _reference_input(self, scores: Scores, averaging: Averaging) -> ReferenceInput:
        return ReferenceInput(
            ids=[str(name) for name in self.faces.frame["id"]],
            targets=self.targets,
            train=self._train,
            grids=scores.grids,
            untrained=self._untrained_cams(),
            protocol=self.protocol,
            averaging=averaging,
            ceiling_maps=self.settings.ceiling_maps,
            seed=int(self.entry["reference_seed"]),
        )

    def _untrained_cams(self) -> dict[str, torch.Tensor]:
        """Class activation maps (N, h, w) of the true class from the network as it was before its first step."""
        network = initialised(self.entry, len(self.files.plugin.expressions)).eval()
        parts: dict[str, list[torch.Tensor]] = {name: [] for name in self.explainers}
        for _, batch in evaluation_batches(self.faces, no_maps, self.size, self.settings.batch_size):
            cams, _ = explain_all(network, batch["images"], batch["labels"][:, None], self.explainers)
            for name, maps in cams.items():
                parts[name].append(maps[:, 0])
        return {name: torch.cat(found) for name, found in parts.items()}
