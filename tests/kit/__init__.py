"""What the tests are written with: an app without a screen (headless), and one in a real browser (browser)."""
