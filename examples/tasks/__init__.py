"""Tasks: `tasks` is the list and what can be done with it, `row` is one of them on the screen, `main` is all of it."""
