"""Galaxies in, photometric redshifts out: networks with a member axis.  Knows no astropy, pandas and metrics."""

from mixz.errors import not_installed

try:
    import torch  # noqa: F401
    from safetensors import SafetensorError  # noqa: F401
except ImportError as error:
    raise not_installed(
        "torch is not installed, and training (or a model folder) needs it",
        "train",
        allowed="without torch: `mixz build`, `mixz predict MODEL.onnx`, `mixz serve MODEL.onnx`, `mixz report`, "
        "mixz.metrics",
    ) from error
