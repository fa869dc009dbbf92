"""What the values of a table mean: the one place that knows what a number, a name, a unit and a missing value are."""
