"""How the site is built: `make docs`. It needs the clone and the package index."""

from __future__ import annotations

import re
from importlib.metadata import version as version_of

from sphinx.application import Sphinx
from sphinx.pycode import ModuleAnalyzer

project = "flet_asp_actors"
author = "the authors of flet_asp_actors"
version = release = version_of("flet-asp-actors")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["pictures/README.md"]
root_doc = "index"

# Markdown: headings are anchors, as they are on the forges.
myst_heading_anchors = 4
myst_enable_extensions = ["attrs_inline", "colon_fence"]

# Docstrings: Google style; what is in single backticks is code, a link if it is a name.
default_role = "py:obj"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autoclass_content = "class"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
add_module_names = False
python_use_unqualified_type_names = True
maximum_signature_line_length = 90
toc_object_entries_show_parents = "hide"

html_theme = "furo"
html_title = "flet_asp_actors"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "light_css_variables": {
        "color-brand-primary": "#4f46a5",
        "color-brand-content": "#4f46a5",
    },
    "dark_css_variables": {
        "color-brand-primary": "#b6b0ff",
        "color-brand-content": "#b6b0ff",
    },
}
pygments_style = "friendly"
pygments_dark_style = "github-dark"

# `make links` asks each address, but not that of the server on this machine.
linkcheck_timeout = 20
linkcheck_retries = 2
linkcheck_ignore = [r"http://127\.0\.0\.1.*"]

_CODE = re.compile(r"`+[^`]+`+")


def show_one_signature(
    app: Sphinx, kind: str, name: str, thing: object, *_: object
) -> None:
    """Show the signature that there is, not the overloads, which are for checkers."""
    module = getattr(thing, "__module__", None) or ""
    if module.startswith(project):
        analyzer = ModuleAnalyzer.for_module(module)
        analyzer.analyze()
        analyzer.overloads.clear()


def take_attributes_as_code(
    app: Sphinx, kind: str, name: str, thing: object, _: object, lines: list[str]
) -> None:
    """`.value` is code, and not a link to whichever class has such an attribute."""
    for number, line in enumerate(lines):
        lines[number] = _CODE.sub(
            lambda code: f"`{code[0]}`" if code[0].startswith("`.") else code[0], line
        )


def setup(app: Sphinx) -> None:
    """Have Sphinx call these."""
    app.connect("autodoc-process-signature", show_one_signature)
    app.connect("autodoc-process-docstring", take_attributes_as_code)
