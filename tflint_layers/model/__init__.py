"""What the code means: what is traced, and what every expression is while it is traced."""
