"""Settings of the book. Nothing is fetched: no fonts, no scripts and no style sheets from a network."""

project = "distlab"
author = "the authors of distlab"
copyright = "the authors of distlab, MIT licence"
extensions = ["myst_nb"]
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb"}
exclude_patterns = ["_static"]
nitpicky = True

html_theme = "furo"  # light and dark, by the reader's system or by a button
html_title = "distlab"
html_static_path = ["_static"]
html_css_files = ["book.css"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {"navigation_with_keys": True}

myst_heading_anchors = 4
nb_execution_mode = "off"  # tools/book executes lessons itself, those that changed, side by side
nb_ipywidgets_js = {}  # no widget survives without a kernel, so their scripts are not needed
nb_merge_streams = True
