"""The verbs, each a function from files to files: fetch, mock, build, train, distill, predict, evaluate, report."""

from mixz.stages.build import build
from mixz.stages.distill import distill
from mixz.stages.evaluate import RESAMPLES, evaluate
from mixz.stages.fetch import fetch
from mixz.stages.mock import mock
from mixz.stages.predict import predict
from mixz.stages.report import compare, report
from mixz.stages.results import Results
from mixz.stages.serve import serve
from mixz.stages.train import train

__all__ = [
    "RESAMPLES",
    "Results",
    "build",
    "compare",
    "distill",
    "evaluate",
    "fetch",
    "mock",
    "predict",
    "report",
    "serve",
    "train",
]
