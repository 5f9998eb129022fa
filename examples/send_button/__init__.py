"""Send button: `flight` is what moves and what is sent, `button` is what it looks like, `main` is the page."""
