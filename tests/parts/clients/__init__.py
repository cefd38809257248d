"""The real package clients: installed once into `.tools/clients`, each run with a home of its own.

`Client("npm-12", home, registry, token).run("install", "left-hand")`. Every tool: `TOOLS`.
"""

from tests.parts.clients.client import Client, Done
from tests.parts.clients.families import TOOLS
from tests.parts.clients.install import folder_of, node_folder

__all__ = ["TOOLS", "Client", "Done", "folder_of", "node_folder"]
