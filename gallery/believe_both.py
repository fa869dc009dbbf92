"""What fusing buys: residuals of networks that believe spectra, many-band labels, or both.

`python gallery/believe_both.py [FOLDER]`

SIMULATED galaxies of the embedded demo; the last argument, if any, is the folder for the figure.
"""

import sys
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pandas as pd

import mixz

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
table = pd.read_parquet(str(files("mixz") / "demo" / "galaxies.parquet")).head(6000)
truths = {"spec": "z_spec", "many_band": "z_many_band"}
galaxies = mixz.galaxy_set(table, bands=["g", "r", "i", "z", "y"], truths=truths)
galaxies = replace(galaxies, split=mixz.split_by_id(galaxies.object_id))
galaxies = galaxies.rows(galaxies.measured())

photoz = {}
test = galaxies.in_split("test")
for name, believed in {"spectra": ("spec",), "many-band": ("many_band",), "both": ("spec", "many_band")}.items():
    how = {"loss": "label_likelihood", "schedule": "one_cycle", "lr": 2e-3, "batch_size": 256, "epochs": 15}
    recipe = mixz.Recipe(steps=(mixz.Step(truths=believed, **how),), network=mixz.RECIPES["fused"].network)
    photoz[name] = mixz.fit(galaxies, recipe, members=2).predict(test)
print(mixz.plot.residuals(test, photoz, note="SIMULATED galaxies").save(folder / "believe_both.png"))
