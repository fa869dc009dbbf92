"""From a table to redshifts and a figure: any kind of table will do. `python gallery/own_table.py [FOLDER]`

The table is that of the embedded demo, SIMULATED galaxies with spectra.
"""

import sys
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pandas as pd

import mixz

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
table = pd.read_parquet(str(files("mixz") / "demo" / "galaxies.parquet"))
table = table[table.z_spec.notna()].head(3000)

galaxies = mixz.galaxy_set(table, bands=["g", "r", "i", "z", "y"], truths={"spec": "z_spec"})
galaxies = replace(galaxies, split=mixz.split_by_id(galaxies.object_id))
step = mixz.Step(truths=("spec",), loss="label_likelihood", schedule="one_cycle", lr=2e-3, batch_size=256, epochs=15)
model = mixz.fit(galaxies, mixz.Recipe(steps=(step,), network=mixz.RECIPES["fused"].network), members=2)

test = galaxies.in_split("test")
photoz = model.predict(test)
print(galaxies, model, photoz, sep="\n")
print(mixz.plot.predictions(test, photoz, note="SIMULATED galaxies").save(folder / "own_table.png"))
