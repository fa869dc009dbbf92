"""The verb of tomographic bins."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from mixz.cli.arguments import Model
from mixz.cli.loading import loading
from mixz.cli.messages import print_paths, print_tomography, terminal
from mixz.errors import MixzError

StandIns = Literal["neighbours", "cells"]


def nz(
    model: Model,
    table: Annotated[
        Path,
        typer.Argument(help="Any table with the model's bands, or a HATS folder; its z_<truth> columns are labels."),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to write.")],
    bins: Annotated[
        str,
        typer.Option(
            help="How many of equal counts; or edges in z_phot: 0.2,0.5,1; or srd_source_y1, srd_lens_y10, ..."
        ),
    ] = "5",
    labels: Annotated[
        Path | None, typer.Option(help="Table with labels (z_<truth>), e.g. a run's galaxies.parquet.")
    ] = None,
    z: Annotated[
        list[str] | None,
        typer.Option(help="Column of labels that is not called so, e.g. spec=ZBEST (may be repeated)."),
    ] = None,
    representative: Annotated[
        str | None, typer.Option(help="Truth whose galaxies are like the table's; else the first noisy one.")
    ] = None,
    weight: Annotated[str | None, typer.Option(help="Column of how much each galaxy counts.")] = None,
    stand_ins: Annotated[
        StandIns,
        typer.Option(help="How labelled galaxies stand for a bin's: nearest neighbours, or cells as of a SOM."),
    ] = "neighbours",
    cut: Annotated[
        list[str] | None, typer.Option(help="Cut by quality: 'support>=1', 'risk<=0.2' (may be repeated).")
    ] = None,
    patch_deg: Annotated[float, typer.Option(help="Side of the patches of sky drawn again [deg].")] = 0.5,
    resamples: Annotated[int, typer.Option(help="Realisations of every n(z).")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same realisations.")] = 0,
    mag: Annotated[str | None, typer.Option(help="Magnitude columns, e.g. '{band}_cmodel_mag'.")] = None,
    mag_err: Annotated[str | None, typer.Option(help="Error columns, for models that look at errors.")] = None,
    flux: Annotated[str | None, typer.Option(help="Flux columns instead, e.g. '{band}_cModelFlux'.")] = None,
    flux_err: Annotated[str | None, typer.Option(help="Columns of the fluxes' errors.")] = None,
    flux_zero_point: Annotated[
        float | None, typer.Option(help="AB magnitude of a flux of 1, where no unit says it: nJy 31.4, uJy 23.9.")
    ] = None,
    ebv: Annotated[str | None, typer.Option(help="Column of E(B-V), where training took dust off by it.")] = None,
    dust_map: Annotated[
        str | None, typer.Option(help="Take dust off by position, with this map of the library dustmaps: sfd.")
    ] = None,
    dereddened: Annotated[bool, typer.Option("--dereddened", help="The magnitudes are free of dust already.")] = False,
    object_id: Annotated[str | None, typer.Option("--id", help="Column with the galaxies' names.")] = None,
    system: Annotated[
        str | None, typer.Option(help="The table's photometric system, where models know several.")
    ] = None,
    group: Annotated[
        str | None, typer.Option("--group", "--hdu", help="Which table in the file: HDF5 group, FITS extension.")
    ] = None,
    survey: Annotated[str | None, typer.Option(help="The table is a survey's as it is, e.g. rubin_dp1.")] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="HATS: processes to start here, instead of one per core.")
    ] = None,
    dask: Annotated[str | None, typer.Option(metavar="ADDRESS", help="HATS: a Dask scheduler, instead.")] = None,
) -> None:
    """Sort galaxies into tomographic bins and give their n(z), four ways, with errors and the DESC's verdict.

    `stack` sums densities (`points` counts z_phot, where a model gives no densities); `spectra` re-weights exact labels
    in magnitudes; `labels` deconvolves many-band labels by their kernel; `both` calibrates densities by all labels
    (docs/tomography.md). Methods that lack labels say so.

    Writes `tomography.json`, `nz.csv`, `nz.fits`, `bins.csv`, and as the DESC keeps them qp files (one density per bin,
    and realisations) and SACC, where these packages are installed.

    Example: `mixz nz out/demo/models/fused galaxies.parquet --bins 5 -o nz`
    """
    with loading():
        from pydantic import ValidationError

        from mixz import stages
        from mixz.bridges.model_columns import Asked
        from mixz.settings.recipe import wrong_setting
        from mixz.settings.tomography import TomographySettings
        from mixz.stages.predict import asked_of

    try:
        asked = TomographySettings(
            bins=_bins(bins),
            representative=representative,
            weight=weight,
            stand_ins=stand_ins,
            cuts=tuple(cut or ()),
            patch_deg=patch_deg,
            resamples=resamples,
        )
    except ValidationError as error:
        raise wrong_setting(error) from None
    console = terminal()
    columns = Asked(
        mag=mag,
        mag_err=mag_err,
        object_id=object_id,
        system=system,
        flux=flux,
        flux_err=flux_err,
        flux_zero_point=flux_zero_point,
        ebv=ebv,
        dereddened=dereddened,
        dust_map=dust_map,
        labels=tuple(map(_labels, z or ())),
    )
    record = stages.nz(
        model,
        table,
        output,
        console,
        asked=asked,
        columns=columns if survey is None else asked_of(survey, columns),
        group=group,
        labels=labels,
        seed=seed,
        workers=workers,
        dask=dask,
    )
    print_tomography([record], console)
    print_paths("n(z)", [output], console)


def _labels(text: str) -> tuple[str, str]:
    """A truth and its column, as they are written on the command line."""
    truth, equals, column = text.partition("=")
    if not (truth and equals and column):
        raise MixzError(f"--z {text!r}", "a truth and the column of its labels", "write e.g. --z spec=ZBEST")
    return truth, column


def _bins(text: str) -> int | tuple[float, ...] | str:
    """Bins as they are written on the command line."""
    if text.startswith("srd"):
        return text
    try:
        return tuple(float(edge) for edge in text.split(",")) if "," in text else int(text)
    except ValueError:
        raise MixzError(
            f"--bins {text!r}", "a number, edges with commas between, or e.g. srd_source_y1", "write e.g. --bins 5"
        ) from None
