"""``python -m cardioflow`` is the command ``cardioflow``, also where its script is not on the path."""

from cardioflow.cli.app import main

if __name__ == "__main__":
    main()
