"""Small apps, one idea each. Run one with `python -m examples.counter`; `examples.gallery` has them all."""
