"""Shopping cart: `goods` is what there is to buy and what is in the cart, `main` is what it looks like."""
