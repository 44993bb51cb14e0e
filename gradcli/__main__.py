"""`python -m gradcli`."""

from __future__ import annotations

from gradcli.cli.main import main

if __name__ == "__main__":
    main()
