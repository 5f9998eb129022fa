"""The dashboard of a shop, made by Atomic Design: atoms, molecules, organisms, templates, pages, and their state."""
