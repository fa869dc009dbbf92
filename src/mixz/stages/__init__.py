"""The verbs, file to file: init, fetch, mock, build, train, distill, kernel, predict, export, evaluate, report ...."""

from mixz.stages.build import build
from mixz.stages.distill import distill
from mixz.stages.doctor import doctor
from mixz.stages.evaluate import RESAMPLES, evaluate
from mixz.stages.fetch import fetch
from mixz.stages.init import init
from mixz.stages.kernel import kernel
from mixz.stages.mock import mock
from mixz.stages.nz import nz, tomography
from mixz.stages.predict import export, predict
from mixz.stages.report import compare, renew_page, report
from mixz.stages.runs import verdicts_of
from mixz.stages.serve import serve
from mixz.stages.store.results import Results
from mixz.stages.track import track
from mixz.stages.train import train
from mixz.stages.verify import verify

__all__ = [
    "RESAMPLES",
    "Results",
    "build",
    "compare",
    "distill",
    "doctor",
    "evaluate",
    "export",
    "fetch",
    "init",
    "kernel",
    "mock",
    "nz",
    "predict",
    "renew_page",
    "report",
    "serve",
    "tomography",
    "track",
    "train",
    "verdicts_of",
    "verify",
]
