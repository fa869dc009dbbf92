"""Parquet below its own reader: what a footer says of its pages, and rows in memory that fits."""
