"""`python -m hearth_satellite` is `hearth satellite`."""

from __future__ import annotations

import sys

from hearth_core.cli import run

sys.exit(run(["satellite", *sys.argv[1:]]))
