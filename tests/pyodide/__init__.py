"""The unit suite in Pyodide: the newest CPython, compiled for the browser, where Flet's static web apps run."""
