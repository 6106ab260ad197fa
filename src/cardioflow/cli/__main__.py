"""``python -m cardioflow.cli`` is the command ``cardioflow``."""

from cardioflow.cli.app import main

main()
