"""Our types and other people's libraries: each optional import in exactly one file."""
