"""Plots as one-liners: `mixz.plot.predictions(galaxies, photoz)` and its like, each the figure that a report shows.

    import mixz

    mixz.plot.distributions(galaxies)                  # labels, magnitudes and a colour, by kind of label
    mixz.plot.predictions(galaxies, photoz)            # z_phot against known redshifts
    mixz.plot.residuals(galaxies, photoz)              # median and width of dz, by redshift and magnitude
    mixz.plot.probabilities(galaxies, photoz)          # PIT and coverage: are densities honest?
    mixz.plot.redshifts(galaxies, photoz)              # n(z) of predictions and of labels
    mixz.plot.predictions(galaxies, {"tl": a, "fused": b}).save("both.pdf")    # models side by side, as a file

Galaxies have labels, and photo-z are of the same galaxies in the same order: ``photoz = model.predict(galaxies)``.
A notebook shows what comes out, a `Plot`; its `save` writes PDF, PNG or SVG.  `of_run(run, "metrics")` draws any figure
of a finished run, read by `mixz.stages.runs.read_run_folder`.
"""

from mixz.plot.draw import distributions, of_run, predictions, probabilities, redshifts, residuals
from mixz.plot.figure import Plot

__all__ = ["Plot", "distributions", "of_run", "predictions", "probabilities", "redshifts", "residuals"]
