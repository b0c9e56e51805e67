"""Documentation of photogap: `make docs` builds it into build/docs, with warnings as errors."""

import os
import sys
from importlib.metadata import version as version_of
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "_ext"))
if not (HERE / "notebooks").exists():
    (HERE / "notebooks").symlink_to("../notebooks", target_is_directory=True)
# Kernels of the notebooks: one thread each, and no progress bars in their pages.
os.environ.setdefault("OMP_NUM_THREADS", "1")

project = "photogap"
author = "The photogap authors"
copyright = "The photogap authors, BSD-3-Clause"
version = release = version_of("photogap")

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_design",
    "sphinx_copybutton",
    "generated",
]
exclude_patterns = [
    "_ext",
    "_build",
    "conf.py",
    "notebooks/results",
    "notebooks/data",
    "notebooks/.ipynb_checkpoints",
]
templates_path: list[str] = []
nitpicky = True
# Names of other packages and of type variables: their documentation is on hosts that this build does not ask.
nitpick_ignore_regex = [
    (r"py:.*", r"(?!photogap).*"),
    (r"py:.*", r"photogap\..*\.(_.*|Array|Schema|T)"),
    (r"py:class", r"photogap\.sweeps\.(store|files|clusters|materials)\..*"),
]
default_role = "literal"
suppress_warnings = ["mystnb.unknown_mime_type"]

# Pages
myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist"]
myst_heading_anchors = 3
myst_fence_as_directive = ["math"]
html_math_renderer = "mathml"

# Notebooks, in jupytext's percent format: executed once, then taken from the cache until one of them changes.
nb_custom_formats = {".py": ["jupytext.reads", {"fmt": "py:percent"}]}
nb_execution_mode = os.environ.get("PHOTOGAP_DOCS_NOTEBOOKS", "cache")
nb_execution_cache_path = str(HERE.parent / "build" / "notebooks")
nb_execution_timeout = 600
nb_execution_raise_on_error = True
nb_merge_streams = True
# Widgets need Python behind the page, and their scripts another host: the site shows the picture that they carry.
nb_ipywidgets_js: dict[str, dict[str, str]] = {}
nb_mime_priority_overrides = [("html", "application/vnd.jupyter.widget-view+json", None)]

# Reference from docstrings
autodoc_default_options = {"members": True, "undoc-members": False, "show-inheritance": True}
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
autodoc_type_aliases = {"Array": "Array"}
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True

# Pages in a browser
html_theme = "furo"
html_title = f"photogap {version}"
html_static_path = ["_static"]
html_css_files = ["photogap.css"]
html_copy_source = False
html_show_sphinx = False
copybutton_prompt_text = r"\$ |>>> "
copybutton_prompt_is_regexp = True
