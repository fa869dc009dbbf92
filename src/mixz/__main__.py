"""`python -m mixz` is `mixz`."""

from mixz.cli import main

if __name__ == "__main__":
    main()
