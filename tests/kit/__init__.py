"""What the tests are written with: an app in a real browser (browser), and shorthands."""
