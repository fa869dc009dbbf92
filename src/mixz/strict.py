"""What is read from YAML: typed, frozen, and without unknown keys."""

from __future__ import annotations

from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, model_validator

from mixz.errors import nearest


class Strict(BaseModel):
    """Base of everything read from YAML: frozen, and unknown keys are refused with the allowed ones."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, data: Any) -> Any:
        if isinstance(data, dict):
            for key in data:
                if key not in cls.model_fields:
                    allowed = ", ".join(cls.model_fields)
                    raise ValueError(f"unknown key {key!r}; allowed: {allowed}{nearest(str(key), cls.model_fields)}")
        return data

    @model_validator(mode="before")
    @classmethod
    def _refuse_truth_values_as_numbers(cls, data: Any) -> Any:
        """Refuse `members: true`, which pydantic would take for 1."""
        if isinstance(data, dict):
            for key, value in data.items():
                listed = value if isinstance(value, list | tuple) else (value,)
                told = key in cls.model_fields and any(isinstance(part, bool) for part in listed)
                if told and not _may_be_true(cls.model_fields[key].annotation):
                    raise ValueError(f"{key} is {value!r}, and no truth value can stand there (quote a name: 'true')")
        return data


def _may_be_true(annotation: Any) -> bool:
    return annotation in (bool, Any) or any(map(_may_be_true, get_args(annotation)))
