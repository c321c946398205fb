"""The keys that a folder dataset may hold in params.yaml."""

import re

from pydantic import Field, field_validator, model_validator

from fer_bench.datasets._images import Fit
from fer_bench.datasets._published_settings import PublishedSettings


class FolderSettings(PublishedSettings):
    """Where the columns stand, what labels mean, how images are stored; docs/datasets.md explains each key.

    label, licence, citation, publishable_images: what captions and reports say and may show.
    csv, images: labels file and image folder, relative to `root`; the *_column keys name the CSV's columns.
    subject_column, subject_pattern: the column of the subject (absent = `subject` where the CSV has it), or a regular
        expression whose first group takes it from the file name.
    label_map: word in the CSV -> expression, or null to leave its images out.
    grey, size, fit: stored copies without colour, square with this side in pixels, padded or stretched.
    """

    label: str = ""
    licence: str = ""
    citation: str = ""
    publishable_images: bool = False
    csv: str = "labels.csv"
    images: str = "images"
    image_column: str = "image"
    label_column: str = "label"
    split_column: str = "split"
    subject_column: str | None = None
    subject_pattern: str | None = None
    label_map: dict[str, str | None] = {}
    grey: bool = False
    size: int | None = Field(None, ge=16, le=4096)
    fit: Fit = "pad"

    @field_validator("subject_pattern")
    @classmethod
    def _has_a_group(cls, pattern: str | None) -> str | None:
        try:
            groups = 1 if pattern is None else re.compile(pattern).groups
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from error
        if not groups:
            raise ValueError(r"needs a group for the subject, such as ^(.+)_\d+\.jpg$")
        return pattern

    @model_validator(mode="after")
    def _one_source_of_subjects(self) -> "FolderSettings":
        if self.subject_column and self.subject_pattern:
            raise ValueError("give subject_column or subject_pattern, not both")
        return self
