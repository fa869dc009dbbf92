"""mixz in RAIL: `MixzInformer`, `MixzPairInformer`, `MixzEstimator`; RAIL finds them by this package's place."""

from rail.estimation.algos.mixz import MixzEstimator, MixzInformer, MixzModelHandle, MixzPairInformer, export_model

__all__ = ["MixzEstimator", "MixzInformer", "MixzModelHandle", "MixzPairInformer", "export_model"]
