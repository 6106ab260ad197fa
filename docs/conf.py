"""Settings of the documentation site, which ``tools/build_site.py`` builds."""

from __future__ import annotations

from importlib.metadata import version as installed_version

project = "CardioFlow"
author = "The CardioFlow developers"
project_copyright = "The CardioFlow developers, Apache-2.0"
version = release = installed_version("cardioflow")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_design"]
source_suffix = {".md": "markdown"}
root_doc = "docs/index"

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4

autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_class_signature = "mixed"
autodoc_preserve_defaults = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False

html_theme = "pydata_sphinx_theme"
html_title = f"CardioFlow {version}"
html_static_path = ["_static"]
html_css_files = ["wide.css"]
html_sidebars = {"docs/index": [], "docs/quickstart": []}
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "navbar_align": "left",
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "footer_start": ["copyright"],
    "footer_end": [],
}
