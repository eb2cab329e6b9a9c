"""`python -m twinbook.cli`."""

from twinbook.cli import main

main()
