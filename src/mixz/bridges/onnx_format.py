"""What an exported model's outputs and metadata are called: its writer (with torch) and its reader (without) agree."""

ONNX_FORMAT = 5
"""Version of what inputs, outputs and metadata mean; others are refused."""

INTERVAL = "interval_"
"""Before a nominal coverage in percent: the ends of each galaxy's interval, shape (galaxy, 2)."""
LOSS = "expected_loss"
"""The HSC loss that each density expects of its z_phot, shape (galaxy,)."""
PLACE = "support_place"
"""Where each galaxy lies among the training galaxies, shape (galaxy, band)."""

SEAL = "mixz_seal"
"""The metadata that close the file against change (`mixz.digest`)."""
ABOUT = "mixz"
"""The metadata that say, as JSON, what the numbers mean."""
REMEMBERED = "mixz_support"
"""The metadata that hold the training galaxies (`mixz.densities.support`), where the model knows its support."""
