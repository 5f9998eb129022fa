"""Mutants: small mistakes made in the package on purpose, to see that the tests find them."""
