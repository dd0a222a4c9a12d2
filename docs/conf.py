"""How Sphinx makes the site; `make docs`."""

import pkgutil
import re
from importlib import import_module
from importlib.metadata import version as installed
from typing import ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.domains.python import PyObject  # pyright: ignore[reportPrivateImportUsage]
from sphinx.util.docutils import SphinxDirective

project = "lutformer"
author = "the lutformer authors"
copyright = f"{author}, Apache-2.0"
version = release = installed("lutformer")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["adr/template.md"]
html_theme = "furo"
html_title = f"lutformer {release}"

myst_heading_anchors = 3
myst_enable_extensions = ["deflist"]

napoleon_google_docstring = False
napoleon_use_ivar = True  # an attribute is described once, though it is a member as well
napoleon_custom_sections = [("Members", "params_style")]
autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_typehints = "none"  # the docstrings say shapes and widths; the signatures show types
autodoc_member_order = "bysource"


class Package(SphinxDirective):
    """``{package} NAME``: a section for each module below a package, from its docstrings.

    ``:but:`` names sub-packages that have a page of their own.
    """

    required_arguments = 1
    option_spec: ClassVar = {"but": lambda text: [f"{name}." for name in text.split()]}

    def run(self) -> list[nodes.Node]:
        """Return what ``automodule`` makes of them."""
        (package,) = self.arguments
        names = [
            module.name
            for module in pkgutil.walk_packages(import_module(package).__path__, f"{package}.")
            if not module.ispkg and not module.name.startswith(tuple(self.options.get("but", ())))
        ]
        lines = []
        for name in names:
            lines += [name, "-" * len(name), "", f".. automodule:: {name}", ""]
        return self.parse_text_to_nodes("\n".join(lines), allow_section_headings=True)


def literal_fields(
    app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    """Make no links of types and names: of one there is a class in ``model``, ``nn`` and ``hdl``.

    Several names of one field (``height, width``) would be taken for a type and a name.
    """
    for n, line in enumerate(lines):
        field = re.match(r"(:(?:param|ivar|type|vartype|rtype)\b[^:]*:)(.*)", line)
        if field is not None:
            head, rest = field[1].replace(", ", ","), field[2].strip()
            lines[n] = (
                f"{head} ``{rest}``" if "type" in head.split()[0] and rest else head + field[2]
            )


def setup(app: Sphinx) -> None:
    """Add what is defined here; names of exceptions are no links either."""
    for field in PyObject.doc_field_types:
        if field.name == "exceptions":
            field.rolename = ""
    app.add_directive("package", Package)
    app.connect("autodoc-process-docstring", literal_fields, priority=900)  # after napoleon
