"""The verbs of a trained model: ask it, hand it on, make it small."""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Annotated, Literal

import typer

from mixz.cli.arguments import ConfigArgument, Members, Model, ModelFolder, Out, settings_of
from mixz.cli.loading import loading
from mixz.cli.messages import print_corrections, print_paths, terminal
from mixz.errors import MixzError

LOCAL = "127.0.0.1"

PdfKind = Literal["interp", "quant", "mixmod"]


def predict(
    model: Model,
    table: Annotated[
        Path,
        typer.Argument(help="Any table with the model's bands (docs/surveys.md lists formats), or a HATS folder."),
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Table to write (its ending says the format), or a HATS folder.")
    ],
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
    workers: Annotated[
        int | None, typer.Option(min=1, help="HATS: processes to start here, instead of one per core.")
    ] = None,
    dask: Annotated[str | None, typer.Option(metavar="ADDRESS", help="HATS: a Dask scheduler, instead.")] = None,
    densities: Annotated[bool, typer.Option(help="HATS: write the densities too, if the model has them.")] = True,
    survey: Annotated[
        str | None, typer.Option(help="The table is a survey's as it is, e.g. rubin_dp1; so are names written.")
    ] = None,
    pdf: Annotated[PdfKind | None, typer.Option(help="Write a qp file (.hdf5 or .pq) with densities kept so.")] = None,
) -> None:
    """Estimate redshifts for any table that has the model's bands.

    Writes `object_id`, `z_phot` (of models with densities their `zcore`, else the mean over members) and `z_phot_std`
    (scatter of the members, not a redshift error); and what the model knows besides: `z_sigma`, `zmode`, `zmean`,
    `zmedian`, `zbest`, `zcore`, `zrms`, the ends of intervals (`z_low_68`, `z_high_68`, also 90 and 95), `odds`, `risk`
    (the loss of galaxies like it, 0 to 1), and `support` (2: like galaxies with spectra, 1: like galaxies with other
    labels only, 0: unlike all that trained it). A galaxy without one of the bands gets no redshift
    (NaN), but for own bands, which not every training table had.

    Columns are found by the names of the model's training tables, then by `mag_{band}`. Dust of the Galaxy is taken off
    as in training. What was taken for missing, and what looks odd, is told.

    An ONNX file (`mixz export`) writes the same columns as the model folder, and needs no torch.

    With `--pdf` it writes a qp file with the densities, as RAIL and the DESC challenge read them (Parquet as three
    files, qp's way; needs the extra `rail`). Of a HATS folder it makes a HATS folder, densities included,
    with Dask (needs the extra `hats`); interrupted, the same command goes on.

    Example: `mixz predict out/pair_a/models/tl galaxies.csv -o photoz.parquet`, or `mixz predict tl.onnx galaxies.csv
    -o photoz.parquet`
    """
    with loading():
        from mixz import stages
        from mixz.bridges.model_columns import Asked
        from mixz.stages.predict import asked_of

    console = terminal()
    asked = Asked(
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
    )
    lost = stages.predict(
        model,
        table,
        output,
        console,
        asked=asked if survey is None else asked_of(survey, asked),
        group=group,
        workers=workers,
        dask=dask,
        densities=densities,
        pdf=pdf,
        survey=survey,
    )
    if lost:
        console.print(f"{lost:,} galaxies lack a band and got no redshift (NaN)")
    print_paths("photo-z", [output], console)


def export(
    model: ModelFolder,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="File to write; `model.onnx` in the model folder if left out.")
    ] = None,
) -> None:
    """Write a model as one ONNX file, which predicts the same (densities, intervals, support) without torch.

    Needs the extras `train` and `onnx` (see `mixz doctor`); to use the file needs neither. A name that ends in `.mixz`
    makes it the model in one file, as RAIL reads it.

    Example: `mixz export out/pair_a/models/tl -o tl.onnx`
    """
    with loading():
        from mixz import stages

        with suppress(MixzError):  # without torch the verb itself says all that it needs
            import_module("mixz.model")
    print_paths("model", [stages.export(model, output)], terminal())


def serve(
    model: Model,
    host: Annotated[
        str, typer.Option(help="Address to listen on; others than this machine only if you say so.")
    ] = LOCAL,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8321,
    max_mb: Annotated[
        float, typer.Option(min=0.001, help="Largest table to accept, in megabytes, as it is sent and unpacked.")
    ] = 100.0,
    max_rows: Annotated[int, typer.Option(min=1, help="Most galaxies in a table.")] = 1_000_000,
) -> None:
    """Serve a model to your browser: drop a table in, get redshifts, plots and a download back; JSON for programs.

    Needs the extra `serve` (see `mixz doctor`); an ONNX file needs no torch. Nothing that is sent to it is kept.

    Example: `mixz serve out/demo/models/tl`
    """
    with loading():
        from mixz import stages

    stages.serve(model, terminal(), host=host, port=port, max_mb=max_mb, max_rows=max_rows)


def distill(
    config: ConfigArgument,
    recipe: Annotated[str, typer.Option(help="The recipe whose ensemble teaches.")] = "fused",
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Model folder to write.")] = None,
    hidden: Annotated[list[int] | None, typer.Option(help="Width of a layer (repeat for each).")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Passes over the galaxies.")] = None,
    out: Out = None,
    members: Members = None,
) -> None:
    """Teach an ensemble's densities to one network, for cheap use on billions of galaxies.

    Prints how far the network is from its teacher, on test galaxies.

    Example: `mixz distill configs/pair_a.yaml --recipe fused`
    """
    settings = settings_of(config, out, members)
    with loading():
        from mixz import stages

        import_module("mixz.model")
    console = terminal()
    widths = tuple(hidden) if hidden else None
    path, made = stages.distill(settings, console, recipe=recipe, output=output, hidden=widths, epochs=epochs)
    console.print(
        f"{made.galaxies:,} test galaxies: mean KL(ensemble | network) = {made.divergence:.4f} nats, "
        f"mean |dz| between their zbest = {made.shift:.5f}",
        highlight=False,
    )
    print_paths("model", [path], console)


def kernel(
    config: ConfigArgument,
    truth: Annotated[str, typer.Option(help="The labels whose errors are asked for.")] = "many_band",
    recipe: Annotated[str, typer.Option(help="The recipe whose densities are asked.")] = "fused",
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="CSV file to write; in the run's folder if left out.")
    ] = None,
    out: Out = None,
    members: Members = None,
) -> None:
    """Learn how wrong labels are without any spectra: from their likelihood under a trained model's densities.

    Writes a table of p(dz) per magnitude that a config names (`kernel: table`, `table: FILE`). With galaxies that have
    both labels, say `learn_kernel: true` in the config instead (docs/config.md).

    Example: `mixz kernel configs/pair_a.yaml --truth many_band`
    """
    settings = settings_of(config, out, members)
    with loading():
        from mixz import stages

        import_module("mixz.model")
    console = terminal()
    path, found = stages.kernel(settings, recipe=recipe, truth=truth, output=output)
    print_corrections(found, console)
    print_paths("kernel", [path], console)
