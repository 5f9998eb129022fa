"""Performance: `values` is the state, `wire` counts messages, `benchmark` measures; the rest is the page."""
