"""Small apps, one idea each. Run one with `python -m examples.counter`; `examples.showcase` has them all."""
