#!/usr/bin/env python
"""Django's command line for Gatehouse; `make run` goes through `manage.py serve`."""

import os
import sys


def main() -> int:
    """Run one management command; a bad environment ends with one clear line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    from config.env import EnvironmentInvalid

    try:
        execute_from_command_line(sys.argv)
    except EnvironmentInvalid as error:
        sys.stderr.write(f"gatehouse: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
