"""An explanation of one photograph: what was found, as data, as a page, as a picture, and shown in a notebook."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from fer_bench.explanation import panels, words
from fer_bench.explanation.data import as_data
from fer_bench.explanation.face import Face
from fer_bench.explanation.figure import write_png
from fer_bench.explanation.maps import NetworkMaps
from fer_bench.explanation.page import fragment, page
from fer_bench.explanation.panels import Panel
from fer_bench.explanation.photo import Photo
from fer_bench.explanation.units import UnitReading
from fer_bench.report import labels
from fer_bench.trained import About

ENDINGS = (".png", ".json", ".html")  # of the files that are written


@dataclass(frozen=True, eq=False)
class Explanation:
    """One photograph explained by one network; `readings`: one per variant of the maps, the shown one first."""

    photo: Photo
    about: About
    face: Face
    network: NetworkMaps
    readings: tuple[UnitReading, ...]

    @property
    def expression(self) -> str:
        """The predicted expression."""
        return self.about.expressions[self.network.predicted]

    @property
    def probabilities(self) -> dict[str, float]:
        """Expression -> probability, soft-max, in the order of the classes."""
        return {
            name: round(float(value), 6)
            for name, value in zip(self.about.expressions, self.network.probabilities, strict=True)
        }

    @property
    def reading(self) -> UnitReading:
        """The variant that is shown."""
        return self.readings[0]

    @cached_property
    def sentences(self) -> list[str]:
        """A sentence per action unit of the predicted expression."""
        return words.sentences(self.reading, self.expression)

    @cached_property
    def notes(self) -> list[str]:
        """What must be known to read it."""
        return words.notes(self.about, self.face)

    @property
    def network_name(self) -> str:
        """Model and guidance in words."""
        return f"{self.about.source.model}, {self.about.source.guidance_label}"

    @cached_property
    def panels(self) -> list[Panel]:
        """All pictures, in the order in which they are shown."""
        side = self.about.preparation.input_size
        made = [
            Panel(
                "photograph",
                "photograph",
                "The photograph with the 68 landmarks found and the outline of the face crop.",
                panels.photograph(self.photo.pixels, self.face),
            ),
            Panel("face", f"face, seen at {side} px", "The face crop.", panels.enlarged(self.face)),
            self._unit_panel(),
            self._map_panel("attention", "attention", self.network.attention),
        ]
        for name, cam in self.network.cams.items():
            made.append(self._map_panel(name, f"{labels.explainer(name)}: {self.expression}", cam))
        return made

    def _unit_panel(self) -> Panel:
        if self.reading.target is None:
            title = f"no action units: {self.expression}"
            return Panel("units", title, f"The face; {title}.", panels.unit_map(self.face, self.reading))
        named = "; ".join(words.called(region) for region in self.reading.own)
        return Panel(
            "units",
            f"action units: {self.expression}",
            f"Map of the action units that the codebook has for {self.expression}, regions outlined: {named}.",
            panels.unit_map(self.face, self.reading),
        )

    def _map_panel(self, key: str, title: str, values: np.ndarray) -> Panel:
        picture = panels.overlay(self.face, values, self.reading.own)
        most = self._most_covered(key)
        return Panel(key, title, f"{title} laid over the face, regions of the action units outlined. {most}", picture)

    def _most_covered(self, key: str) -> str:
        known = [(region.coverage[key], region) for region in self.reading.own if region.coverage[key] is not None]
        if not known:
            return ""
        value, region = max(known, key=lambda pair: pair[0] or 0.0)
        return f"Of these it covers {words.called(region)} most, with {value:.2f} times the mean of the face."

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data: see docs/explain.md for the keys."""
        return as_data(self)

    def to_html(self) -> str:
        """Return one self-contained page."""
        return page(self)

    def save(self, folder: Path | str, name: str | None = None) -> list[Path]:
        """Write NAME.png, NAME.json and NAME.html (name: by default that of the photograph) and return their paths."""
        stem = Path(folder) / (name or Path(self.photo.name).stem)
        stem.parent.mkdir(parents=True, exist_ok=True)
        paths = [stem.parent / f"{stem.name}{ending}" for ending in ENDINGS]
        write_png(self, paths[0])
        paths[1].write_text(json.dumps(self.to_dict(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        paths[2].write_text(self.to_html(), encoding="utf-8")
        return paths

    def _repr_html_(self) -> str:
        """Show it in a notebook."""
        return fragment(self)
