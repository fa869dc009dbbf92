"""The engine: members trained together through the steps of a recipe."""
