"""Base of every validated section of params.yaml."""

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """A frozen section of params.yaml: an unknown key or a wrong type is an error, never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
