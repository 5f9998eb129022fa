"""All the examples on one page."""
