"""The screen: the only ring that imports Flet."""
