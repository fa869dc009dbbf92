"""How galaxies are divided into train, validation, test and, if wished, conformal."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mixz.strict import Strict
from mixz.surveys.columns import Positive


class Split(Strict):
    """How galaxies are divided into train, validation, test and, if wished, conformal.

    Parameters
    ----------
    train, validation, test
        Their shares (GalaxiesML: 70/15/15).
    conformal
        The share of a side that calibration and intervals alone are learned from.  Without one they are learned from
        validation galaxies.
    by
        ``object_id``: each galaxy by the hash of its id; ``sky_patch``: all galaxies of a patch together, so that
        neighbours in the large-scale structure are not on both sides.
    patch_deg
        Side of the patches [deg].
    seed
        Another seed of the hash gives another split.
    """

    train: Positive = 0.70
    validation: Positive = 0.15
    test: Positive = 0.15
    conformal: Annotated[float, Field(ge=0, lt=1)] = 0.0
    by: Literal["object_id", "sky_patch"] = "object_id"
    patch_deg: Annotated[float, Field(gt=0, le=90)] = 0.25
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0

    @model_validator(mode="after")
    def _sums_to_one(self) -> Split:
        total = self.train + self.validation + self.test + self.conformal
        if abs(total - 1) > 1e-9:
            raise ValueError(f"train + validation + test + conformal = {total:g}; they must sum to 1")
        return self
