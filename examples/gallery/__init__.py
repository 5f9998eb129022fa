"""Every example on one page, with its source beside it: `python -m examples.gallery`."""
