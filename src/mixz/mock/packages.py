"""The field's packages that the mock needs, imported when asked for, so that mixz itself imports without them."""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import Any

from mixz.errors import not_installed


def need(module: str) -> Any:
    """Import `module` of an optional package.

    Parameters
    ----------
    module
        Dotted name, e.g. ``"speclite.filters"``.

    Raises
    ------
    MixzError
        The package is not installed; the error names the command that installs it.

    Examples
    --------
    >>> need("no_such_package.part")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    mixz.errors.MixzError: the mock survey needs the package 'no_such_package', which is not installed
      allowed: skypy, speclite and photerr installed
      do: pip install ...
    """
    try:
        # skypy still sets up astropy's old test runner when imported, which astropy warns about.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        what = f"the mock survey needs the package '{package}', which is not installed"
        raise not_installed(what, "mock", allowed="skypy, speclite and photerr installed") from error
