"""What is known about a kind of redshift label, as a config says it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from mixz.settings.tables import Table
from mixz.strict import Strict
from mixz.surveys.columns import Positive
from mixz.truths.gaussian import GaussianKernel
from mixz.truths.kernel import Kernel
from mixz.truths.known import COSMOS2020, KERNELS, KNOWN_TRUTHS
from mixz.truths.reported import ReportedKernel
from mixz.truths.table import read_kernel_table
from mixz.truths.truth import Truth


class TruthSettings(Strict):
    """What is known about a kind of label.

    Parameters
    ----------
    kernel
        ``exact``; ``cosmos2020``, as published; ``cosmos2020_measured``, by secure spectra; ``gaussian`` (then `sigma`
        says how wide, in units of 1 + z); ``reported``, each label as wrong as the interval that `truth_errors` of its
        table names; or ``table`` (then `table` is its file).
    sigma
        Width of a Gaussian.  Of ``reported``: of the Gaussian that stands for intervals that are missing; left open,
        those labels are as wrong as ``cosmos2020`` has it.
    outliers
        Of ``reported``: the share of labels that are wrong altogether (0.02 if not given; ours).
    table
        A CSV or ECSV file with columns dz and density, and mag_low and mag_high if it depends on i magnitude; relative
        to the config file.
    scale
        Labels are so many times as far off as the kernel says.
    learn_scale
        Whether `mixz build` multiplies that by what training galaxies that also have an exact label say.
    learn_kernel
        Whether `mixz build` corrects the kernel by these galaxies, bin by bin of magnitude: the width of its core, the
        share of its outliers, its offset (`mixz.truths.by_magnitude`).
    learn_from
        Another table with both labels to learn from, in place of the training galaxies.
    simulated
        The label is the truth of a simulation: never trained on unless a recipe names it, and used to judge every
        other truth's test galaxies against what they really are.
    """

    kernel: Literal["exact", "cosmos2020", "cosmos2020_measured", "gaussian", "reported", "table"] = "exact"
    sigma: Positive | None = None
    outliers: Annotated[float, Field(ge=0, lt=1)] | None = None
    table: Path | None = None
    scale: Positive = 1.0
    learn_scale: bool = False
    learn_kernel: bool = False
    learn_from: Table | None = None
    simulated: bool = False

    @model_validator(mode="after")
    def _settings_go_with_their_kernel(self) -> TruthSettings:
        if self.kernel == "gaussian" and self.sigma is None:
            raise ValueError("kernel: gaussian needs sigma: its width in units of 1 + z")
        if self.kernel not in ("gaussian", "reported") and self.sigma is not None:
            raise ValueError("sigma goes with kernel: gaussian or reported, and only with them")
        if self.kernel != "reported" and self.outliers is not None:
            raise ValueError("outliers goes with kernel: reported, and only with it")
        if (self.kernel == "table") != (self.table is not None):
            raise ValueError("table, a file, goes with kernel: table, and only with it")
        if self.kernel == "exact" and (self.learn_scale or self.scale != 1):
            raise ValueError("an exact kernel has no scale: name another kernel")
        if self.kernel == "exact" and self.learn_kernel:
            raise ValueError("an exact kernel has nothing to learn: name another kernel")
        if self.learn_scale and self.learn_kernel:
            raise ValueError("learn_kernel learns the scale too: set one of learn_scale and learn_kernel")
        if self.learn_from is not None and not (self.learn_scale or self.learn_kernel):
            raise ValueError("learn_from, a table, goes with learn_scale or learn_kernel, and only with them")
        return self

    @classmethod
    def of(cls, truth: Truth) -> TruthSettings:
        """The settings of a truth whose kernel needs none.

        Examples
        --------
        >>> settings = TruthSettings.of(KNOWN_TRUTHS["true"])
        >>> settings.kernel, settings.simulated
        ('exact', True)
        """
        kernel = next(name for name, known in KERNELS.items() if known == truth.kernel)
        return cls.model_validate({"kernel": kernel, "simulated": truth.simulated})

    def truth(self, name: str) -> Truth:
        """The truth of this name that these settings describe, without what its kernel may learn.

        Raises
        ------
        MixzError
            Its kernel's table cannot be read.
        """
        return Truth(name, self.error_kernel(), exact=self.kernel == "exact", simulated=self.simulated)

    def error_kernel(self) -> Kernel:
        """The kernel that these settings name, without what it may learn.

        Raises
        ------
        MixzError
            Its table cannot be read.
        """
        kernel: Kernel
        if self.kernel == "reported":
            kernel = ReportedKernel(
                fallback=COSMOS2020 if self.sigma is None else GaussianKernel(self.sigma),
                outliers=0.02 if self.outliers is None else self.outliers,
            )
        elif self.table is not None:
            kernel = read_kernel_table(self.table)
        else:
            kernel = KERNELS[self.kernel] if self.sigma is None else GaussianKernel(self.sigma)
        return kernel if self.scale == 1 else kernel.scaled(self.scale)

    def located(self, folder: Path) -> TruthSettings:
        """The same settings with the paths of tables counted from `folder`, the config's own."""
        table = self.table and folder / self.table.expanduser()
        return self.model_copy(
            update={"table": table, "learn_from": self.learn_from and self.learn_from.located(folder)}
        )


KNOWN_SETTINGS = {name: TruthSettings.of(truth) for name, truth in KNOWN_TRUTHS.items()}
"""The settings of the truths that mixz knows by name."""
