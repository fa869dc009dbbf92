"""A fuzzer: files damaged in ways nobody thought of, for every reader; each must end in a value or in a MixzError."""
