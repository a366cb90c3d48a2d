"""`python -m hearth_core` is `hearth`."""

from .cli import main

main()
