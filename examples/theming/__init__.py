"""A library of controls that follow design tokens, and a gallery that shows them."""
